"""The published programs of a running product, as known items: what a query may look for."""

import re
from collections.abc import Iterable
from dataclasses import dataclass

from sqlalchemy import Engine, text

from catalog.core.text import fold

_PUBLISHED = text(
    "SELECT p.id, p.title, p.language, p.kind, s.title AS series, "
    "  array(SELECT n.name FROM program_people l JOIN people n ON n.id = l.person_id "
    "        WHERE l.program_id = p.id ORDER BY l.position, n.name) AS people "
    "FROM programs p LEFT JOIN series s ON s.id = p.series_id "
    "WHERE p.status = 'published' AND p.deleted_at IS NULL ORDER BY p.id"
)
_WORD = re.compile(r"[^\W_]+(?:['’.&-][^\W_]+)*")
_ARABIC = re.compile("[\u0621-\u064a]")
_LATIN = re.compile("[A-Za-z]")


@dataclass(frozen=True, slots=True)
class Item:
    """A program that a listener knows and looks for. `script` is ar, en or "" (both, or neither)."""

    id: int
    title: str
    kind: str
    series: str | None
    people: tuple[str, ...]
    words: tuple[str, ...]
    script: str

    @property
    def squeezed(self) -> str:
        """The title without spaces, marks and signs: titles that are equal so count as the same."""
        return squeezed(self.title)


def squeezed(title: str) -> str:
    """Return the folded letters and digits of a title."""
    return "".join(c for c in fold(title) if c.isalnum())


def words_of(title: str) -> tuple[str, ...]:
    """Return the words of a title, without marks and signs around them."""
    plain = "".join(c for c in title if not "\u064b" <= c <= "\u0652" and c != "\u0640")
    return tuple(_WORD.findall(plain))


def script_of(title: str) -> str:
    """Return ar or en, or "" where the title has letters of both scripts or of neither."""
    arabic, latin = bool(_ARABIC.search(title)), bool(_LATIN.search(title))
    if arabic == latin:
        return ""
    return "ar" if arabic else "en"


def published(database: Engine) -> list[Item]:
    """Return the published programs, in the order of their ids."""
    with database.connect() as connection:
        rows = connection.execute(_PUBLISHED).all()
    return [
        Item(
            row.id,
            row.title,
            row.kind,
            row.series,
            tuple(dict.fromkeys(row.people)),
            words_of(row.title),
            script_of(row.title),
        )
        for row in rows
    ]


class Catalogue:
    """The items, and which of them a word, a pair of words or a beginning could mean."""

    def __init__(self, items: Iterable[Item]) -> None:
        self.items = list(items)
        self._by_word: dict[str, set[int]] = {}
        self._titles = {item.id: item.squeezed for item in self.items}
        for item in self.items:
            for word in item.words:
                self._by_word.setdefault(fold(word), set()).add(item.id)

    def with_words(self, words: Iterable[str]) -> frozenset[int]:
        """Return the ids of the items whose titles have all these words."""
        found = [self._by_word.get(fold(word), set()) for word in words]
        return frozenset(set.intersection(*found)) if found else frozenset()

    def with_person(self, name: str) -> frozenset[int]:
        """Return the ids of the items with this person."""
        return frozenset(item.id for item in self.items if name in item.people)

    def of_series(self, title: str) -> frozenset[int]:
        """Return the ids of the items of this series."""
        return frozenset(item.id for item in self.items if item.series == title)

    def one_title(self, ids: Iterable[int]) -> bool:
        """Return whether all these items have one title, but for marks and spaces."""
        return len({self._titles[i] for i in ids}) == 1

    def beginning(self, text: str) -> frozenset[int]:
        """Return the ids of the items whose titles begin with this text."""
        wanted = squeezed(text)
        return frozenset(i for i, title in self._titles.items() if title.startswith(wanted))

    def has_title(self, text: str) -> bool:
        """Return whether a title of the catalogue is this text."""
        return squeezed(text) in self._titles.values()
