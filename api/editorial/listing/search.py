"""Programs in every state by words that people type: the rungs of listeners' search, asked of PostgreSQL.

    plain ── the best hit has every word ──► answer
      │ it misses a word, or nothing is found
      ▼
    synonyms ── readings from the words near to the query ── one mistake a word ──► the best fitting hit answers

A query costs at most `_VARIANTS` and `_READINGS` small statements more, and all of them together the time of a search
without an engine (`SEARCH_FALLBACK_TIMEOUT_MS`).
"""

import math
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Executable, RowMapping
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from api.http.readings.choosing import Shown, Tried, choose, is_certain, tried
from catalog.core import limits
from catalog.core.db import AnySelect
from catalog.curation import queries as curation
from catalog.curation.expansions import Expansions, Rule
from catalog.programs import queries
from catalog.programs.fallback.conditions import Condition
from catalog.programs.fallback.words import split
from catalog.programs.listing import statements
from catalog.programs.models import Program
from catalog.vocabulary import near
from catalog.words import spelling
from catalog.words.readings import Reading

_VARIANTS, _READINGS = 3, 6
# Titles that are compared to find the best hit of a reading.
_COMPARED = 50
# Looking for mistakes in words that are not counted yet may take one part in so many of the time.
_OF_TIME = 4
# PostgreSQL's code of a statement that was cancelled at its time limit.
CANCELED = "57014"


@dataclass(frozen=True, slots=True)
class Meaning:
    """What a query was taken for.

    Attributes:
        text: The words to look for.
        kind: Only this kind of program; "" is every kind.
        typos: A word may have a mistake.
        rewrite: The reading that answers; None: the query itself does.
        offer: A reading that may have been meant, though the query itself answers.
    """

    text: str
    kind: str = ""
    typos: bool = False
    rewrite: Shown | None = None
    offer: Shown | None = None

    @property
    def words(self) -> list[str]:
        """The words to look for, one by one."""
        return split(self.text)

    def conditions(self, trashed: bool) -> list[Condition]:
        """Return what a program has to meet, one in the trash or another one; nothing for a text without words."""
        found = [statements.having(self.words, typos=self.typos, trashed=trashed)] if self.words else []
        return [*found, Program.kind == self.kind] if self.kind else found

    def plain(self) -> list[object]:
        """Return the meaning as a cursor has it."""
        shown = [*self.rewrite] if self.rewrite is not None else None
        return [self.text, self.kind, self.typos, shown, [*self.offer] if self.offer is not None else None]


def meaning_of(plain: Sequence[Any]) -> Meaning:
    """Return the meaning that `Meaning.plain` put into a cursor."""
    words, kind, typos, rewrite, offer = plain
    return Meaning(words, kind, typos, rewrite and Shown(*rewrite), offer and Shown(*offer))


@dataclass(frozen=True, slots=True)
class _Best:
    """The best hit of a query, as `fit` looks at it."""

    id: int
    title: str
    description: str
    series_title: str | None
    people: Sequence[str]
    tags: Sequence[str]


class Search:
    """Finds out what a query means, within a time limit. PostgreSQL cancels a statement at its end."""

    def __init__(self, session: Session, seconds: float, trashed: bool) -> None:
        """Begin.

        Args:
            session: Reads, in a transaction.
            seconds: The time that all statements may take together.
            trashed: Whether it searches the trash.
        """
        self._session, self._seconds, self._trashed = session, seconds, trashed
        self._deadline = time.monotonic() + seconds

    def rows(self, statement: Executable, **parameters: object) -> Sequence[RowMapping]:
        """Return the rows of a statement, if the time suffices.

        Args:
            statement: Reads.
            **parameters: Values of its bind parameters.
        """
        self.limit()
        return self._session.execute(statement, parameters).mappings().all()

    def limit(self, most: float = math.inf) -> None:
        """Give the next statements the time that is left, and at most `most` seconds."""
        left = min(self._deadline - time.monotonic(), most)
        self._session.execute(limits.TIME_BY_INDEXES, {"timeout": str(max(1, int(left * 1000)))})

    def meaning(self, q: str, wanted: Sequence[Condition]) -> Meaning:
        """Return what a query means.

        Args:
            q: As it was typed.
            wanted: What the programs have to meet besides.
        """
        if not split(q):
            return Meaning(q)
        plain = self._try(None, Meaning(q), wanted, q)
        if is_certain(plain, q):
            return Meaning(q)
        if plain.best is None:
            for variant in self._variants(q):
                if self._first(Meaning(variant), wanted) is not None:
                    return Meaning(variant)
        self.limit()
        readings = near.reader(self._session, q).read(q, _READINGS)
        meanings = [Meaning(reading.text, reading.kind) for reading in readings]
        others: list[Tried] = []
        for reading, meaning in zip(readings, meanings, strict=True):
            others.append(self._try(reading, meaning, wanted, q))
            # The readings behind are less likely, and each costs a statement.
            if is_certain(others[-1], reading.text) and not reading.dropped:
                break
        choice = choose(plain, others, q)
        if choice.place is not None:
            chosen = meanings[choice.place]
            return Meaning(chosen.text, chosen.kind, rewrite=choice.rewrite)
        # Words that were written a moment ago are not counted yet.
        typos = plain.best is None and self._is_mistyped(q, wanted)
        return Meaning(q, typos=typos, offer=choice.offer)

    def _is_mistyped(self, q: str, wanted: Sequence[Condition]) -> bool:
        """Whether programs have the words with a mistake. What takes long to look for is not looked for.

        Raises:
            DBAPIError: PostgreSQL failed.
        """
        try:
            with self._session.begin_nested():
                self.limit(self._seconds / _OF_TIME)
                found = self._ranked(Meaning(q, typos=True), wanted)
                return self._session.execute(found).first() is not None
        except DBAPIError as error:
            if getattr(error.orig, "sqlstate", None) != CANCELED:
                raise
            return False

    def _variants(self, q: str) -> list[str]:
        rules = [Rule(row["kind"], row["terms"], row["finds"]) for row in self.rows(curation.synonyms())]
        return [" ".join(words) for words in Expansions(rules).of(spelling.split(q))[:_VARIANTS]]

    def _first(self, meaning: Meaning, wanted: Sequence[Condition]) -> RowMapping | None:
        if not meaning.words:
            return None
        return next(iter(self.rows(self._ranked(meaning, wanted))), None)

    def _ranked(self, meaning: Meaning, wanted: Sequence[Condition]) -> AnySelect:
        return statements.ranked(
            meaning.words,
            [*wanted, *meaning.conditions(self._trashed)],
            None,
            1,
            _COMPARED,
            trashed=self._trashed,
        )

    def _try(self, reading: Reading | None, meaning: Meaning, wanted: Sequence[Condition], q: str) -> Tried:
        first = self._first(meaning, wanted)
        if first is None:
            return tried(reading, None, 0, q)
        (row,) = self.rows(queries.BY_IDS, ids=[first["id"]])
        best = _Best(
            id=row["id"],
            title=row["title"],
            description=row["description"],
            series_title=row["series_title"],
            people=[person["name"] for person in row["people"] or ()],
            tags=row["tags"] or (),
        )
        return tried(reading, best, first["total"], q)
