"""Categories: their fields, and the only writes of their table."""

from collections.abc import Mapping

from sqlalchemy.orm import Session

from catalog.core import fields
from catalog.core.actor import Actor
from catalog.core.db import locked, require_revision
from catalog.taxonomy import editing
from catalog.taxonomy.models import Category

MAX_NAME = 120
_CHECKS: dict[str, fields.Check] = {
    "name_ar": fields.text(MAX_NAME, required=True),
    "name_en": fields.text(MAX_NAME, required=True),
    "slug": fields.slug,
    "sort_order": fields.whole_number(-(2**31), 2**31 - 1, nullable=False),
    "is_active": fields.flag,
}
FIELDS = tuple(_CHECKS)
_REQUIRED = ("name_ar", "name_en")


def create(session: Session, values: Mapping[str, object], actor: Actor) -> Category:
    """Create a category.

    Args:
        session: The transaction.
        values: `name_ar` and `name_en`, optionally `slug`, `sort_order` and `is_active`.
        actor: Who creates it.

    Raises:
        ValidationFailed: A value is wrong or missing.
        Conflict: Another category has the slug.
    """
    fields.require_valid(fields.errors_of(values, _CHECKS, _REQUIRED))
    return editing.create(session, Category(**values), ("name_en", "name_ar"), actor)


def edit(
    session: Session,
    category_id: int,
    values: Mapping[str, object],
    actor: Actor,
    *,
    expected_rev: int | None = None,
    action: str = "edit",
) -> Category:
    """Change a category; the trigger marks every program that shows its name.

    Args:
        session: The transaction.
        category_id: The category.
        values: The fields to change, by column name.
        actor: Who changes it.
        expected_rev: The revision that the caller has seen; None skips the check.
        action: What the audit event calls the change.

    Raises:
        NotFound: No such category.
        StaleRevision: The category has another revision.
        ValidationFailed: A value is wrong.
        Conflict: Another category has the slug.
    """
    category = locked(session, Category, category_id)
    require_revision(category.rev, expected_rev)
    fields.require_valid(fields.errors_of(values, _CHECKS))
    return editing.change(session, category, values, actor, action)


def delete(session: Session, category_id: int, actor: Actor) -> None:
    """Delete a category that no program refers to.

    Args:
        session: The transaction.
        category_id: The category.
        actor: Who deletes it.

    Raises:
        NotFound: No such category.
        Conflict: Programs still refer to it.
    """
    editing.delete(session, Category, category_id, actor)
