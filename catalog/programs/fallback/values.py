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
    Subquery,
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
    name, key, links = _links(facet, words, [*VISIBLE, *conditions])
    counted = select(links.c.key, func.count().label("count")).group_by(links.c.key).cte("counted")
    text = String(collation="C")
    counts = select(cast(name, text).label("value"), counted.c.count).join(counted, counted.c.key == key)
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


def _links(
    facet: str, words: Sequence[str], conditions: Sequence[Condition]
) -> tuple[ColumnElement[str] | ColumnElement[int], ColumnElement[int], Subquery]:
    """Return the column with the values of a facet, its key, and one row with the `key` for each program that has it.

    Args:
        facet: An element of `NAMED`.
        words: Words that a name has to have.
        conditions: What the programs have to meet.
    """
    if facet == "seriesId":
        named = select(Series.id).where(*(name_has(Series.title, word) for word in words))
        of_series = select(Program.series_id.label("key")).where(Program.series_id.is_not(None), *conditions)
        if words:
            of_series = of_series.where(Program.series_id.in_(named))
        return Series.id.expression, Series.id.expression, of_series.subquery("links")
    if facet == "tags":
        links = select(ProgramTag.tag_id.label("key")).join(Program, Program.id == ProgramTag.program_id)
        if words:
            named = select(Tag.id).where(*(name_has(Tag.name, word) for word in words))
            links = links.where(ProgramTag.tag_id.in_(named))
        return Tag.name.expression, Tag.id.expression, links.where(*conditions).subquery("links")
    # A person may have several roles in a program.
    people = select(ProgramPerson.person_id.label("key"), ProgramPerson.program_id).distinct()
    people = people.join(Program, Program.id == ProgramPerson.program_id)
    if words:
        named = select(Person.id).where(*(name_has(Person.name, word) for word in words))
        people = people.where(ProgramPerson.person_id.in_(named))
    return Person.name.expression, Person.id.expression, people.where(*conditions).subquery("links")
