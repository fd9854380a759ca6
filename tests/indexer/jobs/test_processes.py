"""The processes of the worker and the scheduler, and what they leave in Redis."""

import os
import signal
import subprocess
from pathlib import Path

import pytest
from redis import Redis
from sqlalchemy import Engine as Database
from sqlalchemy import text

from api.settings import Settings
from catalog.core.db import session_factory
from catalog.schema import migrate
from deploy.local import ports
from deploy.local.stack import thmanyah
from indexer.jobs.pruning import prune
from indexer.stores import queues
from tests.support.client import Client
from tests.support.databases import scalar
from tests.support.processes import environment, running
from tests.support.programs import make
from tests.support.scraping import metric
from tests.support.waiting import eventually


@pytest.mark.slow
def test_the_worker_runs_what_is_due(queue: "Redis", settings: Settings, database: Database) -> None:
    with session_factory(database).begin() as session:
        session.execute(
            text(
                "INSERT INTO view_flushes (batch_id, at) VALUES ('old', now() - interval '2 days'), ('new', now())"
            )
        )
    queues.JsonQueue(queues.MAINTENANCE, connection=queue).enqueue(prune)
    done = subprocess.run(
        [*thmanyah("worker"), "--burst"],
        env=os.environ | environment(settings),
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    with database.connect() as connection:
        assert connection.scalars(text("SELECT batch_id FROM view_flushes")).all() == ["new"]


@pytest.mark.slow
def test_a_worker_goes_on_after_a_job_whose_result_nobody_keeps(queue: "Redis", settings: Settings) -> None:
    # RQ deletes such a job at its end, before the worker looks at how it ended.
    waiting = queues.JsonQueue(queues.MAINTENANCE, connection=queue)
    for _ in range(2):
        waiting.enqueue(prune, result_ttl=0)
    done = subprocess.run(
        [*thmanyah("worker"), "--burst"],
        env=os.environ | environment(settings),
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert (done.returncode, done.stderr.count("job succeeded")) == (0, 2), done.stderr
    assert waiting.count == 0


def test_jobs_are_json_and_never_pickle(queue: "Redis") -> None:
    job = queues.JsonQueue(queues.MAINTENANCE, connection=queue).enqueue(prune)
    raw = queue.hget(f"rq:job:{job.id}", "data")
    assert raw is not None
    import json
    import zlib

    assert json.loads(zlib.decompress(raw))[0] == "indexer.jobs.pruning.prune"


def _forge(queue: "Redis", function: str, folder: Path, **fields: str) -> str:
    """Write a job as somebody with access to Redis may; return its id."""
    maintenance = queues.JsonQueue(queues.MAINTENANCE, connection=queue)
    job = maintenance.enqueue(function, str(folder / function))
    if fields:
        queue.hset(f"rq:job:{job.id}", mapping=fields)
    return str(job.id)


@pytest.mark.slow
def test_a_worker_runs_registered_functions_only(
    queue: "Redis", settings: Settings, database: Database, tmp_path: Path
) -> None:
    callbacks = dict.fromkeys(("success_callback_name", "failure_callback_name"), "os.mkdir")
    forged = [_forge(queue, name, tmp_path) for name in ("os.mkdir", "pathlib.Path.touch", "no.such.module")]
    forged.append(_forge(queue, "os.rmdir", tmp_path, **callbacks))
    maintenance = queues.JsonQueue(queues.MAINTENANCE, connection=queue)
    good = maintenance.enqueue(prune)
    queue.hset(f"rq:job:{good.id}", mapping=callbacks)
    done = subprocess.run(
        [*thmanyah("worker"), "--burst"],
        env=os.environ | environment(settings),
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert list(tmp_path.iterdir()) == []
    assert {job_id: queues.status(queue, job_id) for job_id in forged} == dict.fromkeys(forged, "failed")
    reason = queues.JsonJob.fetch(forged[0], connection=queue).latest_result()
    assert reason is not None
    assert "os.mkdir is not registered" in str(reason.exc_string)
    assert queues.status(queue, str(good.id)) == "finished"


@pytest.mark.slow
def test_the_schedulers_process_survives_a_queue_that_is_away(
    settings: Settings, tmp_path: Path, database: Database
) -> None:
    port = ports.ephemeral()
    env = environment(settings) | {
        "REDIS_QUEUE_URL": "redis://127.0.0.1:1/0",
        "SCHEDULER_METRICS_PORT": str(port),
    }
    child = running(thmanyah("scheduler"), env, tmp_path / "scheduler.log")
    try:
        eventually(lambda: "the queue is unavailable" in (tmp_path / "scheduler.log").read_text(), within=60)
        with session_factory(database).begin() as session:
            make(session, "published")
            session.execute(text("UPDATE programs SET expire_at = now()"))
        eventually(lambda: scalar(database, "SELECT status FROM programs") == "archived", within=60)
        assert child.poll() is None
        assert metric(Client(f"http://127.0.0.1:{port}"), "scheduler_last_tick_timestamp_seconds ") > 1e9
        child.send_signal(signal.SIGTERM)
        assert child.wait(60) == 0
    finally:
        child.kill()
        child.wait()


@pytest.mark.slow
def test_a_worker_waits_for_its_servers_and_counts_its_jobs(
    queue: "Redis", settings: Settings, empty_url: str, tmp_path: Path
) -> None:
    port, log = ports.ephemeral(), tmp_path / "worker.log"
    env = environment(settings) | {"DATABASE_URL": empty_url, "WORKER_METRICS_PORT": str(port)}
    maintenance = queues.JsonQueue(queues.MAINTENANCE, connection=queue)
    good = maintenance.enqueue(prune)
    forged = maintenance.enqueue("os.getcwd")
    child = running(thmanyah("worker"), env, log)
    client = Client(f"http://127.0.0.1:{port}")
    try:
        eventually(lambda: "waiting for PostgreSQL" in log.read_text(), what="the worker waits")
        assert queues.status(queue, str(good.id)) == "queued"
        migrate.upgrade(empty_url)
        for job in (good, forged):
            eventually(lambda job=job: queues.status(queue, str(job.id)) in ("finished", "failed"))
        name = "indexer.jobs.pruning.prune"
        counted = {
            f'jobs_total{{function="{name}",outcome="succeeded"}}': 1,
            'jobs_total{function="unregistered",outcome="failed"}': 1,
            f'job_duration_seconds_count{{function="{name}"}}': 1,
            'job_wait_seconds_count{queue="maintenance"}': 2,
        }
        eventually(lambda: {each: metric(client, each) for each in counted} == counted, what="the counts")
        child.send_signal(signal.SIGTERM)
        assert child.wait(60) == 0
    finally:
        child.kill()
        child.wait()


@pytest.mark.slow
@pytest.mark.parametrize("command", ["sync", "worker", "scheduler"])
def test_a_process_that_waits_ends_when_it_is_asked_to(
    command: str, settings: Settings, tmp_path: Path
) -> None:
    log = tmp_path / "log"
    env = environment(settings) | {"DATABASE_URL": "postgresql+psycopg://postgres@127.0.0.1:1/x"}
    child = running(thmanyah(command), env, log)
    try:
        eventually(lambda: "waiting for PostgreSQL" in log.read_text(), what="the process waits")
        child.send_signal(signal.SIGTERM)
        assert child.wait(60) == 0
    finally:
        child.kill()
        child.wait()
