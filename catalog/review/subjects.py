"""The kinds of rows that may have a pending revision: how each is locked, read and written.

Programs are described in `catalog.programs.pending`, series and categories in `catalog.taxonomy.pending`.
"""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass

from sqlalchemy.orm import Session

from catalog.core import changes
from catalog.core.actor import Actor

# What the revision and the audit event of the live row call the change that a pending revision made.
APPLY = "apply_pending"
Values = Mapping[str, object]


@dataclass(frozen=True, slots=True)
class Subject:
    """How rows of one kind are locked, read and written.

    Attributes:
        entity: An element of `models.ENTITIES`.
        lock: Locks the live row until the transaction ends and returns its revision; raises NotFound.
        read: Returns the live row as plain JSON, by JSON name.
        write: Changes the live row: session, id, values by column name, actor, and what the history calls it.
        values: Turns plain JSON by JSON name into values by column name.
    """

    entity: str
    lock: Callable[[Session, int], int]
    read: Callable[[Session, int], Values]
    write: Callable[[Session, int, Values, Actor, str], object]
    values: Callable[[Values], dict[str, object]]


@contextmanager
def tried(session: Session, subject: Subject, row_id: int, values: Values, actor: Actor) -> Iterator[None]:
    """Let the block read the live row as a change would make it; the change is rolled back.

    Args:
        session: The transaction.
        subject: The kind of row.
        row_id: The row, locked.
        values: The change, by column name, not yet validated.
        actor: Who would make it.
    """
    noted = changes.checkpoint(session)
    savepoint = session.begin_nested()
    try:
        subject.write(session, row_id, values, actor, APPLY)
        yield
    finally:
        savepoint.rollback()
        changes.restore(session, noted)
