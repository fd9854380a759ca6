"""Checked parameters as a query string, for links to other pages of a list. Pure functions.

Requests with one cache key give the same text, however their addresses were spelled: so a shared answer has links that are
right for all of them.
"""

from collections.abc import Iterable, Sequence
from dataclasses import fields
from datetime import datetime, timedelta
from urllib.parse import quote

from api.discovery.narrowing.filters import Filters
from catalog.core.fields import camel

Pair = tuple[str, str]
_EPOCH = datetime(1970, 1, 1)  # noqa: DTZ001  (what is written has the offset)
# The first and the last second of the calendar.
_FIRST, _LAST = -62_135_596_800, 253_402_300_799
_TIMES = ("released_after", "released_before")
# Hours from UTC: a day that begins or ends the calendar lies beyond it in UTC.
_OFFSETS = (0, 23, -23)


def query(pairs: Iterable[Pair]) -> str:
    """Return parameters as a query string, in their order."""
    return "&".join(f"{name}={quote(value, safe='')}" for name, value in pairs)


def values(name: str, found: Sequence[str | int]) -> list[Pair]:
    """Return a parameter that may have several values, once for each. A comma in a value gets a backslash."""
    return [(name, str(value).replace(",", "\\,")) for value in found]


def filters(found: Filters) -> list[Pair]:
    """Return the filters that are set. Days are written as the moments that they stand for."""
    pairs: list[Pair] = []
    for field in fields(found):
        name, value = camel(field.name), getattr(found, field.name)
        if isinstance(value, tuple):
            pairs += values(name, value)
        elif field.name in _TIMES and value is not None:
            pairs.append((name, _moment(value)))
        elif value is not None:
            pairs.append((name, str(value).lower()))
    return pairs


def _moment(seconds: int) -> str:
    """Return Unix seconds in the format ISO 8601, in an offset in which they have a date."""
    offset = next(hours for hours in _OFFSETS if _FIRST <= seconds + hours * 3600 <= _LAST)
    shown = (_EPOCH + timedelta(seconds=seconds + offset * 3600)).isoformat()
    return f"{shown}{offset:+03}:00" if offset else f"{shown}Z"
