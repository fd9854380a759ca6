"""Feeds as they are in the wild, and as hostile people make them."""

import hashlib
from typing import Any
from xml.etree import ElementTree

import pytest
from sqlalchemy import text
from sqlalchemy.orm import Session

from catalog.imports.models import ImportedProgram
from indexer.importing.reading import elements
from indexer.importing.reading.markup import tidy
from indexer.importing.sources.feeds.document import parse
from tests.support.importing import Importer, case, counts, episode, footprint, rss
from tests.support.paths import SHARED
from tests.support.sites import Site, bomb, endless, raw, site

FEEDS = SHARED / "data" / "feeds"
FILES = sorted([*FEEDS.glob("*.xml"), *FEEDS.glob("micro/*.xml")]) if FEEDS.exists() else []


def trusting(importer: Importer, stranger: Site | int, **settings: Any) -> Importer:
    port = stranger if isinstance(stranger, int) else stranger.port
    importer.settings = importer.settings.model_copy(update={"trusted": f"127.0.0.1:{port}"} | settings)
    return importer


def reference(body: bytes) -> int | None:
    """How many items an XML parser sees; None when the document is not well-formed."""
    try:
        root = ElementTree.fromstring(body)
    except (ElementTree.ParseError, ValueError, LookupError):
        return None
    return sum(e.tag.rpartition("}")[2] in ("item", "entry") for e in root.iter())


@pytest.mark.slow
@pytest.mark.timeout(600)
@pytest.mark.shared
def test_every_real_feed_has_a_clear_outcome_and_the_second_import_writes_nothing(
    importer: Importer, session: Session
) -> None:
    assert len(FILES) > 150
    ended: dict[str, int] = {}
    well_formed = 0
    for path in FILES:
        body = path.read_bytes()
        # Names of their own: the same episodes stand in several of these files.
        name = hashlib.sha256(path.name.encode()).hexdigest()[:12]
        run = importer.go("feed", body, namespace=name)
        assert run.status == "succeeded" or run.code == "not_a_feed", (path.name, run.code)
        assert run.code != "internal"
        ended[run.code or run.status] = ended.get(run.code or run.status, 0) + 1
        expected = reference(body)
        if run.status == "succeeded" and expected is not None:
            well_formed += 1
            assert run.total == expected, path.name
        failed = [(i.title, i.detail) for i in importer.items(run.id) if i.outcome == "failed"]
        assert len(failed) <= 3, (path.name, failed)
    assert well_formed > 100
    assert ended["succeeded"] > 150
    before = footprint(session)
    session.rollback()
    for path in FILES:
        name = hashlib.sha256(path.name.encode()).hexdigest()[:12]
        again = importer.go("feed", path.read_bytes(), namespace=name)
        assert (again.created, again.updated, again.conflicts) == (0, 0, 0), path.name
    assert footprint(session) == before


def test_everything_an_episode_says(importer: Importer, session: Session) -> None:
    item = """<item><guid isPermaLink="false">a-1</guid><title>قهوة &amp;amp; كتاب</title>
      <description>short</description>
      <content:encoded><![CDATA[<p>Hello <b>there</b><script>alert(1)</script></p><p onclick="x()">سطر ثان</p><img src=x onerror=alert(1)>]]></content:encoded>
      <enclosure url="//cdn.example/a 1.mp3?x=1&amp;y=2" type="audio/mpeg" length="12345"/>
      <pubDate>Tue, 03 Nov 2026 21:00:00 EST</pubDate><itunes:duration>1:02:03</itunes:duration>
      <itunes:season>2</itunes:season><itunes:episode>7</itunes:episode><itunes:explicit>yes</itunes:explicit>
      <itunes:image href="https://cdn.example/a.jpg"/><itunes:keywords>قهوة, كتب</itunes:keywords>
      <podcast:person role="host">سلمان</podcast:person><podcast:person role="Guest">Nora &amp; Co</podcast:person>
      <podcast:person role="caterer">Nobody</podcast:person>
      <podcast:chapters url="https://cdn.example/c.json" type="application/json+chapters"/>
      <podcast:transcript url="https://cdn.example/t.vtt" type="text/vtt" language="ar"/>
      <podcast:transcript url="javascript:alert(1)" type="text/vtt"/></item>"""
    run = importer.go("feed", rss(item, channel="<podcast:guid>917393e3</podcast:guid>"))
    assert counts(run) == {"created": 1}, importer.items(run.id)[0].detail
    (found,) = importer.programs()
    assert found.title == "قهوة & كتاب"
    assert found.description == "Hello there\nسطر ثان"
    assert found.media_url == "https://cdn.example/a%201.mp3?x=1&y=2"
    assert found.release_date is not None
    assert found.release_date.isoformat() == "2026-11-04T02:00:00+00:00"
    assert (found.duration_sec, found.season, found.episode, found.is_explicit) == (3723, 2, 7, True)
    assert (found.media_type, found.kind, found.language) == ("audio", "episode", "ar")
    assert found.thumbnail_url == "https://cdn.example/a.jpg"
    imported = session.get_one(ImportedProgram, found.id)
    assert imported.values["people"] == [["host", "سلمان"], ["guest", "Nora & Co"]]
    assert imported.values["tags"] == ["قهوة", "كتب"]
    assert imported.extra == {
        "chapters": {"url": "https://cdn.example/c.json", "type": "application/json+chapters"},
        "transcripts": [{"url": "https://cdn.example/t.vtt", "type": "text/vtt", "language": "ar"}],
        "enclosure": {"type": "audio/mpeg", "length": 12345},
    }


@pytest.mark.parametrize(
    ("encoding", "declared"),
    [
        ("windows-1256", "utf-8"),
        ("windows-1256", "iso-8859-1"),
        ("windows-1256", None),
        ("iso-8859-6", "us-ascii"),
        ("utf-8", "windows-1256"),
        ("utf-8", "utf-16"),
        ("utf-8", "klingon"),
        ("utf-16-le", None),
        ("utf-16-be", "utf-8"),
        ("windows-1252", "windows-1252"),
        ("windows-1251", "windows-1251"),
        ("iso-8859-1", "iso-8859-1"),
    ],
)
def test_encodings_that_are_wrongly_declared(encoding: str, declared: str | None) -> None:
    title = {
        "windows-1252": "Un café à Orléans",
        "iso-8859-1": "Über die Straße",
        "windows-1251": "Кофе и книги",
    }.get(encoding, "القهوة العربية")
    said = f' encoding="{declared}"' if declared else ""
    text = rss(episode(1, title)).decode().replace(' encoding="UTF-8"', said)
    if title != "القهوة العربية":
        text = text.replace("فنجان", "F").replace("حديث", "D")
    parsed = parse(tidy(text.encode(encoding), ""))
    assert elements.text(parsed.children(parsed.items[0])["title"][0]) == title


def test_a_slip_in_utf8_costs_one_letter(importer: Importer) -> None:
    body = rss(episode(1, "القهوة العربية"), episode(2)).replace("قهوة".encode(), "قه".encode() + b"\xff")
    importer.go("feed", body)
    assert [p.title for p in importer.programs()] == ["القه\ufffd العربية", "الحلقة 2"]


def test_a_bare_ampersand_is_no_entity(importer: Importer) -> None:
    item = episode(
        1, "Q&A about R&D &amp; caf&eacute;", "<itunes:subtitle><![CDATA[a & b &amp; c]]></itunes:subtitle>"
    )
    importer.go("feed", rss(item))
    assert [p.title for p in importer.programs()] == ["Q&A about R&D & café"]
    # However often a section is opened and never closed, it is read once.
    assert len(tidy(b"<rss>" + b"<![CDATA[" * 300_000, "")) > 2_000_000


def test_ids_survive_a_move_and_addresses_follow_the_feed(importer: Importer) -> None:
    items = (
        "<item><guid>1</guid><title>One</title><enclosure url='/a/1.mp3' type='audio/mpeg'/></item>"
        "<item><guid isPermaLink='true'>ep/2</guid><title>Two</title><enclosure url='2.mp3' type='audio/mpeg'/></item>"
    )
    with site() as stranger:
        stranger.pages |= {"/old/feed": (200, {}, rss(items)), "/new/place/feed": (200, {}, rss(items))}
        first = trusting(importer, stranger).go("feed", url=stranger.url("/old/feed"), namespace="n")
        again = trusting(importer, stranger).go("feed", url=stranger.url("/new/place/feed"), namespace="n")
        assert counts(first) == {"created": 2}
        assert again.created == 0
        assert [p.external_id for p in importer.programs()] == ["n:1", "n:ep/2"]
        assert [p.media_url for p in importer.programs()] == [
            stranger.url("/a/1.mp3"),
            stranger.url("/new/place/2.mp3"),
        ]


@pytest.mark.parametrize(
    "encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "windows-1256", "iso-8859-6"]
)
@pytest.mark.parametrize("declared", ["xml", "header"])
def test_encodings(encoding: str, declared: str, importer: Importer) -> None:
    text = rss(episode(1, "القهوة العربية")).decode()
    name = encoding.removesuffix("-sig")
    if declared == "xml":
        text = text.replace('encoding="UTF-8"', f'encoding="{name}"')
    else:
        text = text.replace(' encoding="UTF-8"', "")
    with site() as stranger:
        kind = f"application/rss+xml; charset={name}" if declared == "header" else "application/rss+xml"
        stranger.pages["/"] = (200, {"Content-Type": kind}, text.encode(encoding))
        run = trusting(importer, stranger).go("feed", url=stranger.url())
    assert (run.status, run.code) == ("succeeded", None)
    assert importer.programs()[0].title == "القهوة العربية"


@pytest.mark.parametrize(
    ("answer", "code"),
    [
        ((200, {}, b""), "empty_document"),
        ((200, {}, b"  \n"), "empty_document"),
        (
            (200, {"Content-Type": "text/html"}, b"<!DOCTYPE html><html><body>Not found</body></html>"),
            "not_a_feed",
        ),
        ((200, {}, b"{}"), "not_a_feed"),
        ((200, {}, bytes(range(256)) * 20), "not_a_feed"),
        ((404, {}, b"no"), "not_found"),
        ((410, {}, b"gone"), "gone"),
        ((301, {"Location": "/"}, b""), "redirect_loop"),
        ((200, {"Content-Encoding": "gzip"}, bomb(60)), "too_large"),
        ((401, {}, b""), "refused"),
        ((302, {"Location": "http://169.254.169.254/latest/meta-data"}, b""), "forbidden_address"),
    ],
)
def test_what_is_no_feed_has_a_clear_outcome_and_writes_nothing(
    answer: Any, code: str, importer: Importer
) -> None:
    with site() as stranger:
        stranger.pages["/"] = answer
        run = trusting(importer, stranger).go("feed", url=stranger.url())
    assert (run.status, run.code) == ("failed", code)
    assert run.detail
    assert importer.programs() == []


def test_an_endless_feed(importer: Importer) -> None:
    with raw(endless) as (port, _):
        run = trusting(importer, port, max_feed_bytes=1_000_000).go("feed", url=f"http://127.0.0.1:{port}/")
    assert (run.status, run.code) == ("failed", "too_large")


LAUGHS = (
    "<!DOCTYPE lolz ["
    + '<!ENTITY lol "lol">'
    + "".join(f'<!ENTITY lol{n} "{f"&lol{n - 1 if n > 1 else str()};" * 10}">' for n in range(1, 10))
    + "]>"
)


@pytest.mark.parametrize(
    "head",
    [
        LAUGHS,
        '<!DOCTYPE r [<!ENTITY lol9 SYSTEM "file:///etc/passwd">]>',
        '<!DOCTYPE r [<!ENTITY % x SYSTEM "http://127.0.0.1:9/x.dtd"> %x; <!ENTITY lol9 "y">]>',
    ],
)
def test_entities_are_not_expanded(head: str, importer: Importer) -> None:
    run = importer.go("feed", rss(episode(1, "t &lol9; t"), head=head))
    assert run.status == "succeeded"
    for program in importer.programs():
        assert "root:" not in program.title + program.description
        assert len(program.title) < 60
        assert "lollol" not in program.title


@pytest.mark.slow
@pytest.mark.parametrize(
    "body",
    [
        rss("<item>" + "<b>" * 50_000),
        rss("<item><title>" + "&lt;" * 200_000 + "</title></item>"),
        rss(episode(1), "<item><guid>x</guid><title>" + "a" * 2_000_000 + "</title></item>"),
        rss(*["<item/>"] * 5000),
        rss(episode(1, "nul \0 here")),
        rss(episode(1, "&#0;&#x1F;ok&#xD800;")),
        rss(episode(1))[:-40],
        rss('<item><enclosure url="http://[::bad/x.mp3" type="audio/mpeg"/><title>x</title></item>'),
        b"<rss><channel>" + rss(episode(1)),
    ],
)
def test_broken_and_huge_documents_end_in_order(body: bytes, importer: Importer) -> None:
    run = importer.go("feed", body)
    assert run.status in ("succeeded", "failed")
    assert run.code in (None, "not_a_feed", "too_deep")


def test_pages_are_followed_once_each(importer: Importer) -> None:
    def page(n: int, following: str) -> bytes:
        return rss(episode(n), channel=f'<atom:link rel="next" href="{following}"/>')

    with site() as stranger:
        stranger.pages |= {
            "/1": (200, {}, page(1, "/2")),
            "/2": (200, {}, page(2, "/3")),
            "/3": (200, {}, page(3, "/1")),
        }
        run = trusting(importer, stranger).go("feed", url=stranger.url("/1"))
        assert stranger.paths() == ["/1", "/2", "/3"]
    assert counts(run) == {"created": 3}
    # The last page leads back to the first one.
    assert (run.status, run.code) == ("succeeded", "partial")


@pytest.mark.slow
@pytest.mark.parametrize(
    "answer", [(404, {}, b""), (200, {}, b"<html></html>"), (200, {"Content-Length": "10"}, b"<rss>")]
)
def test_a_list_that_breaks_off_keeps_what_it_has(answer: Any, importer: Importer, session: Session) -> None:
    with site() as stranger:
        first = case("dead-next-page.xml")
        stranger.pages |= {"/1": (200, {}, first), "/nopage2.xml": answer}
        run_id = trusting(importer, stranger, read_timeout=0.5).start("feed", url=stranger.url("/1"))
        run = importer.run(run_id)
        while run.status == "queued":
            session.execute(text("UPDATE import_runs SET next_at = clock_timestamp()"))
            session.commit()
            run = importer.run(run_id)
    assert (run.status, run.code, counts(run)) == ("succeeded", "partial", {"created": 2})
    assert run.detail is not None
    assert run.detail.startswith(f"Page 2 of the feed ({stranger.url('/nopage2.xml')}): ")


def test_a_feed_of_too_many_pages_says_so(importer: Importer) -> None:
    def page(path: str, _: Any) -> Any:
        n = int(path.removeprefix("/") or 0)
        return 200, {}, rss(episode(n), channel=f'<atom:link rel="next" href="/{n + 1}"/>')

    with site() as stranger:
        stranger.pages |= {f"/{n or ''}": page for n in range(9)}
        run = trusting(importer, stranger, max_pages=3).go("feed", url=stranger.url())
    assert (run.status, run.code, run.created) == ("succeeded", "too_many_pages", 3)


def test_a_fetch_that_died_goes_on_with_the_next_page(importer: Importer, session: Session) -> None:
    with site() as stranger:
        page = rss(episode(1), channel='<atom:link rel="next" href="/2"/>')
        stranger.pages |= {"/1": (200, {}, page), "/2": (503, {}, b"")}
        run_id = trusting(importer, stranger).start("feed", url=stranger.url("/1"))
        assert importer.run(run_id).status == "queued"
        stranger.pages["/2"] = (200, {}, rss(episode(2)))
        session.execute(text("UPDATE import_runs SET next_at = clock_timestamp()"))
        session.commit()
        assert counts(importer.run(run_id)) == {"created": 2}
        assert stranger.paths() == ["/1", "/2", "/2"]


def test_publishers_who_ask_not_to_be_listed_are_heard(importer: Importer) -> None:
    one = importer.go("feed", rss(episode(1), episode(2, more="<itunes:block>Yes</itunes:block>")))
    assert counts(one) == {"created": 1, "skipped": 1}
    two = importer.go("feed", rss(episode(3), channel="<podcast:block>yes</podcast:block>"))
    assert counts(two) == {"skipped": 1}
    assert importer.items(two.id)[0].code == "blocked"
