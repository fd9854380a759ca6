"""Drift audits (drift reports): requested, leased, saved and pruned.

`indexer/rebuild/drift/reports.py` carries them out. Functions flush; the caller commits.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import TypedDict, Unpack

from sqlalchemy import ColumnElement, Select, delete, func, select, update
from sqlalchemy.orm import Session

from catalog.core import audit
from catalog.core.actor import Actor
from catalog.core.db import change_rows, database_now
from catalog.core.errors import NotFound
from catalog.indexing.models import DriftReport, IndexTarget

LEASE = timedelta(seconds=60)
# How long a report is kept.
KEPT = timedelta(days=30)


class Ending(TypedDict, total=False):
    """How an audit ended: `state` is done or failed, `detail` says why it failed."""

    state: str
    detail: str


class Findings(Ending, total=False):
    """The columns of a report that its audit fills: numbers of programs, and samples of their ids."""

    checked: int
    missing: int
    stale: int
    ghosts: int
    repaired: int
    samples: dict[str, list[int]]


def request(session: Session, target_ids: Sequence[int], actor: Actor, *, repair: bool) -> list[DriftReport]:
    """Queue an audit of each target.

    Args:
        session: The transaction.
        target_ids: The targets.
        actor: Who asks.
        repair: Mark the programs that differ, so that the sender sends them again.

    Returns:
        The queued reports, in the order of `target_ids`.

    Raises:
        NotFound: No such target.
    """
    reports = []
    for target_id in target_ids:
        if session.get(IndexTarget, target_id) is None:
            raise NotFound("target", target_id)
        report = DriftReport(target_id=target_id, repair=repair, requested_by=str(actor))
        session.add(report)
        reports.append(report)
    session.flush()
    for report in reports:
        details = {"target": [None, report.target_id], "repair": [None, repair]}
        audit.record(session, actor, "audit", "drift_report", report.id, details)
    return reports


def lease(session: Session, report_id: int) -> DriftReport | None:
    """Lease the audit to the caller for `LEASE`; its `started_at` identifies the caller.

    Returns:
        The report, or None when it has ended or another process carries it out.
    """
    report = session.get_one(DriftReport, report_id, with_for_update=True, populate_existing=True)
    now = database_now(session)
    if report.state in ("done", "failed") or (report.lease_until and report.lease_until > now):
        return None
    report.state, report.started_at, report.lease_until = "running", now, now + LEASE
    session.flush()
    return report


def save(session: Session, report_id: int, started_at: datetime | None, **values: Unpack[Findings]) -> bool:
    """Write what the audit has found so far, and extend the caller's lease.

    Args:
        session: The transaction.
        report_id: The report.
        started_at: What the report said when the caller leased it.
        **values: Columns to set; `state` done or failed ends the audit.

    Returns:
        False when another process has taken the audit over: nothing was written.
    """
    columns: dict[str, object] = {**values, "lease_until": func.clock_timestamp() + LEASE}
    if "state" in values:
        columns["finished_at"] = func.now()
    saved = session.scalars(
        update(DriftReport)
        .where(
            DriftReport.id == report_id, DriftReport.started_at == started_at, DriftReport.state == "running"
        )
        .values(columns)
        .returning(DriftReport.id)
    )
    return saved.one_or_none() is not None


def is_any_waiting() -> ColumnElement[bool]:
    """Return the condition that `waiting_ids` returns any."""
    return _waiting().exists()


def waiting_ids(session: Session) -> list[int]:
    """Return the ids of audits that have not ended and that no process carries out, oldest first."""
    return list(session.scalars(_waiting().order_by(DriftReport.id)))


def _waiting() -> Select[int]:
    unleased = DriftReport.lease_until.is_(None) | (DriftReport.lease_until < func.clock_timestamp())
    return select(DriftReport.id).where(DriftReport.state.in_(("queued", "running")), unleased)


def prune(session: Session) -> int:
    """Delete the reports that were requested longer than `KEPT` ago; return how many."""
    return change_rows(session, delete(DriftReport).where(DriftReport.created_at < func.now() - KEPT))
