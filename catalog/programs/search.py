"""Finding programs with PostgreSQL alone, for when no search engine answers.

Words begin words: `programs_words_idx` serves titles and descriptions, trigram indexes the names of
series, people and tags. Nothing here is as good as the engine; all of it is bounded.
"""

import unicodedata
from collections.abc import Sequence
from typing import Any

from sqlalchemy import (
    ARRAY,
    CTE,
    BigInteger,
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
from sqlalchemy.dialects.postgresql import REGCONFIG
from sqlalchemy.orm import aliased

from catalog.programs.models import Program
from catalog.programs.queries import VISIBLE
from catalog.series.models import Series
from catalog.text import fold
from catalog.vocabulary.models import Person, ProgramPerson, ProgramTag, Tag

# The engine reads no more of a query either.
MAX_WORDS = 10
# Titles that are read again to compare them with the query: the most viewed with its words.
RANKED = 1_000
# Names that are tried for a suggestion.
NAMED = 100
# Letters of a word that are looked at.
MAX_LETTERS = 60
# A shorter word with a letter wrong resembles too much; the patterns of a longer one grow too large.
LETTERS_FOR_TYPOS = range(4, 25)
# Articles and prepositions that Arabic writes together with its word.
_JOINED = ("ال", "و", "ب", "ل", "وال", "بال", "لل")

_LETTER = "[[:alnum:]]"

_OTHER = aliased(Program)

Condition = ColumnElement[bool]


def words(text: str) -> list[str]:
    """The words of a query, each once: letters, digits and the marks that belong to them."""
    kept = "".join(
        c if c.isalnum() or unicodedata.category(c) in ("Mn", "Cf") else " "
        for c in unicodedata.normalize("NFKC", text).lower()
    )
    by_fold = {fold(word): word for word in kept.split()}
    return [word[:MAX_LETTERS] for folded, word in by_fold.items() if folded][:MAX_WORDS]


def _begun(word: str) -> list[str]:
    """What a word of a text may begin with to be this one: Arabic ones with what is joined on."""
    if not "\u0600" <= word[0] <= "\u06ff" or len(word) < 3:
        return [word]
    bare = word.removeprefix("ال") if len(word) > 4 else word
    return list(dict.fromkeys([word, bare, *(joined + bare for joined in _JOINED)]))


def _named(name: Any, word: str) -> Condition:
    """Does a word of the name begin so? Served by a trigram index on the folded name."""
    return _matches(name, _begun(word))


def _matches(name: Any, beginnings: Sequence[str]) -> Condition:
    pattern = f"(^|[^[:alnum:]])({'|'.join(beginnings)})"
    return func.catalog_fold(name).op("~")(func.catalog_fold(pattern))


def _indexed(word: str) -> Condition:
    """Does a word of the title or the description begin so?"""
    wanted = " | ".join(f"{begun}:*" for begun in _begun(word))
    query = func.to_tsquery(cast("simple", REGCONFIG), func.catalog_fold(wanted))
    return func.catalog_words(Program.title, Program.description).op("@@")(query)


def _mistyped(word: str) -> list[str]:
    """What a word of a text may begin with to be this one with one mistake, as patterns."""
    letters = fold(word)
    # One letter another, one missing, one too many; two that changed places.
    found = [f"{letters[:n]}{_LETTER}{{0,2}}{letters[n + 1 :]}" for n in range(len(letters))]
    found += [
        f"{letters[:n]}{letters[n + 1]}{letters[n]}{letters[n + 2 :]}"
        for n in range(len(letters) - 1)
    ]
    return found


def _having(word: str, *, typos: bool) -> Condition:
    """Is the word in title, description, series, people or tags of the program?"""
    typos = typos and len(fold(word)) in LETTERS_FOR_TYPOS

    def named(name: Any) -> Condition:
        return _matches(name, _mistyped(word)) if typos else _named(name, word)

    with_person = (
        select(ProgramPerson.program_id)
        .join(Person, Person.id == ProgramPerson.person_id)
        .where(named(Person.name))
    )
    with_tag = (
        select(ProgramTag.program_id).join(Tag, Tag.id == ProgramTag.tag_id).where(named(Tag.name))
    )
    in_series = (
        select(_OTHER.id)
        .join(Series, Series.id == _OTHER.series_id)
        .where(named(Series.title), _OTHER.deleted_at.is_(None))
    )
    # Arrays, not joins: then every place is an index scan, indexes say which rows have all words,
    # and only those are read.
    places = [
        _indexed(word),
        *(Program.id == _any(ids) for ids in (in_series, with_person, with_tag)),
    ]
    if typos:
        places.append(named(Program.title))
    return or_(*places)


def _any(ids: Select[Any]) -> ColumnElement[Any]:
    return func.any(func.array(ids.scalar_subquery(), type_=ARRAY(BigInteger)))


# What the engine orders by: release dates in whole seconds, views in two digits. A cursor made of
# one's values continues the other's list.
KEYS: dict[str, ColumnElement[Any]] = {
    "releaseDate": func.trunc(extract("epoch", Program.release_date)),
    "durationSec": Program.duration_sec.expression,
    "viewCount": Program.popularity.expression,
}


def _ordered(key: Any, direction: str, number: Any) -> tuple[ColumnElement[Any], ...]:
    """By the key, then by id, both in this direction; programs without a value come last."""
    if direction == "desc":
        return key.desc().nulls_last(), number.desc()
    return key.asc().nulls_last(), number.asc()


def _after(field: str, direction: str, value: int | None, last: int) -> Condition:
    """What follows (value, id) in that order."""
    key = KEYS[field]
    later = Program.id < last if direction == "desc" else Program.id > last
    if value is None:
        return and_(key.is_(None), later)
    beyond = key < value if direction == "desc" else key > value
    return or_(beyond, and_(key == value, later), key.is_(None))


def listed(
    conditions: Sequence[Condition],
    order: tuple[str, str],
    after: tuple[int | None, int] | None,
    limit: int,
    cap: int,
) -> Select[Any]:
    """One row: `ids` of a page of the visible that meet the conditions, and `total`, at most `cap`.

    `total` counts the whole list, `ids` begin after (value, id).
    """
    whole = select(Program.id).where(*VISIBLE, *conditions).limit(cap).subquery()
    page = select(Program.id).where(*VISIBLE, *conditions)
    if after is not None:
        page = page.where(_after(*order, *after))
    page = page.order_by(*_ordered(KEYS[order[0]], order[1], Program.id)).limit(limit)
    return _one_row(page, select(func.count()).select_from(whole))


def found(
    query: Sequence[str],
    conditions: Sequence[Condition],
    order: tuple[str, str] | None,
    page: tuple[int, int],
    cap: int,
    *,
    typos: bool = False,
) -> Select[Any]:
    """One row: `ids` of a page (offset, limit) of the visible that have every word, and `total`.

    Without an order the most similar titles come first, then the most viewed. At most `cap` are
    looked at, the most viewed or the first in the order. With `typos`
    a word may have a mistake where it is in the title or a name.
    """
    field, direction = order or ("viewCount", "desc")
    key = KEYS[field]
    having = [_having(word, typos=typos) for word in query]
    if len(having) == 1:
        # No index has this sum: the word is looked up, rather than everything read in order.
        key = key + 0
    elif having:
        # Apart from the other conditions: the planner combines no indexes that share one of them.
        matched = select(Program.id).where(*having).cte("matched")
        matched = matched.prefix_with("MATERIALIZED", dialect="postgresql")
        having = [Program.id.in_(select(matched.c.id))]
    candidates = select(Program.id, Program.title, key.label("key"))
    candidates = candidates.where(*VISIBLE, *conditions, *having)
    candidates = candidates.order_by(*_ordered(key, direction, Program.id)).limit(cap)
    chosen = candidates.cte("chosen")
    by = _ordered(chosen.c.key, direction, chosen.c.id)
    placed = select(chosen, func.row_number().over(order_by=by).label("place")).subquery()
    best: list[ColumnElement[Any]] = [placed.c.place]
    if order is None and query:
        near = placed.c.place <= RANKED
        title, wanted = func.catalog_fold(placed.c.title), func.catalog_fold(" ".join(query))
        alike = func.round(cast(func.word_similarity(wanted, title), Numeric), 1)
        best = [
            case((near, title == wanted), else_=False).desc(),
            case((near, alike), else_=-1).desc(),
            placed.c.place,
        ]
    offset, limit = page
    ids = select(placed.c.id).order_by(*best).offset(offset).limit(limit)
    return _one_row(ids, select(func.count()).select_from(chosen))


def suggested_titles(query: Sequence[str], limit: int) -> Select[Any]:
    """(id, slug, title) of the visible whose title has every word, the most viewed first."""
    # Words are looked up where they cost least; reading titles again is bounded.
    likely = select(Program.id, Program.slug, Program.title, Program.popularity).where(
        *VISIBLE, *(_indexed(word) for word in query)
    )
    likely = likely.order_by(Program.popularity.desc(), Program.id).limit(RANKED)
    named = likely.cte("likely")
    return (
        select(named.c.id, named.c.slug, named.c.title)
        .where(*(_named(named.c.title, word) for word in query))
        .order_by(named.c.popularity.desc(), named.c.id)
        .limit(limit)
    )


def suggested_series(query: Sequence[str], limit: int) -> Select[Any]:
    """(id, slug, title) of series with every word that have something to show, short ones first."""
    named = _shortest(Series.title, query, Series.id, Series.slug, Series.title)
    shown = exists().where(Program.series_id == named.c.id, *VISIBLE)
    return select(named.c.id, named.c.slug, named.c.title).where(shown).limit(limit)


def suggested_people(query: Sequence[str], limit: int) -> Select[Any]:
    """Names of people with every word who are in something to show, short ones first."""
    named = _shortest(Person.name, query, Person.id, Person.name)
    shown = exists().where(
        ProgramPerson.person_id == named.c.id, Program.id == ProgramPerson.program_id, *VISIBLE
    )
    return select(named.c.name).where(shown).limit(limit)


def suggested_tags(query: Sequence[str], limit: int) -> Select[Any]:
    """Names of tags with every word that are on something to show, short ones first."""
    named = _shortest(Tag.name, query, Tag.id, Tag.name)
    shown = exists().where(
        ProgramTag.tag_id == named.c.id, Program.id == ProgramTag.program_id, *VISIBLE
    )
    return select(named.c.name).where(shown).limit(limit)


def _shortest(name: Any, query: Sequence[str], *columns: Any) -> CTE:
    """Names with every word. So few that looking for something to show is bounded."""
    found = select(*columns).where(*(_named(name, word) for word in query))
    return found.order_by(func.length(name), columns[0]).limit(NAMED).cte("named")


def tagged(name: str) -> Condition:
    """Has the program this tag, however its letters are written?"""
    return Program.id.in_(
        select(ProgramTag.program_id)
        .join(Tag, Tag.id == ProgramTag.tag_id)
        .where(func.catalog_fold(Tag.name) == func.catalog_fold(name))
    )


def with_person(name: str) -> Condition:
    """Is this person in the program, however the name is written?"""
    return Program.id.in_(
        select(ProgramPerson.program_id)
        .join(Person, Person.id == ProgramPerson.person_id)
        .where(func.catalog_fold(Person.name) == func.catalog_fold(name))
    )


def _one_row(ids: Select[Any], total: Select[Any]) -> Select[Any]:
    return select(
        func.array(ids.scalar_subquery()).label("ids"), total.scalar_subquery().label("total")
    )
