"""The only writer of categories."""

from collections.abc import Mapping
from typing import Any

from sqlalchemy import exists, select
from sqlalchemy.orm import Session

from catalog import audit
from catalog.actor import Actor
from catalog.categories.models import Category
from catalog.db import flush
from catalog.errors import Conflict, FieldError, NotFound, StaleRevision, ValidationFailed
from catalog.programs.models import Program
from catalog.text import has_control_characters, slugify

FIELDS = ("name_ar", "name_en", "sort_order", "is_active", "slug")
MAX_NAME = 120


def _validate(values: Mapping[str, Any]) -> None:
    errors = []
    for name, label in (("name_ar", "nameAr"), ("name_en", "nameEn")):
        if name in values:
            value = values[name]
            if (
                not isinstance(value, str)
                or not value.strip()
                or len(value) > MAX_NAME
                or has_control_characters(value)
            ):
                errors.append(
                    FieldError(label, "invalid", f"1 to {MAX_NAME} printable characters.")
                )
    if "slug" in values and not slugify(values["slug"]):
        errors.append(FieldError("slug", "invalid", "Needs a letter or a digit."))
    if "sort_order" in values and not -(2**31) <= values["sort_order"] < 2**31:
        errors.append(FieldError("sortOrder", "out_of_range", "Must fit in 32 bits."))
    if errors:
        raise ValidationFailed(errors)


def create(session: Session, values: Mapping[str, Any], actor: Actor) -> Category:
    """`values`: name_ar and name_en, optionally slug, sort_order, is_active."""
    _validate(values)
    category = Category(**{k: values[k] for k in FIELDS if k in values})
    category.slug = slugify(values.get("slug") or values["name_en"]) or slugify(values["name_ar"])
    session.add(category)
    flush(session, "Another category has this slug.", {"slug": "slug"})
    audit.record(
        session,
        actor,
        "category.create",
        "category",
        category.id,
        {"nameEn": [None, category.name_en]},
    )
    session.flush()
    return category


def edit(
    session: Session,
    category_id: int,
    values: Mapping[str, Any],
    actor: Actor,
    *,
    expected_rev: int | None = None,
) -> Category:
    """Change it; the trigger marks every program that shows its name."""
    category = session.get(Category, category_id, with_for_update=True, populate_existing=True)
    if category is None:
        raise NotFound("category", category_id)
    if expected_rev is not None and expected_rev != category.rev:
        raise StaleRevision(expected_rev, category.rev)
    _validate(values)
    diff = {}
    for name in FIELDS:
        if name in values:
            value = slugify(values[name]) if name == "slug" else values[name]
            if value != getattr(category, name):
                diff[name] = [getattr(category, name), value]
                setattr(category, name, value)
    if diff:
        flush(session, "Another category has this slug.", {"slug": "slug"})
        session.refresh(category)
        audit.record(session, actor, "category.edit", "category", category.id, diff)
        session.flush()
    return category


def delete(session: Session, category_id: int, actor: Actor) -> None:
    """Only an empty one. Raises Conflict while programs stand on it."""
    category = session.get(Category, category_id, with_for_update=True)
    if category is None:
        raise NotFound("category", category_id)
    if session.scalar(select(exists().where(Program.category_id == category_id))):
        raise Conflict("Programs still belong to this category.")
    session.delete(category)
    audit.record(
        session, actor, "category.delete", "category", category_id, {"slug": [category.slug, None]}
    )
    session.flush()
