"""What waits for a decision, with its place, and what came back to its author."""

from sqlalchemy import (
    ARRAY,
    ColumnElement,
    Integer,
    Subquery,
    Text,
    and_,
    case,
    cast,
    func,
    literal,
    null,
    or_,
    select,
    union_all,
)
from sqlalchemy.dialects.postgresql import array

from catalog.core.db import AnySelect
from catalog.programs.listing import statements
from catalog.programs.listing.filters import EditorFilter, conditions, edited, proposed
from catalog.programs.listing.marks import SUBMITTED_AT, SUBMITTED_BY
from catalog.programs.models import Program
from catalog.review import comments
from catalog.review.models import PendingRevision
from catalog.taxonomy.models import Category, Series


def _placed() -> Subquery:
    """Return everything that waits, each with its place: what has waited longest is the first. `total`: how many there are."""
    submitted = func.coalesce(SUBMITTED_AT, Program.updated_at)
    new = select(
        literal("program").label("entity"),
        Program.id.label("id"),
        literal(0).label("is_change"),
        submitted.label("since"),
        cast(func.array_remove(array([SUBMITTED_BY]), null()), ARRAY(Text)).label("people"),
    ).where(Program.status == "in_review", Program.deleted_at.is_(None))
    deleted = select(Program.id).where(
        Program.id == PendingRevision.entity_id, Program.deleted_at.is_not(None)
    )
    changes = select(
        PendingRevision.entity,
        PendingRevision.entity_id,
        literal(1),
        PendingRevision.updated_at,
        PendingRevision.authors,
    ).where(PendingRevision.state == "in_review", or_(PendingRevision.entity != "program", ~deleted.exists()))
    every = union_all(new, changes).subquery()
    order = (every.c.since, every.c.entity, every.c.id, every.c.is_change)
    place = func.row_number().over(order_by=order).label("place")
    return select(every, place, func.count().over().label("total")).subquery()


def waiting(limit: int, language: str, person: str | None = None) -> AnySelect:
    """Return what waits for a decision, by place: entity, id, since, people, place, total, title, language, fields, threads.

    Args:
        limit: How many rows at most.
        language: The language of the names of categories.
        person: Only what this person has submitted or written; the places stay those among everything.
    """
    placed = _placed()
    of = placed.c
    is_program: ColumnElement[bool] = of.entity == comments.ENTITY
    category = Category.name_ar if language == "ar" else Category.name_en
    query = (
        select(
            placed,
            func.coalesce(Program.title, Series.title, category, "").label("title"),
            func.coalesce(Program.language, Series.language, "").label("language"),
            PendingRevision.changes.label("changes"),
            case((is_program, comments.open_threads(of.id)), else_=cast(0, Integer)).label("threads"),
        )
        .outerjoin(Program, and_(is_program, Program.id == of.id))
        .outerjoin(Series, and_(of.entity == "series", Series.id == of.id))
        .outerjoin(Category, and_(of.entity == "category", Category.id == of.id))
        .outerjoin(
            PendingRevision,
            and_(of.is_change == 1, PendingRevision.entity == of.entity, PendingRevision.entity_id == of.id),
        )
    )
    if person is not None:
        query = query.where(of.people.bool_op("@>")(cast([person], ARRAY(Text))))
    return query.order_by(of.place).limit(limit)


def back(person: str, limit: int) -> AnySelect:
    """Return `detail()` of the programs with open comments that wait for a person: a draft, or a pending draft of theirs.

    Args:
        person: As revisions name their actors.
        limit: How many rows at most; those that changed last come first.
    """
    a_draft = and_(Program.status == "draft", Program.id.in_(edited(person)))
    changes = Program.id.in_(proposed(person).where(PendingRevision.state == "draft"))
    wanted = [*conditions(EditorFilter(commented=True)), or_(a_draft, changes)]
    return statements.page(wanted, "-updatedAt", None, limit)
