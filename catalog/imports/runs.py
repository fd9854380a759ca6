"""Import runs: created, cancelled, repeated, numbered for the queue and pruned.

    queued ──> running ──> succeeded | failed | cancelled
       ^          │
       └──────────┘ an attempt failed, or the run has to wait for a quota

`leases` has the steps of the process that works on a run. Functions flush; the caller commits.
"""

from collections.abc import Mapping
from datetime import timedelta
from typing import NamedTuple

from sqlalchemy import and_, delete, func, or_, select
from sqlalchemy.orm import Session

from catalog.core import audit
from catalog.core.actor import Actor
from catalog.core.db import change_rows, database_now
from catalog.core.errors import Conflict, NotFound
from catalog.imports import options as run_options
from catalog.imports import queries, sources
from catalog.imports.leases import end
from catalog.imports.models import ENDED, ImportDocument, ImportRun, ImportSource
from catalog.imports.options import Options

# How long the documents of an ended run are kept, and the run itself with its items.
DOCUMENTS_KEPT = timedelta(days=7)
RUNS_KEPT = timedelta(days=90)


class Origin(NamedTuple):
    """Where the items of a run come from.

    Attributes:
        kind: One of `models.KINDS`.
        namespace: Stands before the external ids (`sources.namespace_of`).
        url: The address to fetch; None for an uploaded file.
        file_name: The uploaded file's name, for people.
    """

    kind: str
    namespace: str
    url: str | None = None
    file_name: str | None = None


def create(
    session: Session,
    origin: Origin,
    options: Options,
    actor: Actor,
    *,
    dry_run: bool = False,
    trigger: str = "editor",
    source: ImportSource | None = None,
    parent_id: int | None = None,
    applied_from: int | None = None,
) -> ImportRun:
    """Create a queued run.

    Args:
        session: The transaction.
        origin: Where the items come from.
        options: How items become programs.
        actor: Who asks; the run acts in this name.
        dry_run: Compare only, write no programs.
        trigger: `editor`, `cli`, `schedule` or `opml` (a list of feeds); runs of the schedule are not audited.
        source: The remembered source that the run refreshes.
        parent_id: The run of a list of feeds that this run belongs to.
        applied_from: The dry run that this run carries out.

    Raises:
        ValidationFailed: An option is wrong.
    """
    run_options.check(options)
    run = ImportRun(
        **origin._asdict(),
        options=run_options.plain(options),
        dry_run=dry_run,
        trigger=trigger,
        source_id=source.id if source is not None else None,
        parent_id=parent_id,
        applied_from=applied_from,
        actor_kind=actor.kind,
        actor_id=actor.id,
        actor_name=actor.name,
    )
    session.add(run)
    session.flush()
    if trigger != "schedule":
        diff: dict[str, object] = {"kind": [None, origin.kind], "url": [None, origin.url]}
        if applied_from is not None:
            diff["appliedFrom"] = [None, applied_from]
        audit.record(session, actor, "import.create", "import", run.id, diff)
    session.flush()
    session.refresh(run)
    return run


def get(session: Session, run_id: int, *, lock: bool = False) -> ImportRun:
    """Return the run.

    Args:
        session: The transaction.
        run_id: The run.
        lock: Lock the row until the transaction ends.

    Raises:
        NotFound: No such run.
    """
    run = session.get(ImportRun, run_id, with_for_update=lock, populate_existing=True)
    if run is None:
        raise NotFound("import", run_id)
    return run


def add_part(
    session: Session, run_id: int, document: int, part: int, data: bytes, meta: Mapping[str, object]
) -> None:
    """Store a compressed part of a document, so that every attempt of the run reads the same.

    Args:
        session: The transaction.
        run_id: The run.
        document: The document's number in the run, from 0.
        part: The part's number in the document, from 0.
        data: The compressed bytes.
        meta: What the adapter has to know of the document later; stored with part 0.
    """
    session.add(ImportDocument(run_id=run_id, document=document, part=part, data=data, meta=dict(meta)))
    session.flush()


def cancel(session: Session, run_id: int, actor: Actor) -> ImportRun:
    """Cancel a run: at once while no process works on it, otherwise after its current batch.

    Args:
        session: The transaction.
        run_id: The run.
        actor: Who cancels it.

    Raises:
        NotFound: No such run.
        Conflict: The run has ended.
    """
    run = get(session, run_id, lock=True)
    if run.status in ENDED:
        raise Conflict(f"The import has ended: {run.status}.")
    run.cancel_requested = True
    now = database_now(session)
    has_no_worker = run.lease_until is None or run.lease_until < now
    if run.status == "queued" or has_no_worker:
        end(run, "cancelled", now, "cancelled", f"Cancelled by {actor.name or actor.kind}.")
    audit.record(session, actor, "import.cancel", "import", run.id)
    session.flush()
    return run


def retry(session: Session, run_id: int, actor: Actor) -> ImportRun:
    """Create a run that repeats an ended run: its failed items if it succeeded, otherwise the whole run.

    A repeated item that was written already is found unchanged.

    Args:
        session: The transaction.
        run_id: The ended run.
        actor: Who asks.

    Returns:
        The new run, queued.

    Raises:
        NotFound: No such run.
        Conflict: The run has not ended, no item of it failed, or its documents are not kept any more.
    """
    run = get(session, run_id, lock=True)
    if run.status not in ENDED:
        raise Conflict("The import is still going on.")
    if run.status == "succeeded" and not run.failed:
        raise Conflict("No item of this import failed.")
    only_failed = run.status == "succeeded"
    again = _again(
        session,
        run,
        run_options.read(run.options),
        actor,
        dry_run=run.dry_run,
        needs_documents=only_failed or run.url is None,
    )
    again.retry_of = run.id if only_failed else None
    session.flush()
    return again


def apply(session: Session, run_id: int, positions: list[int] | None, actor: Actor) -> ImportRun:
    """Create a run that writes what a dry run has read. The source is not asked again.

    Args:
        session: The transaction.
        run_id: The dry run.
        positions: The items to write; None for all that the dry run had. Items that it had not are left out.
        actor: Who asks.

    Returns:
        The new run, queued.

    Raises:
        NotFound: No such run.
        Conflict: The run was no dry run, did not reach its end, or its documents are not kept any more; or another run
            writes, or has written, what was at this source later.
        ValidationFailed: The positions are wrong, or the dry run had none of them.
    """
    run = get(session, run_id, lock=True)
    if not run.dry_run or run.status != "succeeded":
        raise Conflict("Only a dry run that has reached its end can be carried out.")
    # Under the locks of `refreshing.start`: no refresh begins meanwhile, and the next one reads all of the source.
    known = or_(
        ImportSource.id == run.source_id, and_(ImportSource.kind == run.kind, ImportSource.url == run.url)
    )
    remembered = session.scalars(
        select(ImportSource).where(known).order_by(ImportSource.id).with_for_update()
    )
    found = [sources.forget_validators(source) for source in remembered]
    read = session.get(ImportRun, run.documents_of) if run.documents_of else None
    newer = session.scalar(queries.newer_writes(run, read or run))
    if newer is not None:
        going_on = "is still going on" if newer.status not in ENDED else "has written since"
        raise Conflict(
            f"Import {newer.id} of the same source {going_on}. Try it once more, and carry that out."
        )
    chosen = run_options.read(run.options)
    if positions is not None:
        failed = (
            None if run.retry_of is None else session.scalars(queries.failed_positions(run.retry_of)).all()
        )
        chosen = run_options.narrowed(chosen, positions, failed)
    again = _again(session, run, chosen, actor, dry_run=False, needs_documents=True, applied_from=run.id)
    # The items that a dry run has read again are those that failed before it.
    again.retry_of = run.retry_of
    if again.source_id is None and found:
        again.source_id = found[0].id
    session.flush()
    return again


def _again(
    session: Session,
    run: ImportRun,
    options: Options,
    actor: Actor,
    *,
    dry_run: bool,
    needs_documents: bool,
    applied_from: int | None = None,
) -> ImportRun:
    """Create a run of the same origin that reads the documents of `run`, if they are kept.

    Raises:
        Conflict: They are not kept, and are needed.
    """
    documents_of = run.documents_of or run.id
    parts = session.scalar(select(func.count()).where(ImportDocument.run_id == documents_of))
    if not parts and needs_documents:
        raise Conflict("What was imported is no longer kept. Import it again.")
    again = create(
        session,
        Origin(run.kind, run.namespace, run.url, run.file_name),
        options,
        actor,
        dry_run=dry_run,
        source=session.get(ImportSource, run.source_id) if run.source_id else None,
        applied_from=applied_from,
    )
    if parts and run.fetched:
        again.documents_of, again.fetched = documents_of, True
    return again


def prune(session: Session) -> int:
    """Delete documents of runs that ended `DOCUMENTS_KEPT` ago, and runs that ended `RUNS_KEPT` ago.

    Documents that a run which goes on reads as well are kept.

    Returns:
        How many parts of documents were deleted.
    """
    now = func.clock_timestamp()
    ended = select(ImportRun.id).where(ImportRun.finished_at < now - DOCUMENTS_KEPT)
    in_use = select(ImportRun.documents_of).where(
        ImportRun.documents_of.is_not(None),
        or_(ImportRun.finished_at.is_(None), ImportRun.finished_at >= now - DOCUMENTS_KEPT),
    )
    deleted = change_rows(
        session,
        delete(ImportDocument).where(ImportDocument.run_id.in_(ended), ImportDocument.run_id.not_in(in_use)),
    )
    change_rows(session, delete(ImportRun).where(ImportRun.finished_at < now - RUNS_KEPT))
    return deleted
