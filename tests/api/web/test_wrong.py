"""What the board says is wrong, of what it has read."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from api.operations import schemas
from api.operations.engines import EngineOut
from api.operations.health import Dependency, Ready
from api.operations.reading.schemas import PeriodicOut
from api.web.board.state import Board
from api.web.board.wrong import wrong
from api.web.rendering.locales import texts

NOW = datetime(2026, 1, 1, tzinfo=UTC)
TARGET = schemas.TargetOut(
    id=1,
    engine="a",
    index="programs",
    state="live",
    dirty=7,
    parked=0,
    oldest_sec=0.5,
    sender_seen_sec=1,
    settings_current=True,
    keep_until=None,
)
ENGINE = EngineOut(
    name="a",
    url="http://a",
    state="serving",
    index="programs",
    filled=True,
    healthy=True,
    breaker_open=False,
    lag_sec=0.5,
)
AUDIT = schemas.DriftOut(
    id=1,
    target_id=1,
    state="done",
    repair=False,
    checked=9,
    missing=0,
    stale=0,
    ghosts=0,
    repaired=0,
    samples={},
    detail=None,
    requested_by="",
    created_at=NOW,
    started_at=NOW,
    finished_at=NOW,
)
JOB = PeriodicOut(id="sweep", function="f", cron="* * * * *", next_at=NOW, late_sec=0)
QUEUE = schemas.QueueOut(name="imports", waiting=0, running=0, failed=0, retrying=0)
FAILED = schemas.FailedJobOut(id="j", function="f", arguments=[], reason="r", traceback="t", failed_at=NOW)
WELL = Board(
    health=Ready(status="ok", dependencies=[]),
    engines=[ENGINE],
    sync=schemas.SyncOut(targets=[TARGET], parked=[]),
    rebuilds=[],
    audits=[AUDIT],
    queues=[QUEUE],
    failed={},
    schedule=[JOB],
    caches=[],
    imports=None,
    searches=None,
    log=[],
)


def changed(part: Any, **values: object) -> Any:
    """A part of the board with other values."""
    fields = {name: getattr(part, name) for name in part.__struct_fields__}
    return type(part)(**fields | values)


def targets(**values: object) -> dict[str, object]:
    return {"sync": schemas.SyncOut(targets=[changed(TARGET, **values)], parked=[])}


def lost(name: str) -> dict[str, object]:
    gone = Dependency(name=name, up=False, required=False, latency_ms=1)
    return {"health": Ready(status="degraded", dependencies=[gone])}


@pytest.mark.parametrize(
    ("parts", "expected"),
    [
        ({}, []),
        (targets(sender_seen_sec=None), [("SenderAbsent", 1, "programs")]),
        (targets(sender_seen_sec=31), [("SenderAbsent", 1, "programs")]),
        ({"sync": schemas.SyncOut(targets=[], parked=[])}, [("SenderAbsent", 0, "")]),
        (targets(oldest_sec=6), [("IndexLagging", 7, "programs")]),
        (targets(oldest_sec=301), [("IndexFarBehind", 7, "programs")]),
        (targets(oldest_sec=301, state="filling"), []),
        (targets(parked=2), [("DocumentsParked", 2, "")]),
        (targets(settings_current=False), [("OtherSettings", 1, "programs")]),
        ({"engines": [changed(ENGINE, healthy=False)]}, [("SearchDegraded", 1, "a")]),
        (
            {"engines": [ENGINE, changed(ENGINE, name="b", breaker_open=True)]},
            [("SearchWaitsForEngine", 1, "b")],
        ),
        ({"engines": [ENGINE, changed(ENGINE, name="b", state="draining")]}, [("EngineDrained", 1, "b")]),
        ({"engines": [ENGINE, changed(ENGINE, state="removed", healthy=False)]}, []),
        ({"audits": [changed(AUDIT, missing=1, stale=2, ghosts=3)]}, [("IndexDrift", 6, "")]),
        ({"audits": [changed(AUDIT, missing=2, repaired=2)]}, []),
        # Only the last audit of a target counts, and one that runs has said nothing yet.
        ({"audits": [changed(AUDIT, state="running", missing=1), AUDIT, changed(AUDIT, missing=1)]}, []),
        ({"audits": [AUDIT, changed(AUDIT, state="failed")]}, [("BackgroundJobFailed", 1, "")]),
        ({"audits": [AUDIT, changed(AUDIT, state="failed", finished_at=NOW - timedelta(hours=2))]}, []),
        ({"failed": {"imports": [FAILED, FAILED]}}, [("BackgroundJobFailed", 2, "")]),
        ({"schedule": []}, [("SchedulerSilent", 0, "")]),
        ({"schedule": [changed(JOB, late_sec=61)]}, [("SchedulerSilent", 1, "sweep")]),
        ({"queues": [changed(QUEUE, waiting=101)]}, [("QueueGrows", 101, "imports")]),
        ({"queues": None, "schedule": None}, [("QueueAway", 1, "")]),
        (lost("cache"), [("InvalidationsLost", 1, "cache")]),
        (lost("replica"), [("ReplicaLeft", 1, "replica")]),
    ],
)
def test_what_is_wrong_is_said(parts: dict[str, Any], expected: list[tuple[str, int, str]]) -> None:
    found = wrong(replace(WELL, **parts), NOW)
    assert [(one.name, one.number, one.about) for one in found] == expected
    for one in found:
        assert {f"wrong.{one.name}", f"runbook.{one.name}", f"section.{one.section}"} <= texts("en").keys()
