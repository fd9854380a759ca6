"""How runs, items and sources are read: every function returns a statement, none runs it."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Select, and_, func, or_, select

from catalog.dirty import IndexDirty
from catalog.imports.models import (
    ImportDocument,
    ImportedProgram,
    ImportItem,
    ImportRun,
    ImportSource,
)
from catalog.programs.models import Program, ProgramRedirect


def runs(
    before: int | None,
    limit: int,
    *,
    status: str | None,
    source_id: int | None,
    parent_id: int | None,
) -> Select[Any]:
    """Runs, newest first."""
    query = select(ImportRun)
    if before is not None:
        query = query.where(ImportRun.id < before)
    exact = {
        ImportRun.status: status,
        ImportRun.source_id: source_id,
        ImportRun.parent_id: parent_id,
    }
    query = query.where(*(column == value for column, value in exact.items() if value is not None))
    return query.order_by(ImportRun.id.desc()).limit(limit)


def items(run_id: int, after: int, limit: int, outcome: str | None = None) -> Select[Any]:
    """Items of a run behind a position, in their order."""
    query = select(ImportItem).where(ImportItem.run_id == run_id, ImportItem.position > after)
    if outcome is not None:
        query = query.where(ImportItem.outcome == outcome)
    return query.order_by(ImportItem.position).limit(limit)


def failed_positions(run_id: int) -> Select[Any]:
    """Positions of the items of a run that failed."""
    return select(ImportItem.position).where(
        ImportItem.run_id == run_id, ImportItem.outcome == "failed"
    )


def not_yet_searchable(run_id: int) -> Select[Any]:
    """How many programs of a run an engine has not confirmed."""
    return (
        select(func.count(func.distinct(ImportItem.program_id)))
        .join(IndexDirty, IndexDirty.program_id == ImportItem.program_id)
        .where(ImportItem.run_id == run_id, ~IndexDirty.parked)
    )


def sources(after: int, limit: int, state: str | None = None) -> Select[Any]:
    """Sources by id."""
    query = select(ImportSource).where(ImportSource.id > after)
    if state is not None:
        query = query.where(ImportSource.state == state)
    return query.order_by(ImportSource.id).limit(limit)


def parts(run_id: int, document: int, part: int) -> Select[Any]:
    """One compressed part of a document."""
    return select(ImportDocument.data).where(
        ImportDocument.run_id == run_id,
        ImportDocument.document == document,
        ImportDocument.part == part,
    )


def documents(run_id: int) -> Select[Any]:
    """(number, meta) of the documents of a run, in order."""
    return (
        select(ImportDocument.document, ImportDocument.meta)
        .where(ImportDocument.run_id == run_id, ImportDocument.part == 0)
        .order_by(ImportDocument.document)
    )


def known(source_type: str, external_ids: Sequence[str]) -> Select[Any]:
    """What is held of these items: id, external_id, deleted_at, into_id (of what it was merged into),
    content_hash, values, extra."""
    return (
        select(
            Program.id,
            Program.external_id,
            Program.deleted_at,
            ProgramRedirect.into_id,
            ImportedProgram.content_hash,
            ImportedProgram.values,
            ImportedProgram.extra,
        )
        .outerjoin(ImportedProgram, ImportedProgram.program_id == Program.id)
        .outerjoin(ProgramRedirect, ProgramRedirect.program_id == Program.id)
        .where(
            Program.source_type == source_type,
            Program.external_id == func.any(list(external_ids)),
        )
    )


def waiting_runs(limit: int) -> Select[Any]:
    """Runs nobody works on although they are due: queued, or their process fell silent."""
    now = func.clock_timestamp()
    return (
        select(ImportRun)
        .where(
            or_(
                and_(ImportRun.status == "queued", ImportRun.next_at <= now),
                and_(ImportRun.status == "running", ImportRun.lease_until < now),
            )
        )
        .order_by(ImportRun.id)
        .limit(limit)
    )
