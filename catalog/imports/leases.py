"""Which process works on a run, and how its attempt ends. Called by `indexer/importing/running/`.

A process claims a run with a lease token and renews the lease while it works. Each of its writes states the
token, so a process that lost its lease to another one writes nothing. Functions flush; the caller commits.
"""

import secrets
from datetime import datetime, timedelta

from sqlalchemy import func, update
from sqlalchemy.orm import Session

from catalog.core.db import database_now
from catalog.core.errors import LeaseLost
from catalog.imports.items import add_to_totals, count_done
from catalog.imports.models import ImportRun

# Three attempts; the pause before the second is FIRST_PAUSE seconds, and each later pause is twice as long.
MAX_ATTEMPTS = 3
FIRST_PAUSE = 2.0
# A source may ask for a longer pause, but not for more than this many seconds.
LONGEST_PAUSE = 3600
_MAX_DETAIL = 1000


class CancelRequested(Exception):
    """An editor asked the run to stop."""


def dispatch(session: Session, run_id: int) -> int:
    """Count another queue job of the run and return its number."""
    return session.scalars(
        update(ImportRun)
        .where(ImportRun.id == run_id)
        .values(dispatched=ImportRun.dispatched + 1)
        .returning(ImportRun.dispatched)
    ).one()


def claim(session: Session, run_id: int, seconds: float) -> str | None:
    """Lease a run that is due and that no other process works on.

    A run that was claimed `MAX_ATTEMPTS` times without any progress ends as failed instead.

    Args:
        session: The transaction.
        run_id: The run.
        seconds: How long the lease lasts.

    Returns:
        The lease token, or None when there is nothing to do.
    """
    run = session.get(ImportRun, run_id, with_for_update=True, populate_existing=True)
    if run is None or run.status not in ("queued", "running"):
        return None
    now = database_now(session)
    if run.status == "running" and run.lease_until is not None and run.lease_until > now:
        return None
    # The queue's clock may be a moment ahead of the database's.
    if run.status == "queued" and run.next_at > now + timedelta(seconds=1):
        return None
    if run.attempt >= MAX_ATTEMPTS:
        end(run, "failed", now, run.code or "crashed", run.detail or "Its process died each time.")
        add_to_totals(session, run)
        session.flush()
        return None
    run.status, run.attempt = "running", run.attempt + 1
    run.lease_token = secrets.token_hex(8)
    run.lease_until = now + timedelta(seconds=seconds)
    run.started_at = run.started_at or now
    session.flush()
    return run.lease_token


def renew(session: Session, run_id: int, token: str, seconds: float) -> None:
    """Extend the caller's lease.

    Args:
        session: The transaction.
        run_id: The run.
        token: What `claim` returned to the caller.
        seconds: How long the lease lasts from now.

    Raises:
        LeaseLost: Another process works on the run.
        CancelRequested: The run has to stop; the lease was extended.
    """
    leased = session.execute(
        update(ImportRun)
        .where(ImportRun.id == run_id, ImportRun.lease_token == token, ImportRun.status == "running")
        .values(lease_until=func.clock_timestamp() + timedelta(seconds=seconds))
        .returning(ImportRun.cancel_requested)
    ).one_or_none()
    if leased is None:
        raise LeaseLost(f"import {run_id}")
    if leased.cancel_requested:
        raise CancelRequested(run_id)


def require(session: Session, run_id: int, token: str) -> ImportRun:
    """Return the run, locked until the transaction ends, if the caller has its lease.

    Args:
        session: The transaction.
        run_id: The run.
        token: What `claim` returned to the caller.

    Raises:
        LeaseLost: Another process works on the run.
        CancelRequested: The run has to stop.
    """
    run = session.get(ImportRun, run_id, with_for_update=True, populate_existing=True)
    if run is None or run.lease_token != token or run.status != "running":
        raise LeaseLost(f"import {run_id}")
    if run.cancel_requested:
        raise CancelRequested(run_id)
    return run


def try_again(run: ImportRun, now: datetime, code: str, detail: str, after: float | None) -> bool:
    """Queue the run for another attempt, or end it as failed after the last attempt.

    Args:
        run: The run, locked by `require`.
        now: The database's clock.
        code: Why the attempt failed.
        detail: The same for people.
        after: The pause in seconds that the source asks for.

    Returns:
        Whether the run was queued.
    """
    if run.attempt >= MAX_ATTEMPTS:
        end(run, "failed", now, code, detail)
        return False
    pause = max(FIRST_PAUSE * 2 ** (run.attempt - 1), min(after or 0, LONGEST_PAUSE))
    _queue(run, now + timedelta(seconds=pause), code, detail)
    return True


def defer(run: ImportRun, now: datetime, code: str, detail: str, seconds: float) -> None:
    """Queue the run for later without counting an attempt: nothing failed, it has to wait.

    Args:
        run: The run, locked by `require`.
        now: The database's clock.
        code: What it waits for.
        detail: The same for people.
        seconds: How long it waits; one second at least.
    """
    run.attempt = max(0, run.attempt - 1)
    _queue(run, now + timedelta(seconds=max(1.0, seconds)), code, detail)


def _queue(run: ImportRun, at: datetime, code: str, detail: str) -> None:
    run.status, run.next_at = "queued", at
    run.code, run.detail = code, detail[:_MAX_DETAIL]
    run.lease_token = run.lease_until = None


def finish(
    session: Session, run: ImportRun, status: str, code: str | None = None, detail: str | None = None
) -> None:
    """End the run now.

    Args:
        session: The transaction.
        run: The run, locked.
        status: One of `models.ENDED`.
        code: Why, unless it succeeded without a remark.
        detail: The same for people.
    """
    end(run, status, database_now(session), code, detail)
    add_to_totals(session, run)
    session.flush()


def end(run: ImportRun, status: str, now: datetime, code: str | None, detail: str | None) -> None:
    """Set the columns of an ended run.

    Args:
        run: The run, locked.
        status: One of `models.ENDED`.
        now: The database's clock.
        code: Why, or None.
        detail: The same for people.
    """
    run.status, run.finished_at = status, now
    run.code, run.detail = code, (detail or "")[:_MAX_DETAIL] or None
    run.lease_token = run.lease_until = None
    if run.status == "succeeded":
        run.total = count_done(run)
