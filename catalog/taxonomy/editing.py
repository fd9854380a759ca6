"""How a category or a series is created, changed and deleted: locked, validated, audited.

Audit events name the fields as JSON does (camelCase). Triggers raise `rev` and mark the programs that show the
row. Functions flush; the caller commits.
"""

from collections.abc import Mapping, Sequence
from typing import TypeVar

from sqlalchemy import column, exists, select, table
from sqlalchemy.orm import Session

from catalog.core import audit, changes
from catalog.core.actor import Actor
from catalog.core.db import flush
from catalog.core.errors import Conflict, FieldError, NotFound, StaleRevision, ValidationFailed
from catalog.core.fields import camel
from catalog.core.text import slugify
from catalog.review import pending
from catalog.taxonomy.models import Category, Person, Series, Tag

Row = TypeVar("Row", Category, Series, Tag, Person)
Revised = TypeVar("Revised", Category, Series)

# Programs lie above the taxonomy: only the names of their columns are known here.
_PROGRAMS = table("programs", column("category_id"), column("series_id"))


def entity_of(model: type[Row]) -> str:
    """Return what audit events and messages call a row of the model: category, series, tag, person."""
    return model.__name__.lower()


def get(session: Session, model: type[Row], row_id: int) -> Row:
    """Return the row, locked until the transaction ends.

    Args:
        session: The transaction.
        model: The kind of row.
        row_id: The row's id.

    Raises:
        NotFound: No such row.
    """
    row = session.get(model, row_id, with_for_update=True, populate_existing=True)
    if row is None:
        raise NotFound(entity_of(model), row_id)
    return row


def create(session: Session, row: Revised, titles: Sequence[str], actor: Actor) -> Revised:
    """Insert a new row under an address of its own.

    Args:
        session: The transaction.
        row: The row, its values validated; without a `slug` it gets the first that its titles give.
        titles: Names of the columns that the address may be made of; the first is audited.
        actor: Who creates it.

    Raises:
        ValidationFailed: No title gives an address.
        Conflict: Another row has the address.
    """
    entity = entity_of(type(row))
    wanted = [row.slug] if row.slug else [getattr(row, title) for title in titles]
    row.slug = next((found for found in map(slugify, wanted) if found), "")
    if not row.slug:
        raise ValidationFailed([FieldError(camel(titles[0]), "invalid", "Needs a letter or a digit.")])
    session.add(row)
    _flush(session, entity)
    title = titles[0]
    audit.record(
        session, actor, f"{entity}.create", entity, row.id, {camel(title): [None, getattr(row, title)]}
    )
    session.flush()
    return row


def require_revision(row: Revised, expected_rev: int | None) -> None:
    """Check that the caller knows the row's current revision; None skips the check.

    Raises:
        StaleRevision: The row has another revision.
    """
    if expected_rev is not None and expected_rev != row.rev:
        raise StaleRevision(expected_rev, row.rev)


def change(
    session: Session, row: Revised, values: Mapping[str, object], actor: Actor, action: str = "edit"
) -> Revised:
    """Set the values that differ; without a difference nothing is written.

    Args:
        session: The transaction.
        row: The row, locked by `get`.
        values: Validated values by column name.
        actor: Who changes it.
        action: What the audit event calls the change.

    Raises:
        Conflict: Another row has the address.
    """
    entity = entity_of(type(row))
    diff = {}
    for name, new in values.items():
        value = slugify(str(new)) if name == "slug" else new
        before = getattr(row, name)
        if value != before:
            diff[camel(name)] = [before, value]
            setattr(row, name, value)
    if diff:
        _flush(session, entity)
        session.refresh(row)
        audit.record(session, actor, f"{entity}.{action}", entity, row.id, diff)
        session.flush()
        changes.note_taxonomy(session, changes.TaxonomyChange(entity, row.id, row.rev))
    return row


def delete(session: Session, model: type[Revised], row_id: int, actor: Actor) -> None:
    """Delete a row that no program refers to; programs that were deleted count as well.

    Args:
        session: The transaction.
        model: The kind of row.
        row_id: The row's id.
        actor: Who deletes it.

    Raises:
        NotFound: No such row.
        Conflict: Programs still refer to the row.
    """
    row = get(session, model, row_id)
    entity = entity_of(model)
    if session.scalar(select(exists().where(_PROGRAMS.c[f"{entity}_id"] == row_id).select_from(_PROGRAMS))):
        raise Conflict(f"Programs still belong to this {entity}.")
    session.delete(row)
    pending.forget(session, entity, row_id)
    audit.record(session, actor, f"{entity}.delete", entity, row_id, {"slug": [row.slug, None]})
    session.flush()


def _flush(session: Session, entity: str) -> None:
    flush(session, f"Another {entity} has this slug.", {"slug": "slug"})
