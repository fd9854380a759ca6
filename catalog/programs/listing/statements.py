"""What editors' lists ask PostgreSQL: pages of programs in any state, pages of those that have words, and counts."""

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import ColumnElement, Integer, Select, case, cast, func, literal, select, tuple_, union_all
from sqlalchemy.sql.expression import CompoundSelect

from catalog.core.db import AnySelect
from catalog.programs.fallback.conditions import Condition, is_deleted, program_has
from catalog.programs.listing.orders import Place, follows, ordered
from catalog.programs.models import STATUSES, Program
from catalog.programs.queries import detail

# Of a list at most so many programs are counted, and so many of those that have the words are put in order.
MOST = 10_000
# How many titles are compared with the words: of the programs that changed last.
COMPARED = 1_000


class Ranked(NamedTuple):
    """A row of `ranked`, and what a page behind it begins with.

    Attributes:
        is_title: The words are the program's title.
        likeness: Of the title and the words, from 0 to 10; -1: they were not compared.
        updated_at: When the program changed last.
        id: The program.
    """

    is_title: bool
    likeness: int
    updated_at: datetime
    id: int


def page(
    wanted: Sequence[Condition], sort: str, after: Place | None, limit: int, *, valued: bool = False
) -> AnySelect:
    """Return `detail()` of a page of programs.

    Args:
        wanted: What the programs have to meet (`filters.conditions`, `having`).
        sort: An element of `orders.TRASH_SORTS`.
        after: The page begins behind this row; None for the first page.
        limit: How many rows at most.
        valued: All of them have a value in this order (`EditorFilter.gives_values`).
    """
    query = detail().where(*wanted)
    if after is not None:
        query = query.where(follows(sort, after, valued=valued))
    return query.order_by(*ordered(sort, valued=valued)).limit(limit)


def having(words: Sequence[str], *, typos: bool = False, trashed: bool = False) -> Condition:
    """Return the condition that a program has every word in its title, description, series, people or tags.

    Args:
        words: As `fallback.words.split` returns them.
        typos: A word may have one mistake in a title or a name.
        trashed: Of deleted programs, instead of all others.
    """
    # A CTE of its own: the planner does not combine indexes for words if other conditions stand beside, and would
    # rather read programs in the list's order until enough of them have the words.
    every = (program_has(word, typos=typos, trashed=trashed) for word in words)
    matched = select(Program.id).where(*every).cte("matched")
    matched = matched.prefix_with("MATERIALIZED", dialect="postgresql")
    return Program.id.in_(select(matched.c.id))


def ranked(
    words: Sequence[str],
    wanted: Sequence[Condition],
    after: Ranked | None,
    limit: int,
    compared: int = COMPARED,
    *,
    trashed: bool = False,
) -> AnySelect:
    """Return a page of `Ranked` rows, and in each how many programs there are (`total`), at most `MOST`.

    Programs with this title come first, then those with titles most like the words, then those that changed last.

    Args:
        words: As `fallback.words.split` returns them.
        wanted: What the programs have to meet, `having` the words among it.
        after: The page begins behind this row; None for the first page.
        limit: How many rows at most.
        compared: How many titles are compared with the words, of those that changed last.
        trashed: The list has deleted programs, instead of all others.
    """
    title = func.catalog_fold(literal(" ".join(words)))
    titled = select(Program.id).where(
        func.md5(func.catalog_fold(Program.title)) == func.md5(title), is_deleted(Program, trashed)
    )
    is_title = (Program.id == func.any(func.array(titled.scalar_subquery()))).label("is_title")
    newest = (is_title.desc(), Program.updated_at.desc(), Program.id.desc())
    chosen = (
        select(Program.id, Program.title, Program.updated_at, is_title)
        .where(*wanted)
        .order_by(*newest)
        .limit(MOST)
        .cte("chosen")
    )
    by_time = (chosen.c.is_title.desc(), chosen.c.updated_at.desc(), chosen.c.id.desc())
    placed = select(chosen, func.row_number().over(order_by=by_time).label("place")).subquery()
    likeness: ColumnElement[int] = case(
        (
            placed.c.place <= compared,
            cast(func.round(10 * func.word_similarity(title, func.catalog_fold(placed.c.title))), Integer),
        ),
        else_=-1,
    ).label("likeness")
    scored = select(placed.c.is_title, likeness, placed.c.updated_at, placed.c.id).subquery()
    total = select(func.count()).select_from(chosen).scalar_subquery().label("total")
    row = tuple_(scored.c.is_title, scored.c.likeness, scored.c.updated_at, scored.c.id)
    query = select(scored, total)
    if after is not None:
        query = query.where(row < tuple_(*map(literal, after)))
    order = (
        column.desc() for column in (scored.c.is_title, scored.c.likeness, scored.c.updated_at, scored.c.id)
    )
    return query.order_by(*order).limit(limit)


def by_state(wanted: Sequence[Condition]) -> "CompoundSelect[str, int]":
    """Return `status` and `programs`, how many programs there are of each state, at most `MOST`.

    Args:
        wanted: What the programs have to meet besides.
    """
    counts: list[Select[str, int]] = []
    for status in STATUSES:
        some = select(Program.id).where(Program.status == status, *wanted).limit(MOST).subquery()
        counts.append(
            select(literal(status).label("status"), func.count().label("programs")).select_from(some)
        )
    return union_all(*counts)
