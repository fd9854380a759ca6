"""Addresses that series, tags and people had. A trigger remembers a slug that is changed; a merge says where it leads."""

from sqlalchemy import update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from catalog.core.base import entity_of
from catalog.taxonomy.models import FormerSlug, Person, Series, Tag


def lead(session: Session, row: Series | Tag | Person, into_id: int) -> None:
    """Make every address that a row has or had lead to another row. Then the row may be deleted.

    Args:
        session: The transaction.
        row: The row that was merged into the other one.
        into_id: The row that stays, of the same kind.
    """
    kind = entity_of(type(row))
    had = update(FormerSlug).where(FormerSlug.kind == kind, FormerSlug.row_id == row.id)
    session.execute(had.values(row_id=into_id))
    has = insert(FormerSlug).values(kind=kind, slug=row.slug, row_id=into_id)
    session.execute(
        has.on_conflict_do_update(index_elements=["kind", "slug"], set_={"row_id": has.excluded.row_id})
    )
