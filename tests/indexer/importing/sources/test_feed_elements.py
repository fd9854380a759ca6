"""What is read from which element of a feed, by cases made after reports of other readers."""

import re

import pytest

from catalog.imports.writing.rows import Row
from indexer.importing.errors import ImportFailed
from tests.support.importing import Importer, case, counts, episode, read_feed, rss
from tests.support.paths import ROOT


def one(more: str, *, channel: str = "", media: bool = True, title: str = "t") -> Row:
    """The only item of a feed; `more` stands in it."""
    enclosure = '<enclosure url="https://cdn.example/1.mp3" type="audio/mpeg"/>' if media else ""
    (row,) = read_feed(
        rss(f"<item><guid>1</guid><title>{title}</title>{enclosure}{more}</item>", channel=channel)
    )
    return row


def values(name: str, body: str) -> list[object]:
    return [row.values.get(name) for row in read_feed(case(body))]


def test_explicit_is_read_in_every_spelling() -> None:
    assert values("is_explicit", "explicit-values.xml") == [True] * 5 + [False] * 3 + [True]
    assert values("is_explicit", "explicit-channel.xml") == [True, False]
    assert one("<itunes:explicit>maybe</itunes:explicit>").values.get("is_explicit") is None
    assert one("<itunes:explicit/>", channel="<itunes:explicit>TRUE</itunes:explicit>").values["is_explicit"]


@pytest.mark.parametrize(
    ("channel", "item", "is_blocked"),
    [
        ("<itunes:block>Yes</itunes:block>", "", True),
        ("<itunes:block>yes</itunes:block>", "<itunes:block>no</itunes:block>", True),
        ("<itunes:block>no</itunes:block>", "", False),
        ("<podcast:block>yes</podcast:block>", "", True),
        ('<podcast:block id="spotify">yes</podcast:block>', "", False),
        ('<podcast:block>yes</podcast:block><podcast:block id="spotify">no</podcast:block>', "", True),
        ('<podcast:block>yes</podcast:block><podcast:block id="thmanyah">no</podcast:block>', "", False),
        ('<podcast:block id="thmanyah">yes</podcast:block>', "", True),
        ("", "<podcast:block>YES</podcast:block>", True),
        ("", "<itunes:block>Yes</itunes:block>", True),
    ],
)
def test_blocks_of_the_channel_and_of_the_item(channel: str, item: str, is_blocked: bool) -> None:
    skip = one(item, channel=channel).skip
    assert (skip is not None and skip[0] == "blocked") is is_blocked


def test_a_blocked_channel_lists_nothing(importer: Importer) -> None:
    run = importer.go("feed", case("block-channel.xml"))
    assert counts(run) == {"skipped": 1}
    assert importer.items(run.id)[0].code == "blocked"


def test_what_a_live_item_says_is_not_the_channels() -> None:
    (row,) = read_feed(case("liveitem.xml"))
    assert row.values["thumbnail_url"] == "http://img.example/show.jpg"
    assert row.values.get("is_explicit") is None
    assert row.series is not None
    assert (row.series.title, row.series.description) == ("برنامج الصباح", "وصف البرنامج")


@pytest.mark.parametrize(
    "foreign",
    [
        "<image><url>https://img.example/rss.jpg</url><title>X</title><description>X</description></image>",
        "<textInput><title>X</title><description>X</description><link>https://x.example</link></textInput>",
        "<media:group><media:title>X</media:title><media:description>X</media:description></media:group>",
        "<channel><title>X</title><description>X</description><itunes:block>yes</itunes:block></channel>",
        "<atom:source><atom:title>X</atom:title></atom:source>",
    ],
)
def test_elements_of_other_elements_do_not_leak_into_the_channel(foreign: str) -> None:
    said = "<description>وصف</description>"
    for channel in (foreign + said, said + foreign):
        row = one("", channel=channel)
        assert row.skip is None
        assert row.series is not None
        assert (row.series.title, row.series.description) == ("فنجان", "وصف")


@pytest.mark.parametrize(
    "foreign",
    [
        '<source url="https://x.example/feed">X</source>',
        "<atom:source><atom:title>X</atom:title><atom:id>X</atom:id><atom:updated>2001-01-01</atom:updated></atom:source>",
        "<media:group><media:title>X</media:title><media:description>X</media:description></media:group>",
        "<image><title>X</title><description>X</description></image>",
    ],
)
def test_elements_of_other_elements_do_not_leak_into_an_item(foreign: str) -> None:
    said = "<description>نص</description>"
    for more in (foreign + said, said + foreign):
        row = one(more)
        assert (row.external_id, row.title, row.values["description"]) == ("n:1", "t", "نص")
        assert "release_date" not in row.values


def test_the_description_does_not_depend_on_the_order_of_elements() -> None:
    full = "Full show notes of the episode, with links"
    rich = "Rich notes"
    assert values("description", "description-order.xml") == [full] * 2 + [rich] * 6 + [full] * 2
    short = "<description>short</description>"
    long = "<itunes:summary>The whole text of the episode.</itunes:summary>"
    for more in (short + long, long + short):
        assert one(more).values["description"] == "The whole text of the episode."
    nested = "<media:group><media:description>only here</media:description></media:group>"
    assert one(nested).values["description"] == "only here"
    marked = "<content:encoded><![CDATA[<p>one</p>\n<p>two<br>three</p>]]></content:encoded>"
    assert one(marked).values["description"] == "one\n\ntwo\nthree"


def test_titles_keep_words_in_angle_brackets() -> None:
    assert [row.title for row in read_feed(case("angle.xml"))] == [
        "Vector<int> explained",
        "Why the <marquee> tag died",
        "Using <script> safely",
        "Why <title> matters for SEO",
        "<3 letters",
        "a <b and c> d",
    ]


def test_titles_keep_types_in_types() -> None:
    assert (
        one("", title="<![CDATA[<em>New</em>: Map<String, List<int>>]]>").title
        == "New: Map<String, List<int>>"
    )


def test_keywords_are_split_like_tags() -> None:
    row = one("<itunes:keywords>قهوة، شاي; كتب,سفر</itunes:keywords><category>News, Politics</category>")
    assert row.values["tags"] == ["قهوة", "شاي", "كتب", "سفر", "News, Politics"]


def test_only_what_can_be_played_is_an_episode() -> None:
    rows = {row.external_id: row for row in read_feed(case("enclosures.xml"))}
    skipped = {name for name, row in rows.items() if row.skip}
    assert {row.skip[0] for row in rows.values() if row.skip} == {"no_media"}
    assert skipped == {f"n:p{n}" for n in (1, 4, 8, 9, 12, 14, 18)}
    assert rows["n:p2"].values["media_url"] == "http://cdn.example/a.mp3"
    assert {name: rows[f"n:{name}"].values["media_type"] for name in ("p3", "p13", "p15", "p17", "p19")} == {
        "p3": "audio",
        "p13": "audio",
        "p15": "audio",
        "p17": "video",
        "p19": "video",
    }
    assert rows["n:p3"].note == ("one_of_several", "Plays enclosure 1, one of 2 files.")
    assert rows["n:p3"].extra["chosen"] == "enclosure 1"
    assert rows["n:p13"].note is None


def test_an_alternate_enclosure_is_played_where_the_enclosure_cannot_be() -> None:
    more = """<enclosure url="https://cdn.example/notes.pdf" type="application/pdf"/>
      <podcast:alternateEnclosure type="audio/opus" bitrate="32000"><podcast:source uri="https://cdn.example/low.opus"/></podcast:alternateEnclosure>
      <podcast:alternateEnclosure type="audio/mpeg" bitrate="128000"><podcast:source uri="ipfs://x"/><podcast:source uri="https://cdn.example/high.mp3"/></podcast:alternateEnclosure>"""
    row = one(more, media=False)
    assert (row.values["media_url"], row.extra["chosen"]) == (
        "https://cdn.example/high.mp3",
        "podcast:alternateEnclosure 2",
    )
    default = more.replace('bitrate="32000"', 'default="true"')
    assert one(default, media=False).values["media_url"] == "https://cdn.example/low.opus"


def test_durations_of_feeds() -> None:
    found = dict(
        zip(
            [r.title for r in read_feed(case("durations.xml"))],
            values("duration_sec", "durations.xml"),
            strict=True,
        )
    )
    wanted = {
        "t 0": None,
        "t 00:00:00": None,
        "t 01h05": 3900,
        "t :45": 45,
        "t 0 days 00:45:30": 2730,
        "t 14:57": 897,
        "t 45m30s": 2730,
        "t 1 hour, 5 minutes": 3900,
        "t N/A": None,
        "t 1014.708375": 1014,
    }
    assert {title: found[title] for title in wanted} == wanted


def test_dates_of_feeds() -> None:
    found = {row.title: row.values.get("release_date") for row in read_feed(case("dates.xml"))}
    wanted = {
        "tz colon": "2022-03-12T07:00:00",
        "rlm": "2022-03-12T07:00:00",
        "js date riyadh": "2020-05-16T06:00:57",
        "js date us": "2020-05-16T13:00:57",
        "gmt+3 mail": "2020-05-16T06:00:57",
        "utc+3 iso": "2020-05-16T06:00:57",
        "iso gmt+3": "2020-05-16T06:00:57",
        "zero": "None",
        "arabic pm": "2022-03-12T22:00:00",
        "arabic lev/egy": "2022-03-12T00:00:00",
        "german": "2022-10-05T08:00:00",
        "french": "2022-03-12T09:00:00",
        "french2": "2022-08-05T09:00:00",
        "spanish": "2021-01-04T10:00:00",
        "turkish": "2022-03-12T07:00:00",
        "hijri": "None",
        "epoch": "1970-01-01T00:00:00",
        "nbsp": "2022-03-12T07:00:00",
        "12h": "2022-03-12T19:00:00",
    }
    shown = {title: str(at and at.isoformat().removesuffix("+00:00")) for title, at in found.items()}  # type: ignore[attr-defined]  # a datetime
    assert {title: shown[title] for title in wanted} == wanted


def test_a_persian_feed_may_write_dates_of_the_persian_calendar() -> None:
    body = rss(episode(1, more="<pubDate>1402/05/12 10:00</pubDate>"))
    assert "release_date" not in read_feed(body)[0].values
    found = read_feed(body.replace(b"<language>ar", b"<language>fa"))[0].values["release_date"]
    assert str(found) == "2023-08-03 10:00:00+00:00"


@pytest.mark.parametrize(
    ("title", "expected"),
    [
        ("&#55357;&#56832; smile", "😀 smile"),
        ("&#xD83D;&#xDE00; smile", "😀 smile"),
        ("<![CDATA[&#55357;&#56832; smile]]>", "😀 smile"),
        ("&#xD83D; half", "\ufffd half"),
        ("&#x110000; far &#xFFFFFFFF;", "\ufffd far \ufffd"),
        ("a&#1;b&#x1F;c\x02d", "abcd"),
        ("Q&A &nosuch; &copy 2024 &amp; R&D", "Q&A &nosuch; © 2024 & R&D"),
        ("it&#146;s", "it’s"),
    ],
)
def test_damaged_text_costs_one_character(title: str, expected: str, importer: Importer) -> None:
    run = importer.go("feed", rss(episode(1), episode(2, title), episode(3)))
    assert counts(run) == {"created": 3}
    assert [p.title for p in importer.programs()] == ["الحلقة 1", expected, "الحلقة 3"]


def test_an_item_in_another_encoding_does_not_spoil_the_others() -> None:
    marker = "X" * 9
    items = (
        episode(1, "القهوة العربية وتاريخها"),
        episode(2, marker),
        episode(3, "café, naïve, Orléans et déjà vu"),
    )
    body = rss(*items)
    arabic = "حلقة عن الشاي".encode("windows-1256")
    assert [r.title for r in read_feed(body.replace(marker.encode(), arabic))] == [
        "القهوة العربية وتاريخها",
        "حلقة عن الشاي",
        "café, naïve, Orléans et déjà vu",
    ]
    cesu = "😀".encode("utf-16-be")
    halves = b"".join(chr(int.from_bytes(cesu[i : i + 2])).encode("utf-8", "surrogatepass") for i in (0, 2))
    assert read_feed(body.replace(marker.encode(), halves))[1].title == "😀"


def test_a_feed_that_is_cut_off_or_preceded_by_warnings_is_read() -> None:
    body = rss(episode(1), episode(2))
    assert len(read_feed(body[: body.rindex(b"<description>")])) == 2
    assert len(read_feed(b"<br />\n<b>Warning</b>: mkdir() in <b>/x.php</b>\n" + body)) == 2


def test_what_is_no_feed_says_what_it_is_and_what_to_do() -> None:
    with pytest.raises(ImportFailed) as refused:
        read_feed(case("opml-as-xml.xml"))
    assert (refused.value.code, refused.value.detail) == (
        "not_a_feed",
        "The document is a list of feeds (OPML), not a feed: import it as opml.",
    )
    page = b"""<!DOCTYPE html><html><head><link rel="alternate" type="application/rss+xml" href="/show.xml">
      <link rel="stylesheet" href="x.css"></head><body>hello</body></html>"""
    with pytest.raises(ImportFailed) as refused:
        read_feed(page)
    assert refused.value.detail.endswith("Import a feed that it names: https://feed.example/show.xml")


def test_a_file_with_a_list_of_feeds_is_recognised_by_its_content(tmp_path, monkeypatch) -> None:  # type: ignore[no-untyped-def]  # fixtures
    from indexer.importing.cli import _kind_of

    (tmp_path / "list.xml").write_bytes(case("opml-as-xml.xml"))
    (tmp_path / "feed.xml").write_bytes(rss(episode(1)))
    (tmp_path / "feeds").write_bytes(b'<o:opml xmlns:o="http://opml.org/spec2"><o:body/></o:opml>')
    monkeypatch.chdir(tmp_path)
    assert [_kind_of(name) for name in ("list.xml", "feed.xml", "feeds")] == ["opml", "feed", "opml"]


# Of each element: what stands in the channel, what in the item, and the value that comes of it.
READ = {
    "guid, id": ("", "", "externalId", "n:1"),
    "title, itunes:title, media:title": ("", "", "title", "t"),
    "content:encoded, content": ("", "<content:encoded>c</content:encoded><description>dd</description>", "description", "c"),
    "description, summary, itunes:summary, media:description": ("", "<itunes:summary>s</itunes:summary>", "description", "s"),
    "language, xml:lang": ("", "", "language", "ar"),
    "enclosure, media:content, podcast:alternateEnclosure": ("", "", "mediaUrl", "https://cdn.example/1.mp3"),
    "enclosure type": ("", "", "mediaType", "audio"),
    "podcast:medium": ("<podcast:medium>video</podcast:medium>", "<enclosure url='https://cdn.example/x'/>", "mediaType", "video"),
    "itunes:episodeType": ("", "<itunes:episodeType>trailer</itunes:episodeType>", "kind", "trailer"),
    "itunes:duration, media:content duration": ("", "<itunes:duration>61</itunes:duration>", "durationSec", 61),
    "pubDate, published, dc:date, updated": ("", "<dc:date xmlns:dc='http://purl.org/dc/elements/1.1/'>2024-01-02</dc:date>", "releaseDate", "2024-01-02 00:00:00+00:00"),
    "itunes:image, image, media:thumbnail": ("<itunes:image href='https://img.example/c.jpg'/>", "<media:thumbnail url='https://img.example/i.jpg'/>", "thumbnailUrl", "https://img.example/i.jpg"),
    "podcast:season, itunes:season": ("", "<itunes:season>1</itunes:season><podcast:season>2</podcast:season>", "season", 2),
    "podcast:episode, itunes:episode": ("", "<itunes:episode>7</itunes:episode>", "episode", 7),
    "itunes:explicit": ("<itunes:explicit>yes</itunes:explicit>", "<itunes:explicit>clean</itunes:explicit>", "isExplicit", False),
    "category, itunes:keywords, media:keywords": ("", "<category>a</category><itunes:keywords>b;c</itunes:keywords>", "tags", ["a", "b", "c"]),
    "podcast:person, media:credit, itunes:author": ("", "<podcast:person role='guest'>P</podcast:person>", "people", [("guest", "P")]),
}  # fmt: off


def test_the_table_of_elements_is_what_is_read() -> None:
    page = (ROOT / "docs" / "imports.md").read_text()
    table = page.split("| element | field | rule |")[1].split("\n\n")[0]
    listed = {
        elements.replace("`", ""): field
        for elements, field in re.findall(r"^\| (.+?) \| `(\w+)` \|", table, re.MULTILINE)
    }
    assert listed == {elements: field for elements, (_, _, field, _) in READ.items()}
    for elements, (channel, more, field, expected) in READ.items():
        row = one(more, channel=channel, media="cdn.example/x" not in more)
        name = re.sub(r"([A-Z])", lambda m: f"_{m[1].lower()}", field)
        found = row.external_id if name == "external_id" else row.values[name]
        assert (str(found) if name == "release_date" else found) == expected, elements
