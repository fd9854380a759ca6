"""Tags and people: rows that consist of a name. `joining` renames, merges and deletes them.

Two spellings that fold alike (قهوه, قهوة) are one row; it keeps the form that was written first.
"""

from collections.abc import Iterable, Sequence
from functools import lru_cache
from typing import TypeVar

from sqlalchemy import ColumnElement, func, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from catalog.core import audit
from catalog.core.actor import Actor
from catalog.core.base import entity_of
from catalog.core.db import flush
from catalog.core.errors import Conflict, FieldError
from catalog.core.fields import require_valid
from catalog.core.text import fold, has_control_characters, has_visible_characters, slugify
from catalog.taxonomy.models import FormerSlug, Person, Tag

Named = TypeVar("Named", Tag, Person)
MAX_NAME = 120
# How often a row is created that others delete meanwhile.
_TRIES = 3


# The cache is for imports, which have the same few people on every row.
@lru_cache(maxsize=4096)
def key(name: str) -> str:
    """Return the slug of a name: equal for all spellings of a tag or person, "" without a letter or digit."""
    return slugify(fold(clean(name)))


def clean(name: str) -> str:
    """Return a name without blanks around it, and with one between its words."""
    return " ".join(name.split())


def get_or_create(session: Session, model: type[Named], names: Iterable[str]) -> dict[str, Named]:
    """Return the rows for these names by the keys of the names, in the given order; missing rows are created.

    A name that a row had, or that was merged into it, means that row: so what was merged does not come back from a page that
    was opened before. The rows cannot be deleted, merged or renamed before the transaction ends.

    Args:
        session: The transaction.
        model: Tag or Person.
        names: As written; names without a letter or digit are skipped.

    Raises:
        Conflict: Others deleted a row as often as it was created.
    """
    wanted: dict[str, str] = {}
    for name in names:
        if slug := key(name):
            wanted.setdefault(slug, clean(name))
    found: dict[str, Named] = {}
    # Sorted: two transactions that create the same names do not deadlock.
    for _ in range(_TRIES):
        missing = sorted(wanted.keys() - found.keys())
        found |= _by_slug(session, model, missing) if missing else {}
        missing = sorted(wanted.keys() - found.keys())
        found |= _by_former_slug(session, model, missing) if missing else {}
        missing = sorted(wanted.keys() - found.keys())
        if not missing:
            return {slug: found[slug] for slug in wanted}
        rows = [{"slug": slug, "name": wanted[slug]} for slug in missing]
        session.execute(insert(model).values(rows).on_conflict_do_nothing(index_elements=["slug"]))
    raise Conflict(f"Each {entity_of(model)} is being changed by others. Try again.")


def _by_slug(session: Session, model: type[Named], slugs: Sequence[str]) -> dict[str, Named]:
    return {row.slug: row for row in _kept(session, model, model.slug == func.any(slugs))}


def _by_former_slug(session: Session, model: type[Named], slugs: Sequence[str]) -> dict[str, Named]:
    """Return the rows that had the slugs, or that rows with them were merged into."""
    of_kind = select(FormerSlug.slug, FormerSlug.row_id).where(FormerSlug.kind == entity_of(model))
    found = session.execute(of_kind.where(FormerSlug.slug == func.any(slugs)))
    led = {row.slug: row.row_id for row in found}
    if not led:
        return {}
    rows = {row.id: row for row in _kept(session, model, model.id == func.any(sorted(led.values())))}
    return {slug: rows[row_id] for slug, row_id in led.items() if row_id in rows}


def _kept(session: Session, model: type[Named], condition: ColumnElement[bool]) -> Sequence[Named]:
    """Return rows that nobody can delete or rename before the transaction ends: locked in the order of their ids."""
    rows = select(model).where(condition).order_by(model.id).with_for_update(read=True, key_share=True)
    return session.scalars(rows, execution_options={"populate_existing": True}).all()


def check_names(field: str, names: Sequence[str], limit: int) -> list[FieldError]:
    """Return what is wrong with a list of names.

    Args:
        field: The JSON field that has the list.
        names: As written.
        limit: How many names are allowed.
    """
    errors = []
    if len(names) > limit:
        errors.append(FieldError(field, "too_many", f"At most {limit}."))
    for name in names:
        if not has_visible_characters(name) or len(name) > MAX_NAME or has_control_characters(name):
            errors.append(FieldError(field, "invalid", f"Each is 1 to {MAX_NAME} printable characters."))
            break
        if not key(name):
            errors.append(FieldError(field, "invalid", f"{name!r} has no letter or digit."))
            break
    return errors


def create(session: Session, model: type[Named], name: str, actor: Actor) -> Named:
    """Create a tag or a person that no program has yet.

    Args:
        session: The transaction.
        model: Tag or Person.
        name: Its name.
        actor: Who creates it.

    Raises:
        ValidationFailed: The name is wrong.
        Conflict: There is a row of this name in another spelling.
    """
    entity = entity_of(model)
    require_valid(check_names("name", [name], 1))
    require_free(session, model, key(name))
    row = model(slug=key(name), name=clean(name))
    session.add(row)
    flush(session, f"There is a {entity} of this name.", {"slug": "name"})
    audit.record(session, actor, f"{entity}.create", entity, row.id, {"name": [None, row.name]})
    session.flush()
    return row


def require_free(session: Session, model: type[Named], slug: str, row_id: int | None = None) -> None:
    """Check that no other row has the slug.

    Args:
        session: Reads.
        model: Tag or Person.
        slug: The key of a name.
        row_id: The row that may have it.

    Raises:
        Conflict: Another row is a spelling of the same name.
    """
    other = session.scalar(select(model).where(model.slug == slug))
    if other is not None and other.id != row_id:
        raise Conflict(f"{other.name!r} is the same {entity_of(model)}.", field="name")
