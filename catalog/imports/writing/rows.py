"""An item of an import as its source gives it.

Adapters (`indexer/importing/sources/`) make rows; the other modules here turn them into programs.
"""

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import groupby
from typing import NamedTuple, Protocol

from catalog.core.errors import FieldError
from catalog.programs.snapshot import plain

MAX_EXTERNAL_ID = 400


@dataclass(slots=True)
class SeriesRef:
    """The series that an item belongs to. It is created if no series has the address of its title.

    Attributes:
        title: The series' title.
        description: For a new series.
        thumbnail_url: For a new series.
        weak: The source is not sure. A program that exists keeps its series.
    """

    title: str
    description: str = ""
    thumbnail_url: str | None = None
    weak: bool = False


class Skip(NamedTuple):
    """Why an item is left out on purpose, or what is remarkable about it: a code, and the same for people."""

    code: str
    detail: str


@dataclass(slots=True)
class Row:
    """One item.

    Attributes:
        position: Its number in the run, from 1.
        external_id: Identifies the item in the source (`external_id` below).
        title: Shown in the list of items, also when the item fails.
        values: As `programs.rules.ProgramValues`, not yet validated. None: the source does not say.
        category: Id, slug or name of a category. An item with an unknown category fails.
        hints: Names that may be categories; the first known one is taken.
        extra: Links and facts that are stored beside the program.
        series: The series, or None.
        unspoken: Columns of programs of which the source cannot say anything; a program keeps them.
        guessed: Nothing says whether the file is audio or video: the media type is a guess, or missing.
        errors: What could not be read.
        skip: Why the item is left out, or None.
        note: What an editor should know of an item that is imported, or None.
        raw_hash: Of the item as it was sent, with everything that its values depend on; None: not compared.
        reader: Reads the whole item. A row that has it has only its position, external id, title and raw hash.
        feed_url: Only in a list of feeds: the feed's address.
    """

    position: int
    external_id: str | None = None
    title: str = ""
    values: dict[str, object] = field(default_factory=dict)
    category: str | None = None
    hints: list[str] = field(default_factory=list)
    extra: dict[str, object] = field(default_factory=dict)
    series: SeriesRef | None = None
    unspoken: frozenset[str] = frozenset()
    guessed: bool = False
    errors: list[FieldError] = field(default_factory=list)
    skip: Skip | tuple[str, str] | None = None
    note: tuple[str, str] | None = None
    raw_hash: str | None = None
    reader: "ItemReader | None" = None
    feed_url: str | None = None


class ItemReader(Protocol):
    """Reads items whose rows are only begun, several at once."""

    def read(self, positions: Sequence[int]) -> list[Row]:
        """Return the whole rows of the items at these positions, in the same order."""
        ...


def read_all(rows: Sequence[Row]) -> Iterator[Row]:
    """Yield the whole rows, in their order; what is skipped anyway is not read."""
    for reader, group in groupby(rows, lambda row: row.reader if row.skip is None else None):
        begun = list(group)
        if reader is None:
            yield from begun
            continue
        for row, whole in zip(begun, reader.read([row.position for row in begun]), strict=True):
            whole.raw_hash = row.raw_hash
            yield whole


def external_id(namespace: str, item_id: str) -> str:
    """Return the id by which an item's program is found again; of a long item id it has the hash."""
    whole = f"{namespace}:{item_id.strip()}"
    if len(whole) <= MAX_EXTERNAL_ID:
        return whole
    return f"{namespace}:{hashlib.blake2b(item_id.strip().encode(), digest_size=20).hexdigest()}"


def as_json(values: Mapping[str, object]) -> dict[str, object]:
    """Return values as they are stored and compared: moments as text, tuples as lists."""
    return {name: _people(value) if name == "people" else plain(value) for name, value in values.items()}


def _people(value: object) -> object:
    return [list(pair) for pair in value] if isinstance(value, list | tuple) else value


def content_hash(row: Row, values: Mapping[str, object]) -> str:
    """Return 32 characters that are equal as long as the source says the same.

    Args:
        row: The item.
        values: The row's values with the run's defaults filled in.
    """
    series = row.series.title if row.series is not None else None
    said = [as_json(values), row.category, row.hints, row.extra, series]
    if row.unspoken:
        said.append(sorted(row.unspoken))
    text = json.dumps(said, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    return hashlib.blake2b(text.encode(), digest_size=16).hexdigest()
