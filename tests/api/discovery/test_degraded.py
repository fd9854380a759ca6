"""Without an engine PostgreSQL answers: worse, marked, bounded, and no longer than necessary."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from redis import Redis
from sqlalchemy import Engine as Database
from sqlalchemy import text

from api.discovery.searching.fallback import KEPT_SECONDS
from api.settings import Settings
from catalog.core.changes import ProgramChange
from catalog.core.db import session_factory
from tests.support.client import Client
from tests.support.databases import scalar
from tests.support.discovery import (
    EVENING,
    FILM,
    MORNING,
    ROADS,
    SPECS,
    check_filters_and_orders,
    stock,
    titles,
    total,
)
from tests.support.product import sending, serve
from tests.support.programs import make
from tests.support.proxy import Proxy
from tests.support.scraping import metric
from tests.support.stores import lone
from tests.support.waiting import eventually


@pytest.fixture
def stocked(database: Database) -> dict[str, int]:
    return stock(database)


@pytest.fixture
def alone(settings: Settings, stocked: dict[str, int]) -> Iterator[Client]:
    """A listener of a product without an engine."""
    with serve(lone(settings)) as (client, _):
        yield client


@pytest.mark.slow
def test_filters_orders_and_pages_are_the_engines(alone: Client, stocked: dict[str, int]) -> None:
    check_filters_and_orders(alone, stocked)
    page = alone.get("/discovery/search", sort="oldest", limit=2, page=2)
    assert [row["title"] for row in page.json()["data"]] == [FILM, ROADS]
    assert page.json()["meta"] == {
        "page": 2,
        "limit": 2,
        "total": 5,
        "totalIsExact": True,
        "totalPages": 3,
        "query": "",
        "sort": "oldest",
        "degraded": True,
        "unavailable": [],
        "rewrite": None,
    }
    assert page.headers["cache-control"] == "public, max-age=1, s-maxage=1"
    beyond = alone.get("/discovery/search", limit=2, page=4).json()
    assert (beyond["data"], beyond["meta"]["total"]) == ([], 5)


@pytest.mark.slow
def test_newest_leaves_out_what_is_not_released_yet(settings: Settings, database: Database) -> None:
    with session_factory(database).begin() as session:
        for year in (2023, 2199, 2024):
            moment = datetime(year, 1, 1, tzinfo=UTC)
            make(session, "published", title=f"zqx {year}", release_date=moment)
        make(session, "published", title="zqx without a date")
    with serve(lone(settings)) as (client, _):
        released = ["zqx 2024", "zqx 2023", "zqx without a date"]
        assert titles(client, q="zqx", sort="newest") == released
        listed = client.get("/discovery/browse", limit=2).json()
        assert ([row["title"] for row in listed["data"]], listed["meta"]["total"]) == (released[:2], 3)
        rest = client.get("/discovery/browse", limit=2, cursor=listed["meta"]["nextCursor"]).json()
        assert [row["title"] for row in rest["data"]] == released[2:]
        assert listed["meta"]["degraded"]
        # Who asks for another order, or names dates, sees them.
        assert len(titles(client, q="zqx", sort="oldest")) == 4
        assert titles(client, q="zqx", sort="newest", releasedAfter="2024-06-01") == ["zqx 2199"]
        calendar = {"releasedAfter": "0001-01-01", "releasedBefore": "9999-12-31T23:59:59-14:00"}
        assert len(titles(client, q="zqx", **calendar)) == 3


@pytest.mark.slow
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
    for q in (
        "nothing like it",
        "coffee zzzzzz",
        "⑴ (: | & !) ½ '\\ % _ \u064b",
        "zz:* | zz",
        "٪",
        "x" * 512,
        "ﷺ" * 512,
        "قهوة" * 100,
    ):
        assert titles(alone, q=q) == ([] if any(map(str.isalnum, q)) else titles(alone)), q


@pytest.mark.slow
def test_an_answer_says_what_it_lacks_and_is_counted(alone: Client) -> None:
    before = {
        r: metric(alone, f'search_degraded_total{{route="{r}"}}') for r in ("search", "browse", "suggest")
    }
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
        "query": "cof",
        "degraded": True,
        "unavailable": [],
    }
    for route, more in (("search", 1), ("browse", 2), ("suggest", 1)):
        counted = metric(alone, f'search_degraded_total{{route="{route}"}}')
        assert counted - before[route] == more, route
    wrong = alone.get("/discovery/search", sort="random")
    assert (wrong.status_code, wrong.json()["code"]) == (400, "invalid_parameter")


@pytest.mark.slow
def test_suggestions_come_from_titles_series_people_and_tags(alone: Client) -> None:
    def offered(q: str) -> set[tuple[str, str]]:
        answer = alone.get("/discovery/suggest", q=q)
        assert answer.status_code == 200, answer.text
        return {(row["type"], row["text"]) for row in answer.json()["data"]}

    assert offered("cof") == {
        ("program", MORNING),
        ("program", FILM),
        ("series", "Coffee talks"),
        ("tag", "coffee"),
    }
    assert offered("سار") == {("person", "سارة العمري")}
    assert offered("قه") == {("program", EVENING), ("tag", "قهوة")}
    assert offered("عمري") == {("person", "سارة العمري")}
    assert offered("trade") == offered("zzzzzz") == offered("!") == set()
    first = alone.get("/discovery/suggest", q="coffee", limit=1).json()["data"]
    assert [(row["type"], row["slug"]) for row in first] == [("program", "the-coffee-film")]


@pytest.mark.slow
def test_what_is_not_published_is_never_found(alone: Client, database: Database) -> None:
    with session_factory(database).begin() as session:
        for status in ("draft", "in_review", "scheduled", "archived"):
            make(session, status, title=f"Hidden {status}", tags=["hidden"], people=[("host", "Hidden Host")])
        make(session, "published", title="Hidden expired")
        make(session, "published", title="Hidden deleted")
        session.flush()
        session.execute(
            text("UPDATE programs SET expire_at = now() - interval '1 second' WHERE title = 'Hidden expired'")
        )
        session.execute(text("UPDATE programs SET deleted_at = now() WHERE title = 'Hidden deleted'"))
    assert titles(alone, q="hidden") == titles(alone, q="hiddem") == []
    assert titles(alone, tag="hidden") == titles(alone, person="Hidden Host") == []
    assert set(titles(alone, "/discovery/browse")) == {spec["title"] for spec in SPECS}
    assert alone.get("/discovery/suggest", q="hid").json()["data"] == []


def test_what_was_just_withdrawn_is_not_shown_by_a_replica_behind(
    settings: Settings, stocked: dict[str, int]
) -> None:
    with serve(lone(settings)) as (client, edge):
        edge.app.state.shared.cache.changed([ProgramChange(stocked[FILM], 1_000, visible=False)])
        assert titles(client, q="coffee") == [MORNING]
        assert FILM not in titles(client, "/discovery/browse")
        offered = client.get("/discovery/suggest", q="cof").json()["data"]
        assert FILM not in [row["text"] for row in offered]


@contextmanager
def on_a_line(settings: Settings, redis: "Redis") -> Iterator[tuple[Client, Proxy]]:
    """The product, its engine at the end of a line; a failure is forgotten at once."""
    patient = {"connect_timeout": 30, "read_timeout": 30, "breaker_seconds": 0.01}
    api = settings.api.model_copy(update={"fallback_timeout_ms": 60_000})
    with Proxy(settings.indexer.meili_url) as line:
        indexer = settings.indexer.model_copy(update={"meili_url": line.url} | patient)
        with sending(settings, redis), serve(replace(settings, indexer=indexer, api=api)) as (client, _):
            yield client, line


@pytest.mark.slow
def test_the_engine_may_go_and_come_back(
    settings: Settings, database: Database, stocked: dict[str, int], cache_redis: "Redis"
) -> None:
    # Half a second more each, and two of one moment: cursors count whole seconds.
    with database.begin() as connection:
        connection.execute(
            text(
                "INSERT INTO programs (slug, title, language, media_type, kind, status, published_at, release_date, duration_sec, view_count) "
                "SELECT 'n' || n, 'Number ' || n, 'en', 'audio', 'episode', 'published', now(), "
                "CASE WHEN n % 4 > 0 THEN timestamptz '2024-02-01' + (40 - n) / 4 * interval '1 second' + n * interval '1 millisecond' END, "
                "CASE WHEN n % 5 > 0 THEN n % 7 END, 1000 + n * 7 FROM generate_series(1, 40) n"
            )
        )
    count = 40 + len(SPECS)
    with on_a_line(settings, cache_redis) as (client, line):
        eventually(lambda: total(client) == count, what="searchable")

        def walk(sort: str, limit: int, *, switching: bool) -> list[int]:
            seen: list[int] = []
            asked: dict[str, Any] = {"sort": sort, "limit": limit}
            while True:
                page = client.get("/discovery/browse", **asked)
                assert page.status_code == 200, page.text
                meta = page.json()["meta"]
                degraded.add(meta["degraded"])
                seen += [row["id"] for row in page.json()["data"]]
                if meta["nextCursor"] is None:
                    return seen
                asked["cursor"] = meta["nextCursor"]
                if switching:
                    line.heal() if meta["degraded"] else line.hurt("refuse")

        for sort in ("newest", "oldest", "longest", "shortest", "popular"):
            degraded: set[bool] = set()
            expected = walk(sort, 50, switching=False)
            assert (len(set(expected)), degraded) == (count, {False})
            # Pages of another size are other pages: none of them is held yet.
            assert walk(sort, 6, switching=True) == expected, sort
            assert degraded == {True, False}
            line.heal()


@pytest.mark.slow
def test_a_degraded_answer_does_not_outlive_the_outage(
    settings: Settings, stocked: dict[str, int], cache_redis: "Redis"
) -> None:
    with on_a_line(settings, cache_redis) as (client, line):
        eventually(lambda: total(client) == len(SPECS), what="searchable")
        before = set(cache_redis.scan_iter(f"{settings.indexer.redis_prefix}page*"))
        line.hurt("refuse")
        asked = {"q": "trade", "facets": "language"}
        first = client.get("/discovery/search", **asked)
        assert (first.json()["meta"]["degraded"], first.headers["x-cache"]) == (True, "miss")
        # Many ask at once: few of them reach PostgreSQL.
        assert client.get("/discovery/search", **asked).headers["x-cache"] != "miss"
        # Its copy in Redis is kept for a moment only.
        mine = set(cache_redis.scan_iter(f"{settings.indexer.redis_prefix}page*")) - before
        assert all(-1 != cache_redis.pttl(key) <= 1000 * KEPT_SECONDS for key in mine)
        line.heal()
        back = eventually(
            lambda: None if (a := client.get("/discovery/search", **asked).json())["meta"]["degraded"] else a
        )
        assert isinstance(back, dict)
        assert back["facets"]["language"] == [{"value": "en", "count": len(back["data"])}]
        assert "unavailable" not in back["meta"]


def refused(answer: Any) -> bool:
    return (
        answer.status_code == 503
        and answer.json()["code"] == "search_unavailable"
        and int(answer.headers["retry-after"]) > 0
        and answer.headers["cache-control"] == "no-store"
    )


@pytest.mark.slow
def test_time_is_bounded(settings: Settings, stocked: dict[str, int], database: Database) -> None:
    with serve(lone(settings, fallback_timeout_ms=200)) as (client, _), database.connect() as holder:
        before = metric(client, 'search_fallback_failures_total{reason="timeout"}')
        holder.execute(text("LOCK TABLE programs IN ACCESS EXCLUSIVE MODE"))
        assert refused(client.get("/discovery/search", q="coffee"))
        assert refused(client.get("/discovery/browse"))
        assert refused(client.get("/discovery/suggest", q="cof"))
        assert metric(client, 'search_fallback_failures_total{reason="timeout"}') - before == 3
        holder.rollback()
        # A busy machine may need longer than the budget, which is refused again.
        eventually(lambda: client.get("/discovery/search", q="coffee film").status_code == 200)


@pytest.mark.slow
def test_only_so_many_ask_postgresql_at_once(
    settings: Settings, stocked: dict[str, int], database: Database
) -> None:
    with (
        serve(lone(settings, fallback_concurrency=2)) as (client, _),
        database.connect() as holder,
        ThreadPoolExecutor(2) as pool,
    ):
        before = metric(client, 'search_fallback_failures_total{reason="busy"}')
        holder.execute(text("LOCK TABLE programs IN ACCESS EXCLUSIVE MODE"))
        waiting = [pool.submit(Client(client.base).get, "/discovery/search", q=q) for q in ("coffee", "film")]
        blocked = (
            "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'thmanyah-search' "
            "AND datname = current_database() AND wait_event_type = 'Lock'"
        )
        eventually(lambda: scalar(database, blocked) == 2, what="both slots taken")
        assert refused(client.get("/discovery/search", q="morning"))
        assert metric(client, 'search_fallback_failures_total{reason="busy"}') - before == 1
        holder.rollback()
        assert [f.result().status_code for f in waiting] == [200, 200]
        assert titles(client, q="morning") == [MORNING]


def test_without_engine_and_database_nothing_is_pretended(settings: Settings) -> None:
    nowhere = "postgresql+psycopg://postgres@127.0.0.1:1/x"
    catalog = settings.catalog.model_copy(update={"database_url": nowhere})
    with serve(lone(replace(settings, catalog=catalog))) as (client, _):
        before = metric(client, 'search_fallback_failures_total{reason="database"}')
        for path in ("/discovery/search", "/discovery/browse", "/discovery/suggest?q=a"):
            assert refused(client.get(path)), path
        assert metric(client, 'search_fallback_failures_total{reason="database"}') - before == 3
