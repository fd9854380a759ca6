"""The only writer of reindex jobs, drift reports and the roles of targets.

Functions take a synchronous Session and flush; committing is the caller's business. A job is carried
out by whoever holds its lease; every step names the lease, so one that was taken over changes nothing.
"""

import secrets
from datetime import datetime, timedelta

from sqlalchemy import delete, func, select, text, update
from sqlalchemy.exc import IntegrityError, OperationalError
from sqlalchemy.orm import Session

from catalog import audit
from catalog.actor import SYSTEM, Actor
from catalog.dirty import IndexDirty, IndexTarget
from catalog.errors import CatalogError, Conflict, NotFound
from catalog.indexing.models import ENDED, RUNNING, DriftReport, ReindexJob

LEASE = timedelta(seconds=30)
REPORT_LEASE = timedelta(seconds=60)


class NotYours(Exception):
    """Somebody else carries this job out now: stop."""


class IllegalStep(CatalogError):
    """The job's state does not allow this."""

    code = "illegal_transition"


# -- drift reports


def request_audit(
    session: Session, target_ids: list[int], actor: Actor, *, repair: bool
) -> list[DriftReport]:
    """A queued report for each target. Raises NotFound."""
    found = []
    for target_id in target_ids:
        if session.get(IndexTarget, target_id) is None:
            raise NotFound("target", target_id)
        report = DriftReport(target_id=target_id, repair=repair, requested_by=str(actor))
        session.add(report)
        found.append(report)
    session.flush()
    for report in found:
        details = {"target": [None, report.target_id], "repair": [None, repair]}
        audit.record(session, actor, "audit", "drift_report", report.id, details)
    return found


def take_report(session: Session, report_id: int) -> DriftReport | None:
    """Lease the audit to the caller; None when it has ended or somebody carries it out."""
    report = session.get_one(DriftReport, report_id, with_for_update=True, populate_existing=True)
    now = session.scalars(select(func.clock_timestamp())).one()
    if report.state in ("done", "failed") or (report.lease_until and report.lease_until > now):
        return None
    report.state, report.started_at, report.lease_until = "running", now, now + REPORT_LEASE
    session.flush()
    return report


def save_report(
    session: Session, report_id: int, started_at: datetime | None, **values: object
) -> bool:
    """Write what was found and keep the lease; False when somebody else carries it out since."""
    found = session.scalars(
        update(DriftReport)
        .where(
            DriftReport.id == report_id,
            DriftReport.started_at == started_at,
            DriftReport.state == "running",
        )
        .values(**values, lease_until=func.clock_timestamp() + REPORT_LEASE)
        .returning(DriftReport.id)
    )
    return found.one_or_none() is not None


def waiting_reports(session: Session) -> list[int]:
    """Audits that nobody carries out, oldest first."""
    now = func.clock_timestamp()
    idle = DriftReport.lease_until.is_(None) | (DriftReport.lease_until < now)
    query = select(DriftReport.id).where(DriftReport.state.in_(("queued", "running")), idle)
    return list(session.scalars(query.order_by(DriftReport.id)))


# -- reindex jobs


def request_rebuild(
    session: Session, engine: str, reason: str, actor: Actor, *, build: tuple[str, int], force: bool = False
) -> ReindexJob:  # fmt: skip
    """A queued job for `engine`; `build` is (settings hash, revision) of the code that asks.

    Raises Conflict when one for this engine has not ended yet.
    """
    session.execute(text("SELECT pg_advisory_xact_lock(hashtext('reindex_jobs'))"))
    open_job = session.scalars(
        select(ReindexJob.id).where(ReindexJob.engine == engine, ReindexJob.state.not_in(ENDED))
    ).first()
    if open_job is not None:
        raise Conflict(f"Reindex job {open_job} for this engine has not ended yet.")
    job = ReindexJob(
        engine=engine, reason=reason, requested_by=str(actor), settings_hash=build[0],
        settings_revision=build[1], force=force,
    )  # fmt: skip
    session.add(job)
    session.flush()
    audit.record(session, actor, "reindex", "reindex_job", job.id, {"reason": [None, reason]})
    return job


def get(session: Session, job_id: int, *, lock: bool = False) -> ReindexJob:
    """The job. Raises NotFound."""
    job = session.get(ReindexJob, job_id, with_for_update=lock, populate_existing=True)
    if job is None:
        raise NotFound("reindex job", job_id)
    return job


def cancel(session: Session, job_id: int, actor: Actor) -> ReindexJob:
    """Ask it to stop; it does so before its next step. Raises NotFound, IllegalStep."""
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
    """Ask for the index from before; it was kept in step. Raises NotFound, IllegalStep, Conflict."""
    job = get(session, job_id, lock=True)
    previous = session.get(IndexTarget, job.live_target_id) if job.live_target_id else None
    if job.state != "done" or previous is None or previous.state != "previous":
        raise IllegalStep("Only the last finished rebuild whose old index is still kept can be rolled back.")  # fmt: skip
    try:
        with session.begin_nested():
            job.state, job.finished_at = "rolling_back", None
            session.flush()
    except IntegrityError:
        raise Conflict("Another reindex job is running.") from None
    audit.record(session, actor, "rollback", "reindex_job", job_id, {})
    return job


def next_runnable(session: Session) -> int | None:
    """The job that should be carried out now and by nobody is: one that stalled, else the oldest."""
    running = session.execute(
        select(
            ReindexJob.id,
            func.coalesce(ReindexJob.lease_until < func.clock_timestamp(), True),
        ).where(ReindexJob.state.in_(RUNNING))
    ).first()
    if running is not None:
        return running[0] if running[1] else None
    return session.scalars(
        select(ReindexJob.id).where(ReindexJob.state == "queued").order_by(ReindexJob.id).limit(1)
    ).first()


def take(session: Session, job_id: int) -> ReindexJob | None:
    """Lease the job to the caller (`lease_token`); None when it has ended or somebody holds it."""
    job = get(session, job_id, lock=True)
    now = session.scalars(select(func.clock_timestamp())).one()
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
    """Keep the lease. Raises NotYours."""
    job = get(session, job_id, lock=True)
    if job.lease_token != token:
        raise NotYours(job_id)
    job.lease_until = session.scalars(select(func.clock_timestamp())).one() + LEASE
    return job


def end(job: ReindexJob, state: str, detail: str | None = None) -> None:
    """Close a leased job."""
    job.state, job.detail = state, detail
    job.finished_at, job.lease_token, job.lease_until = func.now(), None, None


# -- the roles of targets


def live_target(session: Session, engine: str, *, lock: bool = False) -> IndexTarget:
    """The target that listeners are answered from. Raises NotFound."""
    query = select(IndexTarget).where(IndexTarget.engine == engine, IndexTarget.state == "live")
    found = session.scalars(query.with_for_update() if lock else query).one_or_none()
    if found is None:
        raise NotFound("live target of engine", engine)
    return found


def add_target(
    session: Session,
    engine: str,
    uid: str,
    *,
    state: str = "building",
    build: tuple[str, int] = ("", 0),
) -> IndexTarget | None:
    """Another index, marked with every change from its commit on.

    Whoever marks reads the table of targets and keeps that lock to its end. So whoever marked without
    this target has ended before it is there, and what it wrote is seen by whoever fills the index.
    None when writers do not let it in just now: try again.
    """
    try:
        with session.begin_nested():
            session.execute(text("SET LOCAL lock_timeout = '200ms'"))
            session.execute(text("LOCK TABLE index_targets IN ACCESS EXCLUSIVE MODE"))
    except OperationalError:
        return None
    query = select(IndexTarget).where(IndexTarget.engine == engine, IndexTarget.index_uid == uid)
    found = session.scalars(query).one_or_none()
    if found is None:
        found = IndexTarget(engine=engine, index_uid=uid, state=state, settings_hash=build[0], settings_revision=build[1])  # fmt: skip
        session.add(found)
        session.flush()
    return found


def note_settings(
    session: Session, target_id: int, build: tuple[str, int], automatic: bool, left: list[str]
) -> None:
    """Remember which settings an index has; when it needs a rebuild (`left`), ask for one if allowed."""
    target = session.get(IndexTarget, target_id, with_for_update=True)
    if target is None:
        return
    if not left:
        target.settings_hash, target.settings_revision = build
    elif automatic and target.state == "live":
        try:
            with session.begin_nested():
                reason = f"settings: {', '.join(left)}"
                request_rebuild(session, target.engine, reason, SYSTEM, build=build)
        except Conflict:
            pass


def hold(session: Session, target_ids: list[int]) -> None:
    """Let the senders of these targets finish and claim nothing more."""
    session.execute(
        update(IndexTarget)
        .where(IndexTarget.id.in_(target_ids), ~IndexTarget.hold)
        .values(hold=True, held_epoch=None)
    )


def held(session: Session, target_ids: list[int]) -> bool:
    """Has every sender said that nothing of it is on its way?"""
    rows = session.execute(
        select(IndexTarget.held_epoch, IndexTarget.epoch).where(IndexTarget.id.in_(target_ids))
    )
    return all(acknowledged == epoch for acknowledged, epoch in rows)


def release(session: Session, target_ids: list[int]) -> None:
    """Let them go on."""
    session.execute(
        update(IndexTarget)
        .where(IndexTarget.id.in_(target_ids))
        .values(hold=False, held_epoch=None)
    )


def exchange(session: Session, live_id: int, other_id: int, keep: timedelta) -> None:
    """The engine has swapped the two indexes: the names change hands, and so does the role.

    Both epochs move on, so both senders start anew with the names of now. What either had not
    confirmed is marked for both: whichever index a late document reached, the current one follows.
    """
    live = session.get_one(IndexTarget, live_id, with_for_update=True)
    other = session.get_one(IndexTarget, other_id, with_for_update=True)
    name, new_name = live.index_uid, other.index_uid
    live.index_uid = f"{new_name} "  # apart for a moment: (engine, index_uid) is unique
    session.flush()
    other.index_uid, other.state, other.keep_until, other.filled = name, "live", None, True
    session.flush()
    live.index_uid, live.state = new_name, "previous"
    live.keep_until = session.scalars(select(func.now())).one() + keep
    for target in (live, other):
        target.hold, target.held_epoch, target.epoch = False, None, target.epoch + 1
    session.flush()
    session.execute(
        text(
            "INSERT INTO index_dirty AS d (target_id, program_id, rev) "
            "SELECT t.id, m.program_id, max(m.rev) FROM index_dirty m, (VALUES (:a), (:b)) AS t(id) "
            "WHERE m.target_id IN (:a, :b) GROUP BY t.id, m.program_id ORDER BY m.program_id, t.id "
            "ON CONFLICT (target_id, program_id) DO UPDATE SET seq = nextval('index_dirty_seq')"
        ),
        {"a": live_id, "b": other_id},
    )


def remove_target(session: Session, target_id: int) -> None:
    """Forget a target and its marks; its index is the caller's to delete."""
    target = session.get(IndexTarget, target_id, with_for_update=True)
    if target is None:
        return
    if target.state == "live":
        raise IllegalStep("The live index stays.")
    session.delete(target)
    session.flush()
    session.execute(delete(IndexDirty).where(IndexDirty.target_id == target_id))
