"""How collections, pins and synonyms are read: functions that return a statement. The caller runs it."""

from collections.abc import Sequence

from sqlalchemy import (
    ColumnElement,
    DateTime,
    Double,
    Select,
    and_,
    cast,
    func,
    literal,
    or_,
    select,
    true,
    union_all,
)
from sqlalchemy.dialects.postgresql import aggregate_order_by

from catalog.core.db import AnySelect
from catalog.curation.models import Collection, CollectionProgram, Pin, PinProgram, Synonym
from catalog.curation.periods import in_force
from catalog.programs.models import Program
from catalog.programs.queries import VISIBLE, detail

# What a collection has to meet for a listener to see it, beside having a visible program.
LISTED = (Collection.status == "published", *in_force(Collection.starts_at, Collection.ends_at))


# What editors see of a program that they chose.
_CHOSEN = (Program.id, Program.slug, Program.title, Program.status, and_(*VISIBLE).label("visible"))
_LINK = (CollectionProgram, CollectionProgram.program_id == Program.id)


def first_programs(limit: int, each: int) -> AnySelect:
    """Return the collections that listeners may see in their order, each with its first visible programs.

    Args:
        limit: How many collections at most.
        each: How many programs of each at most.
    """
    has_visible = (
        select(Program.id).join(*_LINK).where(CollectionProgram.collection_id == Collection.id, *VISIBLE)
    )
    chosen = (
        select(Collection.id)
        .where(*LISTED, has_visible.exists())
        .order_by(Collection.sort_order, Collection.id)
        .limit(limit)
    )
    return _with_programs([Collection.id.in_(chosen)], 0, each)


def collection_programs(slug: str, offset: int, limit: int) -> AnySelect:
    """Return the collection of a slug, if listeners may see it, with a page of its visible programs.

    Args:
        slug: The collection.
        offset: How many visible programs lie before the page.
        limit: How many programs at most.
    """
    return _with_programs([Collection.slug == slug, *LISTED], offset, limit)


def chosen_programs(collection_id: int) -> AnySelect:
    """Return the programs of a collection in their order, in any state: id, slug, title, status, and whether visible."""
    return (
        select(*_CHOSEN)
        .join(*_LINK)
        .where(CollectionProgram.collection_id == collection_id)
        .order_by(CollectionProgram.position, Program.id)
    )


def _with_programs(wanted: Sequence[ColumnElement[bool]], offset: int, limit: int) -> AnySelect:
    """Return a row for each collection and program: `detail()`, and the collection's columns as `collection_…`.

    `collection_total` is the number of its visible programs. Each row has `seconds` until the next collection begins or
    ends; without a collection there is one row, which has nothing else.
    """
    placed = (
        select(Program.id.label("program_id"), CollectionProgram.position, func.count().over().label("total"))
        .join(*_LINK)
        .where(CollectionProgram.collection_id == Collection.id, *VISIBLE)
        .order_by(CollectionProgram.position, Program.id)
        .offset(offset)
        .limit(limit)
        .correlate(Collection)
        .lateral("placed")
    )
    columns = [column.label(f"collection_{column.name}") for column in Collection.__table__.columns]
    total = placed.c.total.label("collection_total")
    chosen = (
        select(*columns, placed.c.program_id, placed.c.position, total)
        .join(placed, true())
        .where(*wanted)
        .subquery("chosen")
    )
    shown = (
        detail()
        .add_columns(*(column for column in chosen.c if column.name != "program_id"))
        .join(chosen, chosen.c.program_id == Program.id)
        .subquery("shown")
    )
    clock = _next_change().subquery("clock")
    order = (shown.c.collection_sort_order, shown.c.collection_id, shown.c.position, shown.c.id)
    return select(clock.c.seconds, shown).select_from(clock.outerjoin(shown, true())).order_by(*order)


def _next_change() -> Select[float]:
    """Return the seconds until a published collection begins or ends; NULL when none will."""
    moments = union_all(
        *(
            select(column.label("at")).where(Collection.status == "published", column > func.now())
            for column in (Collection.starts_at, Collection.ends_at)
        )
    ).subquery("moments")
    left = func.extract("epoch", func.min(moments.c.at) - func.now())
    return select(cast(left, Double).label("seconds"))


def pins() -> AnySelect:
    """Return the pins that have not ended, by id and place: `pin_id`, `query`, `starts_at`, `ends_at`, `program_id`, `place`.

    Each row has `now`, the database's clock.
    """
    return (
        select(
            Pin.id.label("pin_id"),
            Pin.query,
            Pin.starts_at,
            Pin.ends_at,
            PinProgram.program_id,
            PinProgram.place,
            func.clock_timestamp(type_=DateTime(timezone=True)).label("now"),
        )
        .join(PinProgram, PinProgram.pin_id == Pin.id)
        .where(or_(Pin.ends_at.is_(None), Pin.ends_at > func.now()))
        .order_by(Pin.id, PinProgram.place)
    )


def pinned_programs(pin_ids: Sequence[int]) -> AnySelect:
    """Return the programs of pins by pin and place, in any state: `pin_id`, `place`, and what `chosen_programs` returns."""
    return (
        select(PinProgram.pin_id, PinProgram.place, *_CHOSEN)
        .join(Program, Program.id == PinProgram.program_id)
        .where(PinProgram.pin_id == func.any(list(pin_ids)))
        .order_by(PinProgram.pin_id, PinProgram.place)
    )


def synonyms() -> Select[str, list[str], list[str]]:
    """Return every synonym: what `expansions.Rule` has."""
    return select(Synonym.kind, Synonym.terms, Synonym.finds).order_by(Synonym.id)


def synonyms_version() -> Select[str]:
    """Return a text that changes with every change of a synonym."""
    each = func.concat(Synonym.id, ":", Synonym.rev)
    return select(
        func.coalesce(func.md5(func.string_agg(each, aggregate_order_by(literal(","), Synonym.id))), "")
    )
