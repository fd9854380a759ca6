"""What publishing a pending revision would make, without publishing it."""

from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy.orm import Session

from catalog.core.actor import Actor
from catalog.review import pending
from catalog.review.models import PendingRevision
from catalog.review.subjects import Subject, tried


@contextmanager
def applied(session: Session, subject: Subject, row_id: int, actor: Actor) -> Iterator[PendingRevision]:
    """Let the block read the live row as publishing would make it; nothing of it stays.

    Args:
        session: The transaction.
        subject: The kind of row.
        row_id: The row.
        actor: Who looks at it.

    Raises:
        NotFound: No such row, or it has no pending revision.
        ValidationFailed: A value is not valid any more.
        Conflict: Another row has a unique value.
    """
    found = pending.get(session, subject, row_id)
    with tried(session, subject, row_id, subject.values(found.changes), actor):
        yield found
