"""The only writer of import runs: their states, leases, progress and items.

    queued -> running -> succeeded | failed | cancelled
       ^         |
       +---------+  it may work later, or its process fell silent

Every write of a working process names its lease token: one that was taken over writes nothing.
"""

import secrets
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from psycopg.types.json import Jsonb
from sqlalchemy import DateTime, delete, func, or_, select, update
from sqlalchemy.orm import Session

from catalog import audit
from catalog.actor import Actor
from catalog.copying import copy_rows
from catalog.errors import Conflict, NotFound
from catalog.imports import options as run_options
from catalog.imports.models import ENDED, ImportDocument, ImportItem, ImportRun, ImportSource
from catalog.imports.options import Options

# The mission's policy: three attempts, the pauses between them doubling from two seconds.
MAX_ATTEMPTS = 3
FIRST_PAUSE = 2.0
COUNTERS = {
    "created": "created", "updated": "updated", "unchanged": "unchanged", "conflict": "conflicts",
    "skipped": "skipped", "failed": "failed",
}  # fmt: skip


class LeaseLost(Exception):
    """Another process works on the run now."""


class CancelRequested(Exception):
    """Somebody asked the run to stop."""


def database_now(session: Session) -> datetime:
    """The clock every lease and pause uses."""
    return session.scalars(select(func.clock_timestamp(type_=DateTime(timezone=True)))).one()


def create(
    session: Session,
    kind: str,
    options: Options,
    actor: Actor,
    *,
    url: str | None = None,
    file_name: str | None = None,
    namespace: str,
    dry_run: bool = False,
    trigger: str = "editor",
    source: ImportSource | None = None,
    parent_id: int | None = None,
) -> ImportRun:
    """A queued run. Raises ValidationFailed."""
    run_options.check(options)
    run = ImportRun(
        kind=kind,
        url=url,
        file_name=file_name,
        namespace=namespace,
        options=run_options.plain(options),
        dry_run=dry_run,
        trigger=trigger,
        source_id=source.id if source is not None else None,
        parent_id=parent_id,
        actor_kind=actor.kind,
        actor_id=actor.id,
        actor_name=actor.name,
    )
    session.add(run)
    session.flush()
    if trigger != "schedule":
        audit.record(
            session,
            actor,
            "import.create",
            "import",
            run.id,
            {"kind": [None, kind], "url": [None, url]},
        )
    session.flush()
    session.refresh(run)
    return run


def get(session: Session, run_id: int, *, lock: bool = False) -> ImportRun:
    """The run. Raises NotFound."""
    run = session.get(ImportRun, run_id, with_for_update=lock, populate_existing=True)
    if run is None:
        raise NotFound("import", run_id)
    return run


def claim(session: Session, run_id: int, seconds: float) -> str | None:
    """Take the run if it is due and nobody works on it; returns the lease token.

    A run that was started too often without any progress ends as failed instead.
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
        _end(run, "failed", now, run.code or "crashed", run.detail or "Its process died each time.")
        session.flush()
        return None
    run.status, run.attempt = "running", run.attempt + 1
    run.lease_token = secrets.token_hex(8)
    run.lease_until = now + timedelta(seconds=seconds)
    run.started_at = run.started_at or now
    session.flush()
    return run.lease_token


def beat(session: Session, run_id: int, token: str, seconds: float) -> None:
    """Say that the process is alive. Raises LeaseLost, CancelRequested."""
    held = session.execute(
        update(ImportRun)
        .where(
            ImportRun.id == run_id, ImportRun.lease_token == token, ImportRun.status == "running"
        )
        .values(lease_until=func.clock_timestamp() + timedelta(seconds=seconds))
        .returning(ImportRun.cancel_requested)
    ).one_or_none()
    if held is None:
        raise LeaseLost(run_id)
    if held.cancel_requested:
        raise CancelRequested(run_id)


def hold(session: Session, run_id: int, token: str) -> ImportRun:
    """The run, locked until the commit, if the lease still holds. Raises LeaseLost, CancelRequested."""
    run = session.get(ImportRun, run_id, with_for_update=True, populate_existing=True)
    if run is None or run.lease_token != token or run.status != "running":
        raise LeaseLost(run_id)
    if run.cancel_requested:
        raise CancelRequested(run_id)
    return run


def add_part(
    session: Session, run_id: int, document: int, part: int, data: bytes, meta: dict[str, Any]
) -> None:
    """Keep a compressed part of a document."""
    session.add(ImportDocument(run_id=run_id, document=document, part=part, data=data, meta=meta))
    session.flush()


_ITEM = ("run_id", "position", "external_id", "title", "outcome", "code", "detail", "program_id", "errors", "diff")  # fmt: skip


def note(session: Session, items: Sequence[ImportItem]) -> None:
    """Keep what became of these items."""
    rows = [
        (i.run_id, i.position, i.external_id, i.title or "", i.outcome, i.code, i.detail, i.program_id,
         Jsonb(i.errors or []), Jsonb(i.diff or {}))
        for i in items
    ]  # fmt: skip
    copy_rows(session, "import_items", _ITEM, rows)


def progress(run: ImportRun, items: Sequence[ImportItem], position: int) -> None:
    """Count these items; `position` is how many of the run are done now."""
    for item in items:
        name = COUNTERS[item.outcome]
        setattr(run, name, getattr(run, name) + 1)
    if position > run.position:
        run.attempt = 1
    run.position = position


def put_off(run: ImportRun, now: datetime, code: str, detail: str, after: float | None) -> bool:
    """Queue it once more, or end it as failed after the last attempt. True when queued."""
    if run.attempt >= MAX_ATTEMPTS:
        _end(run, "failed", now, code, detail)
        return False
    pause = max(FIRST_PAUSE * 2 ** (run.attempt - 1), min(after or 0, 3600))
    run.status, run.next_at = "queued", now + timedelta(seconds=pause)
    run.code, run.detail = code, detail[:1000]
    run.lease_token = run.lease_until = None
    return True


def wait(run: ImportRun, now: datetime, code: str, detail: str, seconds: float) -> None:
    """Queue it for later although nothing failed: no attempt is counted."""
    run.attempt = max(0, run.attempt - 1)
    run.status, run.next_at = "queued", now + timedelta(seconds=max(1.0, seconds))
    run.code, run.detail = code, detail[:1000]
    run.lease_token = run.lease_until = None


def finish(
    session: Session,
    run: ImportRun,
    status: str,
    code: str | None = None,
    detail: str | None = None,
) -> None:
    """It is over."""
    _end(run, status, database_now(session), code, detail)
    session.flush()


def _end(run: ImportRun, status: str, now: datetime, code: str | None, detail: str | None) -> None:
    run.status, run.finished_at = status, now
    run.code, run.detail = code, (detail or "")[:1000] or None
    run.lease_token = run.lease_until = None
    if run.status == "succeeded":
        run.total = done(run)


def done(run: ImportRun) -> int:
    """How many items have an outcome."""
    return sum(getattr(run, name) for name in COUNTERS.values())


def cancel(session: Session, run_id: int, actor: Actor) -> ImportRun:
    """Stop it: at once while it waits, after its current batch while it runs. Ended stays ended."""
    run = get(session, run_id, lock=True)
    if run.status in ENDED:
        raise Conflict(f"The import has ended: {run.status}.")
    run.cancel_requested = True
    now = database_now(session)
    silent = run.lease_until is None or run.lease_until < now
    if run.status == "queued" or silent:
        _end(run, "cancelled", now, "cancelled", f"Cancelled by {actor.name or actor.kind}.")
    audit.record(session, actor, "import.cancel", "import", run.id)
    session.flush()
    return run


def retry(session: Session, run_id: int, actor: Actor) -> ImportRun:
    """A new run of what failed: its failed items, or all of it when it did not get that far.

    Raises Conflict while it goes on, or when there is nothing to repeat.
    """
    run = get(session, run_id, lock=True)
    if run.status not in ENDED:
        raise Conflict("The import is still going on.")
    if run.status == "succeeded" and not run.failed:
        raise Conflict("No item of this import failed.")
    held = run.documents_of or run.id
    kept = session.scalar(select(func.count()).where(ImportDocument.run_id == held))
    # A run that ended before its last item is repeated whole: what is done is found unchanged.
    partly = run.status == "succeeded"
    if not kept and (partly or run.url is None):
        raise Conflict("What was imported is no longer kept. Import it again.")
    again = create(
        session,
        run.kind,
        run_options.read(run.options),
        actor,
        url=run.url,
        file_name=run.file_name,
        namespace=run.namespace,
        dry_run=run.dry_run,
        source=session.get(ImportSource, run.source_id) if run.source_id else None,
    )
    again.retry_of = run.id if partly else None
    if kept and run.fetched:
        again.documents_of, again.fetched = held, True
    session.flush()
    return again


def dispatch(session: Session, run_id: int) -> int:
    """Number the next queue job of this run."""
    return session.scalars(
        update(ImportRun)
        .where(ImportRun.id == run_id)
        .values(dispatched=ImportRun.dispatched + 1)
        .returning(ImportRun.dispatched)
    ).one()


def prune(session: Session, days: int = 7, keep_runs_days: int = 90) -> int:
    """Drop documents of runs that ended `days` ago, and whole runs later; returns the documents."""
    now = func.clock_timestamp()
    old = select(ImportRun.id).where(ImportRun.finished_at < now - timedelta(days=days))
    used = select(ImportRun.documents_of).where(
        ImportRun.documents_of.is_not(None),
        or_(
            ImportRun.finished_at.is_(None),
            ImportRun.finished_at >= now - timedelta(days=days),
        ),
    )
    gone = session.execute(
        delete(ImportDocument).where(
            ImportDocument.run_id.in_(old), ImportDocument.run_id.not_in(used)
        )
    )
    session.execute(
        delete(ImportRun).where(ImportRun.finished_at < now - timedelta(days=keep_runs_days))
    )
    return int(getattr(gone, "rowcount", 0))
