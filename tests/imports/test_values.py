"""How strangers write durations, dates, flags, languages and text."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from indexer.importing import values


@pytest.mark.parametrize(
    ("written", "seconds"),
    [("3600", 3600), ("3600.7", 3600), ("1:00:00", 3600), ("01:00:00.500", 3600), ("60:00", 3600), ("1:05", 65), ("0:59", 59),
     ("PT1H2M3S", 3723), ("pt90m", 5400), ("P1DT1H", 90_000), ("1h 2m", 3720), ("62 min", 3720), ("1 hr 2 min 3 sec", 3723),
     ("1.5 hours", 5400), ("ساعة", None), ("1 ساعة و 5 دقائق", 3900), ("٦٠:٠٠", 3600), ("1h2m3s", 3723), (" 12 ", 12), ("0", 0), (90, 90),
     ("", None), ("soon", None), ("-5", None), ("1:2:3:4", None), ("99999999", None), ("PT", 0), ("P", None), ("12 parsecs", None),
     ("1,5", 1), ("NaN", None), ("1e9", None)],
)  # fmt: skip
def test_durations(written: object, seconds: int | None) -> None:
    assert values.duration(written) == seconds


@pytest.mark.parametrize(
    ("written", "moment"),
    [("Tue, 03 Nov 2026 21:00:00 GMT", "2026-11-03T21:00:00"), ("Tue, 03 Nov 2026 21:00:00 -0500", "2026-11-04T02:00:00"),
     ("Tue, 03 Nov 2026 21:00:00 PDT", "2026-11-04T04:00:00"), ("2026-11-03T21:00:00Z", "2026-11-03T21:00:00"),
     ("2026-11-03T21:00:00.123+03:00", "2026-11-03T18:00:00.123000"), ("2026-11-03", "2026-11-03T00:00:00"), ("3 Nov 2026", "2026-11-03T00:00:00"),
     ("November 3, 2026 9:00 PM", "2026-11-03T21:00:00"), ("٣ نوفمبر ٢٠٢٦", "2026-11-03T00:00:00"), ("2026/11/03", "2026-11-03T00:00:00"),
     ("Tue, 3 Nov 26 21:00:00 +0000", "2026-11-03T21:00:00"), ("1793739600", "2026-11-03T21:00:00"), ("2026", "2026-01-01T00:00:00"),
     ("20261103", "2026-11-03T00:00:00"), ("21:00", None), ("tomorrow", None), ("", None), ("2026-13-45", None), ("0001-01-01", None), ("x" * 500, None)],
)  # fmt: skip
def test_dates(written: str, moment: str | None) -> None:
    found = values.moment(written)
    assert (found.isoformat() if found else None) == (f"{moment}+00:00" if moment else None)


@pytest.mark.parametrize(
    ("html", "text"),
    [("plain", "plain"), ("a < b & c", "a < b & c"), ("<p>one</p><p>two</p>", "one\ntwo"), ("a<br>b<br/>c", "a\nb\nc"),
     ("&lt;p&gt;escaped&lt;/p&gt;", "escaped"), ("&amp;lt;b&amp;gt;twice&amp;lt;/b&amp;gt;", "twice"),
     ("<script>alert(1)</script>after", "after"), ("<style>p{}</style>x", "x"), ('<a href="javascript:x">link</a>', "link"),
     ("&lt;script&gt;alert(1)&lt;/script&gt;safe", "safe"), ("<img src=x onerror=alert(1)>", ""), ("&eacute;&#1594;&nbsp;x", "éغ x"),
     ("a\x00b\x1fc\ud800", "abc"), ("  many   spaces \n\n\n\n lines ", "many spaces\n\nlines"), ("<!-- hidden -->shown", "shown"),
     ("<<b>>x", "<>x"), ("unclosed <b", "unclosed")],
)  # fmt: skip
def test_text(html: str, text: str) -> None:
    assert values.safe_text(html) == text


@pytest.mark.parametrize(
    ("written", "tag"),
    [("ar", "ar"), ("AR_sa", "ar-SA"), ("en-us", "en-US"), ("zh-hant-TW", "zh-Hant-TW"), ("Arabic", "ar"), ("العربية", "ar"),
     ("English", "en"), ("", None), ("klingon language", None), ("12", None), ("en-us-x-private", "en-US")],
)  # fmt: skip
def test_languages(written: str, tag: str | None) -> None:
    assert values.language(written) == tag


@pytest.mark.parametrize(
    ("written", "expected"), [("yes", True), ("True", True), ("١", True), ("نعم", True), ("clean", False), ("no", False), ("maybe", None)]
)  # fmt: skip
def test_flags(written: str, expected: bool | None) -> None:
    assert values.flag(written) is expected


@settings(max_examples=300, deadline=None)
@given(st.text(max_size=200))
def test_nothing_that_is_written_breaks_a_reader(text: str) -> None:
    for read in (values.duration, values.moment, values.flag, values.whole, values.language, values.names, values.address):  # fmt: skip
        read(text)
    assert "\0" not in values.safe_text(text)
    assert "<script" not in values.safe_text(f"<script>{text}").lower() or "<script" in text.lower()
