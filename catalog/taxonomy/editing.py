"""How a category or a series is created, changed and deleted: locked, validated, audited.

Audit events name the fields as JSON does (camelCase). Triggers raise `rev` and mark the programs that show the
row. Functions flush; the caller commits.
"""

from collections.abc import Mapping, Sequence
from typing import TypeVar

from sqlalchemy import column, exists, select, table
from sqlalchemy.orm import Session

from catalog.core import audit, changes, fields
from catalog.core.actor import Actor
from catalog.core.base import entity_of
from catalog.core.db import flush, locked
from catalog.core.errors import Conflict, FieldError, ValidationFailed
from catalog.core.fields import camel
from catalog.review import pending
from catalog.taxonomy.models import Category, Series

Revised = TypeVar("Revised", Category, Series)

# Programs lie above the taxonomy: only the names of their columns are known here.
_PROGRAMS = table("programs", column("category_id"), column("series_id"))


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
    row.slug = fields.first_slug([row.slug] if row.slug else [getattr(row, title) for title in titles])
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


def change(
    session: Session, row: Revised, values: Mapping[str, object], actor: Actor, action: str = "edit"
) -> Revised:
    """Set the values that differ; without a difference nothing is written.

    Args:
        session: The transaction.
        row: The row, locked.
        values: Validated values by column name.
        actor: Who changes it.
        action: What the audit event calls the change.

    Raises:
        Conflict: Another row has the address.
    """
    entity = entity_of(type(row))
    diff = fields.assign(row, values)
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
    row = locked(session, model, row_id)
    entity = entity_of(model)
    if session.scalar(select(exists().where(_PROGRAMS.c[f"{entity}_id"] == row_id).select_from(_PROGRAMS))):
        raise Conflict(f"Programs still belong to this {entity}.")
    session.delete(row)
    pending.forget(session, entity, row_id)
    audit.record(session, actor, f"{entity}.delete", entity, row_id, {"slug": [row.slug, None]})
    session.flush()


def _flush(session: Session, entity: str) -> None:
    flush(session, f"Another {entity} has this slug.", {"slug": "slug"})
