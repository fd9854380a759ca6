"""The values of a facet, and how many visible programs have each: for when no engine can list them all.

The API asks when no engine answers, and for a part of a list that is longer than an engine's.
"""

from collections.abc import Sequence
from typing import NamedTuple

from sqlalchemy import (
    ColumnElement,
    Integer,
    Select,
    String,
    Text,
    and_,
    cast,
    extract,
    func,
    or_,
    select,
    true,
)
from sqlalchemy.dialects.postgresql import array
from sqlalchemy.orm import InstrumentedAttribute

from catalog.core.db import AnySelect
from catalog.programs.fallback.conditions import Condition, name_has
from catalog.programs.models import Program
from catalog.programs.queries import ACTIVE_CATEGORIES, VISIBLE
from catalog.taxonomy.models import Person, ProgramPerson, ProgramTag, Series, Tag

# Facet -> the column that has its values.
COLUMNS: dict[
    str, InstrumentedAttribute[str] | InstrumentedAttribute[bool] | InstrumentedAttribute[int | None]
] = {
    "categoryId": Program.category_id,
    "language": Program.language,
    "mediaType": Program.media_type,
    "kind": Program.kind,
    "isFeatured": Program.is_featured,
}
# Facets that may have any number of values.
NAMED = ("tags", "people", "seriesId")


class Place(NamedTuple):
    """Where a page of values begins: behind the value with this number of programs and this text."""

    programs: int
    value: str


def by_column(facet: str, conditions: Sequence[Condition]) -> Select[str, int]:
    """Return `value` and `count` of each value of a facet.

    Args:
        facet: A key of `COLUMNS`.
        conditions: What the programs have to meet.
    """
    column = COLUMNS[facet]
    is_shown = column.in_(ACTIVE_CATEGORIES) if facet == "categoryId" else column.is_not(None)
    return _counted(cast(column, Text), [*conditions, is_shown])


def by_duration(beginnings: Sequence[int], conditions: Sequence[Condition]) -> Select[int, int]:
    """Return the number of each range of durations that has a program, from 1, as `value`, and `count`.

    Args:
        beginnings: The shortest durations of the ranges in seconds, ascending.
        conditions: What the programs have to meet.
    """
    column = Program.duration_sec
    value = func.width_bucket(column, array(beginnings, type_=Integer), type_=Integer)
    return _counted(value, [*conditions, column >= beginnings[0]])


def by_year(zone: str, conditions: Sequence[Condition]) -> Select[int, int]:
    """Return each year of release that has a program as `value`, and `count`.

    Args:
        zone: The time zone of the years.
        conditions: What the programs have to meet.
    """
    year = cast(extract("year", func.timezone(zone, Program.release_date)), Integer)
    return _counted(year, [*conditions, Program.release_date.is_not(None)])


def _counted(value: ColumnElement[str] | ColumnElement[int], conditions: Sequence[Condition]) -> AnySelect:
    return (
        select(value.label("value"), func.count().label("count"))
        .where(*VISIBLE, *conditions)
        .group_by("value")
    )


def by_name(
    facet: str, words: Sequence[str], conditions: Sequence[Condition], after: Place | None, limit: int
) -> AnySelect:
    """Return a page of the values of a facet of names: `value`, `count`, and in each row the `total` of values.

    A page without values has one row, whose value is NULL. Values that most programs have come first, equally frequent
    ones in the order of their code points.

    Args:
        facet: An element of `NAMED`.
        words: Words that a name has to have, as `words.split` returns them.
        conditions: What the programs have to meet.
        after: Where the page begins; None for the first page.
        limit: How many values at most.
    """
    text = String(collation="C")
    programs = select(Program.id).where(*VISIBLE, *conditions)
    if facet == "seriesId":
        names = cast(Series.id, text)
        counts = (
            select(names.label("value"), func.count().label("count"))
            .join(Program, Program.series_id == Series.id)
            .where(*VISIBLE, *conditions, *(name_has(Series.title, word) for word in words))
            .group_by(Series.id)
        )
    else:
        model, link, column, linked = (
            (Tag, ProgramTag, ProgramTag.tag_id, Tag.id)
            if facet == "tags"
            else (Person, ProgramPerson, ProgramPerson.person_id, Person.id)
        )
        # A person may have several roles in a program.
        counts = (
            select(
                cast(model.name, text).label("value"), func.count(link.program_id.distinct()).label("count")
            )
            .join(link, column == linked)
            .where(link.program_id.in_(programs), *(name_has(model.name, word) for word in words))
            .group_by(linked, model.name)
        )
    values = counts.cte("counts")
    page = select(values)
    if after is not None:
        behind = and_(values.c.count == after.programs, values.c.value > after.value)
        page = page.where(or_(values.c.count < after.programs, behind))
    found = page.order_by(values.c.count.desc(), values.c.value).limit(limit).subquery("page")
    total = select(func.count().label("total")).select_from(values).subquery("whole")
    return (
        select(found.c.value, found.c.count, total.c.total)
        .select_from(total.outerjoin(found, true()))
        .order_by(found.c.count.desc(), found.c.value)
    )
