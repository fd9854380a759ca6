"""What every write of curation does: keep its bounds, record itself, and supersede cached pages."""

from collections.abc import Mapping

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from catalog.core import audit, changes
from catalog.core.actor import Actor
from catalog.core.base import entity_of
from catalog.core.errors import Conflict
from catalog.curation.models import Collection, Pin, Synonym

Row = Collection | Pin | Synonym


def require_room(session: Session, table: type[Row], most: int) -> None:
    """Check that another row may be added.

    Args:
        session: The transaction.
        table: Whose rows are counted.
        most: How many rows there may be.

    Raises:
        Conflict: There are `most` already.
    """
    if (session.scalar(select(func.count()).select_from(table)) or 0) >= most:
        raise Conflict(f"There are {most} {table.__tablename__} already: delete one first.")


def record(session: Session, row: Row, action: str, diff: Mapping[str, object], actor: Actor) -> None:
    """Write the audit event of a change, and note that the curation has changed.

    Args:
        session: The transaction; it is flushed.
        row: What was changed.
        action: What was done, such as `edit`.
        diff: Field -> its value before and after.
        actor: Who did it.
    """
    entity = entity_of(type(row))
    audit.record(session, actor, f"{entity}.{action}", entity, row.id, diff)
    session.flush()
    changes.note_curation(session)
