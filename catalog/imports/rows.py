"""One item as its source gave it, ready to be compared with what is held."""

import hashlib
import json
from dataclasses import dataclass, field
from typing import Any

from catalog.errors import FieldError
from catalog.programs.snapshot import plain

MAX_EXTERNAL_ID = 400


@dataclass(slots=True)
class SeriesRef:
    """The series an item belongs to; made when no series has this title's address. `weak`: only for
    a program that is new, where a later source may know better."""

    title: str
    description: str = ""
    thumbnail_url: str | None = None
    weak: bool = False


@dataclass(slots=True)
class Row:
    """`values`: program columns by name, `tags`: names, `people`: (role, name) pairs.

    `category` must be known, the first known of `hints` is taken. `extra`: links and facts kept beside
    the program. `errors`: what could not be read. `skip`: (code, why) of an item left out on purpose.
    `feed_url` is set instead for an entry of a list of feeds.
    """

    position: int
    external_id: str | None = None
    title: str = ""
    values: dict[str, Any] = field(default_factory=dict)
    category: str | None = None
    hints: list[str] = field(default_factory=list)
    extra: dict[str, Any] = field(default_factory=dict)
    series: SeriesRef | None = None
    errors: list[FieldError] = field(default_factory=list)
    skip: tuple[str, str] | None = None
    feed_url: str | None = None


def external_id(namespace: str, given: str) -> str:
    """The id under which a program is found again: long ones are shortened to their hash."""
    whole = f"{namespace}:{given.strip()}"
    if len(whole) <= MAX_EXTERNAL_ID:
        return whole
    return f"{namespace}:{hashlib.blake2b(given.strip().encode(), digest_size=20).hexdigest()}"


def as_json(values: dict[str, Any]) -> dict[str, Any]:
    """Values as they are kept and compared."""
    return {
        name: [list(pair) for pair in value] if name == "people" else plain(value)
        for name, value in values.items()
    }


def content_hash(row: Row, values: dict[str, Any]) -> str:
    """What the source says, in 32 characters: the same content gives the same hash."""
    series = row.series.title if row.series is not None else None
    said = [as_json(values), row.category, row.hints, row.extra, series]
    text = json.dumps(said, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    return hashlib.blake2b(text.encode(), digest_size=16).hexdigest()
