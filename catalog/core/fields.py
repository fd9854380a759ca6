"""Checks of single values, shared by programs, categories, series and imports.

Each check takes a column's name and a value of any type, and returns what is wrong with it: an empty list or
one FieldError, which names the field as JSON does.
"""

import re
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from functools import lru_cache
from urllib.parse import urlsplit

from catalog.core.errors import FieldError, ValidationFailed
from catalog.core.text import MAX_SLUG, has_control_characters, has_visible_characters, slugify

MAX_URL = 2_000
MAX_ID = 2**63 - 1
_FIRST_DAY, _LAST_DAY = datetime(1, 1, 2), datetime(9999, 12, 30)  # noqa: DTZ001  (compared with naive ones)
# BCP 47 (RFC 5646) as far as a catalogue needs it: language, optional script, optional region.
_LANGUAGE = re.compile(r"[a-z]{2,3}(-[A-Z][a-z]{3})?(-([A-Z]{2}|[0-9]{3}))?")

Check = Callable[[str, object], list[FieldError]]


# As many as there are names of columns, and no stranger's word among them.
@lru_cache(maxsize=1024)
def camel(name: str) -> str:
    """Return a column's name as JSON has it: `duration_sec` -> `durationSec`."""
    head, *rest = name.split("_")
    return head + "".join(part.capitalize() for part in rest)


def _wrong(name: str, code: str, message: str) -> list[FieldError]:
    return [FieldError(camel(name), code, message)]


def text(limit: int, *, required: bool = False, nullable: bool = True) -> Check:
    """Return a check for text.

    Args:
        limit: The largest number of characters.
        required: Refuse None and blank text.
        nullable: Accept None, unless `required`.
    """

    def check(name: str, value: object) -> list[FieldError]:
        if value is None and nullable and not required:
            return []
        if not isinstance(value, str):
            return _wrong(name, "wrong_type", "Must be text.")
        if required and not has_visible_characters(value):
            return _wrong(name, "required", "Must not be empty.")
        if len(value) > limit:
            return _wrong(name, "too_long", f"At most {limit} characters.")
        if has_control_characters(value):
            return _wrong(name, "invalid", "Contains control characters.")
        return []

    return check


_URL_TEXT = text(MAX_URL)
_SLUG_TEXT = text(MAX_SLUG, required=True)


def url(name: str, value: object) -> list[FieldError]:
    """Check an http(s) address, or None."""
    errors = _URL_TEXT(name, value)
    if errors or not isinstance(value, str):
        return errors
    try:
        parts = urlsplit(value)
        # A port beyond 65,535 raises. A name or password in an address would be shown to every listener.
        is_plain = parts.port != 0 and "@" not in parts.netloc and " " not in value
        valid = parts.scheme in ("http", "https") and bool(parts.hostname) and is_plain
    except ValueError:
        valid = False
    return [] if valid else _wrong(name, "invalid", "Must be an http(s) address.")


def slug(name: str, value: object) -> list[FieldError]:
    """Check text from which an address can be made."""
    errors = _SLUG_TEXT(name, value)
    if errors or (isinstance(value, str) and slugify(value)):
        return errors
    return _wrong(name, "invalid", "Needs a letter or a digit.")


def language(name: str, value: object) -> list[FieldError]:
    """Check a language tag."""
    if isinstance(value, str) and _LANGUAGE.fullmatch(value):
        return []
    return _wrong(name, "invalid", "Must be a language tag such as ar or en-GB.")


def whole_number(low: int, high: int, *, nullable: bool = True) -> Check:
    """Return a check for a whole number.

    Args:
        low: The smallest number that is accepted.
        high: The largest number that is accepted.
        nullable: Accept None too.
    """

    def check(name: str, value: object) -> list[FieldError]:
        if value is None and nullable:
            return []
        if isinstance(value, bool) or not isinstance(value, int):
            return _wrong(name, "wrong_type", "Must be a whole number.")
        if not low <= value <= high:
            return _wrong(name, "out_of_range", f"Must be from {low} to {high}.")
        return []

    return check


row_id = whole_number(1, MAX_ID)


def one_of(allowed: tuple[str, ...]) -> Check:
    """Return a check for one of the `allowed` words."""

    def check(name: str, value: object) -> list[FieldError]:
        if value in allowed:
            return []
        return _wrong(name, "invalid", f"Must be one of {', '.join(allowed)}.")

    return check


def moment(name: str, value: object) -> list[FieldError]:
    """Check a date and time with an offset, or None."""
    if value is None:
        return []
    if not isinstance(value, datetime) or value.tzinfo is None:
        return _wrong(name, "wrong_type", "Must be a date and time with its offset.")
    # It is shown in UTC and in the time zones of servers: a day from the ends of the calendar it is a date in all.
    if not _FIRST_DAY <= value.replace(tzinfo=None) <= _LAST_DAY:
        return _wrong(name, "out_of_range", "Must be a date from the year 1 to the year 9999.")
    return []


def flag(name: str, value: object) -> list[FieldError]:
    """Check true or false."""
    return [] if isinstance(value, bool) else _wrong(name, "wrong_type", "Must be true or false.")


def errors_of(
    values: Mapping[str, object], checks: Mapping[str, Check], required: Iterable[str] = ()
) -> list[FieldError]:
    """Return what is wrong with each value, and the required names that are missing.

    Args:
        values: Values by column name.
        checks: The check of each known column; other names are wrong.
        required: Names that must be among the values.
    """
    errors: list[FieldError] = []
    for name, value in values.items():
        check = checks.get(name)
        errors += check(name, value) if check else _wrong(name, "unknown", "No such field.")
    for name in required:
        if name not in values:
            errors += _wrong(name, "required", "Must be given.")
    return errors


def assign(row: object, values: Mapping[str, object]) -> dict[str, list[object]]:
    """Set the values that differ from the row's.

    Args:
        row: An entity.
        values: Validated values by column name; a slug gets its canonical form.

    Returns:
        What changed, as audit events have it: JSON field -> [before, after].
    """
    diff: dict[str, list[object]] = {}
    for name, new in values.items():
        value = slugify(str(new)) if name == "slug" else new
        before = getattr(row, name)
        if value != before:
            diff[camel(name)] = [_plain(before), _plain(value)]
            setattr(row, name, value)
    return diff


def _plain(value: object) -> object:
    return value.isoformat() if isinstance(value, datetime) else value


def first_slug(texts: Iterable[str]) -> str:
    """Return the slug of the first text that gives one; empty if none does."""
    return next((found for found in map(slugify, texts) if found), "")


def require_valid(errors: list[FieldError]) -> None:
    """Raise if there is an error.

    Raises:
        ValidationFailed: Names every error.
    """
    if errors:
        raise ValidationFailed(errors)
