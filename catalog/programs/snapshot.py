"""A program's fields as plain JSON: what a revision stores and what a diff compares."""

from collections.abc import Collection, Container, Mapping
from datetime import UTC, datetime
from typing import cast

from sqlalchemy.orm import Session

from catalog.core.fields import camel
from catalog.programs.models import Program, Snapshot
from catalog.programs.rules import COLUMNS, FIELDS
from catalog.taxonomy import links
from catalog.taxonomy.models import Credit

_MOMENTS = ("release_date", "expire_at")


def plain(value: object) -> object:
    """Return a value as JSON has it: a moment in UTC, ISO 8601, any other value as it is."""
    return value.astimezone(UTC).isoformat() if isinstance(value, datetime) else value


def of(session: Session, program: Program) -> Snapshot:
    """Return what the program says now."""
    tags, people = links.tags_of(session, program.id), links.people_of(session, program.id)
    return of_parts(_columns(program), program.slug, program.status, program.rev, tags, people)


def of_many(session: Session, programs: Collection[Program]) -> dict[int, Snapshot]:
    """Return what each of the programs says now, by its id, by two queries however many they are."""
    ids = [program.id for program in programs]
    tags, people = links.tags_of_all(session, ids), links.people_of_all(session, ids)
    return {
        p.id: of_parts(_columns(p), p.slug, p.status, p.rev, tags.get(p.id, []), people.get(p.id, []))
        for p in programs
    }


def changed(session: Session, program: Program, before: Snapshot, changes: Container[str]) -> Snapshot:
    """Return what a program says after a change; of its links only those that were changed are read.

    Args:
        session: The transaction.
        program: The program.
        before: What it said before.
        changes: The fields that were set, by column name.
    """
    tags = links.tags_of(session, program.id) if "tags" in changes else before["tags"]
    people = links.people_of(session, program.id) if "people" in changes else before["people"]
    return of_parts(_columns(program), program.slug, program.status, program.rev, tags, people)


def _columns(program: Program) -> dict[str, object]:
    return {camel(name): plain(getattr(program, name)) for name in COLUMNS}


def of_parts(
    columns: Mapping[str, object], slug: str, status: str, rev: int, tags: list[str], people: list[Credit]
) -> Snapshot:
    """Return a snapshot made of its parts.

    Args:
        columns: Plain values of `rules.COLUMNS`, by JSON name.
        slug: The address.
        status: The state.
        rev: The revision.
        tags: Names, in the editor's order.
        people: In the editor's order.
    """
    rest = {"slug": slug, "status": status, "tags": tags, "people": people, "rev": rev}
    # The columns and the rest are together the fields of a Snapshot.
    return cast("Snapshot", {**columns, **rest})


def difference(before: Mapping[str, object], after: Mapping[str, object]) -> dict[str, list[object]]:
    """Return the fields in which two snapshots differ, each as [before, after]; `rev` does not count."""
    return {
        name: [before.get(name), after.get(name)]
        for name in sorted(before.keys() | after.keys())
        if name != "rev" and before.get(name) != after.get(name)
    }


def to_values(snapshot: Snapshot) -> dict[str, object]:
    """Return a snapshot's fields as `editing.edit` takes them, without the address and the state."""
    return values_of({name: value for name, value in snapshot.items() if name != "slug"})


def values_of(fields: Mapping[str, object]) -> dict[str, object]:
    """Return some fields of a snapshot as `editing.edit` takes them; the state and the revision are left out."""
    values = {name: fields[camel(name)] for name in FIELDS if camel(name) in fields}
    for name in _MOMENTS:
        moment = values.get(name)
        if isinstance(moment, str):
            values[name] = datetime.fromisoformat(moment)
    if "people" in values:
        credits = cast("list[Credit]", values["people"])
        values["people"] = [(person["role"], person["name"]) for person in credits]
    return values
