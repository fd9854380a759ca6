"""What programs read: feeds that our own import reads back, lists, sitemaps, linked data, previews."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
from lxml import etree
from sqlalchemy import Engine as Database

from api.answers.edge import Edge
from api.http.errors import MEDIA_TYPE
from catalog.core.changes import ProgramChange
from catalog.core.db import session_factory
from catalog.imports.writing.rows import Row
from catalog.programs import lifecycle, public
from catalog.taxonomy import series as series_editing
from tests.support.client import Client
from tests.support.discovery import EVENING, FILM, MORNING, ROADS
from tests.support.importing import read_feed
from tests.support.pages import SITE, read
from tests.support.pipeline import Pipeline, bulk, change
from tests.support.programs import EDITOR, make
from tests.support.shared import SharedApi
from tests.support.waiting import eventually

WHOLE: dict[str, Any] = {
    "title": "Tom & Jerry's first “tape”",
    "description": "First line\nقصة & more <not a tag>\n\nLast line",
    "language": "en",
    "media_type": "video",
    "duration_sec": 3723,
    "release_date": datetime(2024, 5, 6, 7, 8, 9, tzinfo=UTC),
    "media_url": "https://media.example/a%20b.mp4?x=1&y=2",
    "thumbnail_url": "https://media.example/a.jpg?x=1&y=2",
    "season": 2,
    "episode": 7,
    "is_explicit": True,
    "tags": ["قهوة", "R&B"],
    "people": [
        ("host", "Amal"),
        ("guest", "سالم"),
        ("director", "Y. Chahine"),
        ("narrator", "N"),
        ("cast", "C"),
    ],
}


def documents() -> Iterator[str]:
    """Yield an address of every kind of document."""
    yield from ("/sitemaps/programs-0.xml", "/sitemaps/series.xml", "/sitemaps/topics.xml", "/sitemap.xml")
    for language in ("ar", "en"):
        yield from (f"/{language}/series/coffee-talks/feed.xml", f"/{language}/categories/society/feed.xml")
        yield from (f"/{language}/search/feed.xml?q=coffee", f"/{language}/series.opml")
        yield f"/{language}/opensearch.xml"


@pytest.mark.slow
def test_every_document_is_well_formed_and_names_only_what_is_here(
    shared: SharedApi, reading: dict[str, int]
) -> None:
    listener = shared.listener
    for path in documents():
        answer = listener.get(path)
        assert answer.status_code == 200, path
        assert "xml" in answer.headers["content-type"] or "opml" in answer.headers["content-type"]
        root = etree.fromstring(answer.content)
        named = [e.text or "" for e in root.iter("{*}loc", "link") if e.text]
        named += [v for e in root.iter() for k, v in e.items() if k in ("href", "xmlUrl", "htmlUrl")]
        for url in named:
            assert url.startswith(SITE), (path, url)
            assert listener.get(url.removeprefix(SITE)).status_code == 200, (path, url)
    assert "Sitemap: http://127.0.0.1:8000/sitemap.xml" in listener.get("/robots.txt").text
    assert listener.get("/ar/manifest.webmanifest").json()["dir"] == "rtl"
    assert listener.get("/favicon.ico").headers["content-type"] == "image/svg+xml"
    for path in ("/sitemaps/programs-9.xml", "/sitemaps/x.xml", "/en/series/none/feed.xml"):
        assert listener.get(path).status_code == 404, path


@pytest.mark.slow
def test_our_own_import_reads_a_feed_back_without_loss(
    listener: Client, catalogue: dict[str, int], pipeline: Pipeline
) -> None:
    with session_factory(pipeline.database).begin() as session:
        show = series_editing.create(
            session, {"title": "The tapes", "language": "en", "description": "All of them"}, EDITOR
        )
        slug = show.slug
        make(session, "published", series_id=show.id, **WHOLE)
        number = show.id
    bulk(pipeline, 130)
    change(
        pipeline,
        "UPDATE programs SET series_id = :show, media_url = 'https://m.example/' || slug || '.mp3' "
        "WHERE title LIKE 'Bulk %'",
        show=number,
    )
    path = f"/en/series/{slug}/feed.xml"
    eventually(lambda: "cursor=" in listener.get(path).text and len(rows_of(listener, path)) == 131)
    rows = rows_of(listener, path)
    found = next(row for row in rows if row.title == WHOLE["title"])
    assert {name: found.values[name] for name in WHOLE} == WHOLE
    assert found.series is not None
    assert (found.series.title, found.series.description) == ("The tapes", "All of them")
    assert len({row.external_id for row in rows}) == 131
    assert {row.values["media_url"] for row in rows} >= {f"https://m.example/b{n}.mp3" for n in range(1, 131)}


def rows_of(listener: Client, path: str) -> list[Row]:
    """Return what the import reads from all pages of a feed."""
    rows: list[Row] = []
    while path:
        body = listener.get(path).content
        rows += read_feed(body)
        following = etree.fromstring(body).findall(
            "{*}channel/{http://www.w3.org/2005/Atom}link[@rel='next']"
        )
        path = following[0].get("href", "").removeprefix(SITE) if following else ""
    return rows


def test_feeds_of_categories_and_searches_have_their_programs(
    shared: SharedApi, reading: dict[str, int]
) -> None:
    listener = shared.listener

    def titles(path: str) -> set[str]:
        return {row.title for row in read_feed(listener.get(path).content)}

    assert titles("/en/categories/society/feed.xml") == {EVENING, MORNING, FILM}
    assert titles("/en/search/feed.xml?q=coffee") == {MORNING, FILM}
    assert titles("/en/search/feed.xml?kind=documentary") == {ROADS}
    page = read(listener, "/en/search", q="coffee", sort="newest")
    feed = page.one("link", type="application/rss+xml").get("href") or ""
    assert feed == "/en/search/feed.xml?q=coffee&sort=newest"


def test_the_sitemap_lists_every_visible_program_in_both_languages(
    listener: Client, catalogue: dict[str, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    body = etree.fromstring(listener.get("/sitemaps/programs-0.xml").content)
    urls = body.findall("{*}url")
    assert len(urls) == 2 * 5
    coffee = next(url for url in urls if url.findtext("{*}loc") == f"{SITE}/en/programs/the-coffee-film")
    others = {link.get("hreflang"): link.get("href") for link in coffee.findall("{*}link")}
    assert others == {code: f"{SITE}/{code}/programs/the-coffee-film" for code in ("ar", "en")}
    assert datetime.fromisoformat(coffee.findtext("{*}lastmod") or "").tzinfo is not None
    # Two addresses for each program: a full part stays below the limit of the protocol.
    assert 2 * public.PART <= 50_000


def linked(listener: Client, path: str) -> dict[str, dict[str, Any]]:
    """Return the linked data of a page by type."""
    (script,) = read(listener, path).all("script", type="application/ld+json")
    return {thing["@type"]: thing for thing in json.loads(script.text or "")["@graph"]}


@pytest.mark.slow
def test_pages_carry_linked_data_and_previews(
    listener: Client, catalogue: dict[str, int], database: Database
) -> None:
    with session_factory(database).begin() as session:
        make(session, "published", **WHOLE | {"title": "</script><b>", "series_id": catalogue["series"]})
    eventually(lambda: listener.get("/en/programs/script-b").status_code == 200)
    episode = linked(listener, "/en/programs/script-b")["PodcastEpisode"]
    assert episode["name"] == "</script><b>"
    assert (episode["partOfSeries"]["name"], episode["episodeNumber"]) == ("Coffee talks", 7)
    assert (episode["duration"], episode["datePublished"]) == ("PT3723S", "2024-05-06")
    assert {person["name"] for person in episode["actor"]} == {"N", "C"}
    page = read(listener, "/en/programs/script-b")
    said = {meta.get("property"): meta.get("content") for meta in page.all("meta")}
    assert (said["og:title"], said["og:image"]) == ("</script><b>", WHOLE["thumbnail_url"])
    assert (said["og:locale"], said["og:video"]) == ("en_GB", WHOLE["media_url"])
    assert linked(listener, "/en/programs/the-coffee-film").keys() == {"PodcastEpisode", "BreadcrumbList"}
    assert linked(listener, "/ar/programs/تاريخ-الطرق").keys() == {"Movie", "BreadcrumbList"}
    assert linked(listener, "/ar/series/coffee-talks")["PodcastSeries"]["webFeed"].endswith("/feed.xml")
    action = linked(listener, "/ar")["WebSite"]["potentialAction"]
    assert action["target"]["urlTemplate"] == f"{SITE}/ar/search?q={{q}}"


def test_oembed_names_a_program_of_this_site(shared: SharedApi, reading: dict[str, int]) -> None:
    listener = shared.listener
    page = read(listener, "/en/programs/morning-coffee")
    offered = page.one("link", type="application/json+oembed").get("href") or ""
    assert listener.get(offered.removeprefix(SITE)).json() == {
        "type": "link",
        "version": "1.0",
        "title": MORNING,
        "provider_name": "Thmanyah",
        "provider_url": f"{SITE}/en",
        "author_name": "Coffee talks",
        "author_url": f"{SITE}/en/series/coffee-talks",
    }
    for url, status in (
        (f"{SITE}/en/programs/none", 404),
        (f"{SITE}/en/series/coffee-talks", 404),
        ("https://other.example/en/programs/morning-coffee", 404),
        ("", 400),
    ):
        answer = listener.get("/oembed", url=url)
        assert (answer.status_code, answer.headers["content-type"]) == (status, MEDIA_TYPE), url
    assert listener.get("/oembed", url=f"{SITE}/en/programs/morning-coffee", format="xml").status_code == 400


@pytest.mark.slow
def test_what_is_withdrawn_is_in_no_document(
    listener: Client, edge: Edge, catalogue: dict[str, int], database: Database
) -> None:
    paths = [path for path in documents() if "opensearch" not in path and path != "/sitemap.xml"]
    asked = f"/oembed?url={SITE}/en/programs/the-coffee-film"
    assert listener.get(asked).status_code == 200
    assert sum("coffee-film" in listener.get(path).text for path in paths) == 7
    with session_factory(database).begin() as session:
        program = lifecycle.transition(session, catalogue[FILM], "unpublish", EDITOR)
        change = ProgramChange(program.id, program.rev, visible=False)
    edge.app.state.shared.cache.changed([change])
    for path in paths:
        assert "coffee-film" not in listener.get(path).text, path
    assert listener.get(asked).status_code == 404
