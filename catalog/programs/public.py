"""Statements for the pages of listeners, beside the programs themselves. The caller runs them.

They find what stands before and after a program in its series, which addresses had a program once, and what the
sitemap lists.
"""

from sqlalchemy import func, or_, select, true

from catalog.core.db import AnySelect
from catalog.programs.models import Program
from catalog.programs.queries import IDS, SLUG_OWNER, VISIBLE
from catalog.taxonomy.models import Series

# Programs of one part of the sitemap: each has an address in every language, and a part at most 50,000 addresses.
PART = 10_000
# A program that was published once and taken away for good. One that is a draft again is nobody's business.
_IS_GONE = (
    Program.published_at.is_not(None),
    or_(Program.status == "archived", Program.deleted_at.is_not(None), Program.expire_at <= func.now()),
)
# The ids of such programs: of the one that has or had the address `:slug`, and among `:ids`.
GONE_BY_SLUG = select(Program.id).where(Program.id == SLUG_OWNER, *_IS_GONE)
GONE_BY_IDS = select(Program.id).where(Program.id == IDS, *_IS_GONE)


def hidden_because(status: str, *, is_visible: bool, is_deleted: bool, is_merged: bool) -> str | None:
    """Return why listeners may not see a program: merged, deleted, its state, or expired; None if they may.

    Args:
        status: Its state.
        is_visible: Whether it meets `queries.VISIBLE`.
        is_deleted: Whether it is deleted.
        is_merged: Whether another program took its place.
    """
    if is_merged:
        return "merged"
    if is_deleted:
        return "deleted"
    if status != "published":
        return status
    return None if is_visible else "expired"


def series_neighbours(series_id: int, program_id: int) -> AnySelect:
    """Return the ids of the visible programs before and after a program of a series; NULL at its ends.

    Args:
        series_id: The series.
        program_id: The program.
    """
    place = (Program.season.asc().nulls_first(), Program.episode.asc().nulls_first(), Program.id)
    ordered = (
        select(
            Program.id,
            func.lag(Program.id).over(order_by=place).label("before"),
            func.lead(Program.id).over(order_by=place).label("after"),
        )
        .where(Program.series_id == series_id, *VISIBLE)
        .subquery()
    )
    return select(ordered.c.before, ordered.c.after).where(ordered.c.id == program_id)


def sitemap_parts() -> AnySelect:
    """Return the numbers of the parts that have a visible program, and when one of these changed last."""
    part = ((Program.id - 1) // PART).label("part")
    return (
        select(part, func.max(Program.updated_at).label("updated_at"))
        .where(*VISIBLE)
        .group_by(part)
        .order_by(part)
    )


def sitemap_programs(part: int) -> AnySelect:
    """Return id, slug and last change of the visible programs of a part."""
    return (
        select(Program.id, Program.slug, Program.updated_at)
        .where(Program.id > part * PART, Program.id <= (part + 1) * PART, *VISIBLE)
        .order_by(Program.id)
    )


def visible_series(limit: int) -> AnySelect:
    """Return the series with a visible program: `id`, `slug`, `title`, `language`, last change, and such a program's id.

    Args:
        limit: How many at most, by id.
    """
    visible = (
        select(Program.id)
        .where(Program.series_id == Series.id, *VISIBLE)
        .limit(1)
        .correlate(Series)
        .lateral("visible")
    )
    columns = (Series.id, Series.slug, Series.title, Series.description, Series.language, Series.updated_at)
    return (
        select(*columns, visible.c.id.label("program_id"))
        .join(visible, true())
        .order_by(Series.id)
        .limit(limit)
    )
