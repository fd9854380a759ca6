"""The only writer of series."""

from collections.abc import Mapping
from typing import Any

from sqlalchemy import exists, select
from sqlalchemy.orm import Session

from catalog import audit
from catalog.actor import Actor
from catalog.categories.models import Category
from catalog.db import flush
from catalog.errors import Conflict, FieldError, NotFound, StaleRevision, ValidationFailed
from catalog.programs.data import camel, validate
from catalog.programs.models import Program
from catalog.series.models import Series
from catalog.text import slugify

FIELDS = ("title", "description", "language", "thumbnail_url", "category_id", "slug")


def _validate(session: Session, values: Mapping[str, Any], *, creating: bool) -> None:
    # The same rules as a program's fields of the same names.
    validate({name: values[name] for name in FIELDS if name in values}, creating=False)
    missing = [name for name in ("title", "language") if creating and name not in values]
    errors = [FieldError(camel(name), "required", "Must be given.") for name in missing]
    category = values.get("category_id")
    if category is not None and session.get(Category, category) is None:
        errors.append(FieldError("categoryId", "not_found", "No such category."))
    if errors:
        raise ValidationFailed(errors)


def create(session: Session, values: Mapping[str, Any], actor: Actor) -> Series:
    """`values`: title and language, optionally the other fields."""
    _validate(session, values, creating=True)
    series = Series(**{k: values[k] for k in FIELDS if k in values})
    series.slug = slugify(values.get("slug") or values["title"])
    session.add(series)
    flush(session, "Another series has this slug.", {"slug": "slug"})
    audit.record(
        session, actor, "series.create", "series", series.id, {"title": [None, series.title]}
    )
    session.flush()
    return series


def edit(
    session: Session,
    series_id: int,
    values: Mapping[str, Any],
    actor: Actor,
    *,
    expected_rev: int | None = None,
) -> Series:
    """Change it; the trigger marks every program that shows its title."""
    series = session.get(Series, series_id, with_for_update=True, populate_existing=True)
    if series is None:
        raise NotFound("series", series_id)
    if expected_rev is not None and expected_rev != series.rev:
        raise StaleRevision(expected_rev, series.rev)
    _validate(session, values, creating=False)
    diff = {}
    for name in FIELDS:
        if name in values:
            value = slugify(values[name]) if name == "slug" else values[name]
            if value != getattr(series, name):
                diff[camel(name)] = [getattr(series, name), value]
                setattr(series, name, value)
    if diff:
        flush(session, "Another series has this slug.", {"slug": "slug"})
        session.refresh(series)
        audit.record(session, actor, "series.edit", "series", series.id, diff)
        session.flush()
    return series


def delete(session: Session, series_id: int, actor: Actor) -> None:
    """Only an empty one. Raises Conflict while programs belong to it."""
    series = session.get(Series, series_id, with_for_update=True)
    if series is None:
        raise NotFound("series", series_id)
    if session.scalar(select(exists().where(Program.series_id == series_id))):
        raise Conflict("Programs still belong to this series.")
    session.delete(series)
    audit.record(
        session, actor, "series.delete", "series", series_id, {"slug": [series.slug, None]}
    )
    session.flush()
