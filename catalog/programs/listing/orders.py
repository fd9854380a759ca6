"""What editors may sort lists by. A value that is missing lies below every other one, and ids decide between equal ones.

So both directions are one index read forwards or backwards, and a page begins behind a row by one comparison of both
values together.
"""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, UnaryExpression, func, literal, literal_column, tuple_
from sqlalchemy.orm import InstrumentedAttribute

from catalog.programs.fallback.conditions import Condition
from catalog.programs.models import Program

# Letters of a title that decide its place.
TITLE_LETTERS = 60
# Below every moment: what has none.
NEVER: ColumnElement[datetime] = literal_column("'-infinity'::timestamptz")
Key = (
    ColumnElement[datetime]
    | ColumnElement[int]
    | ColumnElement[str]
    | InstrumentedAttribute[datetime]
    | InstrumentedAttribute[datetime | None]
    | InstrumentedAttribute[int]
    | InstrumentedAttribute[str]
)
Sorted = (
    UnaryExpression[datetime] | UnaryExpression[datetime | None] | UnaryExpression[int] | UnaryExpression[str]
)
# A value as a cursor has it; a moment in ISO 8601.
Value = str | int | None


def _moment(column: InstrumentedAttribute[datetime | None]) -> ColumnElement[datetime]:
    return func.coalesce(column, NEVER)


def _folded(title: InstrumentedAttribute[str] | ColumnElement[str]) -> ColumnElement[str]:
    return func.catalog_fold(func.left(title, literal_column(str(TITLE_LETTERS))))


RELEASED, PUBLISHED = _moment(Program.release_date), _moment(Program.published_at)
# Order -> what decides it.
KEYS: dict[str, Key] = {
    "updatedAt": Program.updated_at,
    "createdAt": Program.created_at,
    "id": Program.id,
    "title": _folded(Program.title),
    "releaseDate": RELEASED,
    "publishedAt": PUBLISHED,
    "scheduledPublishAt": _moment(Program.scheduled_publish_at),
    "expireAt": _moment(Program.expire_at),
    "viewCount": Program.view_count,
    "durationSec": func.coalesce(Program.duration_sec, literal_column("-1")),
    "status": Program.status,
    "kind": Program.kind,
    "mediaType": Program.media_type,
    "language": Program.language,
}
# Orders whose column most programs have no value in: what is planned and what expires is found and ordered by one index.
_COLUMNS_OF_MOMENTS: dict[str, Key] = {
    "scheduledPublishAt": Program.scheduled_publish_at,
    "expireAt": Program.expire_at,
}
SORTS = tuple(sign + name for name in KEYS for sign in ("-", ""))
# Orders of deleted programs besides: each has a value, so that no other is needed in its place.
KEYS["deletedAt"] = Program.deleted_at
TRASH_SORTS = ("-deletedAt", "deletedAt", *SORTS)
# The column of each order, whose value a cursor has.
COLUMNS = {
    name: "".join(f"_{letter.lower()}" if letter.isupper() else letter for letter in name) for name in KEYS
}


@dataclass(frozen=True, slots=True)
class Place:
    """The row that a page begins behind: its value in the order, and its id."""

    value: Value
    id: int


def _key(sort: str, *, valued: bool) -> Key:
    """Return what decides an order. A plain column has an index that finds the rows, too."""
    name = sort.removeprefix("-")
    return _COLUMNS_OF_MOMENTS[name] if valued and name in _COLUMNS_OF_MOMENTS else KEYS[name]


def ordered(sort: str, *, valued: bool = False) -> tuple[Sorted, UnaryExpression[int]]:
    """Return by what rows are ordered.

    Args:
        sort: An element of `SORTS`.
        valued: Every row has a value in this order.
    """
    key = _key(sort, valued=valued)
    if sort.startswith("-"):
        return key.desc(), Program.id.desc()
    return key.asc(), Program.id.asc()


def follows(sort: str, after: Place, *, valued: bool = False) -> Condition:
    """Return the condition that a row comes behind another one.

    Args:
        sort: An element of `SORTS`.
        after: The other row.
        valued: Every row has a value in this order.
    """
    name = sort.removeprefix("-")
    key = _key(sort, valued=valued)
    row, last = tuple_(key, Program.id), tuple_(_bound(name, after.value), literal(after.id))
    return row < last if sort.startswith("-") else row > last


def _bound(name: str, value: Value) -> ColumnElement[datetime] | ColumnElement[int] | ColumnElement[str]:
    if value is None:
        return literal_column("-1") if name == "durationSec" else NEVER
    if not isinstance(value, str):
        return literal(value)
    if name == "title":
        return _folded(literal(value))
    return literal(datetime.fromisoformat(value)) if name.endswith(("At", "Date")) else literal(value)
