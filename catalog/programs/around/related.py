"""Candidates for what is related to a program, in one statement, for the time when no search engine answers."""

from sqlalchemy import ARRAY, BigInteger, ColumnElement, Select, and_, func, select, union_all
from sqlalchemy.orm import InstrumentedAttribute, aliased

from catalog.core.db import AnySelect
from catalog.programs.models import Program
from catalog.programs.queries import VISIBLE, detail
from catalog.taxonomy.models import ProgramPerson, ProgramTag

# Programs of a person or with a tag that are looked at, the newest rows.
TRIED = 1_000
_SELF = aliased(Program)


def related_to(program_id: int, side: int, each: int) -> AnySelect:
    """Return `queries.detail()` of visible programs that may be related to a program, without an order.

    These are its neighbours in its series, and of those that share a person, a tag, or the category and the language,
    the most viewed ones outside of the series.

    Args:
        program_id: The program.
        side: How many neighbours on each side.
        each: How many programs of each other kind.
    """
    series = _own(program_id, Program.series_id)
    place = (Program.season.asc().nulls_first(), Program.episode.asc().nulls_first(), Program.id)
    ordered = (
        select(Program.id, func.row_number().over(order_by=place).label("place"))
        .where(Program.series_id == series, *VISIBLE)
        .cte("ordered")
    )
    own_place = select(ordered.c.place).where(ordered.c.id == program_id).scalar_subquery()
    neighbours = select(ordered.c.id).where(func.abs(ordered.c.place - own_place) <= side)
    shelf = and_(
        Program.category_id == _own(program_id, Program.category_id),
        Program.language == _own(program_id, Program.language),
    )
    person, tag = aliased(ProgramPerson), aliased(ProgramTag)
    same_people = select(person.person_id).where(person.program_id == program_id)
    same_tags = select(tag.tag_id).where(tag.program_id == program_id)
    shared = [
        Program.id.in_(_newest(ProgramPerson.program_id, ProgramPerson.person_id.in_(same_people))),
        Program.id.in_(_newest(ProgramTag.program_id, ProgramTag.tag_id.in_(same_tags))),
        shelf,
    ]
    # `IS DISTINCT FROM` alone takes two programs without a series for members of one.
    outside = Program.series_id.is_distinct_from(series) | Program.series_id.is_(None)
    pools = [neighbours]
    for n, condition in enumerate(shared):
        pool = (
            select(Program.id)
            .where(condition, outside, *VISIBLE)
            .order_by(Program.view_count.desc(), Program.id)
            .limit(each)
        )
        pools.append(select(pool.subquery(f"pool_{n}").c.id))
    ids = func.any(func.array(union_all(*pools).scalar_subquery(), type_=ARRAY(BigInteger)))
    return detail().where(Program.id == ids, Program.id != program_id, *VISIBLE)


def _own(program_id: int, column: InstrumentedAttribute[object]) -> ColumnElement[object]:
    found = select(getattr(_SELF, column.key)).where(_SELF.id == program_id)
    return found.scalar_subquery()


def _newest(column: InstrumentedAttribute[int], condition: ColumnElement[bool]) -> Select[int]:
    found = select(column).where(condition).order_by(column.desc()).limit(TRIED)
    return select(found.subquery().c.program_id)
