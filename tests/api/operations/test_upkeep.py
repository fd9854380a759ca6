"""What ops see and do over HTTP: rebuilds, audits, the pipeline, queues, caches."""

from typing import Any

import pytest
from redis import Redis
from sqlalchemy import Engine as Database
from sqlalchemy import text

from api.settings import Settings
from catalog.core.db import session_factory
from catalog.core.glances import OwnLine
from catalog.indexing import leadership, marks
from indexer.engines import index_settings
from indexer.engines.admin import Engine
from indexer.jobs.sweep import Sweep
from indexer.rebuild.drift import reports
from indexer.rebuild.drift.audit import Audit
from indexer.rebuild.rebuild import Rebuild
from indexer.rebuild.waiting import WaitingAudits, WaitingRebuilds
from indexer.stores.queues import JsonQueue
from tests.support.client import Client
from tests.support.databases import scalar
from tests.support.product import sending
from tests.support.programs import make
from tests.support.waiting import eventually


def published(database: Database, count: int) -> list[int]:
    with session_factory(database).begin() as session:
        return [make(session, "published", title=f"Program {n}").id for n in range(count)]


def settled(database: Database) -> bool:
    return scalar(database, "SELECT count(*) FROM index_dirty WHERE NOT parked") == 0


@pytest.mark.slow
def test_a_rebuild_from_the_request_to_the_rollback(
    staff: dict[str, Client], settings: Settings, database: Database, cache_redis: "Redis"
) -> None:
    ops = staff["ops"]
    published(database, 5)
    with sending(settings, cache_redis):
        eventually(lambda: settled(database))
        asked = ops.post("/ops/reindex", {"reason": "a test"})
        assert asked.status_code == 202
        job = asked.json()["data"]
        assert (job["state"], job["engine"], job["reason"]) == ("queued", "default", "a test")
        address = asked.headers["location"]
        assert address == f"/ops/reindex/{job['id']}"
        again = ops.post("/ops/reindex", {})
        assert (again.status_code, again.json()["code"]) == (409, "conflict")
        assert Rebuild(database, settings.indexer, pause=0.02).run(job["id"]) == "done"
        done = ops.get(address).json()["data"]
        assert (done["state"], done["total"], done["done"], done["canRollBack"]) == ("done", 5, 5, True)
        assert ops.post(f"{address}/cancel").json()["code"] == "illegal_transition"
        assert ops.post(f"{address}/rollback").json()["data"]["state"] == "rolling_back"
        assert Rebuild(database, settings.indexer, pause=0.02).run(job["id"]) == "rolled_back"
        listed = ops.get("/ops/reindex").json()
        assert [row["state"] for row in listed["data"]] == ["rolled_back"]
        assert ops.post(f"{address}/rollback").status_code == 409
        assert ops.get("/ops/reindex/999999").status_code == 404
        assert ops.post("/ops/reindex", {"engine": "no-such"}).status_code == 404
        assert ops.post("/ops/reindex", {"reason": "x" * 201}).status_code == 422
        assert scalar(database, "SELECT count(*) FROM audit_events WHERE entity = 'reindex_job'") == 2


def test_the_sweep_brings_what_was_asked_for_to_the_queue_once(
    staff: dict[str, Client], settings: Settings, database: Database
) -> None:
    ops = staff["ops"]
    job = ops.post("/ops/reindex", {}).json()["data"]["id"]
    report = ops.post("/ops/drift", {"repair": True}).json()["data"][0]["id"]
    with Redis.from_url(settings.indexer.redis_queue_url) as redis:
        redis.flushdb()
        sweep = Sweep(
            [WaitingRebuilds(database, redis), WaitingAudits(database, redis)], OwnLine(database), 5_000
        )
        assert sweep.sweep() == [f"reindex-{job}", f"drift-{report}"]
        assert sweep.sweep() == []
        waiting = JsonQueue("reindex", connection=redis).get_jobs()
        assert [(j.func_name, j.args) for j in waiting] == [
            ("indexer.rebuild.jobs.rebuild", [job]),
            ("indexer.rebuild.jobs.audit", [report]),
        ]
        # A wiped queue loses nothing.
        redis.flushdb()
        assert sweep.sweep() == [f"reindex-{job}", f"drift-{report}"]
        queues = {row["name"]: row["waiting"] for row in ops.get("/ops/queues").json()["data"]}
        assert queues == {"imports": 0, "reindex": 2, "maintenance": 0, "webhooks": 0}
        redis.flushdb()


@pytest.mark.slow
def test_an_audit_and_its_gauge(
    staff: dict[str, Client], settings: Settings, database: Database, cache_redis: "Redis"
) -> None:
    ops = staff["ops"]
    ids = published(database, 3)
    engine = Engine(settings.indexer)
    with sending(settings, cache_redis):
        eventually(lambda: settled(database))
        engine.finished(engine.delete(settings.indexer.meili_index, ids[:1]))
        asked = ops.post("/ops/drift", {"repair": False})
        assert asked.status_code == 202
        (report,) = asked.json()["data"]
        reports.write_report(database, settings.indexer, report["id"])
        found = ops.get("/ops/drift").json()["data"][0]
        assert (found["state"], found["checked"], found["missing"], found["repaired"]) == ("done", 3, 1, 0)
        assert found["samples"]["missing"] == ids[:1]
        gauges = ops.get("/metrics").text
        assert 'index_drift_documents{kind="missing",target="1"} 1.0' in gauges
        state = ops.get(f"/ops/programs/{ids[0]}/index-state").json()
        assert [row["state"] for row in state["data"]] == ["missing"]
        Audit(database, engine, 1, settings.indexer.meili_index).run(repair=True)
        eventually(lambda: settled(database))
        state = ops.get(f"/ops/programs/{ids[0]}/index-state").json()
        assert [(row["state"], row["storedRev"]) for row in state["data"]] == [
            ("in_step", state["meta"]["rev"])
        ]


@pytest.mark.slow
def test_the_pipeline_says_what_waits_and_what_is_refused(
    staff: dict[str, Client], settings: Settings, database: Database, cache_redis: "Redis"
) -> None:
    ops = staff["ops"]
    good, bad = published(database, 2)
    with session_factory(database).begin() as session:
        epoch = leadership.take(session, 1)
        claimed = marks.claim(session, 1, epoch, 10) or []
        marks.park(session, 1, epoch, claimed[1], "invalid_document: too deep")
    told = ops.get("/ops/sync").json()["data"]
    (target,) = told["targets"]
    assert (target["state"], target["dirty"], target["parked"]) == ("empty", 1, 1)
    assert 0 < target["oldestSec"] < 3600
    assert [(row["programId"], row["error"]) for row in told["parked"]] == [
        (bad, "invalid_document: too deep")
    ]
    states = [ops.get(f"/ops/programs/{n}/index-state").json()["data"][0]["state"] for n in (good, bad)]
    # There is no index yet: the engine cannot say what it stores.
    assert states == ["unknown", "unknown"]
    assert ops.get("/ops/programs/999999/index-state").status_code in (200, 404)
    assert ops.post("/ops/sync/unpark", {"programIds": [good]}).json()["data"]["count"] == 0
    assert ops.post("/ops/sync/unpark", {}).json()["data"]["count"] == 1
    with sending(settings, cache_redis):
        eventually(lambda: settled(database))
        (target,) = ops.get("/ops/sync").json()["data"]["targets"]
        assert (target["dirty"], target["parked"], target["settingsCurrent"]) == (0, 0, True)
        assert target["index"] == settings.indexer.meili_index
        state = ops.get(f"/ops/programs/{bad}/index-state").json()
        assert (state["data"][0]["state"], state["meta"]["status"]) == ("in_step", "published")
        assert ops.get("/ops/programs/999999/index-state").status_code == 404


def test_answers_are_forgotten_on_request(
    staff: dict[str, Client], listener: Client, settings: Settings, database: Database
) -> None:
    ops = staff["ops"]
    ids = published(database, 2)

    def level(program_id: int) -> Any:
        return listener.get(f"/discovery/programs/{program_id}").headers["x-cache"]

    for program_id in ids:
        assert [level(program_id), level(program_id)] == ["miss", "l1"]
    assert ops.post("/ops/cache/purge", {"programIds": ids[:1]}).json()["data"]["count"] == 1
    assert [level(n) for n in ids] == ["miss", "l1"]
    assert ops.post("/ops/cache/purge", {}).status_code == 200
    assert [level(n) for n in ids] == ["miss", "miss"]


def test_a_process_says_when_the_index_is_of_another_build(listener: Client, database: Database) -> None:
    with database.begin() as connection:
        connection.execute(
            text("UPDATE index_targets SET heartbeat_at = now(), settings_hash = :h"),
            {"h": index_settings.HASH},
        )

    def sender() -> str:
        parts = listener.get("/health/ready").json()["dependencies"]
        return str(next(part["detail"] for part in parts if part["name"] == "sender"))

    assert "another build" not in sender()
    with database.begin() as connection:
        connection.execute(text("UPDATE index_targets SET settings_hash = 'other'"))
    assert "another build" in sender()


@pytest.mark.parametrize("path", ["/ops/sync/unpark", "/ops/cache/purge"])
@pytest.mark.parametrize("wrong", [0, -1, 2**53 + 1, 2**80])
def test_an_id_that_no_row_can_have_is_refused(staff: dict[str, Client], path: str, wrong: int) -> None:
    answer = staff["ops"].post(path, {"programIds": [1, wrong]})
    assert (answer.status_code, answer.json()["code"]) == (422, "validation_failed")
