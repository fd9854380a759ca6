"""Counted views: none lost, none counted twice, whatever moment a flush dies at."""

from collections.abc import Callable

import pytest
from redis import Redis
from sqlalchemy import Engine as Database
from sqlalchemy import text

from api.settings import Settings
from catalog.db import session_factory
from indexer import views
from indexer.views import CRASH_POINTS, apply_pending, pending_key
from tests.catalog.support import make
from tests.support.product import serve
from tests.support.servers import eventually


class Died(Exception):
    """The process ended here."""


def dies_at(point: str) -> Callable[[str], None]:
    def at(reached: str) -> None:
        if reached == point:
            raise Died

    return at


def counted(database: Database) -> dict[int, int]:
    with database.connect() as connection:
        rows = connection.execute(text("SELECT id, view_count FROM programs ORDER BY id"))
        return {row.id: row.view_count for row in rows}


def programs(database: Database, count: int) -> list[int]:
    with session_factory(database).begin() as session:
        return [make(session, "published").id for _ in range(count)]


@pytest.mark.parametrize("point", CRASH_POINTS)
def test_a_flush_that_dies_is_repeated_without_counting_twice(
    point: str, settings: Settings, database: Database, cache_redis: "Redis"
) -> None:
    prefix = settings.indexer.redis_prefix
    first, second = programs(database, 2)
    cache_redis.hset(pending_key(prefix), mapping={str(first): 3, str(second): 1})
    with pytest.raises(Died):
        apply_pending(cache_redis, prefix, database, dies_at(point))
    cache_redis.hincrby(pending_key(prefix), str(first), 4)
    apply_pending(cache_redis, prefix, database)
    apply_pending(cache_redis, prefix, database)
    assert counted(database) == {first: 7, second: 1}
    assert cache_redis.keys(f"{prefix}views*") == []


def test_views_of_programs_that_are_gone_do_no_harm(
    settings: Settings, database: Database, cache_redis: "Redis"
) -> None:
    (one,) = programs(database, 1)
    cache_redis.hset(pending_key(settings.indexer.redis_prefix), mapping={str(one): 2, "999999": 5})
    apply_pending(cache_redis, settings.indexer.redis_prefix, database)
    assert counted(database) == {one: 2}


def test_a_thousand_programs_are_one_update(
    settings: Settings, database: Database, cache_redis: "Redis"
) -> None:
    ids = programs(database, 300)
    cache_redis.hset(pending_key(settings.indexer.redis_prefix), mapping={str(i): i for i in ids})
    statements: list[str] = []
    real = views._apply

    def watched(connection: Database, *arguments: object) -> int:
        from sqlalchemy import event

        def note(_c: object, _u: object, statement: str, *_: object) -> None:
            statements.append(statement)

        event.listen(connection, "before_cursor_execute", note)
        return real(connection, *arguments)  # type: ignore[arg-type]

    views._apply = watched
    try:
        apply_pending(cache_redis, settings.indexer.redis_prefix, database)
    finally:
        views._apply = real
    assert len([s for s in statements if s.lstrip().startswith(("UPDATE", "WITH"))]) == 1
    assert counted(database) == {i: i for i in ids}


def test_views_over_http_reach_the_record(
    settings: Settings, database: Database, cache_redis: "Redis"
) -> None:
    one, two = programs(database, 2)
    with serve(settings) as (client, _):
        for _ in range(40):
            assert client.post(f"/discovery/programs/{one}/views").status_code == 202
        assert client.post(f"/discovery/programs/{two}/views").json() == {"data": {"id": two}}
        assert client.post("/discovery/programs/999999/views").status_code == 404
        assert client.post("/discovery/programs/x/views").status_code == 400

        def flushed() -> bool:
            apply_pending(cache_redis, settings.indexer.redis_prefix, database)
            return counted(database) == {one: 40, two: 1}

        eventually(flushed)


def test_stopping_a_process_loses_no_view(
    settings: Settings, database: Database, cache_redis: "Redis"
) -> None:
    (one,) = programs(database, 1)
    with serve(settings) as (client, _):
        for _ in range(7):
            client.post(f"/discovery/programs/{one}/views")
    apply_pending(cache_redis, settings.indexer.redis_prefix, database)
    assert counted(database) == {one: 7}
