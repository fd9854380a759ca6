"""Rebuilds (reindex jobs): requested, leased, cancelled, rolled back and ended.

`indexer/rebuild/rebuild.py` carries a leased job from step to step and sets its state and cursor; every other
write of the table is here. A job is carried out by the process that has its lease. Every write of a step
states the lease, so a process that lost it changes nothing. Functions flush; the caller commits.
"""

import secrets
from datetime import timedelta

from sqlalchemy import ColumnElement, and_, func, or_, select, text
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from catalog.core import audit
from catalog.core.actor import SYSTEM, Actor
from catalog.core.db import database_now
from catalog.core.errors import Conflict, IllegalStep, LeaseLost, NotFound
from catalog.indexing import states
from catalog.indexing.models import ENDED, RUNNING, IndexTarget, ReindexJob
from catalog.indexing.targets import Build

LEASE = timedelta(seconds=30)


def request(
    session: Session, engine: str, reason: str, actor: Actor, *, build: Build, force: bool = False
) -> ReindexJob:
    """Queue a rebuild of an engine's live index.

    Args:
        session: The transaction.
        engine: The engine's name.
        reason: Why, for people.
        actor: Who asks.
        build: The index settings of the code that asks; a worker with other settings refuses the job.
        force: Rebuild even if searches lose an attribute by it.

    Raises:
        Conflict: A rebuild for this engine has not ended yet.
    """
    session.execute(text("SELECT pg_advisory_xact_lock(hashtext('reindex_jobs'))"))
    open_job = session.scalars(
        select(ReindexJob.id).where(ReindexJob.engine == engine, ReindexJob.state.not_in(ENDED))
    ).first()
    if open_job is not None:
        raise Conflict(f"Reindex job {open_job} for this engine has not ended yet.")
    job = ReindexJob(engine=engine, reason=reason, requested_by=str(actor), force=force, **build._asdict())
    session.add(job)
    session.flush()
    audit.record(session, actor, "reindex", "reindex_job", job.id, {"reason": [None, reason]})
    return job


def request_for_settings(session: Session, target_id: int, build: Build, settings: list[str]) -> None:
    """Queue a rebuild of a live target because its index needs one to get new settings.

    Does nothing for a target beside the one that searches go to, or while another rebuild of the engine has not ended.

    Args:
        session: The transaction.
        target_id: The target.
        build: The settings that the new index is to have.
        settings: Names of the settings that cannot be changed in place.
    """
    target = session.get(IndexTarget, target_id, with_for_update=True)
    if target is None or target.state not in states.MAIN:
        return
    try:
        with session.begin_nested():
            request(session, target.engine, f"settings: {', '.join(settings)}", SYSTEM, build=build)
    except Conflict:
        pass


def get(session: Session, job_id: int, *, lock: bool = False) -> ReindexJob:
    """Return the job.

    Args:
        session: The transaction.
        job_id: The job.
        lock: Lock its row until the transaction ends.

    Raises:
        NotFound: No such job.
    """
    job = session.get(ReindexJob, job_id, with_for_update=lock, populate_existing=True)
    if job is None:
        raise NotFound("reindex job", job_id)
    return job


def cancel(session: Session, job_id: int, actor: Actor) -> ReindexJob:
    """Ask the job to stop: a queued job at once, a running job before its next step.

    Args:
        session: The transaction.
        job_id: The job.
        actor: Who cancels it.

    Raises:
        NotFound: No such job.
        IllegalStep: The job has ended, or the indexes are being swapped.
    """
    job = get(session, job_id, lock=True)
    if job.state in (*ENDED, "swapping", "verifying", "rolling_back"):
        raise IllegalStep(f"A reindex job that is {job.state} cannot be canceled.")
    job.cancel_requested = True
    if job.state == "queued":
        job.state, job.finished_at = "canceled", func.now()
    audit.record(session, actor, "cancel", "reindex_job", job_id, {})
    session.flush()
    return job


def request_rollback(session: Session, job_id: int, actor: Actor) -> ReindexJob:
    """Ask for the index that was live before the rebuild; it was kept up to date.

    Args:
        session: The transaction.
        job_id: The rebuild.
        actor: Who asks.

    Raises:
        NotFound: No such job.
        IllegalStep: The job is not done, or its previous index is not kept any more.
        Conflict: Another rebuild is running.
    """
    job = get(session, job_id, lock=True)
    previous = session.get(IndexTarget, job.live_target_id) if job.live_target_id else None
    if job.state != "done" or previous is None or previous.state != "previous":
        raise IllegalStep("Only the last finished rebuild whose old index is still kept can be rolled back.")
    try:
        with session.begin_nested():
            job.state, job.finished_at = "rolling_back", None
            session.flush()
    except IntegrityError:
        raise Conflict("Another reindex job is running.") from None
    audit.record(session, actor, "rollback", "reindex_job", job_id, {})
    return job


def is_any_waiting() -> ColumnElement[bool]:
    """Return the condition without which `next_runnable` returns no job."""
    waits = or_(ReindexJob.state == "queued", and_(ReindexJob.state.in_(RUNNING), _lease_has_ended()))
    return select(ReindexJob.id).where(waits).exists()


def next_runnable(session: Session) -> int | None:
    """Return the id of the job that a process should take now, or None.

    A running job comes first, if its lease has ended; while its lease lasts, no other job may start. Then the
    oldest queued job.
    """
    running = session.execute(
        select(ReindexJob.id, _lease_has_ended()).where(ReindexJob.state.in_(RUNNING))
    ).first()
    if running is not None:
        job_id, lease_ended = running
        return job_id if lease_ended else None
    return session.scalars(
        select(ReindexJob.id).where(ReindexJob.state == "queued").order_by(ReindexJob.id).limit(1)
    ).first()


def _lease_has_ended() -> ColumnElement[bool]:
    return func.coalesce(ReindexJob.lease_until < func.clock_timestamp(), True)


def lease(session: Session, job_id: int) -> ReindexJob | None:
    """Lease the job to the caller for `LEASE`; its `lease_token` identifies the caller.

    Returns:
        The job, or None when it has ended, another process has its lease, or another rebuild is running.

    Raises:
        NotFound: No such job.
    """
    job = get(session, job_id, lock=True)
    now = database_now(session)
    if job.state in ENDED or (job.lease_until is not None and job.lease_until > now):
        return None
    if job.state == "queued":
        try:
            with session.begin_nested():
                job.state, job.started_at = "creating", now
                session.flush()
        except IntegrityError:
            return None
    job.lease_token, job.lease_until = secrets.token_hex(8), now + LEASE
    session.flush()
    return job


def renew(session: Session, job_id: int, token: str) -> ReindexJob:
    """Extend the caller's lease and lock the job until the transaction ends.

    Args:
        session: The transaction.
        job_id: The job.
        token: The `lease_token` that `lease` gave to the caller.

    Raises:
        NotFound: No such job.
        LeaseLost: Another process has leased the job since.
    """
    job = get(session, job_id, lock=True)
    if job.lease_token != token:
        raise LeaseLost(f"reindex job {job_id}")
    job.lease_until = database_now(session) + LEASE
    return job


def end(job: ReindexJob, state: str, detail: str | None = None) -> None:
    """End a leased job.

    Args:
        job: The job, locked by `renew`.
        state: One of `ENDED`.
        detail: Why, when it failed.
    """
    job.state, job.detail = state, detail
    job.finished_at, job.lease_token, job.lease_until = func.now(), None, None
