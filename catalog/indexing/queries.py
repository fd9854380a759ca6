"""How engines, targets, rebuilds and audits are read. Functions return statements; the caller runs them."""

from datetime import datetime
from typing import Any

from sqlalchemy import (
    Double,
    Function,
    Nullable,
    Row,
    Select,
    case,
    extract,
    func,
    literal_column,
    or_,
    select,
    type_coerce,
)
from sqlalchemy.dialects.postgresql import aggregate_order_by, distinct_on
from sqlalchemy.orm import InstrumentedAttribute
from sqlalchemy.sql.elements import ColumnElement
from sqlalchemy.sql.roles import ExpressionElementRole

from catalog.indexing import states
from catalog.indexing.models import DriftReport, IndexDirty, IndexTarget, ReindexJob, SearchEngine

# A row of `engine_states`.
EngineRow = Row[str, str | None, str, str | None, bool, float]


def _age(moment: ExpressionElementRole[datetime | None]) -> ColumnElement[float]:
    """Seconds since `moment`, by the database's clock."""
    return type_coerce(extract("epoch", func.clock_timestamp() - moment), Double)


def target_states() -> Select[IndexTarget, int, int, float, float | None]:
    """Return every target with its marks counted, by id.

    Columns: the target; its marks that are not parked; its parked marks; the age in seconds of the oldest mark
    that is not parked, or 0; the seconds since its sender's last heartbeat, or null.
    """
    waiting = ~IndexDirty.parked
    return (
        select(
            IndexTarget,
            func.count(IndexDirty.program_id).filter(waiting),
            func.count(IndexDirty.program_id).filter(IndexDirty.parked),
            func.coalesce(_age(func.min(IndexDirty.marked_at).filter(waiting)), 0),
            Nullable(_age(IndexTarget.heartbeat_at)),
        )
        .outerjoin(IndexDirty, IndexDirty.target_id == IndexTarget.id)
        .group_by(IndexTarget.id)
        .order_by(IndexTarget.id)
    )


def engine_states() -> Select[str, str | None, str, str | None, bool, float]:
    """Return every engine with the index that searches go to, by name, removed engines included.

    Columns: name, url, state, index_uid (null without such a target), filled (it is live), lag: the age in seconds of the
    index's oldest mark that is not parked, or 0.
    """
    oldest_mark = (
        select(IndexDirty.marked_at)
        .where(IndexDirty.target_id == IndexTarget.id, ~IndexDirty.parked)
        .order_by(IndexDirty.marked_at)
        .limit(1)
        .scalar_subquery()
    )
    return (
        select(
            SearchEngine.name,
            SearchEngine.url,
            SearchEngine.state,
            Nullable(IndexTarget.index_uid),
            func.coalesce(IndexTarget.state == "live", False).label("filled"),
            func.coalesce(_age(oldest_mark), 0).label("lag"),
        )
        .outerjoin(
            IndexTarget, (IndexTarget.engine == SearchEngine.name) & IndexTarget.state.in_(states.MAIN)
        )
        .order_by(SearchEngine.name)
    )


def sender_is_due(target_id: int, epoch: int) -> Select[bool]:
    """Return whether a sender has something to do: marks to send, a pause to acknowledge, or its leadership has ended.

    Args:
        target_id: The target; without it there is no row.
        epoch: The sender's leadership.
    """
    marked = (
        select(IndexDirty.program_id).where(IndexDirty.target_id == target_id, ~IndexDirty.parked).exists()
    )
    unacknowledged = IndexTarget.paused_epoch.is_distinct_from(epoch)
    return select(
        or_(IndexTarget.epoch != epoch, case((IndexTarget.paused, unacknowledged), else_=marked))
    ).where(IndexTarget.id == target_id)


def targets_version() -> Select[str | None, str | None]:
    """Return texts that differ whenever there are other engines or targets than before."""
    engines = func.concat_ws(" ", SearchEngine.name, SearchEngine.url, SearchEngine.state)
    targets = func.concat_ws(
        " ", IndexTarget.id, IndexTarget.engine, IndexTarget.index_uid, IndexTarget.state
    )
    return select(
        _listed(engines, SearchEngine.name).scalar_subquery(),
        _listed(targets, IndexTarget.id).scalar_subquery(),
    )


def _listed(row: Function[str], order: InstrumentedAttribute[Any]) -> Select[str | None]:
    return select(func.string_agg(row, aggregate_order_by(literal_column("','"), order)))


def count_marks(target_id: int) -> Select[int]:
    """Return how many marks of the target wait for its sender; parked marks do not count."""
    return (
        select(func.count())
        .select_from(IndexDirty)
        .where(IndexDirty.target_id == target_id, ~IndexDirty.parked)
    )


def parked(limit: int) -> Select[IndexDirty]:
    """Return the parked marks of every target, the latest first."""
    return select(IndexDirty).where(IndexDirty.parked).order_by(IndexDirty.marked_at.desc()).limit(limit)


def rebuilds(before: int | None, limit: int) -> Select[ReindexJob, int, bool, datetime]:
    """Return rebuilds, the newest first.

    Columns: the job; the marks of its new index that wait; whether its previous index is kept; the database's
    clock.

    Args:
        before: Only jobs with a lower id.
        limit: How many at most.
    """
    waiting = (
        select(func.count())
        .select_from(IndexDirty)
        .where(IndexDirty.target_id == ReindexJob.new_target_id, ~IndexDirty.parked)
        .correlate(ReindexJob)
        .scalar_subquery()
    )
    previous_is_kept = (
        select(IndexTarget.id)
        .where(IndexTarget.id == ReindexJob.live_target_id, IndexTarget.state == "previous")
        .correlate(ReindexJob)
        .exists()
    )
    query = select(ReindexJob, waiting, previous_is_kept, func.clock_timestamp())
    if before is not None:
        query = query.where(ReindexJob.id < before)
    return query.order_by(ReindexJob.id.desc()).limit(limit)


def rebuild(job_id: int) -> Select[ReindexJob, int, bool, datetime]:
    """Return one rebuild; columns as in `rebuilds`."""
    return rebuilds(None, 1).where(ReindexJob.id == job_id)


def audits(before: int | None, limit: int) -> Select[DriftReport]:
    """Return drift reports, the newest first; only those with an id lower than `before`, if given."""
    query = select(DriftReport)
    if before is not None:
        query = query.where(DriftReport.id < before)
    return query.order_by(DriftReport.id.desc()).limit(limit)


def last_audits() -> Select[DriftReport]:
    """Return the last finished audit of every target."""
    return (
        select(DriftReport)
        .where(DriftReport.state == "done")
        .ext(distinct_on(DriftReport.target_id))
        .order_by(DriftReport.target_id, DriftReport.id.desc())
    )
