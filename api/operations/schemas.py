"""What ops ask and are told."""

from datetime import datetime
from typing import Annotated, Any

import msgspec
from sqlalchemy import Row

from api.editorial.schemas import ListMeta
from api.schemas import Body, Model
from catalog.dirty import IndexTarget
from catalog.indexing.models import DriftReport, ReindexJob
from indexer.search import EngineState

_Reason = Annotated[str, msgspec.Meta(max_length=200, examples=["new synonyms"])]


class ReindexIn(Body):
    """Which engine's index to rebuild (the only one, when there is one) and why; `force` allows
    settings that searches lose something by."""

    engine: Annotated[str, msgspec.Meta(max_length=63, examples=["default"])] | None = None
    reason: _Reason = ""
    force: bool = False


class ReindexOut(Model):
    """A rebuild: how far it is (`done` of `total` documents), how fast, and when it will be there."""

    id: int
    engine: str
    state: Annotated[str, msgspec.Meta(examples=["filling"])]
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
    created_at: datetime
    started_at: datetime | None
    finished_at: datetime | None


class ReindexAnswer(Model):
    """A rebuild under `data`."""

    data: ReindexOut


class ReindexList(Model):
    """Rebuilds, newest first."""

    data: list[ReindexOut]
    meta: ListMeta


class DriftIn(Body):
    """Whether what differs is sent again."""

    repair: bool = False


class DriftOut(Model):
    """An audit: programs checked, documents missing, stale or without a published program."""

    id: int
    target_id: int
    state: Annotated[str, msgspec.Meta(examples=["done"])]
    repair: bool
    checked: int
    missing: int
    stale: int
    ghosts: int
    repaired: int
    samples: dict[str, list[int]]
    detail: str | None
    requested_by: str
    created_at: datetime
    started_at: datetime | None
    finished_at: datetime | None


class DriftList(Model):
    """Audits, newest first."""

    data: list[DriftOut]
    meta: ListMeta


class EngineOut(Model):
    """An engine: whether listeners are sent to it, and whether they may be: its index has everything
    (`filled`), it answers this process (`healthy`) and is not far behind (`lagSec`)."""

    name: Annotated[str, msgspec.Meta(examples=["default"])]
    url: str
    state: Annotated[str, msgspec.Meta(examples=["serving"])]
    index: str | None
    filled: bool
    healthy: bool
    breaker_open: bool
    lag_sec: float


class EngineList(Model):
    """Every engine, by name."""

    data: list[EngineOut]


class DrainIn(Body):
    """`force` drains the only engine that serves, too: PostgreSQL then answers searches."""

    force: bool = False


class TargetOut(Model):
    """One index: what it waits for and who sends."""

    id: int
    engine: str
    index: str
    state: Annotated[str, msgspec.Meta(examples=["live"])]
    dirty: int
    parked: int
    oldest_sec: float
    sender_seen_sec: float | None
    settings_current: bool
    keep_until: datetime | None


class ParkedOut(Model):
    """A document that the engine refuses, and why."""

    target_id: int
    program_id: int
    rev: int
    error: str | None
    marked_at: datetime


class SyncOut(Model):
    """Every target, and the documents that are put aside (a hundred at the most)."""

    targets: list[TargetOut]
    parked: list[ParkedOut]


class SyncAnswer(Model):
    """The pipeline under `data`."""

    data: SyncOut


class UnparkIn(Body):
    """Which programs to try again; none named is all."""

    program_ids: Annotated[list[int], msgspec.Meta(max_length=1000)] = []


class CountOut(Model):
    """How many it was."""

    count: int


class CountAnswer(Model):
    """A number under `data`."""

    data: CountOut


class IndexStateOut(Model):
    """One program in one index: in step, waiting, parked, missing, stale or a ghost."""

    target_id: int
    index: str
    state: Annotated[str, msgspec.Meta(examples=["in_step"])]
    wanted: bool
    stored_rev: int | None
    waiting_sec: float | None
    error: str | None


class IndexStateAnswer(Model):
    """A program's state in every index, and its revision in the record."""

    data: list[IndexStateOut]
    meta: dict[str, int | str | None]


class QueueOut(Model):
    """A queue: waiting, running, failed, and scheduled for a retry."""

    name: str
    waiting: int
    running: int
    failed: int
    retrying: int


class QueueList(Model):
    """Every queue."""

    data: list[QueueOut]


class PurgeIn(Body):
    """Which programs' answers to forget; none named is everything."""

    program_ids: Annotated[list[int], msgspec.Meta(max_length=1000)] = []


def drift_out(report: DriftReport) -> DriftOut:
    """A report as ops see it."""
    names = DriftOut.__struct_fields__
    return DriftOut(**{name: getattr(report, name) for name in names})


def reindex_out(job: ReindexJob, waiting: int, now: datetime, previous: bool) -> ReindexOut:
    """A job as ops see it; `waiting` documents are not confirmed yet."""
    done = per_second = eta = None
    if job.total is not None and job.state not in ("creating", "marking"):
        done = max(0, job.total - waiting)
        if job.state == "filling" and job.filling_at is not None:
            seconds = (now - job.filling_at).total_seconds()
            per_second = round(done / seconds, 1) if seconds > 0 else None
            eta = round(waiting / per_second, 1) if per_second else None
    return ReindexOut(
        id=job.id, engine=job.engine, state=job.state, reason=job.reason,
        requested_by=job.requested_by, index=job.new_uid, total=job.total, done=done,
        per_second=per_second, eta_sec=eta, cancel_requested=job.cancel_requested, detail=job.detail,
        can_roll_back=job.state == "done" and previous, created_at=job.created_at,
        started_at=job.started_at, finished_at=job.finished_at,
    )  # fmt: skip


def engine_out(row: Row[Any], state: EngineState, healthy: bool, asked: bool) -> EngineOut:
    """An engine as ops see it; `asked` is whether this process's breaker lets searches through."""
    return EngineOut(
        name=state.name, url=state.url, state=row.state, index=row.index_uid, filled=row.filled,
        healthy=healthy, breaker_open=not asked, lag_sec=round(float(row.lag), 3),
    )  # fmt: skip


def target_out(
    target: IndexTarget, dirty: int, parked: int, oldest: float, seen: float | None, current: bool
) -> TargetOut:
    """A target as ops see it."""
    return TargetOut(
        id=target.id, engine=target.engine, index=target.index_uid, state=target.state, dirty=dirty,
        parked=parked, oldest_sec=round(float(oldest), 3),
        sender_seen_sec=None if seen is None else round(float(seen), 1),
        settings_current=current, keep_until=target.keep_until,
    )  # fmt: skip
