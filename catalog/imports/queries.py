"""How runs, items and sources are read. Functions return statements; the caller runs them."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import NamedTuple

from sqlalchemy import Nullable, Select, and_, exists, func, not_, or_, select

from catalog.imports.models import (
    DocumentMeta,
    ImportConflict,
    ImportDocument,
    ImportedProgram,
    ImportItem,
    ImportRun,
    ImportSource,
)
from catalog.indexing.models import IndexDirty
from catalog.programs.models import Program, ProgramRedirect


def runs(
    before: int | None,
    limit: int,
    *,
    status: str | None,
    source_id: int | None,
    parent_id: int | None,
    applied_from: int | None = None,
) -> Select[ImportRun]:
    """Return runs, the newest first.

    Args:
        before: Only runs with a lower id.
        limit: How many at most.
        status: Only runs in this state; None means any, as in the next three.
        source_id: Only runs of this source.
        parent_id: Only runs that this run of a list of feeds has started.
        applied_from: Only runs that carry out this dry run.
    """
    query = select(ImportRun)
    if before is not None:
        query = query.where(ImportRun.id < before)
    exact = {
        ImportRun.status: status,
        ImportRun.source_id: source_id,
        ImportRun.parent_id: parent_id,
        ImportRun.applied_from: applied_from,
    }
    query = query.where(*(column == value for column, value in exact.items() if value is not None))
    return query.order_by(ImportRun.id.desc()).limit(limit)


def items(run_id: int, after: int, limit: int, outcome: str | None = None) -> Select[ImportItem]:
    """Return items of a run, in their order.

    Args:
        run_id: The run.
        after: Only items behind this position.
        limit: How many at most.
        outcome: Only items with this outcome; None means any.
    """
    query = select(ImportItem).where(ImportItem.run_id == run_id, ImportItem.position > after)
    if outcome is not None:
        query = query.where(ImportItem.outcome == outcome)
    return query.order_by(ImportItem.position).limit(limit)


def failed_positions(run_id: int) -> Select[int]:
    """Return the positions of the items of a run that failed."""
    return select(ImportItem.position).where(ImportItem.run_id == run_id, ImportItem.outcome == "failed")


def newer_writes(run: ImportRun, read: ImportRun) -> Select[ImportRun]:
    """Return the runs that write, or may have written, what a dry run would write, after its documents were read.

    Runs that read the same documents do not count once they have ended: they wrote nothing newer.

    Args:
        run: The dry run.
        read: The run that has read the documents of the dry run.
    """
    is_open = ImportRun.status.in_(("queued", "running"))
    later = or_(ImportRun.id > read.id, ImportRun.finished_at >= read.created_at)
    others = and_(later, ImportRun.started_at.is_not(None), ImportRun.documents_of.is_distinct_from(read.id))
    # All channels of YouTube have one namespace, but each has its own videos.
    same = (ImportRun.url == run.url,) if run.kind == "youtube" else ()
    return (
        select(ImportRun)
        .where(ImportRun.namespace == run.namespace, ~ImportRun.dry_run, *same)
        .where(or_(is_open, others))
        .order_by(is_open.desc(), ImportRun.id.desc())
        .limit(1)
    )


def count_not_searchable(run_id: int) -> Select[int]:
    """Return how many programs of a run have a mark that an engine has still to confirm."""
    return (
        select(func.count(func.distinct(ImportItem.program_id)))
        .join(IndexDirty, IndexDirty.program_id == ImportItem.program_id)
        .where(ImportItem.run_id == run_id, ~IndexDirty.parked)
    )


def sources(after: int, limit: int, state: str | None = None) -> Select[ImportSource]:
    """Return sources, by id.

    Args:
        after: Only sources with a higher id.
        limit: How many at most.
        state: Only sources in this state; None means any.
    """
    query = select(ImportSource).where(ImportSource.id > after)
    if state is not None:
        query = query.where(ImportSource.state == state)
    return query.order_by(ImportSource.id).limit(limit)


def conflicts(after: int, limit: int, program_id: int | None, state: str | None) -> Select[ImportConflict]:
    """Return conflicts between editors and sources, by id.

    Args:
        after: Only conflicts with a higher id.
        limit: How many at most.
        program_id: Only of this program; None means any, as in the next.
        state: Only conflicts in this state.
    """
    query = select(ImportConflict).where(ImportConflict.id > after)
    exact = {ImportConflict.program_id: program_id, ImportConflict.state: state}
    query = query.where(*(column == value for column, value in exact.items() if value is not None))
    return query.order_by(ImportConflict.id).limit(limit)


def part(run_id: int, document: int, part: int) -> Select[bytes]:
    """Return one compressed part of a document.

    Args:
        run_id: The run.
        document: The document's number in the run, from 0.
        part: The part's number in the document, from 0.
    """
    return select(ImportDocument.data).where(
        ImportDocument.run_id == run_id, ImportDocument.document == document, ImportDocument.part == part
    )


def documents(run_id: int) -> Select[int, DocumentMeta]:
    """Return the number and the meta of the documents of a run, by number."""
    return (
        select(ImportDocument.document, ImportDocument.meta)
        .where(ImportDocument.run_id == run_id, ImportDocument.part == 0)
        .order_by(ImportDocument.document)
    )


def as_sent(source_type: str, external_ids: Sequence[str]) -> Select[int, str | None, str | None]:
    """Return the id, the external id and the hash of the item as it was sent last, of programs that are still there.

    Args:
        source_type: What `programs.source_type` says of them.
        external_ids: Of the items.
    """
    return (
        select(Program.id, Program.external_id, ImportedProgram.raw_hash)
        .join(ImportedProgram, ImportedProgram.program_id == Program.id)
        .where(
            Program.source_type == source_type,
            Program.external_id == func.any(list(external_ids)),
            Program.deleted_at.is_(None),
            ImportedProgram.raw_hash.is_not(None),
            ~exists().where(ProgramRedirect.program_id == Program.id),
        )
    )


class KnownProgram(NamedTuple):
    """A program that an earlier import has written.

    Attributes:
        id: The program.
        external_id: Identifies its item in the source.
        deleted_at: When it was deleted, or None.
        into_id: The program that it was merged into, or None.
        content_hash: Hash of what the source said last.
        last_values: What the source said last, by column name.
        extra: Links and facts that the source said last.
        raw_hash: Hash of the item as the source sent it last.
    """

    id: int
    external_id: str | None
    deleted_at: datetime | None
    into_id: int | None
    content_hash: str | None
    last_values: dict[str, object] | None
    extra: dict[str, object] | None
    raw_hash: str | None


def known(
    source_type: str, external_ids: Sequence[str]
) -> Select[
    int,
    str | None,
    datetime | None,
    int | None,
    str | None,
    dict[str, object] | None,
    dict[str, object] | None,
    str | None,
]:
    """Return the programs that earlier imports wrote for these items; a row's columns make a KnownProgram."""
    return (
        select(
            Program.id,
            Program.external_id,
            Program.deleted_at,
            Nullable(ProgramRedirect.into_id),
            Nullable(ImportedProgram.content_hash),
            Nullable(ImportedProgram.values),
            Nullable(ImportedProgram.extra),
            Nullable(ImportedProgram.raw_hash),
        )
        .outerjoin(ImportedProgram, ImportedProgram.program_id == Program.id)
        .outerjoin(ProgramRedirect, ProgramRedirect.program_id == Program.id)
        .where(Program.source_type == source_type, Program.external_id == func.any(list(external_ids)))
    )


class Vanished(NamedTuple):
    """A program of a source, as far as it takes to recognise its item under another id."""

    id: int
    external_id: str | None
    deleted_at: datetime | None
    into_id: int | None
    title: str
    media_url: str | None
    duration_sec: int | None
    release_date: datetime | None


def programs_of_namespace(
    source_type: str, namespace: str
) -> Select[int, str | None, datetime | None, int | None, str, str | None, int | None, datetime | None]:
    """Return the programs of a namespace, by id, deleted ones included; a row's columns make a Vanished."""
    return (
        select(
            Program.id,
            Program.external_id,
            Program.deleted_at,
            Nullable(ProgramRedirect.into_id),
            Program.title,
            Program.media_url,
            Program.duration_sec,
            Program.release_date,
        )
        .outerjoin(ProgramRedirect, ProgramRedirect.program_id == Program.id)
        .where(Program.source_type == source_type, func.starts_with(Program.external_id, f"{namespace}:"))
        .order_by(Program.id)
    )


def waiting_runs(limit: int, patience: float = 0.0) -> Select[ImportRun]:
    """Return runs that are due and that no process works on: queued, or their lease has ended.

    Args:
        limit: The most runs.
        patience: How many seconds a run that somebody has just asked for is left to its own first job.
    """
    now = func.clock_timestamp()
    own_job_comes = and_(
        ImportRun.dispatched == 0,
        ImportRun.trigger != "schedule",
        ImportRun.next_at > now - timedelta(seconds=patience),
    )
    return (
        select(ImportRun)
        .where(
            or_(
                and_(ImportRun.status == "queued", ImportRun.next_at <= now, not_(own_job_comes)),
                and_(ImportRun.status == "running", ImportRun.lease_until < now),
            )
        )
        .order_by(ImportRun.id)
        .limit(limit)
    )
