"""Series: their fields, and the only writes of their table."""

from collections.abc import Iterable, Mapping

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from catalog.core import fields
from catalog.core.actor import Actor
from catalog.core.db import locked, require_revision
from catalog.core.errors import FieldError
from catalog.taxonomy import editing
from catalog.taxonomy.models import Category, Series

MAX_TITLE, MAX_DESCRIPTION = 300, 20_000
_CHECKS: dict[str, fields.Check] = {
    "title": fields.text(MAX_TITLE, required=True),
    "description": fields.text(MAX_DESCRIPTION, nullable=False),
    "language": fields.language,
    "thumbnail_url": fields.url,
    "category_id": fields.row_id,
    "slug": fields.slug,
}
FIELDS = tuple(_CHECKS)
_REQUIRED = ("title", "language")


def _require_valid(session: Session, values: Mapping[str, object], required: Iterable[str] = ()) -> None:
    errors = fields.errors_of(values, _CHECKS, required)
    category_id = values.get("category_id")
    if not errors and category_id is not None and session.get(Category, category_id) is None:
        errors.append(FieldError("categoryId", "not_found", "No such category."))
    fields.require_valid(errors)


def titled(session: Session, title: str) -> list[Series]:
    """Return the series that have this title, however its letters are written (`catalog.core.text.fold`)."""
    same = func.catalog_fold(Series.title) == func.catalog_fold(title)
    return list(session.scalars(select(Series).where(same).order_by(Series.id)))


def create(session: Session, values: Mapping[str, object], actor: Actor) -> Series:
    """Create a series.

    Args:
        session: The transaction.
        values: `title` and `language`, optionally `description`, `thumbnail_url`, `category_id` and `slug`.
        actor: Who creates it.

    Raises:
        ValidationFailed: A value is wrong or missing, or the category does not exist.
        Conflict: Another series has the slug.
    """
    _require_valid(session, values, _REQUIRED)
    return editing.create(session, Series(**values), ("title",), actor)


def edit(
    session: Session,
    series_id: int,
    values: Mapping[str, object],
    actor: Actor,
    *,
    expected_rev: int | None = None,
    action: str = "edit",
) -> Series:
    """Change a series; the trigger marks every program that shows its title.

    Args:
        session: The transaction.
        series_id: The series.
        values: The fields to change, by column name.
        actor: Who changes it.
        expected_rev: The revision that the caller has seen; None skips the check.
        action: What the audit event calls the change.

    Raises:
        NotFound: No such series.
        StaleRevision: The series has another revision.
        ValidationFailed: A value is wrong, or the category does not exist.
        Conflict: Another series has the slug.
    """
    series = locked(session, Series, series_id)
    require_revision(series.rev, expected_rev)
    _require_valid(session, values)
    return editing.change(session, series, values, actor, action)


def delete(session: Session, series_id: int, actor: Actor) -> None:
    """Delete a series that no program refers to.

    Args:
        session: The transaction.
        series_id: The series.
        actor: Who deletes it.

    Raises:
        NotFound: No such series.
        Conflict: Programs still refer to it.
    """
    editing.delete(session, Series, series_id, actor)
