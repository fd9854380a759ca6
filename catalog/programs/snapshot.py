"""A program's fields as plain JSON: what a revision keeps and a diff compares."""

from datetime import UTC, datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from catalog.programs.data import COLUMNS, camel
from catalog.programs.models import Program
from catalog.vocabulary.models import Person, ProgramPerson, ProgramTag, Tag

_DATES = ("release_date", "expire_at")


def plain(value: Any) -> Any:
    """A value as JSON has it: moments in UTC, ISO 8601."""
    return value.astimezone(UTC).isoformat() if isinstance(value, datetime) else value


def of(session: Session, program: Program) -> dict[str, Any]:
    """Every editable field, the state and `rev`, by JSON name."""
    tags = session.scalars(
        select(Tag.name)
        .join(ProgramTag, ProgramTag.tag_id == Tag.id)
        .where(ProgramTag.program_id == program.id)
        .order_by(ProgramTag.position, Tag.id)
    ).all()
    people = session.execute(
        select(ProgramPerson.role, Person.name)
        .join(Person, Person.id == ProgramPerson.person_id)
        .where(ProgramPerson.program_id == program.id)
        .order_by(ProgramPerson.position, Person.id)
    ).all()
    return {
        **{camel(name): plain(getattr(program, name)) for name in COLUMNS},
        "slug": program.slug,
        "status": program.status,
        "tags": list(tags),
        "people": [{"role": role, "name": name} for role, name in people],
        "rev": program.rev,
    }


def difference(before: dict[str, Any], after: dict[str, Any]) -> dict[str, list[Any]]:
    """The fields that differ, each as [before, after]; `rev` itself does not count."""
    return {
        name: [before.get(name), after.get(name)]
        for name in sorted(before.keys() | after.keys())
        if name != "rev" and before.get(name) != after.get(name)
    }


def to_values(snapshot: dict[str, Any]) -> dict[str, Any]:
    """A snapshot as `lifecycle.edit` takes it; the address and the state stay today's."""
    values = {name: snapshot[camel(name)] for name in COLUMNS if camel(name) in snapshot}
    for name in _DATES:
        if values.get(name):
            values[name] = datetime.fromisoformat(values[name])
    return values | {
        "tags": snapshot["tags"],
        "people": [(person["role"], person["name"]) for person in snapshot["people"]],
    }
