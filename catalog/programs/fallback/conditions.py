"""SQL conditions on programs: a word is in a program, a program has a tag or a person.

`programs_words_idx` serves the words of titles and descriptions, trigram indexes serve names
(migrations/versions/20261125_06_program_indexes.py).
"""

from collections.abc import Sequence
from datetime import UTC, datetime

from sqlalchemy import ARRAY, BigInteger, ColumnElement, Select, cast, func, or_, select
from sqlalchemy.dialects.postgresql import REGCONFIG
from sqlalchemy.orm import InstrumentedAttribute, aliased

from catalog.programs.fallback import words
from catalog.programs.models import Program
from catalog.taxonomy.models import Person, ProgramPerson, ProgramTag, Series, Tag

Condition = ColumnElement[bool]
Text = ColumnElement[str] | InstrumentedAttribute[str]

Moments = ColumnElement[datetime] | InstrumentedAttribute[datetime] | InstrumentedAttribute[datetime | None]

_OTHER = aliased(Program)
# Unix seconds of the first and the last moment of the calendar.
_FIRST, _LAST = -62_135_596_800, 253_402_300_799


def name_has(name: Text, word: str) -> Condition:
    """Return the condition that a word of the name begins with `word`.

    Args:
        name: The column. Its trigram index on the folded name serves the condition.
        word: A word of the query.
    """
    return _matches(name, words.beginnings(word))


def _matches(name: Text, beginnings: Sequence[str]) -> Condition:
    pattern = f"(^|[^[:alnum:]])({'|'.join(beginnings)})"
    return func.catalog_fold(name).bool_op("~")(func.catalog_fold(pattern))


def text_has(word: str) -> Condition:
    """Return the condition that a word of the title or the description begins with `word`."""
    wanted = " | ".join(f"{beginning}:*" for beginning in words.beginnings(word))
    query = func.to_tsquery(cast("simple", REGCONFIG), func.catalog_fold(wanted))
    return func.catalog_words(Program.title, Program.description).bool_op("@@")(query)


def program_has(word: str, *, typos: bool, trashed: bool = False) -> Condition:
    """Return the condition that a program has the word in its title, description, series, people or tags.

    Args:
        word: A word of the query.
        typos: The word may have a mistake in a title or a name, if it is long enough.
        trashed: Of deleted programs, instead of all others.
    """
    typos = typos and words.allows_typo(word)

    def named(name: Text) -> Condition:
        return _matches(name, words.mistyped(word)) if typos else name_has(name, word)

    by_person = (
        select(ProgramPerson.program_id)
        .join(Person, Person.id == ProgramPerson.person_id)
        .where(named(Person.name))
    )
    by_tag = select(ProgramTag.program_id).join(Tag, Tag.id == ProgramTag.tag_id).where(named(Tag.name))
    by_series = (
        select(_OTHER.id)
        .join(Series, Series.id == _OTHER.series_id)
        .where(named(Series.title), is_deleted(_OTHER, trashed))
    )
    # Arrays instead of joins: each of these conditions is then an index scan, the scans are combined, and only
    # programs that have all words are read.
    places = [text_has(word), *(Program.id == _any_of(ids) for ids in (by_series, by_person, by_tag))]
    if typos:
        places.append(named(Program.title))
    return or_(*places)


def is_deleted(program: type[Program], trashed: bool) -> Condition:
    """Return the condition that a program is deleted, or that it is not."""
    return program.deleted_at.is_not(None) if trashed else program.deleted_at.is_(None)


def _any_of(ids: Select[int]) -> ColumnElement[int]:
    return func.any(func.array(ids.scalar_subquery(), type_=ARRAY(BigInteger)))


def tagged(names: Sequence[str]) -> Condition:
    """Return the condition that a program has one of these tags, in any spelling that folds alike."""
    return Program.id.in_(
        select(ProgramTag.program_id).join(Tag, Tag.id == ProgramTag.tag_id).where(_folds_to(Tag.name, names))
    )


def with_person(names: Sequence[str]) -> Condition:
    """Return the condition that a program has one of these people, in any spelling that folds alike."""
    return Program.id.in_(
        select(ProgramPerson.program_id)
        .join(Person, Person.id == ProgramPerson.person_id)
        .where(_folds_to(Person.name, names))
    )


def _folds_to(name: Text, wanted: Sequence[str]) -> Condition:
    return func.catalog_fold(name).in_([func.catalog_fold(one) for one in wanted])


def during(key: Moments, after: int | None, before: int | None) -> list[Condition]:
    """Return the conditions that a moment is in a period. What lies beyond the years 1 to 9999 is their end.

    Args:
        key: The moment.
        after: The first second, in Unix seconds; None: the period has no beginning.
        before: The last second, which is included as a whole; None: it has no end.
    """
    found: list[Condition] = []
    if after is not None:
        found.append(key >= _moment(after))
    if before is not None:
        found.append(key < _moment(before + 1))
    return found


def _moment(seconds: int) -> datetime:
    return datetime.fromtimestamp(min(max(seconds, _FIRST), _LAST), UTC)
