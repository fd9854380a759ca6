"""How values are written in inputs of a form: names, numbers, durations, dates and times."""

import re
from collections.abc import Iterable
from datetime import UTC, datetime
from functools import cache
from zoneinfo import ZoneInfo, available_timezones

from catalog.core.text import has_visible_characters

DEFAULT_ZONE = "Asia/Riyadh"
# As in CSV: a name in quotation marks may have separators, and quotation marks that are written twice.
_NAME = re.compile(r'\s*"((?:[^"]|"")*)"\s*(?=[,،\n]|$)|[^,،\n]+')
_NEEDS_MARKS = re.compile(r'^\s*"|[,،\n]')
_CLOCK = re.compile(r"(?:(\d{1,4}):)?(\d{1,3}):(\d{2})")
# What inputs for a date and a time send.
_MOMENT = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}(?::[0-9]{2})?")
_MINUTE, _HOUR = 60, 3600
_LONGEST_NUMBER = 12


def joined(names: Iterable[str], separator: str) -> str:
    """Return names as one text. A name with a separator in it is in quotation marks."""
    return separator.join(
        '"' + name.replace('"', '""') + '"' if _NEEDS_MARKS.search(name) else name for name in names
    )


def names(text: str) -> list[str]:
    """Return the names in a text: Latin or Arabic commas and ends of lines are between them."""
    found = (
        match[1].replace('""', '"') if match[1] is not None else match[0] for match in _NAME.finditer(text)
    )
    return [name.strip() for name in found if has_visible_characters(name)]


def number(text: str) -> int | None:
    """Return a whole number in the digits of any script; None for a blank.

    Raises:
        ValueError: The text is no whole number.
    """
    plain = text.strip()
    if not plain:
        return None
    if not plain.isdecimal() or len(plain) > _LONGEST_NUMBER:
        raise ValueError(plain)
    return int(plain)


def clock(seconds: object) -> str:
    """Return a number of seconds as hours, minutes and seconds; nothing for None."""
    if not isinstance(seconds, int):
        return ""
    hours, rest = divmod(seconds, _HOUR)
    minutes, rest = divmod(rest, _MINUTE)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"


def seconds(text: str) -> int | None:
    """Return the seconds of a clock such as 1:02:03 or 57:41; None for a blank.

    Raises:
        ValueError: The text is no clock.
    """
    plain = text.strip()
    if not plain:
        return None
    found = _CLOCK.fullmatch(plain)
    if found is None or int(found[3]) >= _MINUTE:
        raise ValueError(plain)
    return int(found[1] or 0) * _HOUR + int(found[2]) * _MINUTE + int(found[3])


@cache  # reads a list of files
def _zones() -> frozenset[str]:
    return frozenset(available_timezones())


def zone(name: str) -> ZoneInfo:
    """Return a time zone.

    Raises:
        ValueError: There is no such time zone.
    """
    if name not in _zones():
        raise ValueError(name)
    return ZoneInfo(name)


def local(moment: object, place: ZoneInfo) -> str:
    """Return a moment in ISO 8601 as the clocks of a time zone show it; nothing for None."""
    if not isinstance(moment, str):
        return ""
    shown = datetime.fromisoformat(moment).astimezone(place).replace(tzinfo=None, microsecond=0)
    return shown.isoformat(timespec="seconds" if shown.second else "minutes")


def moment(text: str, place: ZoneInfo) -> str | None:
    """Return what clocks of a time zone show as a moment in ISO 8601; None for a blank.

    Raises:
        ValueError: The text is no date and time, or the clocks there skip it.
    """
    plain = text.strip()
    if not plain:
        return None
    if not _MOMENT.fullmatch(plain):
        raise ValueError(plain)
    found = datetime.fromisoformat(plain)
    try:
        at = found.replace(tzinfo=place).astimezone(UTC)
        shown = at.astimezone(place).replace(tzinfo=None)
    except OverflowError:
        raise ValueError(plain) from None
    if shown != found:
        raise ValueError(plain)
    return at.isoformat()
