"""Chapters of programs: which files are still to be read, and what was read.

`imported_programs.extra` has the address that the source names, `chapters_url` the one that the chapters were read from.
Where they differ, there is a file to fetch, or there are chapters to delete.
"""

from collections.abc import Sequence
from typing import NamedTuple

from sqlalchemy import Nullable, Select, Text, and_, delete, func, literal_column, select, update
from sqlalchemy.orm import Session

from catalog.core import changes
from catalog.core.db import copy_rows
from catalog.imports.models import ImportedProgram, ProgramChapter
from catalog.programs.models import Program
from catalog.programs.queries import VISIBLE

# Written out as in the index of the programs that have such a file.
_NAMED = literal_column("(imported_programs.extra -> 'chapters' ->> 'url')", Text)


class Chapter(NamedTuple):
    """Where a chapter begins, in seconds, and what it is called."""

    start_sec: int
    title: str


def unread(source_type: str, namespace: str, limit: int) -> Select[int, str | None]:
    """Return the id and the file of programs whose chapters are not those of the file; None: no file any more.

    Files that were never asked for come first, and of these the newest programs'.

    Args:
        source_type: What `programs.source_type` says of them.
        namespace: What stands before their external ids.
        limit: How many at most.
    """
    return (
        select(Program.id, Nullable(_NAMED))
        .join(ImportedProgram, ImportedProgram.program_id == Program.id)
        .where(
            Program.source_type == source_type,
            func.starts_with(Program.external_id, f"{namespace}:"),
            Program.deleted_at.is_(None),
            _NAMED.is_distinct_from(ImportedProgram.chapters_url),
        )
        .order_by(ImportedProgram.chapters_at.asc().nulls_first(), Program.id.desc())
        .limit(limit)
    )


def store(session: Session, program_id: int, url: str | None, found: Sequence[Chapter]) -> None:
    """Replace the chapters of a program, and note it as changed.

    Args:
        session: The transaction.
        program_id: The program.
        url: The file that they were read from; None when the source names none any more.
        found: The chapters, in their order.
    """
    # The program before its rows, as every writer of programs locks them.
    locked = select(Program.rev, and_(*VISIBLE)).where(Program.id == program_id)
    row = session.execute(locked.with_for_update(read=True, key_share=True, of=Program)).one_or_none()
    if row is None:
        return
    rev, is_visible = row
    session.execute(
        update(ImportedProgram)
        .where(ImportedProgram.program_id == program_id)
        .values(chapters_url=url, chapters_at=func.clock_timestamp())
    )
    session.execute(delete(ProgramChapter).where(ProgramChapter.program_id == program_id))
    rows = [(program_id, n, chapter.start_sec, chapter.title) for n, chapter in enumerate(found, 1)]
    copy_rows(session, "program_chapters", ("program_id", "position", "start_sec", "title"), rows)
    changes.note(session, [changes.ProgramChange(program_id, rev, bool(is_visible))])


def note_failure(session: Session, program_id: int) -> None:
    """Remember that a program's file was asked for in vain: the next import asks for the others first."""
    session.execute(
        update(ImportedProgram)
        .where(ImportedProgram.program_id == program_id)
        .values(chapters_at=func.clock_timestamp())
    )
