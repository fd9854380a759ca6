"""One visible program by chance, each with the same chance, in one statement that reads few rows.

Ids between the lowest and the highest published one are drawn until one of them belongs to a program that meets the
conditions: every such program is as likely as any other. When none of `DRAWS` ids does, few programs meet the conditions,
so all of them are listed by the indexes, and one of the list is drawn: again each is as likely.
"""

from collections.abc import Sequence

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    cast,
    exists,
    func,
    literal_column,
    select,
    true,
    type_coerce,
)
from sqlalchemy.dialects.postgresql import ARRAY

from catalog.core.db import AnySelect
from catalog.programs.models import Program
from catalog.programs.queries import VISIBLE, detail

# Of ids that are drawn. Each costs one look into the primary key; the first that fits is the last.
DRAWS = 1_000


def draw(conditions: Sequence[ColumnElement[bool]], draws: int = DRAWS) -> AnySelect:
    """Return `queries.detail()` of one visible program by chance; no row when none meets the conditions.

    Args:
        conditions: What the program has to meet.
        draws: How many ids are drawn before all programs that meet the conditions are listed.
    """
    listed = (Program.status == "published", Program.deleted_at.is_(None))
    # Two looks into programs_published_id_idx.
    bounds = select(func.min(Program.id).label("low"), func.max(Program.id).label("high")).where(*listed)
    ends = bounds.cte("ends")
    span = ends.c.high - ends.c.low + 1
    number = cast(ends.c.low + func.floor(func.random() * span), BigInteger)
    tries = func.generate_series(1, draws).table_valued("n")
    drawn = select(number.label("id")).select_from(ends).join(tries, true()).cte("drawn")
    # OFFSET 0: the id is looked up for one draw after the other, whatever the planner thinks of the conditions.
    hit = (
        select(Program.id)
        .where(Program.id == drawn.c.id, *VISIBLE, *conditions)
        .correlate(drawn)
        .offset(literal_column("0"))
        .lateral("hit")
    )
    sampled = select(hit.c.id).select_from(drawn).join(hit, true()).limit(1).cte("sampled")
    # Read only when nothing was drawn.
    every = (
        select(func.array_agg(Program.id, type_=ARRAY(BigInteger)).label("ids"))
        .where(~exists(select(sampled.c.id)), *VISIBLE, *conditions)
        .cte("every")
    )
    place = cast(1 + func.floor(func.random() * func.cardinality(every.c.ids)), BigInteger)
    ids = type_coerce(every.c.ids, ARRAY(BigInteger, zero_indexes=False))
    one_of_every = select(ids[place]).scalar_subquery()
    chosen = func.coalesce(select(sampled.c.id).scalar_subquery(), one_of_every)
    return detail().where(Program.id == select(chosen).scalar_subquery())
