"""The pages of listeners, without a browser: what they show, in both languages, and what they never show."""

from collections.abc import Iterator
from dataclasses import replace
from urllib.parse import quote

import pytest
from sqlalchemy import Engine as Database

from api.answers.edge import Edge
from api.settings import Settings
from catalog.core.changes import ProgramChange
from catalog.core.db import session_factory
from catalog.programs import editing, lifecycle
from tests.support import demo
from tests.support.client import Client
from tests.support.discovery import BARE, EVENING, FILM, MORNING, ROADS
from tests.support.pages import SITE, read, text_of
from tests.support.pipeline import Pipeline
from tests.support.product import serve
from tests.support.programs import EDITOR, make
from tests.support.shared import SharedApi
from tests.support.waiting import eventually


def every_page(catalogue: dict[str, int]) -> Iterator[str]:
    """Yield an address of every kind, without its language."""
    yield from (
        "",
        "/search",
        "/search?q=coffee",
        "/search?q=zzzzzz",
        "/search?kind=trailer",
        "/nothing/here",
    )
    yield from (f"/programs/{quote('قهوة-المساء')}", "/programs/the-coffee-film", "/series/coffee-talks")
    yield from ("/categories/society", f"/people/{quote('سارة العمري')}", "/tags/coffee", "/suggest?q=co")


@pytest.mark.slow
@pytest.mark.parametrize("language", ["ar", "en"])
def test_every_page_is_valid_html_in_its_language(
    language: str, shared: SharedApi, reading: dict[str, int]
) -> None:
    listener, catalogue = shared.listener, reading
    for path in every_page(catalogue):
        page = read(listener, f"/{language}{path}")
        assert page.status == (404 if path == "/nothing/here" else 200), path
        html = page.root
        assert (html.get("lang"), html.get("dir")) == (language, "rtl" if language == "ar" else "ltr")
        ids = [element.get("id") for element in html.iter() if element.get("id")]
        assert len(ids) == len(set(ids)), path
        for element in html.iter():
            assert not [name for name in element.attrib if name.startswith("on") or name == "style"], path
        # Linked data is no script.
        scripts = [script for script in page.all("script") if script.get("type") != "application/ld+json"]
        assert [text for text in map(text_of, scripts + page.all("style")) if text] == []
        policy = page.headers["content-security-policy"]
        assert "script-src 'self';" in policy
        assert "unsafe" not in policy
        # Everything that a page links to is here.
        assert [link for link in page.links() if not link.startswith(("/", "#", "?", SITE))] == [], path
        if path.startswith("/suggest"):
            continue
        other = "en" if language == "ar" else "ar"
        switch = page.one("a", hreflang=other)
        if page.all("meta", name="robots") == []:
            assert page.one("link", rel="canonical").get("href") == f"{SITE}/{language}{path}"
            assert page.one("link", rel="alternate", hreflang=other).get("href") == f"{SITE}/{other}{path}"
        expected = f"/{other}" if page.status == 404 else f"/{other}{path}"
        assert switch.get("href") == expected
        assert len(page.all("h1")) == 1, path


def test_the_way_in_leads_to_the_language_of_the_listener(listener: Client) -> None:
    for headers, expected in (
        ({}, "/ar"),
        ({"Accept-Language": "en-GB, ar;q=0.5"}, "/en"),
        ({"Accept-Language": "en", "Cookie": "language=ar"}, "/ar"),
    ):
        answer = listener.ask("GET", "/", headers=headers)
        assert (answer.status_code, answer.headers["location"]) == (302, expected)
        assert "private" in answer.headers["cache-control"]


def test_the_home_page_shows_what_there_is(shared: SharedApi, reading: dict[str, int]) -> None:
    listener = shared.listener
    page = read(listener, "/ar")
    assert page.titles[0] == MORNING  # the featured one
    assert set(page.titles) == {EVENING, MORNING, FILM, ROADS, BARE}
    assert page.texts("h2") == ["مختارات", "الجديد", "الأكثر مشاهدة", "التصنيفات"]
    assert "/ar/categories/society" in set(page.links())
    assert "٣ برامج" in text_of(page.one("a", href="/ar/categories/society"))


@pytest.mark.slow
def test_a_misspelt_search_is_answered_in_words(
    listener: Client, catalogue: dict[str, int], pipeline: Pipeline
) -> None:
    demo.count_words(pipeline)
    demo.wait_for_words(listener)
    page = read(listener, "/ar/search", q="hgri,m")
    assert page.texts("p", class_="said") == ["نعرض نتائج «القهوه». لم نجد ما يطابق «hgri,m» كما كُتب."]
    assert page.titles[0] == EVENING
    page = read(listener, "/ar/search", q="قهوة المساء")
    assert page.texts("h1") == ["نتائج «قهوة المساء»"]
    assert page.texts("p", class_="said") == []
    assert {"قهوة", "المساء"} <= set(page.texts("em"))
    assert page.one("input", name="q").get("value") == "قهوة المساء"


def test_words_of_a_listener_are_text(shared: SharedApi, reading: dict[str, int]) -> None:
    listener = shared.listener
    page = read(listener, "/en/search", q='"><script>alert(1)</script>')
    assert [s for s in page.all("script") if s.get("src") is None] == []
    page = read(listener, "/en/search", q="coffee trade")
    (described,) = [text for text in page.texts("p", class_="summary") if "trade" in text]
    assert "<b>coffee</b>" in described


def test_choices_are_links_with_counts_that_keep_the_rest_of_the_address(
    shared: SharedApi, reading: dict[str, int]
) -> None:
    listener = shared.listener
    page = read(listener, "/en/search", sort="oldest")
    choices = {text_of(a): a.get("href") or "" for a in page.all("a", rel="nofollow")}
    assert choices["Video 2"] == "/en/search?mediaType=video&sort=oldest"
    assert choices["Arabic 2"] == "/en/search?language=ar&sort=oldest"
    page = read(listener, choices["Video 2"])
    assert page.titles == [FILM, ROADS]
    # Several choices of a kind, whose counts say what each of them would add.
    choices = {text_of(a): a for a in page.all("a", rel="nofollow")}
    assert choices["Video 2"].get("aria-current") == "true"
    assert choices["Video 2"].get("href") == "/en/search?sort=oldest"
    both = choices["Audio 3"].get("href") or ""
    assert both == "/en/search?mediaType=audio&mediaType=video&sort=oldest"
    assert page.one("a", class_="clear").get("href") == "/en/search?sort=oldest"
    assert len(read(listener, both).titles) == 5
    assert read(listener, "/en/search", durationMin="3600").titles == [ROADS, FILM]


def test_a_comma_in_a_name_is_part_of_it(
    listener: Client, catalogue: dict[str, int], database: Database
) -> None:
    with session_factory(database).begin() as session:
        make(session, "published", title="Harmony", tags=["low, high"])
    eventually(lambda: read(listener, "/en/tags/low, high").titles == ["Harmony"], what="searchable")
    page = read(listener, "/en/search", tag="low\\, high")
    assert page.titles == ["Harmony"]
    (chosen,) = [a for a in page.all("a", rel="nofollow") if a.get("aria-current") and "low" in text_of(a)]
    assert chosen.get("href") == "/en/search"


def test_nothing_found_is_no_dead_end(shared: SharedApi, reading: dict[str, int]) -> None:
    listener = shared.listener
    page = read(listener, "/en/search", q="zzzzzzzz")
    assert page.texts("h1") == ["Nothing found for “zzzzzzzz”"]
    assert BARE in page.titles
    assert "/en/categories/society" in set(page.links())
    assert page.all("ul", class_="near") != []


@pytest.mark.slow
def test_a_list_goes_on_by_links(listener: Client, catalogue: dict[str, int], database: Database) -> None:
    with session_factory(database).begin() as session:
        for n in range(30):
            make(session, "published", title=f"Tape {n}", tags=["tape"], people=[("host", "AC/DC")])
    for start in ("/en/search?q=tape&sort=newest", "/en/tags/tape", "/en/people/AC/DC"):
        eventually(lambda start=start: "30 " in " ".join(read(listener, start).texts("p", class_="count")))
        seen, path = [], start
        while path:
            page = read(listener, path)
            seen += page.titles
            following = page.all("a", rel="next")
            assert len(following) == len(page.all("link", rel="next"))
            path = following[0].get("href") or "" if following else ""
        assert sorted(seen) == sorted(f"Tape {n}" for n in range(30)), start


def test_a_program_has_its_people_tags_and_series(shared: SharedApi, reading: dict[str, int]) -> None:
    listener = shared.listener
    page = read(listener, "/en/programs/morning-coffee")
    assert page.texts("h1") == [MORNING]
    links = set(page.links())
    assert {"/en/people/Omar Haddad", "/en/tags/coffee", "/en/series/coffee-talks"} <= links
    assert "/en/categories/society" in links
    assert FILM in page.titles
    assert read(listener, "/en/series/coffee-talks").titles == [MORNING, FILM]
    assert read(listener, "/ar/people/سارة العمري").titles == [EVENING]


@pytest.mark.slow
def test_what_is_gone_for_good_says_so_and_what_never_was_does_not(
    listener: Client, catalogue: dict[str, int], database: Database
) -> None:
    with session_factory(database).begin() as session:
        for key, state in (("archived", "archived"), ("drafted", "draft"), ("withdrawn", "published")):
            program = make(session, state, title=f"Once {key}")
            if key == "withdrawn":
                lifecycle.transition(session, program.id, "unpublish", EDITOR)
            if key == "archived":
                gone = program.id
    for path, status in (
        ("once-archived", 410),
        (str(gone), 410),
        ("once-drafted", 404),
        ("once-withdrawn", 404),
    ):
        page = read(listener, f"/en/programs/{path}")
        assert page.status == status, path
        assert ("no longer available" in page.texts("h1")[0]) == (status == 410)
        assert BARE in page.titles
    for path in ("9" * 30, "%00", "x" * 400):
        assert listener.get(f"/en/programs/{path}").status_code == 404


def test_an_episode_has_neighbours(listener: Client, catalogue: dict[str, int], database: Database) -> None:
    with session_factory(database).begin() as session:
        series = {"series_id": catalogue["series"], "season": 1}
        make(session, "published", title="Third cup", episode=3, **series)
        make(session, "draft", title="No cup", episode=4, **series)
    page = read(listener, "/en/programs/the-coffee-film")
    assert [page.one("a", class_=rel).get("href") for rel in ("prev", "next")] == [
        "/en/programs/morning-coffee",
        "/en/programs/third-cup",
    ]
    page = read(listener, "/en/programs/third-cup")
    assert (page.all("a", class_="next"), len(page.all("a", class_="prev"))) == ([], 1)


def test_an_address_that_is_not_the_current_one_leads_there(
    listener: Client, catalogue: dict[str, int], database: Database
) -> None:
    with session_factory(database).begin() as session:
        editing.edit(session, catalogue[MORNING], {"slug": "dawn-coffee"}, EDITOR)
    for key in ("morning-coffee", str(catalogue[MORNING])):
        answer = listener.get(f"/en/programs/{key}")
        assert (answer.status_code, answer.headers["location"]) == (301, "/en/programs/dawn-coffee"), key
    for path, better in (
        ("/en/search?q=coffee&ref=x", "/en/search?q=coffee"),
        ("/en/search?q=coffee&page=0&kind=song", "/en/search?q=coffee"),
        ("/en/search?q=coffee&type=all&fields=title&cursor=*", "/en/search?q=coffee"),
        ("/en?x=1", "/en"),
        ("/en/tags/coffee?sort=relevance", "/en/tags/coffee"),
    ):
        answer = listener.get(path)
        assert (answer.status_code, answer.headers["location"]) == (302, better), path


def test_suggestions_are_options_of_a_list(shared: SharedApi, reading: dict[str, int]) -> None:
    listener = shared.listener
    page = read(listener, "/en/suggest", q="cof")
    options = page.all("li", role="option")
    found = {text_of(option): option.get("data-href") for option in options}
    assert found["The coffee film Program"] == "/en/programs/the-coffee-film"
    assert found["Coffee talks Series"] == "/en/series/coffee-talks"
    assert found["coffee Topic"] == "/en/tags/coffee"
    assert read(listener, "/en/suggest", q=" ").all("li") == []


@pytest.mark.slow
def test_what_is_withdrawn_is_on_no_page(
    listener: Client, edge: Edge, catalogue: dict[str, int], database: Database
) -> None:
    paths = [f"/en{path}" for path in every_page(catalogue)]
    assert any(FILM in read(listener, path).titles for path in paths)
    with session_factory(database).begin() as session:
        program = lifecycle.transition(session, catalogue[FILM], "unpublish", EDITOR)
        change = ProgramChange(program.id, program.rev, visible=False)
    # As the process that made the change does, and every other one when it hears of it.
    edge.app.state.shared.cache.changed([change])
    for path in paths:
        assert "coffee film" not in listener.get(path).text, path
    assert listener.get("/en/programs/the-coffee-film").status_code == 404


def test_a_page_is_answered_from_memory_and_sent_compressed(
    listener: Client, edge: Edge, catalogue: dict[str, int]
) -> None:
    first = listener.get("/en/search", q="coffee")
    again = listener.get("/en/search", q="coffee")
    assert (again.headers["x-cache"], again.content) == ("l1", first.content)
    assert again.headers["content-encoding"] == "gzip"
    plain = listener.ask("GET", "/en/search?q=coffee", headers={"Accept-Encoding": "gzip;q=0"})
    assert "content-encoding" not in plain.headers
    assert (plain.content, plain.headers["etag"]) == (first.content, first.headers["etag"])
    unchanged = listener.ask("GET", "/en/search?q=coffee", headers={"If-None-Match": first.headers["etag"]})
    assert (unchanged.status_code, unchanged.content) == (304, b"")
    assert unchanged.headers["vary"] == plain.headers["vary"] == "accept-encoding"
    edge.app.state.shared.cache.clear()
    # As another process answers: from Redis, which knows what kind of document it is.
    other = listener.get("/en/search", q="coffee")
    assert (other.headers["x-cache"], other.content) == ("l2", first.content)
    assert other.headers["content-type"] == first.headers["content-type"] == "text/html; charset=utf-8"


def test_files_are_kept_for_good_under_the_digest_of_all(listener: Client) -> None:
    page = read(listener, "/en/nothing")
    files = [link for link in page.links() if link.startswith("/static/")]
    assert len(files) > 5
    for path in files:
        answer = listener.get(path.partition("#")[0])
        assert answer.status_code == 200, path
        assert answer.headers["cache-control"] == "public, max-age=31536000, immutable"
    old = listener.get("/static/0123/base.css")
    assert (old.status_code, old.headers["cache-control"]) == (200, "no-cache")
    for path in ("/static/0123/none.css", "/static/0123/../routes.py", "/static/0123/%2e%2e/routes.py"):
        assert listener.get(path).status_code == 404


def test_without_engine_and_database_a_page_says_so(settings: Settings) -> None:
    nowhere = "postgresql+psycopg://postgres@127.0.0.1:1/x"
    catalog = settings.catalog.model_copy(update={"database_url": nowhere})
    indexer = settings.indexer.model_copy(update={"meili_url": "http://127.0.0.1:1"})
    with serve(replace(settings, catalog=catalog, indexer=indexer)) as (client, _):
        page = read(client, "/en/search", q="coffee")
        assert (page.status, page.texts("h1")) == (503, ["The service is busy for a moment"])
        assert page.headers["retry-after"] == "2"
        assert "content-security-policy" in page.headers
        answer = client.ask("GET", "/ar/suggest?q=a", headers={"HX-Request": "true"})
        assert (answer.status_code, answer.headers["hx-retarget"]) == (503, "#notice")
        assert "<html" not in answer.text
        lost = read(client, "/ar/nothing")
        assert (lost.status, lost.texts("h1")) == (404, ["لا شيء هنا"])


def test_a_wrong_cursor_is_told_on_a_page(shared: SharedApi, reading: dict[str, int]) -> None:
    listener = shared.listener
    page = read(listener, "/en/tags/coffee", cursor="AAAA")
    assert (page.status, page.texts("h1")) == (400, ["We did not understand this address"])
