"""The clock and the schedule: on time, once, and again after everything that happens to them."""

import itertools
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from redis import Redis
from rq_scheduler import Scheduler
from sqlalchemy import Engine as Database
from sqlalchemy import text

from api.settings import Settings
from api.warm import warm_popular
from catalog.db import session_factory
from catalog.programs import lifecycle
from deploy.local.stack import thmanyah
from indexer import queues
from indexer.clock import Clock
from indexer.schedule import TABLE, Schedule
from tests.catalog.support import EDITOR, make
from tests.journeys.conftest import environment
from tests.support.product import serve
from tests.support.servers import eventually, running, scalar

KEY = Scheduler.scheduled_jobs_key


@pytest.fixture
def queue(settings: Settings) -> Iterator["Redis"]:
    """This process's own queue database, empty."""
    connection = queues.connect(settings.indexer.redis_queue_url)
    connection.flushdb()
    yield connection
    connection.flushdb()
    connection.close()


def entries(queue: "Redis") -> list[str]:
    found: list[bytes] = queue.zrange(KEY, 0, -1)
    return sorted(name.decode() for name in found)


def test_the_table_stands_once_however_often_it_is_asserted(queue: "Redis") -> None:
    for _ in range(3):
        Schedule(queue).tick()
    assert entries(queue) == sorted(entry.id for entry in TABLE)


def test_a_lost_entry_comes_back(queue: "Redis") -> None:
    schedule = Schedule(queue)
    schedule.tick()
    queue.zrem(KEY, TABLE[0].id)
    queue.delete(f"rq:job:{TABLE[1].id}")
    schedule.assert_table()
    assert entries(queue) == sorted(entry.id for entry in TABLE)
    assert queue.exists(f"rq:job:{TABLE[1].id}")
    queue.flushdb()
    schedule.assert_table()
    assert entries(queue) == sorted(entry.id for entry in TABLE)


@pytest.mark.parametrize("damage", [b"not json", b"\x80\x04pickle", b""])
def test_an_unreadable_job_stops_nobody(damage: bytes, queue: "Redis") -> None:
    schedule = Schedule(queue)
    schedule.tick()
    queue.hset(f"rq:job:{TABLE[0].id}", "data", damage)
    queue.hset("rq:job:stranger", mapping={"data": damage, "created_at": "never"})
    queue.zadd(KEY, {"stranger": 0, TABLE[0].id: 0, TABLE[1].id: 0})
    for _ in range(3):
        schedule.tick()
    schedule.assert_table()
    eventually(lambda: schedule.tick() or queue.llen("rq:queue:maintenance") >= 1)
    assert "stranger" not in entries(queue)
    assert entries(queue) == sorted(entry.id for entry in TABLE)


def test_two_schedulers_enqueue_what_is_due_once(queue: "Redis") -> None:
    schedules = [Schedule(queue), Schedule(queue)]
    for schedule in schedules:
        schedule.tick()
    due = time.time() - 1
    queue.zadd(KEY, {TABLE[0].id: due})
    with ThreadPoolExecutor(2) as pool:
        list(pool.map(lambda one: [one.tick() for _ in range(5)], schedules))
    assert queue.lrange("rq:queue:maintenance", 0, -1) == [TABLE[0].id.encode()]
    # And it stands for its next time.
    assert float(queue.zscore(KEY, TABLE[0].id) or 0) > time.time()


def test_the_worker_runs_what_is_due(
    queue: "Redis", settings: Settings, database: Database
) -> None:
    with session_factory(database).begin() as session:
        session.execute(text(
            "INSERT INTO view_flushes (batch_id, at) VALUES ('old', now() - interval '2 days'), ('new', now())"
        ))  # fmt: skip
    queues.JsonQueue(queues.MAINTENANCE, connection=queue).enqueue("indexer.jobs.prune")
    done = subprocess.run(
        [*thmanyah("worker"), "--burst"], env=os.environ | environment(settings),
        capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    with database.connect() as connection:
        assert connection.scalars(text("SELECT batch_id FROM view_flushes")).all() == ["new"]


def test_jobs_are_json_and_never_pickle(queue: "Redis") -> None:
    job = queues.JsonQueue(queues.MAINTENANCE, connection=queue).enqueue("indexer.jobs.prune")
    raw = queue.hget(f"rq:job:{job.id}", "data")
    assert raw is not None
    import json
    import zlib

    assert json.loads(zlib.decompress(raw))[0] == "indexer.jobs.prune"


def test_due_programs_appear_once_though_two_clocks_run(
    settings: Settings, database: Database, cache_redis: "Redis"
) -> None:
    with session_factory(database).begin() as session:
        due = [make(session).id for _ in range(20)]
        later = make(session, "scheduled").id
        for number in due:
            at = lifecycle.database_now(session) + timedelta(hours=1)
            lifecycle.schedule(session, number, at, EDITOR)
        session.execute(
            text(
                "UPDATE programs SET scheduled_publish_at = now() - interval '1 s' WHERE id <> :id"
            ),
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
        states = dict(
            connection.execute(text("SELECT status, count(*) AS n FROM programs GROUP BY 1")).all()
        )
        events = connection.scalar(
            text("SELECT count(*) FROM audit_events WHERE action = 'program.publish'")
        )
    assert states == {"published": 20, "scheduled": 1}
    assert events == 20


def test_time_is_the_databases(
    settings: Settings, database: Database, cache_redis: "Redis", monkeypatch: pytest.MonkeyPatch
) -> None:
    with session_factory(database).begin() as session:
        number = make(session).id
        at = lifecycle.database_now(session) + timedelta(minutes=30)
        lifecycle.schedule(session, number, at, EDITOR)
    real = time.time
    for hours in (1, -1):
        monkeypatch.setattr(time, "time", lambda h=hours: real() + h * 3600)
        clock = Clock(database, cache_redis, settings.indexer.redis_prefix)
        assert clock.publish_and_expire() == ([], [])


def test_an_expired_program_is_put_away(
    settings: Settings, database: Database, cache_redis: "Redis"
) -> None:
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


def test_a_clock_without_its_servers_goes_on_when_they_return(
    settings: Settings, database: Database
) -> None:
    away = Redis.from_url("redis://127.0.0.1:1/0", socket_connect_timeout=0.2)
    with session_factory(database).begin() as session:
        gone = make(session, "published").id
        session.execute(text("UPDATE programs SET expire_at = now() WHERE id = :id"), {"id": gone})
    clock = Clock(database, away, settings.indexer.redis_prefix)
    clock.tick()
    with database.connect() as connection:
        assert connection.scalar(text("SELECT status FROM programs")) == "archived"


def test_the_schedulers_process_survives_a_queue_that_is_away(
    settings: Settings, tmp_path: Path, database: Database
) -> None:
    env = environment(settings) | {"REDIS_QUEUE_URL": "redis://127.0.0.1:1/0"}
    child = running(thmanyah("scheduler"), env, tmp_path / "scheduler.log")
    try:
        eventually(
            lambda: "the queue is unavailable" in (tmp_path / "scheduler.log").read_text(),
            within=60,
        )
        with session_factory(database).begin() as session:
            make(session, "published")
            session.execute(text("UPDATE programs SET expire_at = now()"))
        eventually(
            lambda: scalar(database, "SELECT status FROM programs") == "archived",
            within=60,
        )
        assert child.poll() is None
        child.send_signal(signal.SIGTERM)
        assert child.wait(30) == 0
    finally:
        child.kill()
        child.wait()


def test_warming_makes_the_popular_ones_hot(
    settings: Settings, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in environment(settings).items():
        monkeypatch.setenv(name, value)
    with session_factory(database).begin() as session:
        ids = [make(session, "published").id for _ in range(110)]
        draft = make(session).id
        session.execute(text("UPDATE programs SET view_count = id"))
    assert warm_popular() == 100
    redis = Redis.from_url(settings.indexer.redis_cache_url)
    kept = {
        int(key.rpartition(b":")[2])
        for key in redis.keys(f"{settings.indexer.redis_prefix}program:*")
    }  # type: ignore[union-attr]
    assert kept == set(sorted(ids)[-100:])
    assert draft not in kept
    ttl = redis.ttl(f"{settings.indexer.redis_prefix}program:{ids[-1]}")
    assert 0 < int(ttl) <= 600  # type: ignore[arg-type]
    redis.close()
    with serve(settings) as (client, _):
        assert client.get(f"/discovery/programs/{ids[-1]}").headers["x-cache"] == "l2"
        assert client.get(f"/discovery/programs/{ids[0]}").headers["x-cache"] == "miss"


def test_every_scheduled_function_exists() -> None:
    from importlib import import_module

    for entry in TABLE:
        module, _, name = entry.function.rpartition(".")
        assert callable(getattr(import_module(module), name))
    assert sys.modules["api.warm"].warm_popular is warm_popular
