"""What catalogue tests share."""

from typing import Any

from sqlalchemy import text
from sqlalchemy.orm import Session

from catalog.core.actor import Actor
from catalog.core.db import database_now
from catalog.programs import editing, lifecycle
from catalog.programs.models import Program

EDITOR = Actor("account", 1, "editor@example.com", "req-1")
VALUES: dict[str, Any] = {"title": "A title", "language": "en", "media_type": "audio", "kind": "episode"}


def make(session: Session, status: str = "draft", **values: Any) -> Program:
    """A program brought to `status` by the rules."""
    program = editing.create(session, VALUES | values, EDITOR)
    if status == "in_review":
        lifecycle.transition(session, program.id, "submit", EDITOR)
    elif status == "scheduled":
        at = database_now(session).replace(year=2100)
        lifecycle.transition(session, program.id, "schedule", EDITOR, at=at)
    elif status in ("published", "archived"):
        lifecycle.transition(session, program.id, "publish", EDITOR)
        if status == "archived":
            lifecycle.transition(session, program.id, "archive", EDITOR)
    return program


def dirty(session: Session) -> dict[int, tuple[int, int]]:
    """Marked programs with (rev, seq)."""
    rows = session.execute(text("SELECT program_id, rev, seq FROM index_dirty ORDER BY program_id"))
    return {row[0]: (row[1], row[2]) for row in rows}


def settle(session: Session) -> None:
    """Forget every mark."""
    session.execute(text("DELETE FROM index_dirty"))
    session.commit()
