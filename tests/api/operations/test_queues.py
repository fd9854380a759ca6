"""Operators see failed jobs with their reasons, run them again, and delete what waits."""

import os
import subprocess
from collections.abc import Iterator

import pytest
from redis import Redis
from sqlalchemy import Engine as Database

from api.settings import Settings
from catalog.core.db import session_factory
from deploy.local.servers.engine import ensure_keys
from deploy.local.stack import thmanyah
from indexer.importing.running.job import run_import
from indexer.rebuild.jobs import audit
from indexer.stores import queues
from tests.support.client import Client
from tests.support.engines import as_ops
from tests.support.processes import environment
from tests.support.product import sending, serve
from tests.support.programs import make
from tests.support.waiting import eventually


@pytest.fixture
def queue(settings: Settings) -> Iterator["Redis"]:
    """This process's own queue database, empty."""
    connection = queues.connect(settings.indexer.redis_queue_url)
    connection.flushdb()
    yield connection
    connection.flushdb()
    connection.close()


def _work(settings: Settings) -> None:
    env = os.environ | environment(settings)
    subprocess.run([*thmanyah("worker"), "--burst"], env=env, check=True, capture_output=True)


@pytest.mark.slow
def test_failed_jobs_are_seen_run_again_and_deleted(
    staff: dict[str, Client], settings: Settings, queue: "Redis"
) -> None:
    ops, reindex = staff["ops"], queues.JsonQueue(queues.REINDEX, connection=queue)
    jobs = [reindex.enqueue("os.getcwd"), reindex.enqueue(audit, "no number")]
    _work(settings)
    found = ops.get("/ops/queues/reindex/failed").json()["data"]
    assert [job["id"] for job in found] == [jobs[1].id, jobs[0].id]
    assert (found[1]["function"], found[1]["arguments"]) == ("os.getcwd", [])
    assert found[0]["arguments"] == ["no number"]
    assert found[1]["reason"].endswith("os.getcwd is not registered in deploy/background.py")
    assert found[1]["traceback"].startswith("Traceback")
    assert found[1]["failedAt"].endswith("Z")
    assert len(ops.get("/ops/queues/reindex/failed", limit=1).json()["data"]) == 1

    def count(path: str, *ids: str) -> int:
        answer = ops.post(f"/ops/queues/reindex/{path}", {"jobIds": list(ids)})
        assert answer.status_code == 200
        return int(answer.json()["data"]["count"])

    assert count("retry", jobs[0].id, "no such job") == 1
    assert queues.status(queue, jobs[0].id) == "queued"
    assert count("cancel", jobs[0].id) == 1
    assert queues.status(queue, jobs[0].id) is None
    assert count("retry") == 1
    assert (reindex.count, ops.get("/ops/queues/reindex/failed").json()["data"]) == (1, [])
    queues.JsonQueue(queues.IMPORTS, connection=queue).enqueue(run_import, 1)
    assert count("cancel") == 1
    assert reindex.count == 0
    waiting = {row["name"]: row["waiting"] for row in ops.get("/ops/queues").json()["data"]}
    assert waiting == {"imports": 1, "reindex": 0, "maintenance": 0, "webhooks": 0}
    assert ops.get("/ops/queues/nowhere/failed").status_code == 404


def test_queues_that_are_away_are_said_to_be(settings: Settings, database: Database) -> None:
    away = settings.indexer.model_copy(update={"redis_queue_url": "redis://127.0.0.1:1/0"})
    with serve(Settings(settings.catalog, away, settings.api)) as (client, _):
        ops = as_ops(client, settings, database)
        for answer in (ops.get("/ops/queues"), ops.post("/ops/queues/imports/retry", {})):
            assert (answer.status_code, answer.json()["code"]) == (503, "queue_unavailable")


@pytest.mark.slow
def test_a_key_that_may_only_search_tells_the_state_of_a_program(
    settings: Settings, database: Database, cache_redis: "Redis"
) -> None:
    with session_factory(database).begin() as session:
        program_id = make(session, "published").id
    keys = ensure_keys(settings.indexer.meili_url, settings.indexer.meili_key)
    only_searching = {"meili_key": "", "meili_search_key": keys["MEILI_SEARCH_KEY"]}
    searching = settings.indexer.model_copy(update=only_searching)
    with (
        sending(settings, cache_redis),
        serve(Settings(settings.catalog, searching, settings.api)) as (client, _),
    ):
        ops = as_ops(client, settings, database)

        def states() -> list[tuple[str, int | None, str | None]]:
            found = ops.get(f"/ops/programs/{program_id}/index-state").json()["data"]
            return [(row["state"], row["storedRev"], row["error"]) for row in found]

        rev = ops.get(f"/ops/programs/{program_id}/index-state").json()["meta"]["rev"]
        eventually(lambda: states() == [("in_step", rev, None)])
