"""How strangers write durations, dates, flags, languages and text."""

import html
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from indexer.importing.reading import dates, values
from indexer.importing.reading.texts import html_words
from tests.support.examples import examples


@pytest.mark.parametrize(
    ("written", "seconds"),
    [
        ("3600", 3600),
        ("3600.7", 3600),
        ("1:00:00", 3600),
        ("01:00:00.500", 3600),
        ("60:00", 3600),
        ("1:05", 65),
        ("0:59", 59),
        ("PT1H2M3S", 3723),
        ("pt90m", 5400),
        ("P1DT1H", 90_000),
        ("1h 2m", 3720),
        ("62 min", 3720),
        ("1 hr 2 min 3 sec", 3723),
        ("1.5 hours", 5400),
        ("ساعة", 3600),
        ("1 ساعة و 5 دقائق", 3900),
        ("٦٠:٠٠", 3600),
        ("1h2m3s", 3723),
        (" 12 ", 12),
        ("0", 0),
        (90, 90),
        ("", None),
        ("soon", None),
        ("-5", None),
        ("1:2:3:4", None),
        ("99999999", None),
        ("PT", 0),
        ("P", None),
        ("12 parsecs", None),
        ("1,5", 1),
        ("NaN", None),
        ("1e9", None),
        ("3,600", 3600),
        ("٣٬٦٠٠", 3600),
        ("ساعة ودقيقتين", 3720),
        ("ساعة ونصف", 5400),
        ("ساعتان", 7200),
        ("ساعتين و5 دقائق", 7500),
        ("نصف ساعة", 1800),
        ("1 س 5 د", 3900),
        ("62'", 3720),
        ("62'03\"", 3723),
        ("12:34 min", 754),
        ('"1:00:00"', 3600),
        ("45 mins", 2700),
        ("1:00:00 hours", 3600),
    ],
)
def test_durations(written: object, seconds: int | None) -> None:
    assert values.duration(written) == seconds


@pytest.mark.parametrize(
    ("written", "moment"),
    [
        ("Tue, 03 Nov 2026 21:00:00 GMT", "2026-11-03T21:00:00"),
        ("Tue, 03 Nov 2026 21:00:00 -0500", "2026-11-04T02:00:00"),
        ("Tue, 03 Nov 2026 21:00:00 PDT", "2026-11-04T04:00:00"),
        ("2026-11-03T21:00:00Z", "2026-11-03T21:00:00"),
        ("2026-11-03T21:00:00.123+03:00", "2026-11-03T18:00:00.123000"),
        ("2026-11-03", "2026-11-03T00:00:00"),
        ("3 Nov 2026", "2026-11-03T00:00:00"),
        ("November 3, 2026 9:00 PM", "2026-11-03T21:00:00"),
        ("٣ نوفمبر ٢٠٢٦", "2026-11-03T00:00:00"),
        ("2026/11/03", "2026-11-03T00:00:00"),
        ("Tue, 3 Nov 26 21:00:00 +0000", "2026-11-03T21:00:00"),
        ("1793739600", "2026-11-03T21:00:00"),
        ("2026", "2026-01-01T00:00:00"),
        ("20261103", "2026-11-03T00:00:00"),
        ("21:00", None),
        ("tomorrow", None),
        ("", None),
        ("2026-13-45", None),
        ("0001-01-01", None),
        ("x" * 500, None),
        ("الأربعاء، 5 مارس 2024", "2024-03-05T00:00:00"),
        ("5 مارس 2024 10:30 م", "2024-03-05T22:30:00"),
        ("5 مارس 2024 10:30 ص", "2024-03-05T10:30:00"),
        ("15 كانون الأول 2023", "2023-12-15T00:00:00"),
        ("1 تشرين الثاني 2023", "2023-11-01T00:00:00"),
        ("10 أيار 2022", "2022-05-10T00:00:00"),
        ("5 آب 2022", "2022-08-05T00:00:00"),
        ("8 فيفري 2024", "2024-02-08T00:00:00"),
        ("9 جويلية 2021", "2021-07-09T00:00:00"),
        ("5 يونيه 2020", "2020-06-05T00:00:00"),
        ("12 رمضان 1445", None),
        ("05/03/2024", None),
        ("05/05/2024", "2024-05-05T00:00:00"),
        ("14/03/2024", "2024-03-14T00:00:00"),
        ("03/14/2024", "2024-03-14T00:00:00"),
        ("05.03.2024 10:00", "2024-03-05T10:00:00"),
        ("٠٥/٠٣/٢٠٢٤", "2024-03-05T00:00:00"),
        ("14/03/24 9:05 PM", "2024-03-14T21:05:00"),
        ("0000-00-00 00:00:00", None),
        ("5-3-2024", None),
    ],
)
def test_dates(written: str, moment: str | None) -> None:
    found = dates.moment(written)
    assert (found.isoformat() if found else None) == (f"{moment}+00:00" if moment else None)


def test_the_editor_says_what_comes_first() -> None:
    for day_first, month in ((True, 3), (False, 5)):
        found = dates.moment("05/03/2024 10:00", day_first=day_first)
        assert found is not None
        assert (found.month, found.hour) == (month, 10)


@pytest.mark.parametrize(
    ("html", "text"),
    [
        ("plain", "plain"),
        ("a < b & c", "a < b & c"),
        ("<p>one</p><p>two</p>", "one\ntwo"),
        ("a<br>b<br/>c", "a\nb\nc"),
        ("&lt;p&gt;escaped&lt;/p&gt;", "escaped"),
        ("&amp;lt;b&amp;gt;twice&amp;lt;/b&amp;gt;", "twice"),
        ("<script>alert(1)</script>after", "after"),
        ("<style>p{}</style>x", "x"),
        ('<a href="javascript:x">link</a>', "link"),
        ("&lt;script&gt;alert(1)&lt;/script&gt;safe", "safe"),
        ("<img src=x onerror=alert(1)>", ""),
        ("&eacute;&#1594;&nbsp;x", "éغ x"),
        ("a\x00b\x1fc\ud800", "abc"),
        ("  many   spaces \n\n\n\n lines ", "many spaces\n\nlines"),
        ("<!-- hidden -->shown", "shown"),
        ("<<b>>x", "<>x"),
        ("unclosed <b", "unclosed"),
    ],
)
def test_text(html: str, text: str) -> None:
    assert values.safe_text(html) == text


@pytest.mark.parametrize(
    ("written", "tag"),
    [
        ("ar", "ar"),
        ("AR_sa", "ar-SA"),
        ("en-us", "en-US"),
        ("zh-hant-TW", "zh-Hant-TW"),
        ("Arabic", "ar"),
        ("العربية", "ar"),
        ("English", "en"),
        ("ara", "ar"),
        ("eng-us", "en-US"),
        ("", None),
        ("klingon language", None),
        ("12", None),
        ("en-us-x-private", "en-US"),
    ],
)
def test_languages(written: str, tag: str | None) -> None:
    assert values.language(written) == tag


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("yes", True),
        ("True", True),
        ("١", True),
        ("نعم", True),
        ("clean", False),
        ("no", False),
        ("maybe", None),
    ],
)
def test_flags(written: str, expected: bool | None) -> None:
    assert values.flag(written) is expected


@examples(300)
@given(st.text(max_size=200))
def test_nothing_that_is_written_breaks_a_reader(text: str) -> None:
    for read in (
        values.duration,
        dates.moment,
        values.flag,
        values.whole,
        values.language,
        values.names,
        values.address,
    ):
        read(text)
    assert "\0" not in values.safe_text(text)
    assert "<script" not in values.safe_text(f"<script>{text}").lower() or "<script" in text.lower()


@pytest.mark.parametrize("times", [1, 3, 4, 10, 19, 60])
def test_html_that_was_escaped_many_times_never_becomes_html(times: int) -> None:
    text = "<script>alert(1)</script><b>coffee</b>"
    for _ in range(times):
        text = html.escape(text)
    found = values.safe_text(f"{text} & tea")
    assert "<" not in found
    assert html.unescape(found) == found or times > 19
    assert "tea" in found


@pytest.mark.parametrize(
    ("marked", "expected"),
    [
        ("a<ul><li>b</li><li>c</li></ul>d", "a\nb\nc\nd"),
        ("text<p>more", "text\nmore"),
        ("a <b>x</b><div class='y'>z</div>", "a x\nz"),
        ("<table><tr><td>a</td></tr></table>b<h2>c</h2>", "a\nb\nc"),
        ("<p>one</p>\n<p>two<br>three</p>", "one\n\ntwo\nthree"),
        ("  <p>x</p>", "x"),
    ],
)
def test_blocks_of_html_begin_on_a_line_of_their_own(marked: str, expected: str) -> None:
    assert values.safe_text(marked) == expected


@pytest.mark.parametrize(
    "text",
    [
        "<p>a &amp; b <a href='https://x.example/?a=1&amp;b=2'>link</a><br/>c</p>",
        "<p>one<p>two <b><i>x</b></i></p><li>z",
        "&lt;b&gt;twice&lt;/b&gt; <em>once</em> &nbsp;&hellip;",
        '<img src="x" alt="a"><span style="color: red">q</span>',
    ],
)
def test_tags_that_are_removed_in_a_short_way_leave_what_a_parser_leaves(
    text: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = values.safe_text(text)
    monkeypatch.setattr(values, "without_flowing_tags", lambda text: None)
    assert found == values.safe_text(text)
    assert "<" not in found


@pytest.mark.parametrize(
    "text", ["<script>x</script>a", "<!-- c --><p>a</p>", "a <3 b", '<a title="1>2">x</a>']
)
def test_other_markup_is_left_to_the_parser(text: str) -> None:
    assert html_words.without_flowing_tags(text) is None


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("السبت 12 مارس 2022 الساعة 10:00 م", "2022-03-12T22:00:00+00:00"),
        ("12 mars 2022 à 10h30", "2022-03-12T10:30:00+00:00"),
        ("4 de enero de 2021 a las 10:00", "2021-01-04T10:00:00+00:00"),
        ("5 آگوست 2021", "2021-08-05T00:00:00+00:00"),
        ("Sat, 12 Mar 2022 10:00:00 +0330", "2022-03-12T06:30:00+00:00"),
        ("12 Mar 2022 10:00 Z", "2022-03-12T10:00:00+00:00"),
        ("Sat, 12 Mar 2022 10:00:00 +1500", None),
        ("Sat, 32 Mar 2022 10:00:00 +0300", None),
    ],
)
def test_dates_with_words_around_them_and_dates_of_mail(written: str, expected: str | None) -> None:
    found = dates.moment(written)
    assert (found and found.isoformat()) == expected


@pytest.mark.parametrize(
    "written",
    [
        "https://a.example/x?y=1",
        "https://a.example/x?",
        "HTTP://A.example/x",
        "https://a.example/a b",
        "/x/../y",
    ],
)
def test_addresses_that_need_no_repair_are_what_they_would_be_otherwise(
    written: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    base = "https://base.example/feed/x.xml"
    found = values.address(written, base)
    monkeypatch.setattr(values, "_PLAIN_ADDRESS", re.compile("(?!)"))
    assert found == values.address(written, base)


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("https://a.example/x.mp3", "https://a.example/x.mp3"),
        ("//a.example/x", "https://a.example/x"),
        ("https://a.example:8443/x", "https://a.example:8443/x"),
        ("https://somebody:secret@a.example/x", None),
        ("https://a.example:99999/x", None),
        ("https://a.example:0/x", None),
    ],
)
def test_addresses_that_listeners_may_open(written: str, read: str | None) -> None:
    assert values.address(written) == read


def test_controls_of_old_encodings_are_left_out() -> None:
    assert values.safe_text("a\x85b\x9bc") == "abc"
