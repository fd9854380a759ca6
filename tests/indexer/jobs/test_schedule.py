"""The schedule: every entry once, and again after everything that can happen to it."""

import time
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from redis import Redis
from rq.job import JobStatus
from rq.registry import ScheduledJobRegistry
from rq.scheduler import RQScheduler
from rq_scheduler import Scheduler

from deploy.background import PERIODIC
from indexer.jobs.pruning import prune
from indexer.jobs.schedule import Schedule
from indexer.stores.queues import IMPORTS, JsonJob, JsonQueue
from tests.support.waiting import eventually

KEY = Scheduler.scheduled_jobs_key


def entries(queue: "Redis") -> list[str]:
    found: list[bytes] = queue.zrange(KEY, 0, -1)
    return sorted(name.decode() for name in found)


def test_every_entry_exists_once_however_often_it_is_written(queue: "Redis") -> None:
    for _ in range(3):
        Schedule(queue, PERIODIC).tick()
    assert entries(queue) == sorted(entry.id for entry in PERIODIC)


def test_a_lost_entry_comes_back(queue: "Redis") -> None:
    schedule = Schedule(queue, PERIODIC)
    schedule.tick()
    queue.zrem(KEY, PERIODIC[0].id)
    queue.delete(f"rq:job:{PERIODIC[1].id}")
    schedule.assert_table()
    assert entries(queue) == sorted(entry.id for entry in PERIODIC)
    assert queue.exists(f"rq:job:{PERIODIC[1].id}")
    queue.flushdb()
    schedule.assert_table()
    assert entries(queue) == sorted(entry.id for entry in PERIODIC)


@pytest.mark.parametrize("damage", [b"not json", b"\x80\x04pickle", b""])
def test_an_unreadable_job_stops_nobody(damage: bytes, queue: "Redis") -> None:
    schedule = Schedule(queue, PERIODIC)
    schedule.tick()
    queue.hset(f"rq:job:{PERIODIC[0].id}", "data", damage)
    queue.hset("rq:job:stranger", mapping={"data": damage, "created_at": "never"})
    queue.zadd(KEY, {"stranger": 0, PERIODIC[0].id: 0, PERIODIC[1].id: 0})
    for _ in range(3):
        schedule.tick()
    schedule.assert_table()
    eventually(lambda: schedule.tick() or queue.llen("rq:queue:maintenance") >= 1)
    assert "stranger" not in entries(queue)
    assert entries(queue) == sorted(entry.id for entry in PERIODIC)


def test_two_schedulers_enqueue_what_is_due_once(queue: "Redis") -> None:
    schedules = [Schedule(queue, PERIODIC), Schedule(queue, PERIODIC)]
    for schedule in schedules:
        schedule.tick()
    due = time.time() - 1
    queue.zadd(KEY, {PERIODIC[0].id: due})
    with ThreadPoolExecutor(2) as pool:
        list(pool.map(lambda one: [one.tick() for _ in range(5)], schedules))
    assert queue.lrange("rq:queue:maintenance", 0, -1) == [PERIODIC[0].id.encode()]
    # And it stands for its next time.
    assert float(queue.zscore(KEY, PERIODIC[0].id) or 0) > time.time()


def test_a_job_that_is_tried_again_goes_to_its_queue_when_its_pause_is_over(queue: "Redis") -> None:
    schedule = Schedule(queue, ())
    imports = JsonQueue(IMPORTS, connection=queue)
    job = imports.enqueue_in(timedelta(hours=1), prune, job_id="again")
    schedule.tick()
    assert imports.get_job_ids() == []
    queue.zadd(ScheduledJobRegistry(queue=imports).key, {job.id: 0})
    for _ in range(3):
        schedule.tick()
    assert imports.get_job_ids() == ["again"]
    assert job.get_status() == JobStatus.QUEUED
    assert JsonJob.fetch("again", connection=queue).func_name.endswith("prune")


def test_while_an_older_worker_moves_such_jobs_nobody_else_does(queue: "Redis") -> None:
    schedule = Schedule(queue, ())
    imports = JsonQueue(IMPORTS, connection=queue)
    job = imports.enqueue_in(timedelta(hours=1), prune, job_id="again")
    queue.zadd(ScheduledJobRegistry(queue=imports).key, {job.id: 0})
    # RQ's own scheduler, as a worker of an older build runs it.
    older = RQScheduler([IMPORTS], connection=queue)
    older.acquire_locks()
    schedule.tick()
    assert imports.get_job_ids() == []
    older.release_locks()
    schedule.tick()
    assert imports.get_job_ids() == ["again"]
