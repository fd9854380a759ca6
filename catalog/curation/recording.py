"""What every write of curation does: record itself, and supersede cached pages."""

from collections.abc import Mapping

from sqlalchemy.orm import Session

from catalog.core import audit, changes
from catalog.core.actor import Actor
from catalog.core.base import entity_of
from catalog.curation.models import Collection, Pin, Synonym

Row = Collection | Pin | Synonym


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
