"""Cursors in searches with an order: every program once, the same list on every page, with an engine and without one."""

import random
from collections.abc import Iterator
from contextlib import ExitStack
from typing import Any

import pytest

from catalog.core.db import session_factory
from catalog.vocabulary import rollup
from tests.support.around import check_manners, scatter, visible
from tests.support.client import Client
from tests.support.product import serve
from tests.support.shared import apart, shared_stores
from tests.support.stores import lone
from tests.support.waiting import eventually

SOURCES = ("engine", "no engine")
FIELDS = {"newest": "release_date", "longest": "duration_sec", "popular": "popularity"}


@pytest.fixture(scope="module")
def served() -> Iterator[dict[str, Any]]:
    """Listeners to a random catalogue, with an engine and without one, and the programs that they may see."""
    with shared_stores() as stores, ExitStack() as opened:
        scatter(stores.database, 60, 7)
        stores.sender().drain()
        with session_factory(stores.database).begin() as session:
            rollup.roll_up(session)
        listener, edge = opened.enter_context(serve(stores.settings))
        words = edge.app.state.shared.suggestions._vocabulary
        eventually(lambda: words.reader.lexicon.size > 0, what="the words are read")
        alone = opened.enter_context(serve(lone(apart(stores.settings))))[0]
        yield {"engine": listener, "no engine": alone, "programs": visible(stores.database)}


def walk(client: Client, **asked: Any) -> tuple[list[int], list[dict[str, Any]]]:
    """Return the ids of all pages, and what each page says about the list."""
    ids: list[int] = []
    metas = []
    cursor = "*"
    while cursor is not None:
        answer = client.get("/discovery/search", cursor=cursor, **asked)
        assert answer.status_code == 200, answer.text
        page = answer.json()
        ids += [card["id"] for card in page["data"]]
        cursor = page["meta"].pop("nextCursor")
        metas.append({name: page["meta"][name] for name in ("total", "sort", "query")})
    return ids, metas


@pytest.mark.parametrize("source", SOURCES)
@pytest.mark.parametrize("sort", [*FIELDS, "oldest", "shortest"])
def test_the_pages_have_every_program_once_in_the_order(
    served: dict[str, Any], source: str, sort: str
) -> None:
    client, programs = served[source], served["programs"]
    asked = {"q": "coffee", "sort": sort}
    ids, metas = walk(client, **asked, limit=random.Random(sort).randint(2, 4))
    expected = {number for number, row in programs.items() if "coffee" in row["title"]}
    assert (set(ids), len(ids)) == (expected, len(expected))
    assert metas == [metas[0]] * len(metas)
    assert metas[0]["total"] == len(expected)
    values = [programs[number][FIELDS.get(sort, "")] for number in ids] if sort in FIELDS else []
    known = [value for value in values if value is not None]
    assert known == sorted(known, reverse=True)
    assert all(value is None for value in values[len(known) :])
    assert ids[:3] == walk(client, **asked, limit=3)[0][:3]


def test_a_list_of_the_engine_continues_in_postgresql_and_back(served: dict[str, Any]) -> None:
    asked = {"q": "coffee", "sort": "popular", "limit": 2}
    whole = walk(served["engine"], **asked)[0]
    first = served["engine"].get("/discovery/search", cursor="*", **asked).json()
    cursor, ids = first["meta"]["nextCursor"], [card["id"] for card in first["data"]]
    for source in ("no engine", "engine", "no engine"):
        if cursor is not None:
            page = served[source].get("/discovery/search", cursor=cursor, **asked).json()
            ids += [card["id"] for card in page["data"]]
            cursor = page["meta"]["nextCursor"]
    assert ids == whole[: len(ids)]
    assert len(ids) > 4


def test_another_reading_is_the_same_on_every_page(served: dict[str, Any]) -> None:
    # On a Latin keyboard.
    asked = {"q": "ldkhx", "sort": "newest", "limit": 2}
    first = served["engine"].get("/discovery/search", cursor="*", **asked).json()
    assert first["meta"]["rewrite"]["query"] == "ميناء"
    ids, _ = walk(served["engine"], **asked)
    titled = {number for number, row in served["programs"].items() if "ميناء" in row["title"]}
    assert (set(ids), len(ids)) == (titled, len(titled))


def test_facets_and_filters_describe_the_whole_list(served: dict[str, Any]) -> None:
    asked = {"q": "coffee", "sort": "newest", "limit": 1, "facets": "kind,releaseYear", "kind": "film"}
    first = served["engine"].get("/discovery/search", cursor="*", **asked).json()
    second = served["engine"].get("/discovery/search", cursor=first["meta"]["nextCursor"], **asked).json()
    assert second["facets"] == first["facets"]
    assert second["facets"]["kind"]
    assert {card["kind"] for card in (*first["data"], *second["data"])} == {"film"}


def test_the_links_lead_on(served: dict[str, Any]) -> None:
    answer = served["engine"].get("/discovery/search?q=coffee&sort=oldest&limit=2&cursor=*")
    assert 'rel="next"' in answer.headers["link"]
    assert "prev" not in answer.headers["link"]


def test_a_cursor_needs_an_order_and_belongs_to_its_search(served: dict[str, Any]) -> None:
    listener = served["engine"]
    wrong = [
        ("q=coffee&cursor=*", "cursor", "invalid_parameter"),
        ("q=coffee&cursor=*&sort=relevance", "cursor", "invalid_parameter"),
        ("q=coffee&cursor=*&sort=newest&page=1", "page", "invalid_parameter"),
        ("q=coffee&cursor=*&sort=newest&type=series", "cursor", "invalid_parameter"),
        ("q=coffee&cursor=abc&sort=newest", "cursor", "invalid_cursor"),
        ("q=coffee&sort=newest&cursor=" + "a" * 2501, "cursor", "invalid_parameter"),
    ]
    check_manners(listener, "/discovery/search", "q=coffee&sort=newest&cursor=*&limit=2", wrong)
    cursor = listener.get("/discovery/search?q=coffee&sort=newest&cursor=*&limit=2").json()["meta"][
        "nextCursor"
    ]
    for asked in ({"q": "desert", "sort": "newest"}, {"q": "coffee", "sort": "oldest"}):
        assert listener.get("/discovery/search", cursor=cursor, **asked).json()["code"] == "invalid_cursor"
    # The longest query has a cursor, too.
    longest = "coffee " + "ق" * 505
    answer = listener.get("/discovery/search", q=longest, sort="newest", cursor="*", limit=1)
    assert answer.status_code == 200


def test_pages_by_number_are_as_they_were(served: dict[str, Any]) -> None:
    meta = served["engine"].get("/discovery/search?q=coffee&sort=newest").json()["meta"]
    assert "nextCursor" not in meta
