"""How much programs are viewed lately: sums of views that fade, one row for each program.

A view counts half after each half-life (exponential decay). Instead of the sum as it is now, a row has the logarithm of
the sum at the beginning of Unix time: ln Σ exp(λ·t) over the times t of the views, with λ = ln 2 / half-life. All sums
fade alike, so the order by this number is the order of the sums at any moment, and no row changes before its program is
viewed again. An index has the order; see docs/decisions/0017-trending-by-decay.md.
"""

import math
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Literal, NamedTuple

from sqlalchemy import Connection, delete, func, select, text
from sqlalchemy.orm import Session

from catalog.core.db import AnySelect, change_rows
from catalog.programs.around.categories import category_id
from catalog.programs.models import Program, ProgramTrend
from catalog.programs.queries import VISIBLE, detail


class Window(NamedTuple):
    """A time that a list looks back on.

    Attributes:
        sum: The column that orders the list.
        length: A program without a view for so long is not in it.
        half_life: After so long a view counts half.
    """

    sum: Literal["day", "week"]
    length: timedelta
    half_life: timedelta


# At the end of a window a view counts 1/64.
WINDOWS = {
    "24h": Window("day", timedelta(hours=24), timedelta(hours=4)),
    "7d": Window("week", timedelta(days=7), timedelta(hours=28)),
}
# For how long rows without a view are stored: nobody asks for them any more.
KEPT = timedelta(days=8)
# The smallest exponent of e that PostgreSQL takes; what is added then is nothing beside the rest.
_LEAST = 700

# ln(e^a + e^b) is the greater one plus ln(1 + e^-|a-b|). Rows are written in the order of their ids, so that no deadlock
# can come about.
_ADD = text("""
INSERT INTO program_trends AS t (program_id, day, week, viewed_at)
SELECT p.id, ln(c.views) + :day * s.at, ln(c.views) + :week * s.at, s.moment
FROM (
  SELECT moment, CAST(extract(epoch FROM moment) AS double precision) AS at
  FROM (SELECT coalesce(CAST(:moment AS timestamptz), now()) AS moment) AS given
) AS s
CROSS JOIN unnest(CAST(:ids AS bigint[]), CAST(:views AS double precision[])) AS c(id, views)
JOIN programs p ON p.id = c.id
WHERE c.views > 0
ORDER BY p.id
ON CONFLICT (program_id) DO UPDATE SET
  day = greatest(t.day, excluded.day) + ln(1 + exp(-least(abs(t.day - excluded.day), :least))),
  week = greatest(t.week, excluded.week) + ln(1 + exp(-least(abs(t.week - excluded.week), :least))),
  viewed_at = greatest(t.viewed_at, excluded.viewed_at)
""")


def rate(window: Window) -> float:
    """Return λ of a window, for times in seconds."""
    return math.log(2) / window.half_life.total_seconds()


def add(connection: Connection, views: Mapping[int, int], moment: datetime | None = None) -> None:
    """Add views to the sums, in the caller's transaction. Programs that are not there any more are left out.

    Args:
        connection: The transaction.
        views: Program id -> number of views.
        moment: When they were counted; now, by the database's clock, if None.
    """
    ids = sorted(views)
    day, week = (rate(WINDOWS[name]) for name in ("24h", "7d"))
    counts = [views[i] for i in ids]
    connection.execute(
        _ADD, {"ids": ids, "views": counts, "day": day, "week": week, "moment": moment, "least": _LEAST}
    )


def trending(window: Window, languages: tuple[str, ...], category: str | None, limit: int) -> AnySelect:
    """Return `queries.detail()` of the visible programs that are viewed most lately; equal ones by id.

    Args:
        window: How far to look back.
        languages: The programs have one of these; any language if empty.
        category: The id or the slug of the programs' category.
        limit: How many at most.
    """
    column = ProgramTrend.day if window.sum == "day" else ProgramTrend.week
    chosen = (
        select(ProgramTrend.program_id, column.label("sum"))
        .join(Program, Program.id == ProgramTrend.program_id)
        .where(ProgramTrend.viewed_at > func.now() - window.length, *VISIBLE)
        .order_by(column.desc(), ProgramTrend.program_id)
        .limit(limit)
    )
    if languages:
        chosen = chosen.where(Program.language.in_(languages))
    if category is not None:
        chosen = chosen.where(Program.category_id == category_id(category))
    best = chosen.subquery("best")
    return detail().join(best, best.c.program_id == Program.id).order_by(best.c.sum.desc(), best.c.program_id)


def prune(session: Session) -> int:
    """Delete the sums of programs that were viewed longer than `KEPT` ago; return how many."""
    return change_rows(session, delete(ProgramTrend).where(ProgramTrend.viewed_at < func.now() - KEPT))
