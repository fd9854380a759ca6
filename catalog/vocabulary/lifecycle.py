"""The only writer of tags, people and their links to programs."""

from collections.abc import Iterable, Sequence
from functools import lru_cache
from typing import TypeVar

from sqlalchemy import delete, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from catalog import audit
from catalog.actor import Actor
from catalog.errors import Conflict, FieldError, NotFound, ValidationFailed
from catalog.text import fold, has_control_characters, slugify
from catalog.vocabulary.models import Person, ProgramPerson, ProgramTag, Tag

Named = TypeVar("Named", Tag, Person)
MAX_NAME = 120


@lru_cache(maxsize=4096)
def key(name: str) -> str:
    """What makes two spellings of a tag or person one; "" when nothing of it can. Remembered: an import
    names the same few people on every row."""
    return slugify(fold(" ".join(name.split())))


def ensure(session: Session, model: type[Named], names: Iterable[str]) -> list[Named]:
    """The rows for these names, made where missing, in the order given, once each.

    Two spellings that fold alike (قهوه, قهوة) are one: the first written form stays.
    """
    wanted: dict[str, str] = {}
    for name in names:
        clean = " ".join(name.split())
        if slug := key(clean):
            wanted.setdefault(slug, clean)
    if not wanted:
        return []
    # Sorted, so that two writers who need the same new names do not wait for each other in a ring.
    rows = [{"slug": slug, "name": wanted[slug]} for slug in sorted(wanted)]
    session.execute(insert(model).values(rows).on_conflict_do_nothing(index_elements=["slug"]))
    found = {row.slug: row for row in session.scalars(select(model).where(model.slug.in_(wanted)))}
    return [found[slug] for slug in wanted]


def check_names(field: str, names: Sequence[str], limit: int) -> list[FieldError]:
    """What is wrong with a list of names."""
    errors = []
    if len(names) > limit:
        errors.append(FieldError(field, "too_many", f"At most {limit}."))
    for name in names:
        if not name.strip() or len(name) > MAX_NAME or has_control_characters(name):
            errors.append(
                FieldError(field, "invalid", f"Each is 1 to {MAX_NAME} printable characters.")
            )
            break
        if not key(name):
            errors.append(FieldError(field, "invalid", f"{name!r} has no letter or digit."))
            break
    return errors


def set_tags(session: Session, program_id: int, names: Sequence[str]) -> list[str]:
    """Replace the program's tags; returns the names as kept."""
    tags = ensure(session, Tag, names)
    session.execute(delete(ProgramTag).where(ProgramTag.program_id == program_id))
    session.add_all(
        ProgramTag(program_id=program_id, tag_id=tag.id, position=n) for n, tag in enumerate(tags)
    )
    return [tag.name for tag in tags]


def set_people(
    session: Session, program_id: int, people: Sequence[tuple[str, str]]
) -> list[dict[str, str]]:
    """Replace the program's people, given as (role, name); returns them as kept."""
    rows = {row.slug: row for row in ensure(session, Person, [name for _, name in people])}
    session.execute(delete(ProgramPerson).where(ProgramPerson.program_id == program_id))
    kept: dict[tuple[str, int], dict[str, str]] = {}
    for role, name in people:
        person = rows[key(name)]
        if (role, person.id) in kept:
            continue
        session.add(
            ProgramPerson(program_id=program_id, person_id=person.id, role=role, position=len(kept))
        )
        kept[(role, person.id)] = {"role": role, "name": person.name}
    return list(kept.values())


def rename(session: Session, model: type[Named], row_id: int, name: str, actor: Actor) -> Named:
    """Give a tag or person another name everywhere; the trigger marks all its programs."""
    entity = model.__name__.lower()
    row = session.get(model, row_id, with_for_update=True)
    if row is None:
        raise NotFound(entity, row_id)
    errors = check_names("name", [name], 1)
    if errors:
        raise ValidationFailed(errors)
    slug = key(name)
    other = session.scalar(select(model).where(model.slug == slug, model.id != row_id))
    if other is not None:
        raise Conflict(f"{other.name!r} is the same {entity}.", field="name")
    before = row.name
    row.name, row.slug = " ".join(name.split()), slug
    audit.record(session, actor, f"{entity}.rename", entity, row_id, {"name": [before, row.name]})
    session.flush()
    return row
