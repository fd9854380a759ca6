"""What an editor may say about a program, and what is wrong with it."""

import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit

from catalog.errors import FieldError, ValidationFailed
from catalog.programs.models import KINDS, MEDIA_TYPES
from catalog.text import has_control_characters
from catalog.vocabulary.lifecycle import check_names
from catalog.vocabulary.models import PERSON_ROLES

MAX_TITLE, MAX_DESCRIPTION, MAX_URL = 300, 20_000, 2_000
MAX_TAGS, MAX_PEOPLE = 50, 100
MAX_DURATION = 60 * 60 * 24 * 7
REQUIRED = ("title", "language", "media_type", "kind")
# BCP 47 as far as a catalogue needs it: language, optional script, optional region.
_LANGUAGE = re.compile(r"[a-z]{2,3}(-[A-Z][a-z]{3})?(-([A-Z]{2}|[0-9]{3}))?")

# Columns an editor may set, in the order they are shown. `tags` and `people` are kept apart.
COLUMNS = (
    "title", "description", "language", "media_type", "kind", "duration_sec", "release_date",
    "media_url", "thumbnail_url", "category_id", "series_id", "season", "episode",
    "is_featured", "is_explicit", "expire_at", "locked_fields",
)  # fmt: skip
FIELDS = (*COLUMNS, "slug", "tags", "people")


def camel(name: str) -> str:
    """`duration_sec` as JSON says it: `durationSec`."""
    head, *rest = name.split("_")
    return head + "".join(part.capitalize() for part in rest)


def _text(name: str, value: Any, limit: int, *, required: bool) -> list[FieldError]:
    if value is None and not required:
        return []
    if not isinstance(value, str):
        return [FieldError(camel(name), "wrong_type", "Must be text.")]
    if required and not value.strip():
        return [FieldError(camel(name), "required", "Must not be empty.")]
    if len(value) > limit:
        return [FieldError(camel(name), "too_long", f"At most {limit} characters.")]
    if has_control_characters(value):
        return [FieldError(camel(name), "invalid", "Contains control characters.")]
    return []


def _url(name: str, value: Any) -> list[FieldError]:
    errors = _text(name, value, MAX_URL, required=False)
    if errors or value is None:
        return errors
    try:
        parts = urlsplit(value)
        valid = parts.scheme in ("http", "https") and bool(parts.hostname) and " " not in value
    except ValueError:
        valid = False
    return [] if valid else [FieldError(camel(name), "invalid", "Must be an http(s) address.")]


def _number(name: str, value: Any, low: int, high: int) -> list[FieldError]:
    if value is None:
        return []
    if isinstance(value, bool) or not isinstance(value, int):
        return [FieldError(camel(name), "wrong_type", "Must be a whole number.")]
    if not low <= value <= high:
        return [FieldError(camel(name), "out_of_range", f"Must be from {low} to {high}.")]
    return []


def _one_of(name: str, value: Any, allowed: tuple[str, ...]) -> list[FieldError]:
    if value in allowed:
        return []
    return [FieldError(camel(name), "invalid", f"Must be one of {', '.join(allowed)}.")]


def _moment(name: str, value: Any) -> list[FieldError]:
    if value is None or (isinstance(value, datetime) and value.tzinfo is not None):
        return []
    return [FieldError(camel(name), "wrong_type", "Must be a date and time with its offset.")]


def _check(name: str, value: Any) -> list[FieldError]:
    match name:
        case "title":
            return _text(name, value, MAX_TITLE, required=True)
        case "description":
            return _text(name, value if value is not None else 0, MAX_DESCRIPTION, required=False)
        case "slug":
            return _text(name, value, 120, required=True)
        case "language":
            if isinstance(value, str) and _LANGUAGE.fullmatch(value):
                return []
            return [FieldError(name, "invalid", "Must be a language tag such as ar or en-GB.")]
        case "media_type":
            return _one_of(name, value, MEDIA_TYPES)
        case "kind":
            return _one_of(name, value, KINDS)
        case "duration_sec":
            return _number(name, value, 0, MAX_DURATION)
        case "season" | "episode":
            return _number(name, value, 0, 100_000)
        case "category_id" | "series_id":
            return _number(name, value, 1, 2**63 - 1)
        case "release_date" | "expire_at":
            return _moment(name, value)
        case "media_url" | "thumbnail_url":
            return _url(name, value)
        case "is_featured" | "is_explicit":
            return (
                []
                if isinstance(value, bool)
                else [FieldError(camel(name), "wrong_type", "Must be true or false.")]
            )
        case "locked_fields":
            unknown = [f for f in value or () if f not in {camel(c) for c in FIELDS}]
            return (
                [FieldError("lockedFields", "invalid", f"Unknown: {', '.join(unknown)}.")]
                if unknown
                else []
            )
        case "tags":
            return check_names(name, value, MAX_TAGS)
        case "people":
            wrong = [r for r, _ in value if r not in PERSON_ROLES]
            if wrong:
                return [
                    FieldError(name, "invalid", f"Role must be one of {', '.join(PERSON_ROLES)}.")
                ]
            return check_names(name, [n for _, n in value], MAX_PEOPLE)
    return [FieldError(camel(name), "unknown", "No such field.")]


def validate(values: Mapping[str, Any], *, creating: bool) -> None:
    """Raise ValidationFailed naming every wrong field.

    `values` uses column names; `tags` is a list of names, `people` a list of (role, name).
    """
    errors = [error for name, value in values.items() for error in _check(name, value)]
    if creating:
        errors += [
            FieldError(camel(name), "required", "Must be given.")
            for name in REQUIRED
            if name not in values
        ]
    if errors:
        raise ValidationFailed(errors)
