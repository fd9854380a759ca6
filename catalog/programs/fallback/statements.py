"""What the API asks PostgreSQL when no search engine answers: pages of programs, and suggestions."""

from collections.abc import Sequence

from sqlalchemy import (
    CTE,
    ColumnElement,
    Numeric,
    Select,
    and_,
    case,
    cast,
    exists,
    extract,
    func,
    or_,
    select,
)
from sqlalchemy.orm import InstrumentedAttribute

from catalog.programs.fallback.conditions import Condition, Text, name_has, program_has, text_has
from catalog.programs.models import Program
from catalog.programs.queries import VISIBLE
from catalog.taxonomy.models import Person, ProgramPerson, ProgramTag, Series, Tag

# How many titles are read again to compare them with the query: the most viewed that have its words.
RANKED = 1_000
# How many names are tried for a suggestion.
NAMES_TRIED = 100


# A field of `KEYS`, and asc or desc.
Order = tuple[str, str]
# How many rows lie before a page, and how many it has at most.
Window = tuple[int, int]
# The last row before a page: its value in the order's field, and its id.
After = tuple[int | None, int]

Key = ColumnElement[int] | ColumnElement[int | None]
# The engine orders by whole seconds of the release date and by views of two significant digits. With the same
# keys here, a cursor made of an engine's page continues the list in PostgreSQL and the other way round.
KEYS: dict[str, Key] = {
    "releaseDate": func.trunc(extract("epoch", Program.release_date)),
    "durationSec": Program.duration_sec.expression,
    "viewCount": Program.popularity.expression,
}


def _ordered(key: Key, direction: str, tie: ColumnElement[int]) -> Sequence[Key]:
    """Order by the key, then by `tie`, both in this direction; rows without a key come last."""
    if direction == "desc":
        return key.desc().nulls_last(), tie.desc()
    return key.asc().nulls_last(), tie.asc()


def _follows(key: Key, tie: ColumnElement[int], direction: str, after: After) -> Condition:
    """Return the condition that a row comes behind `after` in the order that `_ordered` makes."""
    (value, last_id), descending = after, direction == "desc"
    later_id = tie < last_id if descending else tie > last_id
    if value is None:
        return and_(key.is_(None), later_id)
    beyond = key < value if descending else key > value
    return or_(beyond, and_(key == value, later_id), key.is_(None))


def browse(
    conditions: Sequence[Condition], order: Order, after: After | None, limit: int, cap: int
) -> Select[list[int], int]:
    """Return one row: the ids of a page of a list of visible programs, and the length of the list.

    Args:
        conditions: What the programs have to meet.
        order: The list's order.
        after: The page begins behind this row; None for the first page.
        limit: How many ids at most.
        cap: The length is counted up to this number.
    """
    whole = select(Program.id).where(*VISIBLE, *conditions).limit(cap).subquery()
    page = select(Program.id).where(*VISIBLE, *conditions)
    field, direction = order
    if after is not None:
        page = page.where(_follows(KEYS[field], Program.id.expression, direction, after))
    page = page.order_by(*_ordered(KEYS[field], direction, Program.id.expression)).limit(limit)
    return _one_row(page, select(func.count()).select_from(whole))


def search(
    query: Sequence[str],
    conditions: Sequence[Condition],
    order: Order | None,
    page: Window,
    cap: int,
    *,
    typos: bool = False,
    after: After | None = None,
) -> Select[list[int], int]:
    """Return one row: the ids of a page of the visible programs that have every word, and their number.

    Args:
        query: Words (`words.split`); without words every visible program is found.
        conditions: What the programs have to meet besides.
        order: None: the titles most like the query come first, then the most viewed.
        page: The page.
        cap: Only the first `cap` programs of the order (without an order: the most viewed) are looked at.
        typos: A word may have one mistake in a title or a name.
        after: In an order: the page begins behind this row.
    """
    field, direction = order or ("viewCount", "desc")
    key = KEYS[field]
    having = [program_has(word, typos=typos) for word in query]
    if len(having) == 1:
        # No index has this sum. So PostgreSQL looks the word up, instead of reading programs in the index's
        # order until enough of them have the word.
        key = key + 0
    elif having:
        # A CTE of its own: the planner does not combine indexes for words if other conditions stand beside.
        matched = select(Program.id).where(*having).cte("matched")
        matched = matched.prefix_with("MATERIALIZED", dialect="postgresql")
        having = [Program.id.in_(select(matched.c.id))]
    candidates = (
        select(Program.id, Program.title, key.label("key"))
        .where(*VISIBLE, *conditions, *having)
        .order_by(*_ordered(key, direction, Program.id.expression))
        .limit(cap)
        .cte("chosen")
    )
    by = _ordered(candidates.c.key, direction, candidates.c.id)
    placed = select(candidates, func.row_number().over(order_by=by).label("place")).subquery()
    best: list[ColumnElement[int] | ColumnElement[float]] = [placed.c.place]
    if order is None and query:
        near = placed.c.place <= RANKED
        title, wanted = func.catalog_fold(placed.c.title), func.catalog_fold(" ".join(query))
        likeness = func.round(cast(func.word_similarity(wanted, title), Numeric), 1)
        best = [
            case((near, title == wanted), else_=False).desc(),
            case((near, likeness), else_=-1).desc(),
            placed.c.place,
        ]
    offset, limit = page
    ids = select(placed.c.id).order_by(*best).offset(offset).limit(limit)
    if after is not None:
        ids = ids.where(_follows(placed.c.key, placed.c.id, direction, after))
    return _one_row(ids, select(func.count()).select_from(candidates))


def _one_row(ids: Select[int], total: Select[int]) -> Select[list[int], int]:
    return select(func.array(ids.scalar_subquery()).label("ids"), total.scalar_subquery().label("total"))


def suggest_titles(query: Sequence[str], limit: int) -> Select[int, str, str]:
    """Return id, slug and title of visible programs whose title has every word, the most viewed first."""
    # The words index also finds descriptions, and no index has titles alone. So the most viewed programs with
    # the words are taken from it, and the titles of these are read again.
    likely = (
        select(Program.id, Program.slug, Program.title, Program.popularity)
        .where(*VISIBLE, *(text_has(word) for word in query))
        .order_by(Program.popularity.desc(), Program.id)
        .limit(RANKED)
        .cte("likely")
    )
    return (
        select(likely.c.id, likely.c.slug, likely.c.title)
        .where(*(name_has(likely.c.title, word) for word in query))
        .order_by(likely.c.popularity.desc(), likely.c.id)
        .limit(limit)
    )


def suggest_series(query: Sequence[str], limit: int) -> Select[int, str, str]:
    """Return id, slug and title of series with every word and a visible program, short titles first."""
    named = _shortest(Series.title, query, Series.id, Series.slug, Series.title)
    has_programs = exists().where(Program.series_id == named.c.id, *VISIBLE)
    return select(named.c.id, named.c.slug, named.c.title).where(has_programs).limit(limit)


def suggest_people(query: Sequence[str], limit: int) -> Select[str]:
    """Return names of people with every word who are in a visible program, short names first."""
    named = _shortest(Person.name, query, Person.id, Person.name)
    has_programs = exists().where(
        ProgramPerson.person_id == named.c.id, Program.id == ProgramPerson.program_id, *VISIBLE
    )
    return select(named.c.name).where(has_programs).limit(limit)


def suggest_tags(query: Sequence[str], limit: int) -> Select[str]:
    """Return names of tags with every word that are on a visible program, short names first."""
    named = _shortest(Tag.name, query, Tag.id, Tag.name)
    has_programs = exists().where(
        ProgramTag.tag_id == named.c.id, Program.id == ProgramTag.program_id, *VISIBLE
    )
    return select(named.c.name).where(has_programs).limit(limit)


def _shortest(
    name: Text, query: Sequence[str], *columns: InstrumentedAttribute[int] | InstrumentedAttribute[str]
) -> CTE:
    """The shortest names with every word; so few that looking for a visible program of each is bounded."""
    found = select(*columns).where(*(name_has(name, word) for word in query))
    return found.order_by(func.length(name), columns[0]).limit(NAMES_TRIED).cte("named")
