"""Without an engine PostgreSQL answers: worse, marked, bounded, and no longer than necessary."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import Engine as Database
from sqlalchemy import text

from api.settings import Settings
from catalog.db import session_factory
from tests.api.test_discovery import SPECS, check_filters_and_orders, stock, titles
from tests.catalog.support import make
from tests.support.product import Client, serve

NOWHERE = "http://127.0.0.1:1"
EVENING, MORNING, FILM, ROADS, BARE = (spec["title"] for spec in SPECS)


def lone(settings: Settings, **changed: Any) -> Settings:
    """The same product whose engine was never there, with all the time it needs."""
    changed = {"fallback_timeout_ms": 60_000} | changed
    indexer = settings.indexer.model_copy(update={"meili_url": NOWHERE})
    return replace(settings, indexer=indexer, api=settings.api.model_copy(update=changed))


@pytest.fixture
def stocked(database: Database) -> dict[str, int]:
    return stock(database)


@pytest.fixture
def alone(settings: Settings, stocked: dict[str, int]) -> Iterator[Client]:
    """A listener of a product without an engine."""
    with serve(lone(settings)) as (client, _):
        yield client


def metric(client: Client, name: str) -> float:
    found = [line for line in client.get("/metrics").text.splitlines() if line.startswith(name)]
    return sum(float(line.rpartition(" ")[2]) for line in found)


def test_filters_orders_and_pages_are_the_engines(alone: Client, stocked: dict[str, int]) -> None:
    check_filters_and_orders(alone, stocked)
    page = alone.get("/discovery/search", sort="oldest", limit=2, page=2)
    assert [row["title"] for row in page.json()["data"]] == [FILM, ROADS]
    assert page.json()["meta"] == {
        "page": 2, "limit": 2, "total": 5, "totalPages": 3, "query": "", "sort": "oldest",
        "degraded": True, "unavailable": [], "rewrite": None,
    }  # fmt: skip
    assert page.headers["cache-control"] == "public, max-age=1, s-maxage=1"
    beyond = alone.get("/discovery/search", limit=2, page=4).json()
    assert (beyond["data"], beyond["meta"]["total"]) == ([], 5)


def test_words_are_found_however_they_are_written(alone: Client) -> None:
    for q in ("قهوة المساء", "قهوه المسا", "قَهْوَة المساء", "القهوة مساء", "سارة", "ساره العمرى"):
        assert titles(alone, q=q) == [EVENING], q
    # A word of the description alone, without its article.
    assert titles(alone, q="مقاهي جدة") == [EVENING]
    # A letter wrong, in a title and in a name.
    for q in ("قهره المساء", "قهوة المشاء", "سارة العمزي"):
        assert titles(alone, q=q) == [EVENING], q
    for q in ("morning", "MORN", "morming coffee", "coffee mor", "omar hadad", "beans"):
        assert titles(alone, q=q) == [MORNING], q
    # Every word counts; the series' name counts too; the title that is most alike comes first.
    assert titles(alone, q="coffee trade") == [FILM]
    assert set(titles(alone, q="coffee talks")) == {MORNING, FILM}
    assert titles(alone, q="the coffee film")[0] == FILM
    assert titles(alone, q="coffee", mediaType="video") == [FILM]
    for q in ("nothing like it", "coffee zzzzzz", "⑴ (: | & !) ½ '\\ % _ \u064b", "a:* | b", "٪"):
        assert titles(alone, q=q) == ([] if any(map(str.isalnum, q)) else titles(alone)), q


def test_an_answer_says_what_it_lacks_and_is_counted(alone: Client) -> None:
    before = {r: metric(alone, f'search_degraded_total{{route="{r}"}}') for r in ("search", "browse", "suggest")}  # fmt: skip
    asked = {"q": "coffee", "facets": "language", "highlight": "true"}
    found = alone.get("/discovery/search", **asked).json()
    assert (found["facets"], found["meta"]["degraded"]) == ({}, True)
    assert found["meta"]["unavailable"] == ["facets", "highlight"]
    assert all("highlight" not in row for row in found["data"])
    listing = alone.get("/discovery/browse", facets="language").json()
    assert (listing["facets"], listing["meta"]["unavailable"]) == ({}, ["facets"])
    plain = alone.get("/discovery/browse").json()
    assert ("facets" in plain, plain["meta"]["unavailable"]) == (False, [])
    assert alone.get("/discovery/suggest", q="cof").json()["meta"] == {
        "query": "cof", "degraded": True, "unavailable": [],
    }  # fmt: skip
    for route, more in (("search", 1), ("browse", 2), ("suggest", 1)):
        counted = metric(alone, f'search_degraded_total{{route="{route}"}}')
        assert counted - before[route] == more, route
    wrong = alone.get("/discovery/search", sort="random")
    assert (wrong.status_code, wrong.json()["code"]) == (400, "invalid_parameter")


def test_suggestions_come_from_titles_series_people_and_tags(alone: Client) -> None:
    def offered(q: str) -> set[tuple[str, str]]:
        answer = alone.get("/discovery/suggest", q=q)
        assert answer.status_code == 200, answer.text
        return {(row["type"], row["text"]) for row in answer.json()["data"]}

    assert offered("cof") == {("program", MORNING), ("program", FILM), ("series", "Coffee talks"), ("tag", "coffee")}  # fmt: skip
    assert offered("سار") == {("person", "سارة العمري")}
    assert offered("قه") == {("program", EVENING), ("tag", "قهوة")}
    assert offered("عمري") == {("person", "سارة العمري")}
    assert offered("trade") == offered("zzzzzz") == offered("!") == set()
    first = alone.get("/discovery/suggest", q="coffee", limit=1).json()["data"]
    assert [(row["type"], row["slug"]) for row in first] == [("program", "the-coffee-film")]


def test_what_is_not_published_is_never_found(alone: Client, database: Database) -> None:
    with session_factory(database).begin() as session:
        for status in ("draft", "in_review", "scheduled", "archived"):
            make(session, status, title=f"Hidden {status}", tags=["hidden"], people=[("host", "Hidden Host")])  # fmt: skip
        make(session, "published", title="Hidden expired")
        make(session, "published", title="Hidden deleted")
        session.flush()
        session.execute(text("UPDATE programs SET expire_at = now() - interval '1 second' WHERE title = 'Hidden expired'"))  # fmt: skip
        session.execute(text("UPDATE programs SET deleted_at = now() WHERE title = 'Hidden deleted'"))  # fmt: skip
    assert titles(alone, q="hidden") == titles(alone, q="hiddem") == []
    assert titles(alone, tag="hidden") == titles(alone, person="Hidden Host") == []
    assert set(titles(alone, "/discovery/browse")) == {spec["title"] for spec in SPECS}
    assert alone.get("/discovery/suggest", q="hid").json()["data"] == []


class Switch:
    """A product whose engine can be taken away and given back."""

    def __init__(self, edge: Any) -> None:
        self.search = edge.state.search
        self.there = self.search._session

    def off(self) -> None:
        self.search._session = None

    def on(self) -> None:
        self.search._session = self.there
