"""Tags and people: rows that consist of a name. `joining` merges and deletes them.

Two spellings that fold alike (قهوه, قهوة) are one row; it keeps the form that was written first.
"""

from collections.abc import Iterable, Sequence
from functools import lru_cache
from typing import TypeVar

from sqlalchemy import func, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from catalog.core import audit
from catalog.core.actor import Actor
from catalog.core.base import entity_of
from catalog.core.db import flush, locked
from catalog.core.errors import Conflict, FieldError
from catalog.core.fields import require_valid
from catalog.core.text import fold, has_control_characters, has_visible_characters, slugify
from catalog.taxonomy.models import Person, Tag

Named = TypeVar("Named", Tag, Person)
MAX_NAME = 120


# The cache is for imports, which have the same few people on every row.
@lru_cache(maxsize=4096)
def key(name: str) -> str:
    """Return the slug of a name: equal for all spellings of a tag or person, "" without a letter or digit."""
    return slugify(fold(_clean(name)))


def _clean(name: str) -> str:
    return " ".join(name.split())


def get_or_create(session: Session, model: type[Named], names: Iterable[str]) -> list[Named]:
    """Return the rows for these names in the given order, each once; missing rows are created.

    Args:
        session: The transaction.
        model: Tag or Person.
        names: As written; names without a letter or digit are skipped.
    """
    wanted: dict[str, str] = {}
    for name in names:
        if slug := key(name):
            wanted.setdefault(slug, _clean(name))
    if not wanted:
        return []
    by_slug = _by_slug(session, model, wanted)
    # Sorted: two transactions that create the same names do not deadlock.
    missing = sorted(slug for slug in wanted if slug not in by_slug)
    if missing:
        rows = [{"slug": slug, "name": wanted[slug]} for slug in missing]
        session.execute(insert(model).values(rows).on_conflict_do_nothing(index_elements=["slug"]))
        by_slug |= _by_slug(session, model, missing)
    return [by_slug[slug] for slug in wanted]


def _by_slug(session: Session, model: type[Named], slugs: Iterable[str]) -> dict[str, Named]:
    rows = session.scalars(select(model).where(model.slug == func.any(list(slugs))))
    return {row.slug: row for row in rows}


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
    _require_free(session, model, key(name))
    row = model(slug=key(name), name=_clean(name))
    session.add(row)
    flush(session, f"There is a {entity} of this name.", {"slug": "name"})
    audit.record(session, actor, f"{entity}.create", entity, row.id, {"name": [None, row.name]})
    session.flush()
    return row


def _require_free(session: Session, model: type[Named], slug: str, row_id: int | None = None) -> None:
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


def rename(session: Session, model: type[Named], row_id: int, name: str, actor: Actor) -> Named:
    """Rename a tag or person; the trigger marks all its programs.

    Args:
        session: The transaction.
        model: Tag or Person.
        row_id: The row's id.
        name: The new name.
        actor: Who renames it.

    Raises:
        NotFound: No such row.
        ValidationFailed: The name is wrong.
        Conflict: Another row is a spelling of the same name.
    """
    row = locked(session, model, row_id)
    entity = entity_of(model)
    require_valid(check_names("name", [name], 1))
    slug = key(name)
    _require_free(session, model, slug, row_id)
    before = row.name
    row.name, row.slug = _clean(name), slug
    audit.record(session, actor, f"{entity}.rename", entity, row_id, {"name": [before, row.name]})
    session.flush()
    return row
