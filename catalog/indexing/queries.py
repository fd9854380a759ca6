"""How rebuilds, audits and targets are read: functions return statements, none runs them."""

from typing import Any

from sqlalchemy import Select, func, select
from sqlalchemy.dialects.postgresql import distinct_on

from catalog.dirty import IndexDirty, IndexTarget
from catalog.indexing.models import DriftReport, ReindexJob


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
