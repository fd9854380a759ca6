"""How pending revisions are read."""

from sqlalchemy import ColumnElement, Select, and_, case, column, func, select, table

from catalog.review import comments
from catalog.review.models import PendingRevision

# Programs, series and categories lie above: only the names of their columns are known here.
_PROGRAMS = table("programs", column("id"), column("title"), column("deleted_at"))
_SERIES = table("series", column("id"), column("title"))
_CATEGORIES = table("categories", column("id"), column("name_en"))


def pending(
    entity: str | None, state: str | None, after: int, limit: int
) -> Select[PendingRevision, str | None, int]:
    """Return pending revisions, what the live row is called and its open threads, by revision. Deleted programs are left out.

    Args:
        entity: Only this kind of row; None is every kind.
        state: Only this state; None is every state.
        after: Only later revisions of pending revisions.
        limit: How many at most.
    """
    of = PendingRevision
    title: ColumnElement[str | None] = func.coalesce(
        _PROGRAMS.c.title, _SERIES.c.title, _CATEGORIES.c.name_en
    )
    threads = case((of.entity == comments.ENTITY, comments.open_threads(of.entity_id.expression)), else_=0)
    query = (
        select(of, title, threads)
        .outerjoin(_PROGRAMS, and_(of.entity == "program", _PROGRAMS.c.id == of.entity_id))
        .outerjoin(_SERIES, and_(of.entity == "series", _SERIES.c.id == of.entity_id))
        .outerjoin(_CATEGORIES, and_(of.entity == "category", _CATEGORIES.c.id == of.entity_id))
        .where(of.rev > after, _PROGRAMS.c.deleted_at.is_(None))
    )
    for chosen, wanted in ((of.entity, entity), (of.state, state)):
        if wanted is not None:
            query = query.where(chosen == wanted)
    return query.order_by(of.rev).limit(limit)
