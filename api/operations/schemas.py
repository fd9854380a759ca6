"""Bodies of the operators' requests and answers."""

from datetime import datetime
from typing import Annotated

import msgspec

from api.http.schemas import Body, BodyId, ListMeta, Model, Moment, one_of
from catalog.indexing.models import JOB_STATES, REPORT_STATES, DriftReport, IndexTarget, ReindexJob
from catalog.indexing.states import TARGET_STATES

_Reason = Annotated[str, msgspec.Meta(max_length=200, examples=["new synonyms"])]


class ReindexIn(Body):
    """A rebuild to request. `engine` may be absent when there is only one.

    `force` allows settings by which searches lose an attribute.
    """

    engine: Annotated[str, msgspec.Meta(max_length=63, examples=["default"])] | None = None
    reason: _Reason = ""
    force: bool = False


class ReindexOut(Model):
    """A rebuild: `done` of `total` documents are sent, at `perSecond`; `etaSec` seconds remain."""

    id: int
    engine: str
    state: Annotated[str, one_of("RebuildState", JOB_STATES)]
    reason: str
    requested_by: str
    index: str | None
    total: int | None
    done: int | None
    per_second: float | None
    eta_sec: float | None
    cancel_requested: bool
    detail: str | None
    can_roll_back: bool
    created_at: Moment
    started_at: Moment | None
    finished_at: Moment | None


class ReindexAnswer(Model):
    """A rebuild under `data`."""

    data: ReindexOut


class ReindexList(Model):
    """Rebuilds, newest first."""

    data: list[ReindexOut]
    meta: ListMeta


class DriftIn(Body):
    """`repair` sends the documents again that differ."""

    repair: bool = False


class DriftOut(Model):
    """An audit: numbers of checked programs, and of missing documents, stale documents and ghosts."""

    id: int
    target_id: int
    state: Annotated[str, one_of("AuditState", REPORT_STATES)]
    repair: bool
    checked: int
    missing: int
    stale: int
    ghosts: int
    repaired: int
    samples: dict[str, list[int]]
    detail: str | None
    requested_by: str
    created_at: Moment
    started_at: Moment | None
    finished_at: Moment | None


class DriftList(Model):
    """Audits, newest first."""

    data: list[DriftOut]
    meta: ListMeta


class TargetOut(Model):
    """An index: its waiting documents (`dirty`), their greatest age, and the last heartbeat of its sender."""

    id: int
    engine: str
    index: str
    state: Annotated[str, one_of("IndexTargetState", TARGET_STATES)]
    dirty: int
    parked: int
    oldest_sec: float
    sender_seen_sec: float | None
    settings_current: bool
    keep_until: Moment | None


class ParkedOut(Model):
    """A document that the engine refuses, with the engine's error."""

    target_id: int
    program_id: int
    rev: int
    error: str | None
    marked_at: Moment


class SyncOut(Model):
    """Every target, and at most 100 parked documents."""

    targets: list[TargetOut]
    parked: list[ParkedOut]


class SyncAnswer(Model):
    """The pipeline under `data`."""

    data: SyncOut


class UnparkIn(Body):
    """The programs whose parked documents are sent again; an empty list means all."""

    program_ids: Annotated[list[BodyId], msgspec.Meta(max_length=1000)] = []


class CountOut(Model):
    """A count."""

    count: int


class CountAnswer(Model):
    """A count under `data`."""

    data: CountOut


class QueueOut(Model):
    """A queue with its numbers of jobs; `retrying` jobs failed and are scheduled again."""

    name: str
    waiting: int
    running: int
    failed: int
    retrying: int


class FailedJobOut(Model):
    """A job that failed for good; `reason` is the last line of its traceback."""

    id: str
    function: str
    arguments: list[str]
    reason: str
    traceback: str
    failed_at: Moment | None


class FailedJobList(Model):
    """Failed jobs under `data`."""

    data: list[FailedJobOut]


class JobsIn(Body):
    """The jobs to act on; none of them means all."""

    job_ids: Annotated[list[Annotated[str, msgspec.Meta(max_length=200)]], msgspec.Meta(max_length=1000)] = []


class QueueList(Model):
    """Every queue."""

    data: list[QueueOut]


class PurgeIn(Body):
    """The programs whose cached answers are dropped; an empty list means all answers."""

    program_ids: Annotated[list[BodyId], msgspec.Meta(max_length=1000)] = []


def drift_out(report: DriftReport) -> DriftOut:
    """Return an audit as JSON shows it."""
    return DriftOut(
        id=report.id,
        target_id=report.target_id,
        state=report.state,
        repair=report.repair,
        checked=report.checked,
        missing=report.missing,
        stale=report.stale,
        ghosts=report.ghosts,
        repaired=report.repaired,
        samples=report.samples,
        detail=report.detail,
        requested_by=report.requested_by,
        created_at=report.created_at,
        started_at=report.started_at,
        finished_at=report.finished_at,
    )


def reindex_out(job: ReindexJob, waiting: int, now: datetime, previous: bool) -> ReindexOut:
    """Return a rebuild as JSON shows it.

    Args:
        job: The rebuild in the database.
        waiting: How many marks of its new index wait for their sender.
        now: The database's clock.
        previous: Whether the previous index is still kept.
    """
    done = per_second = eta = None
    if job.total is not None and job.state not in ("creating", "marking"):
        done = max(0, job.total - waiting)
        if job.state == "filling" and job.filling_at is not None:
            seconds = (now - job.filling_at).total_seconds()
            per_second = round(done / seconds, 1) if seconds > 0 else None
            eta = round(waiting / per_second, 1) if per_second else None
    return ReindexOut(
        id=job.id,
        engine=job.engine,
        state=job.state,
        reason=job.reason,
        requested_by=job.requested_by,
        index=job.new_uid,
        total=job.total,
        done=done,
        per_second=per_second,
        eta_sec=eta,
        cancel_requested=job.cancel_requested,
        detail=job.detail,
        can_roll_back=job.state == "done" and previous,
        created_at=job.created_at,
        started_at=job.started_at,
        finished_at=job.finished_at,
    )


def target_out(
    target: IndexTarget, dirty: int, parked: int, oldest: float, seen: float | None, current: bool
) -> TargetOut:
    """Return a target as JSON shows it.

    Args:
        target: The target in the database.
        dirty: How many of its marks wait for its sender.
        parked: How many of its marks are parked.
        oldest: The age in seconds of the oldest mark that waits, or 0.
        seen: Seconds since its sender's last heartbeat; None when it never had one.
        current: Whether its index has the settings of this build.
    """
    return TargetOut(
        id=target.id,
        engine=target.engine,
        index=target.index_uid,
        state=target.state,
        dirty=dirty,
        parked=parked,
        oldest_sec=round(float(oldest), 3),
        sender_seen_sec=None if seen is None else round(float(seen), 1),
        settings_current=current,
        keep_until=target.keep_until,
    )
