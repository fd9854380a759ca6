"""Series and people in the results of a search: typed wrong, in either script, under filters, and without an engine."""

from collections.abc import Iterator
from contextlib import ExitStack
from typing import Any, NamedTuple

import pytest

from api.answers.edge import Edge
from catalog.core.db import session_factory
from catalog.vocabulary import rollup
from indexer.engines.search import SearchPool
from tests.support.client import Client
from tests.support.discovery import stock
from tests.support.product import serve
from tests.support.shared import apart, shared_stores
from tests.support.stores import lone
from tests.support.waiting import eventually

COFFEE = "Coffee talks"
SARAH, OMAR = "سارة العمري", "Omar Haddad"


class Served(NamedTuple):
    """Listeners to one catalogue, with an engine and without one, and the application of the first."""

    listener: Client
    edge: Edge
    alone: Client


@pytest.fixture(scope="module")
def served() -> Iterator[Served]:
    with shared_stores() as stores, ExitStack() as opened:
        stock(stores.database)
        stores.sender().drain()
        with session_factory(stores.database).begin() as session:
            rollup.roll_up(session)
        listener, edge = opened.enter_context(serve(stores.settings))
        words = edge.app.state.shared.suggestions._vocabulary
        eventually(lambda: words.reader.lexicon.size > 0, what="the words are read")
        yield Served(listener, edge, opened.enter_context(serve(lone(apart(stores.settings))))[0])


def names(answer: dict[str, Any]) -> tuple[set[str], set[str]]:
    """Return the titles of series and the names of people in an answer."""
    return (
        {row["title"] for row in answer.get("series", [])},
        {row["name"] for row in answer.get("people", [])},
    )


@pytest.mark.parametrize(
    ("asked", "series", "people"),
    [
        ({"q": "coffee", "type": "series"}, {COFFEE}, set()),
        ({"q": "cofee taks", "type": "series"}, {COFFEE}, set()),
        ({"q": "Coffee t", "type": "series,person"}, {COFFEE}, set()),
        ({"q": "talks coffee", "type": "all"}, {COFFEE}, set()),
        ({"q": "ساره", "type": "person"}, set(), {SARAH}),
        ({"q": "العمرى", "type": ["person", "series"]}, set(), {SARAH}),
        ({"q": "sara", "type": "all"}, set(), {SARAH}),
        ({"q": "omar hadad", "type": "all"}, set(), {OMAR}),
        ({"q": "hadd", "type": "person"}, set(), {OMAR}),
        ({"q": "عمر حداد", "type": "person"}, set(), {OMAR}),
        ({"q": "omar العمري", "type": "person"}, set(), set()),
        ({"q": "", "type": "all"}, {COFFEE}, {SARAH, OMAR}),
        ({"q": "omar", "type": "all", "language": "ar"}, set(), set()),
        ({"q": "omar", "type": "person", "page": 2}, set(), set()),
        ({"q": '"coffee talks"', "type": "all"}, {COFFEE}, set()),
    ],
)
def test_series_and_people_are_found(
    served: Served, asked: dict[str, Any], series: set[str], people: set[str]
) -> None:
    answer = served.listener.get("/discovery/search", **asked).json()
    assert names(answer) == (series, people)
    wanted = asked["type"]
    assert ("series" in answer, "people" in answer) == (
        "series" in wanted or wanted == "all",
        "person" in wanted or wanted == "all",
    )
    if wanted != "all":
        assert (answer["data"], answer["meta"]["total"]) == ([], 0)


def test_each_says_how_many_programs_it_has_and_where_it_is(served: Served) -> None:
    answer = served.listener.get("/discovery/search", q="coffee", type="all", facets="kind").json()
    assert [(row["slug"], row["programCount"]) for row in answer["series"]] == [("coffee-talks", 2)]
    assert len(answer["data"]) == 2
    assert answer["facets"]["kind"]
    answer = served.listener.get("/discovery/search", q="omar", type="person", kind="episode").json()
    assert answer["people"] == [{"slug": "omar-haddad", "name": OMAR, "programCount": 1}]


@pytest.mark.parametrize(
    "asked", [{"q": "coffee"}, {"q": "hadad"}, {"q": ""}, {"q": "sara", "type": "series"}]
)
def test_one_request_to_an_engine_finds_everything(
    served: Served, asked: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    sent: list[str] = []
    ask = SearchPool._ask

    async def noted(pool: SearchPool, operation: str, *rest: Any) -> Any:
        sent.append(operation)
        return await ask(pool, operation, *rest)

    monkeypatch.setattr(SearchPool, "_ask", noted)
    # A size of its own: nobody else has this page.
    answer = served.listener.get("/discovery/search", **{"type": "all"} | asked, limit=17)
    assert answer.headers["x-cache"] == "miss"
    assert sent == ["multi_search"]


def test_a_search_for_programs_is_as_it_was(served: Served) -> None:
    answer = served.listener.get("/discovery/search", q="coffee").json()
    assert not {"series", "people"} & answer.keys()
    assert served.listener.get("/discovery/search", q="coffee", type="program").json() == answer
    refused = served.listener.get("/discovery/search", q="coffee", type="tag")
    assert (refused.status_code, refused.json()["errors"][0]["field"]) == (400, "type")


@pytest.mark.parametrize(
    ("asked", "series", "people", "unavailable"),
    [
        ({"q": "coffee", "type": "series"}, {COFFEE}, set(), []),
        ({"q": "ساره", "type": "all"}, set(), {SARAH}, []),
        ({"q": "omar", "type": "person", "kind": "episode"}, set(), set(), ["names"]),
    ],
)
def test_without_an_engine_postgresql_finds_them(
    served: Served, asked: dict[str, str], series: set[str], people: set[str], unavailable: list[str]
) -> None:
    answer = served.alone.get("/discovery/search", **asked).json()
    assert names(answer) == (series, people)
    assert (answer["meta"]["degraded"], answer["meta"]["unavailable"]) == (True, unavailable)
