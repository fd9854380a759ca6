"""How rebuilds, audits and targets are read: functions return statements, none runs them."""

from typing import Any

from sqlalchemy import Select, func, select
from sqlalchemy.dialects.postgresql import distinct_on

from catalog.dirty import IndexDirty, IndexTarget
from catalog.indexing.models import DriftReport, ReindexJob, SearchEngine


def _age(moment: Any) -> Any:
    return func.extract("epoch", func.clock_timestamp() - moment)


def target_states() -> Any:
    """(target, dirty, parked, seconds of the oldest unconfirmed change, seconds since its sender was
    seen or null), one row a target."""
    due = ~IndexDirty.parked
    return (
        select(
            IndexTarget,
            func.count(IndexDirty.program_id).filter(due),
            func.count(IndexDirty.program_id).filter(IndexDirty.parked),
            func.coalesce(_age(func.min(IndexDirty.marked_at).filter(due)), 0),
            _age(IndexTarget.heartbeat_at),
        )
        .outerjoin(IndexDirty, IndexDirty.target_id == IndexTarget.id)
        .group_by(IndexTarget.id)
        .order_by(IndexTarget.id)
    )


def engine_states() -> Select[Any]:
    """(name, url, state, index_uid, filled, lag) of every engine, by name, removed ones too;
    `lag` is the age of its oldest unconfirmed change in seconds, or 0."""
    marks = IndexDirty.target_id == IndexTarget.id
    oldest = (
        select(IndexDirty.marked_at)
        .where(marks, ~IndexDirty.parked)
        .order_by(IndexDirty.marked_at)
        .limit(1)
        .scalar_subquery()
    )
    return (
        select(
            SearchEngine.name,
            SearchEngine.url,
            SearchEngine.state,
            IndexTarget.index_uid,
            func.coalesce(IndexTarget.filled, False).label("filled"),
            func.coalesce(_age(oldest), 0).label("lag"),
        )
        .outerjoin(
            IndexTarget,
            (IndexTarget.engine == SearchEngine.name) & (IndexTarget.state == "live"),
        )
        .order_by(SearchEngine.name)
    )


def waiting(target_id: int) -> Select[Any]:
    """How many documents the target waits for."""
    return (
        select(func.count())
        .select_from(IndexDirty)
        .where(IndexDirty.target_id == target_id, ~IndexDirty.parked)
    )


def parked(limit: int) -> Select[Any]:
    """Documents that are put aside, latest first."""
    return (
        select(IndexDirty)
        .where(IndexDirty.parked)
        .order_by(IndexDirty.marked_at.desc())
        .limit(limit)
    )


def jobs(before: int | None, limit: int) -> Select[Any]:
    """(job, marks its new index still waits for, whether its old index is kept), newest first."""
    waiting = (
        select(func.count())
        .select_from(IndexDirty)
        .where(IndexDirty.target_id == ReindexJob.new_target_id, ~IndexDirty.parked)
        .correlate(ReindexJob)
        .scalar_subquery()
    )
    kept = (
        select(IndexTarget.id)
        .where(IndexTarget.id == ReindexJob.live_target_id, IndexTarget.state == "previous")
        .correlate(ReindexJob)
        .exists()
    )
    query = select(ReindexJob, waiting, kept, func.clock_timestamp())
    if before is not None:
        query = query.where(ReindexJob.id < before)
    return query.order_by(ReindexJob.id.desc()).limit(limit)


def job(job_id: int) -> Select[Any]:
    """The same of one job."""
    return jobs(None, 1).where(ReindexJob.id == job_id)


def reports(before: int | None, limit: int) -> Select[Any]:
    """Audits, newest first."""
    query = select(DriftReport)
    if before is not None:
        query = query.where(DriftReport.id < before)
    return query.order_by(DriftReport.id.desc()).limit(limit)


def last_reports() -> Select[Any]:
    """The last finished audit of every target."""
    return (
        select(DriftReport)
        .where(DriftReport.state == "done")
        .ext(distinct_on(DriftReport.target_id))
        .order_by(DriftReport.target_id, DriftReport.id.desc())
    )
