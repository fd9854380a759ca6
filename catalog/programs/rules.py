"""Which fields of a program an editor or an import may set, and what each may contain."""

from collections.abc import Mapping
from datetime import datetime
from typing import Literal, TypedDict, cast, overload

from catalog.core import fields
from catalog.core.errors import FieldError
from catalog.core.fields import camel
from catalog.core.text import MAX_SLUG
from catalog.programs.models import KINDS, MEDIA_TYPES
from catalog.taxonomy.models import PERSON_ROLES
from catalog.taxonomy.names import check_names

MAX_TITLE, MAX_DESCRIPTION, MAX_URL = 300, 20_000, fields.MAX_URL
MAX_TAGS, MAX_PEOPLE = 50, 100
# A week, in seconds.
MAX_DURATION = 60 * 60 * 24 * 7
REQUIRED = ("title", "language", "media_type", "kind")


class _OptionalValues(TypedDict, total=False):
    """The fields that a new program may lack; `tags` are names, `people` (role, name) pairs."""

    description: str
    duration_sec: int | None
    release_date: datetime | None
    media_url: str | None
    thumbnail_url: str | None
    category_id: int | None
    series_id: int | None
    season: int | None
    episode: int | None
    is_featured: bool
    is_explicit: bool
    expire_at: datetime | None
    locked_fields: list[str]
    slug: str
    tags: list[str]
    people: list[tuple[str, str]]


class ProgramValues(_OptionalValues, total=False):
    """Validated values of some fields of a program, by column name."""

    title: str
    language: str
    media_type: str
    kind: str


class NewProgramValues(_OptionalValues):
    """Validated values of a program to be created, by column name. The fields of REQUIRED are among them."""

    title: str
    language: str
    media_type: str
    kind: str


def _locked_fields(name: str, value: object) -> list[FieldError]:
    names = value if isinstance(value, list) else [value]
    unknown = [str(field) for field in names if field not in _JSON_FIELDS]
    return [FieldError(camel(name), "invalid", f"Unknown: {', '.join(unknown)}.")] if unknown else []


def _tags(name: str, value: object) -> list[FieldError]:
    if not isinstance(value, list | tuple) or not all(isinstance(tag, str) for tag in value):
        return [FieldError(name, "wrong_type", "Must be a list of names.")]
    return check_names(name, value, MAX_TAGS)


def _people(name: str, value: object) -> list[FieldError]:
    if not isinstance(value, list | tuple) or not all(_is_credit(pair) for pair in value):
        return [FieldError(name, "wrong_type", "Must be a list of roles and names.")]
    if any(role not in PERSON_ROLES for role, _ in value):
        return [FieldError(name, "invalid", f"Role must be one of {', '.join(PERSON_ROLES)}.")]
    return check_names(name, [who for _, who in value], MAX_PEOPLE)


def _is_credit(pair: object) -> bool:
    return isinstance(pair, list | tuple) and len(pair) == 2 and all(isinstance(part, str) for part in pair)


_CHECKS: dict[str, fields.Check] = {
    "title": fields.text(MAX_TITLE, required=True),
    "description": fields.text(MAX_DESCRIPTION, nullable=False),
    "language": fields.language,
    "media_type": fields.one_of(MEDIA_TYPES),
    "kind": fields.one_of(KINDS),
    "duration_sec": fields.whole_number(0, MAX_DURATION),
    "release_date": fields.moment,
    "media_url": fields.url,
    "thumbnail_url": fields.url,
    "category_id": fields.row_id,
    "series_id": fields.row_id,
    "season": fields.whole_number(0, 100_000),
    "episode": fields.whole_number(0, 100_000),
    "is_featured": fields.flag,
    "is_explicit": fields.flag,
    "expire_at": fields.moment,
    "locked_fields": _locked_fields,
    # An address without a letter or digit is refused by `slugs`, which knows the other addresses.
    "slug": fields.text(MAX_SLUG, required=True),
    "tags": _tags,
    "people": _people,
}
# In the order in which editors see them.
FIELDS = tuple(_CHECKS)
# The fields that are columns of their own.
COLUMNS = tuple(name for name in FIELDS if name not in ("slug", "tags", "people"))
_JSON_FIELDS = {camel(name) for name in FIELDS}


@overload
def validate(values: Mapping[str, object], *, creating: Literal[True]) -> NewProgramValues: ...
@overload
def validate(values: Mapping[str, object], *, creating: Literal[False]) -> ProgramValues: ...


def validate(values: Mapping[str, object], *, creating: bool) -> ProgramValues | NewProgramValues:
    """Return the values, checked.

    Args:
        values: Values of any type by column name; `tags` and `people` as in ProgramValues.
        creating: The fields that a new program needs must be among the values.

    Raises:
        ValidationFailed: Names every wrong or missing field.
    """
    fields.require_valid(fields.errors_of(values, _CHECKS, REQUIRED if creating else ()))
    # Every value has passed the check of its name, and no required field is missing: what the types say.
    return cast("NewProgramValues", dict(values)) if creating else cast("ProgramValues", dict(values))
