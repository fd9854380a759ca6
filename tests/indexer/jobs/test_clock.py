"""The clock publishes and expires programs on time, once."""

import itertools
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import pytest
from redis import Redis
from sqlalchemy import Engine as Database
from sqlalchemy import text

from api.settings import Settings
from catalog.core.db import database_now, session_factory
from catalog.programs import lifecycle
from indexer.jobs import searches
from indexer.jobs.clock import Clock
from tests.support.programs import EDITOR, make


@pytest.mark.slow
def test_due_programs_appear_once_though_two_clocks_run(
    settings: Settings, database: Database, cache_redis: "Redis"
) -> None:
    with session_factory(database).begin() as session:
        due = [make(session).id for _ in range(20)]
        later = make(session, "scheduled").id
        for number in due:
            at = database_now(session) + timedelta(hours=1)
            lifecycle.transition(session, number, "schedule", EDITOR, at=at)
        session.execute(
            text("UPDATE programs SET scheduled_publish_at = now() - interval '1 s' WHERE id <> :id"),
            {"id": later},
        )
    clocks = [Clock(database, cache_redis, settings.indexer.redis_prefix) for _ in range(2)]
    start = threading.Barrier(2)

    def tick(clock: Clock) -> list[int]:
        start.wait()
        return clock.publish_and_expire()[0] + clock.publish_and_expire()[0]

    with ThreadPoolExecutor(2) as pool:
        published = sorted(itertools.chain.from_iterable(pool.map(tick, clocks)))
    assert published == due
    with database.connect() as connection:
        states = dict(connection.execute(text("SELECT status, count(*) AS n FROM programs GROUP BY 1")).all())
        events = connection.scalar(text("SELECT count(*) FROM audit_events WHERE action = 'program.publish'"))
    assert states == {"published": 20, "scheduled": 1}
    assert events == 20


def test_the_clock_of_the_database_decides(
    settings: Settings, database: Database, cache_redis: "Redis", monkeypatch: pytest.MonkeyPatch
) -> None:
    with session_factory(database).begin() as session:
        number = make(session).id
        at = database_now(session) + timedelta(minutes=30)
        lifecycle.transition(session, number, "schedule", EDITOR, at=at)
    real = time.time
    for hours in (1, -1):
        monkeypatch.setattr(time, "time", lambda h=hours: real() + h * 3600)
        clock = Clock(database, cache_redis, settings.indexer.redis_prefix)
        assert clock.publish_and_expire() == ([], [])


def test_an_expired_program_is_archived(settings: Settings, database: Database, cache_redis: "Redis") -> None:
    with session_factory(database).begin() as session:
        kept = make(session, "published", expire_at=datetime.now(UTC) + timedelta(days=1)).id
        gone = make(session, "published").id
        session.execute(text("UPDATE programs SET expire_at = now() WHERE id = :id"), {"id": gone})
    clock = Clock(database, cache_redis, settings.indexer.redis_prefix)
    assert clock.publish_and_expire() == ([], [gone])
    assert clock.publish_and_expire() == ([], [])
    with database.connect() as connection:
        states = dict(connection.execute(text("SELECT id, status FROM programs")).all())
    assert states == {kept: "published", gone: "archived"}


def test_what_was_committed_enters_the_journal(
    settings: Settings, database: Database, cache_redis: "Redis"
) -> None:
    with session_factory(database).begin() as session:
        ids = [make(session, "published", title=f"Number {n}").id for n in range(3)]
    clock = Clock(database, cache_redis, settings.indexer.redis_prefix)
    assert clock.write_journal() >= len(ids)
    assert clock.write_journal() == 0
    with database.connect() as connection:
        told = connection.execute(text("SELECT program_id, type FROM journal ORDER BY position")).all()
    assert [tuple(row) for row in told] == [(number, "published") for number in ids]


def test_a_clock_without_its_servers_goes_on_when_they_return(settings: Settings, database: Database) -> None:
    away = Redis.from_url("redis://127.0.0.1:1/0", socket_connect_timeout=0.2)
    with session_factory(database).begin() as session:
        gone = make(session, "published").id
        session.execute(text("UPDATE programs SET expire_at = now() WHERE id = :id"), {"id": gone})
    clock = Clock(database, away, settings.indexer.redis_prefix)
    clock.tick()
    with database.connect() as connection:
        assert connection.scalar(text("SELECT status FROM programs")) == "archived"


def test_searches_are_gathered_and_rolled_up(
    settings: Settings, database: Database, cache_redis: "Redis"
) -> None:
    prefix, now = settings.indexer.redis_prefix, datetime.now(UTC)
    cache_redis.zadd(searches.day_key(prefix, now), {"coffee": searches.LEAST})
    cache_redis.hset(searches.counts_key(prefix, now, "tea"), "searches", 3)
    cache_redis.sadd(f"{searches.room(prefix)}fresh", f"{searches.days(now)[0]}:tea")
    Clock(database, cache_redis, prefix).tick()
    assert cache_redis.zrange(searches.popular_key(prefix), 0, -1) == [b"coffee"]
    with database.connect() as connection:
        assert connection.execute(text("SELECT query, searches FROM query_daily")).all() == [("tea", 3)]
