"""All values of a facet, page by page: from an engine, from PostgreSQL for a long list, and without an engine."""

import itertools
import random
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack
from typing import Any

import pytest
from sqlalchemy import Engine as Database
from sqlalchemy import and_, literal, select

from api.discovery.facets.labels import place
from api.discovery.narrowing import ranges
from api.discovery.params import FACETS
from api.discovery.subjects import values
from catalog.core.db import session_factory
from catalog.programs.fallback import words
from catalog.programs.fallback.conditions import name_has
from catalog.vocabulary import rollup
from indexer.engines.index_settings import MAX_FACET_VALUES
from tests.support.around import check_manners
from tests.support.client import Client
from tests.support.counting import PEOPLE, TAGS, Catalogue, sent
from tests.support.product import serve
from tests.support.programs import make
from tests.support.shared import apart, shared_stores
from tests.support.stores import lone
from tests.support.waiting import eventually

PROGRAMS, ASKED = 40, 6
SOURCES = ("engine", "long list", "no engine")


@pytest.fixture(scope="module")
def served() -> Iterator[tuple[dict[str, Client], Catalogue]]:
    """Listeners to one random catalogue: with an engine, and without one."""
    with shared_stores() as stores, ExitStack() as opened:
        catalogue = Catalogue(stores, random.Random(1445), PROGRAMS)
        with session_factory(stores.database).begin() as session:
            while rollup.roll_up(session):
                pass
        with_engine = opened.enter_context(serve(stores.settings))[0]
        alone = opened.enter_context(serve(lone(apart(stores.settings))))[0]
        yield {"engine": with_engine, "long list": with_engine, "no engine": alone}, catalogue


@pytest.fixture
def listener(served: tuple[dict[str, Client], Catalogue]) -> Client:
    """A listener whose answers come from an engine."""
    return served[0]["engine"]


def walk(client: Client, facet: str, limit: int, **asked: Any) -> list[tuple[str, int]]:
    """Return the values of all pages with their counts, in their order."""
    found: list[tuple[str, int]] = []
    cursor = ""
    while True:
        answer = client.get(f"/discovery/facets/{facet}", limit=limit, cursor=cursor, **asked)
        assert answer.status_code == 200, answer.text
        page = answer.json()
        found += [(row["value"], row["count"]) for row in page["data"]]
        cursor = page["meta"]["nextCursor"]
        if cursor is None:
            assert page["meta"]["total"] == len(found)
            return found
        assert len(page["data"]) == limit


@pytest.mark.slow
@pytest.mark.parametrize("source", SOURCES)
def test_the_pages_have_every_value_with_its_count(
    served: tuple[dict[str, Client], Catalogue], source: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    listeners, catalogue = served
    if source == "long list":
        monkeypatch.setattr(values, "MAX_FACET_VALUES", 0)
    chance = random.Random(SOURCES.index(source))
    for n in range(ASKED):
        asked = catalogue.filters()
        for facet in FACETS:
            expected = catalogue.counts(asked, facet)
            ordered = sorted(expected.items(), key=lambda pair, facet=facet: place(facet, *pair))  # type: ignore[misc]  # the loop's facet
            # No two walks share a page: a limit and a parameter that says nothing are theirs alone.
            found = walk(listeners[source], facet, chance.randint(1, 4), **sent(asked), tz="Asia/Riyadh")
            assert found == ordered, (n, facet, asked)


@pytest.mark.slow
def test_a_list_longer_than_an_engines_has_every_value_once() -> None:
    tags = [f"topic {n:03}" for n in range(MAX_FACET_VALUES + 20)]
    with shared_stores() as stores, serve(stores.settings) as (client, _):
        # The first thirty are in two programs or three; then some hundred are equally frequent.
        of_programs = [tags[n : n + 20] for n in range(0, len(tags), 20)] + [tags[:20], tags[10:30]]
        with session_factory(stores.database).begin() as session:
            for of_one in of_programs:
                make(session, "published", tags=of_one)
        stores.sender().drain()
        eventually(
            lambda: not client.get("/discovery/facets/tags", limit=1).json()["meta"]["degraded"],
            what="asked of the engine",
        )
        counts = Counter(tag for of_one in of_programs for tag in of_one)
        ordered = sorted(counts.items(), key=lambda pair: (-pair[1], pair[0]))
        for limit in (20, 30, 50, 100):
            assert walk(client, "tags", limit) == ordered
        first = client.get("/discovery/facets/tags", limit=20).json()["meta"]
        assert (first["total"], first["totalIsExact"]) == (MAX_FACET_VALUES, False)
        found = client.get("/discovery/facets/tags", q="topic 11", limit=5).json()
        assert (found["meta"]["total"], found["meta"]["totalIsExact"]) == (10, True)
        assert [row["name"] for row in client.get("/discovery/tags", limit=3).json()["data"]] == [
            tag for tag, _ in ordered[:3]
        ]


@pytest.mark.parametrize("source", SOURCES)
@pytest.mark.parametrize(
    ("facet", "q", "expected"),
    [
        ("people", "سارة", {"سارة العمري"}),
        ("people", "ساره  العمرى", {"سارة العمري"}),
        ("people", "عمر", {"سارة العمري"}),
        ("people", "العم", {"سارة العمري"}),
        ("people", "HADD om", {"Omar Haddad"}),
        ("people", "king", {"King, Jr."}),
        ("tags", "قهوه", {"قهوة"}),
        ("tags", "هِ", set()),
        ("tags", "Mod", {"history, modern"}),
        ("tags", "!?", set(TAGS)),
        ("people", "", set(PEOPLE)),
        ("kind", "ep", {"episode"}),
    ],
)
def test_a_value_is_found_by_the_beginnings_of_its_words(
    served: tuple[dict[str, Client], Catalogue],
    source: str,
    facet: str,
    q: str,
    expected: set[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    limit = 100
    if source == "long list":
        # An address of its own: the page of the engine is cached.
        monkeypatch.setattr(values, "MAX_FACET_VALUES", 0)
        limit = 99
    found = walk(served[0][source], facet, limit, q=q)
    assert {value for value, _ in found} == expected


@pytest.mark.parametrize("source", SOURCES)
def test_categories_and_series_are_found_by_their_names(
    served: tuple[dict[str, Client], Catalogue], source: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    client, limit = served[0][source], 98
    if source == "long list":
        monkeypatch.setattr(values, "MAX_FACET_VALUES", 0)
        limit = 97
    for q in ("رف 1", "shelf 1"):
        (found,) = client.get("/discovery/facets/categoryId", q=q, limit=limit).json()["data"]
        assert (found["nameAr"], found["nameEn"]) == ("رف 1", "Shelf 1")
    (found,) = client.get("/discovery/facets/seriesId", q="show 2", limit=limit).json()["data"]
    assert found["name"] == "Show 2"


@pytest.mark.parametrize(
    ("facet", "q", "kind", "value"),
    [
        ("people", "Hadad", "correction", "Omar Haddad"),
        ("people", "sara", "script", "سارة العمري"),
        ("tags", "jhvdo", "layout", "تاريخ"),
    ],
)
def test_what_no_name_begins_with_is_read_otherwise(
    listener: Client, facet: str, q: str, kind: str, value: str
) -> None:
    limits = iter(range(1, 100))

    def read() -> dict[str, Any]:
        page: dict[str, Any] = listener.get(f"/discovery/facets/{facet}", q=q, limit=next(limits)).json()
        return page

    eventually(lambda: "rewrite" in read()["meta"], what="the words are read")
    page = read()
    assert page["meta"]["rewrite"]["kind"] == kind
    assert page["data"][0]["value"] == value


@pytest.mark.parametrize(
    ("name", "q", "begins"),
    [
        ("Omar Haddad", "mar", False),
        ("Omar Haddad", "had OM", True),
        ("King, Jr.", "jr", True),
        ("snake_case", "case", True),
        ("سارة العمري", "مري", False),
        ("سارة العمري", "عمرى", True),
        ("école", "Eco", True),
    ],
)
def test_words_begin_alike_in_a_process_and_in_postgresql(
    database: Database, name: str, q: str, begins: bool
) -> None:
    asked = words.split(q)
    assert words.begins([name], asked) == begins
    with database.connect() as connection:
        written = literal(name)
        assert connection.scalar(select(and_(*(name_has(written, word) for word in asked)))) == begins


def test_the_route_has_the_manners_of_the_others(listener: Client) -> None:
    check_manners(
        listener,
        "/discovery/facets/tags",
        "limit=2&kind=film",
        [
            ("limit=0", "limit", "invalid_parameter"),
            ("limit=101", "limit", "invalid_parameter"),
            ("sort=newest", "sort", "unknown_parameter"),
            ("q=" + "a" * 101, "q", "invalid_parameter"),
            ("tz=Nowhere", "tz", "invalid_parameter"),
            ("cursor=abc", "cursor", "invalid_cursor"),
        ],
    )
    refused = listener.get("/discovery/facets/title")
    assert (refused.status_code, refused.json()["errors"][0]["field"]) == (400, "name")


def test_a_cursor_belongs_to_its_list(listener: Client) -> None:
    cursor = listener.get("/discovery/facets/tags", limit=1).json()["meta"]["nextCursor"]
    assert listener.get("/discovery/facets/tags", limit=3, cursor=cursor).status_code == 200
    for path, asked in (("people", {}), ("tags", {"q": "m"}), ("tags", {"language": "ar"})):
        refused = listener.get(f"/discovery/facets/{path}", limit=1, cursor=cursor, **asked)
        assert (refused.status_code, refused.json()["code"]) == (400, "invalid_cursor")
    # The facet's own filter changes nothing.
    assert listener.get("/discovery/facets/tags", limit=1, cursor=cursor, tag="مدن").status_code == 200


def test_without_an_engine_the_answer_says_so(served: tuple[dict[str, Client], Catalogue]) -> None:
    answer = served[0]["no engine"].get("/discovery/facets/releaseYear").json()
    assert answer["meta"]["degraded"]
    assert [row["value"] for row in answer["data"]] == ["2024", "2023"]


@pytest.mark.parametrize(
    ("first", "last", "now", "expected"),
    [
        ("2023-12-31T20:59:59+00:00", "2023-12-31T21:00:00+00:00", 2026, ["2023", "2024"]),
        ("1900-06-01T00:00:00+00:00", "2026-06-01T00:00:00+00:00", 2026, range(1927, 2027)),
        ("2025-06-01T00:00:00+00:00", "9999-12-31T22:00:00+00:00", 2026, ["2025", "2026", "2027"]),
        ("0001-01-01T00:00:00+00:00", "0003-06-01T00:00:00+00:00", 2026, ["1", "2", "3"]),
        ("5000-01-01T00:00:00+00:00", "5000-06-01T00:00:00+00:00", 2026, []),
    ],
)
def test_years_are_a_listeners_and_at_most_a_hundred(
    first: str, last: str, now: int, expected: list[str] | range
) -> None:
    moments = [int(ranges.datetime.fromisoformat(one).timestamp()) for one in (first, last)]
    found = ranges.years(*moments, "Asia/Riyadh", ranges.datetime(now, 5, 1, tzinfo=ranges.UTC))
    assert [one.value for one in found] == [str(year) for year in expected]
    assert all(one.high is not None and later.low == one.high + 1 for one, later in itertools.pairwise(found))
