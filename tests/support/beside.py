"""Chapters and transcripts of a program, as an import would have left them."""

from typing import Any

from sqlalchemy.orm import Session

from catalog.imports.beside import chapters
from catalog.imports.beside.chapters import Chapter
from catalog.imports.models import ImportedProgram


def give(session: Session, program_id: int, *found: tuple[int, str], **extra: Any) -> None:
    """Let a program have these chapters, as (seconds, title), and these links in its extra facts.

    Args:
        session: The transaction.
        program_id: The program.
        *found: The chapters.
        **extra: The links.
    """
    session.add(ImportedProgram(program_id=program_id, content_hash="x", values={}, extra=extra))
    session.flush()
    chapters.store(session, program_id, extra.get("chapters", {}).get("url"), [Chapter(*c) for c in found])
