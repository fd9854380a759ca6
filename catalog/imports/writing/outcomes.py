"""What became of a row, as the run's list of items will say it."""

from collections.abc import Sequence

from catalog.core.errors import CatalogError, FieldError, ValidationFailed
from catalog.imports.items import NewItem
from catalog.imports.models import StoredFieldError
from catalog.imports.writing.rows import Row

_MAX_TITLE, _MAX_ID, _MAX_DETAIL, _MAX_MESSAGE = 300, 500, 1000, 300


def item(
    row: Row, outcome: str, program_id: int | None = None, *, code: str = "", detail: str = ""
) -> NewItem:
    """Return the item of a row. What is remarkable about the row is said unless a code is given.

    Args:
        row: The row.
        outcome: One of `models.OUTCOMES`.
        program_id: The program, if there is one.
        code: Why, for programs; "" without a reason.
        detail: The same for people.
    """
    if row.note is not None and not code and outcome not in ("skipped", "failed"):
        code, detail = row.note
    title = row.title
    if not title.isprintable():
        title = "".join(c for c in title if c.isprintable())
    external_id = (row.external_id or "").replace("\0", "")[:_MAX_ID] or None
    return NewItem(
        row.position, external_id, title[:_MAX_TITLE], outcome, code or None, detail or None, program_id
    )


def failed(row: Row, errors: Sequence[FieldError], code: str) -> NewItem:
    """Return the item of a row that cannot be a program.

    Args:
        row: The row.
        errors: What is wrong with it.
        code: The same in one word.
    """
    shown: list[StoredFieldError] = [
        {"field": e.field, "code": e.code, "message": e.message[:_MAX_MESSAGE]} for e in errors
    ]
    detail = "; ".join(f"{e['field']}: {e['message']}" for e in shown)[:_MAX_DETAIL]
    found = item(row, "failed", code=code, detail=detail)
    found.errors = shown
    return found


def refused(row: Row, error: CatalogError) -> NewItem:
    """Return the item of a row that the catalogue has refused."""
    if isinstance(error, ValidationFailed):
        return failed(row, error.errors, error.code)
    return failed(row, [FieldError(error.field or "", error.code, error.detail)], error.code)
