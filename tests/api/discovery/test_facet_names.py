"""What the values of facets are called: read once from PostgreSQL, and as new as the catalogue all the same."""

import itertools
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from redis import Redis
from sqlalchemy import Engine as Database
from sqlalchemy import event, text

from api.answers.edge import Edge
from api.answers.invalidations import Invalidations
from api.discovery.facets import labels as facets
from api.settings import Settings
from catalog.core.changes import TaxonomyChange
from tests.support.client import Client
from tests.support.discovery import SPECS, stock, total
from tests.support.product import sending, serve
from tests.support.waiting import eventually

WANTED = "categoryId,seriesId"


@pytest.fixture
def catalogue(
    settings: Settings, database: Database, cache_redis: "Redis", listener: Client
) -> Iterator[dict[str, int]]:
    """A searchable catalogue with one category and one series."""
    found = stock(database)
    with sending(settings, cache_redis):
        eventually(lambda: total(listener) == len(SPECS), what="searchable")
        yield found


@contextmanager
def queries(edge: Edge) -> Iterator[list[str]]:
    """The statements about categories and series that the API sends to the replica inside the block."""
    engine = edge.app.state.shared.servers.primary.reads.kw["bind"].sync_engine
    sent: list[str] = []

    def note(connection: object, cursor: object, statement: str, *rest: object) -> None:
        if "categories" in statement or "series" in statement:
            sent.append(statement)

    event.listen(engine, "before_cursor_execute", note)
    try:
        yield sent
    finally:
        event.remove(engine, "before_cursor_execute", note)


def names(listener: Client, limit: int) -> tuple[str, str]:
    """The names of the only category and the only series; every `limit` is a page of its own."""
    answer = listener.get("/discovery/search", facets=WANTED, limit=limit)
    assert answer.headers["x-cache"] == "miss"
    found = answer.json()["facets"]
    return found["categoryId"][0]["nameEn"], found["seriesId"][0]["name"]


def test_a_page_with_facets_asks_postgresql_nothing_once_the_names_are_known(
    listener: Client, edge: Edge, catalogue: dict[str, int]
) -> None:
    with queries(edge) as first:
        assert names(listener, 1) == ("Society", "Coffee talks")
    with queries(edge) as later:
        assert {names(listener, limit) for limit in range(2, 12)} == {("Society", "Coffee talks")}
        assert listener.get("/discovery/browse", facets=WANTED).headers["x-cache"] == "miss"
    assert (len(first), later) == (2, [])


@pytest.mark.slow
def test_a_rename_shows_in_the_next_page_of_every_process(
    listener: Client,
    edge: Edge,
    staff: dict[str, Client],
    settings: Settings,
    catalogue: dict[str, int],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    # Names never expire: what changes them is the message.
    monkeypatch.setattr(facets, "MAX_AGE_SECONDS", 3600.0)
    with serve(settings) as (other, _):
        assert names(listener, 1) == names(other, 2) == ("Society", "Coffee talks")
        renamed = staff["reviewer"].patch(
            f"/catalog/categories/{catalogue['category']}", {"nameEn": "People"}
        )
        assert renamed.status_code == 200
        # The process that wrote it knows at once, another one when the message arrives.
        assert names(listener, 3) == ("People", "Coffee talks")
        limits = itertools.cycle(range(4, 51))
        eventually(lambda: names(other, next(limits)) == ("People", "Coffee talks"), what="renamed")
        titled = staff["reviewer"].patch(f"/catalog/series/{catalogue['series']}", {"title": "Tea talks"})
        assert titled.status_code == 200
        assert names(listener, 51) == ("People", "Tea talks")
        with queries(edge) as later:
            assert names(listener, 52) == ("People", "Tea talks")
        assert later == []


@pytest.mark.slow
def test_a_name_changed_by_hand_shows_after_a_while(
    listener: Client, catalogue: dict[str, int], database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert names(listener, 1) == ("Society", "Coffee talks")
    with database.begin() as connection:
        connection.execute(text("UPDATE categories SET name_en = 'People'"))
    monkeypatch.setattr(facets, "MAX_AGE_SECONDS", 0.0)
    assert names(listener, 2) == ("People", "Coffee talks")


class _Replica:
    """A replica with one category, at the revision that it is told."""

    def __init__(self) -> None:
        self.rev, self.asked, self.may_be_behind = 1, 0, False

    async def rows(self, statement: object, **parameters: object) -> list[dict[str, object]]:
        self.asked += 1
        return [{"id": 7, "rev": self.rev, "name_ar": "ا", "name_en": f"at {self.rev}"}]


async def test_a_name_from_a_replica_that_is_behind_is_not_kept() -> None:
    replica, known = _Replica(), Invalidations()
    labels = facets.Labels("category", lambda ids: None, facets._category_label, replica, known)  # type: ignore[arg-type]  # a replica and statements of the test's own
    known.heard_at = 1e12

    async def name() -> object:
        return (await labels.of([7]))[7].name_en

    assert [await name(), await name(), replica.asked] == ["at 1", "at 1", 1]
    known.taxonomy_changed([TaxonomyChange("category", 7, 2)])
    assert [await name(), await name(), replica.asked] == ["at 1", "at 1", 3]
    replica.rev = 2
    assert [await name(), await name(), replica.asked] == ["at 2", "at 2", 4]
    # Messages may have been missed: what was read before is read again.
    known.forget_taxonomy()
    assert [await name(), replica.asked] == ["at 2", 5]


async def test_the_names_that_are_kept_have_a_bound(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(facets, "MAX_NAMES", 3)

    class Any(_Replica):
        async def rows(self, statement: object, **parameters: object) -> list[dict[str, object]]:
            self.asked += 1
            return [{"id": i, "rev": 1, "name_ar": "ا", "name_en": "x"} for i in statement]  # type: ignore[attr-defined]  # the ids

    replica, known = Any(), Invalidations()
    labels = facets.Labels("category", lambda ids: ids, facets._category_label, replica, known)  # type: ignore[arg-type,return-value]  # a replica and statements of the test's own
    known.heard_at = 1e12
    await labels.of(range(10))
    assert len(labels._entries) == 3
    await labels.of([7, 8, 9])
    assert replica.asked == 1
