"""What is wrong now, as the board says it: the conditions of the alerts, asked of what the board shows.

Each is a sentence (`wrong` in the texts) with the text of its runbook (`runbook`), which is that of docs/reliability.md.
"""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

from api.operations.health import Ready
from api.web.board.state import Board
from catalog.indexing.states import MAIN

# As deploy/observability/alerts.yml has them; the board does not wait until they have lasted for a while.
SILENT_SECONDS, BEHIND_SECONDS, FAR_BEHIND_SECONDS, LATE_SECONDS, LONG_QUEUE = 30, 5, 300, 60, 100
_RECENT = timedelta(hours=1)


class Wrong(NamedTuple):
    """Something that is wrong: its name in the texts, how many of it, what it is about, and the section of the board."""

    name: str
    number: int
    about: str
    section: str


def wrong(board: Board, now: datetime | None = None) -> list[Wrong]:
    """Return what is wrong, what listeners notice first.

    Args:
        board: What was read.
        now: The time; by default that of this machine.
    """
    now = now or datetime.now(UTC)
    return [*_servers(board), *_engines(board), *_pipeline(board), *_drift(board), *_background(board, now)]


def _down(health: Ready | None, name: str) -> str | None:
    """What is known of a dependency that does not answer; None when it does."""
    lost = [d for d in health.dependencies if d.name == name and not d.up] if health is not None else []
    return (lost[0].detail or name) if lost else None


def _servers(board: Board) -> Iterator[Wrong]:
    for dependency, name in (("cache", "InvalidationsLost"), ("replica", "ReplicaLeft")):
        detail = _down(board.health, dependency)
        if detail is not None:
            yield Wrong(name, 1, detail, "health")
    if board.queues is None:
        yield Wrong("QueueAway", 1, "", "queues")


def _engines(board: Board) -> Iterator[Wrong]:
    engines = [engine for engine in board.engines or () if engine.state != "removed"]
    failing = [engine.name for engine in engines if engine.breaker_open or not engine.healthy]
    if engines and len(failing) == len(engines):
        yield Wrong("SearchDegraded", len(failing), ", ".join(failing), "engines")
    elif failing:
        yield Wrong("SearchWaitsForEngine", len(failing), ", ".join(failing), "engines")
    drained = [engine.name for engine in engines if engine.state == "draining"]
    if drained:
        yield Wrong("EngineDrained", len(drained), ", ".join(drained), "engines")


def _pipeline(board: Board) -> Iterator[Wrong]:
    if board.sync is None:
        return
    main = [target for target in board.sync.targets if target.state in MAIN]
    silent = [t.index for t in main if t.sender_seen_sec is None or t.sender_seen_sec > SILENT_SECONDS]
    if silent or not main:
        yield Wrong("SenderAbsent", len(silent), ", ".join(silent), "pipeline")
    live = [target for target in main if target.state == "live"]
    far = [target.index for target in live if target.oldest_sec > FAR_BEHIND_SECONDS]
    behind = [t.index for t in live if BEHIND_SECONDS < t.oldest_sec <= FAR_BEHIND_SECONDS]
    waiting = {target.index: target.dirty for target in live}
    if far:
        yield Wrong("IndexFarBehind", sum(waiting[i] for i in far), ", ".join(far), "pipeline")
    if behind:
        yield Wrong("IndexLagging", sum(waiting[i] for i in behind), ", ".join(behind), "pipeline")
    parked = sum(target.parked for target in board.sync.targets)
    if parked:
        yield Wrong("DocumentsParked", parked, "", "pipeline")
    other = [target.index for target in live if not target.settings_current]
    if other:
        yield Wrong("OtherSettings", len(other), ", ".join(other), "rebuilds")


def _drift(board: Board) -> Iterator[Wrong]:
    seen: set[int] = set()
    differing = 0
    for audit in board.audits or ():
        if audit.state == "done" and audit.target_id not in seen:
            seen.add(audit.target_id)
            differing += max(0, audit.missing + audit.stale + audit.ghosts - audit.repaired)
    if differing:
        yield Wrong("IndexDrift", differing, "", "drift")


def _background(board: Board, now: datetime) -> Iterator[Wrong]:
    jobs = sum(map(len, board.failed.values()))
    ended = [*(board.rebuilds or ()), *(board.audits or ())]
    recent = sum(
        1
        for e in ended
        if e.state == "failed" and e.finished_at is not None and now - e.finished_at < _RECENT
    )
    if jobs + recent:
        yield Wrong("BackgroundJobFailed", jobs + recent, "", "queues" if jobs else "rebuilds")
    if board.schedule is not None:
        late = [job.id for job in board.schedule if job.late_sec > LATE_SECONDS]
        if late or not board.schedule:
            yield Wrong("SchedulerSilent", len(late), ", ".join(late), "schedule")
    for queue in board.queues or ():
        if queue.waiting > LONG_QUEUE:
            yield Wrong("QueueGrows", queue.waiting, queue.name, "queues")
