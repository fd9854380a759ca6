"""Conflicts between editors and sources: noted by import runs, settled by editors. The only writer of their table.

A value that an editor wrote is never replaced by an import. While the source says something else, the conflict is
open until an editor takes the source's value, or keeps the own value and is not asked again.
"""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Literal, NamedTuple

from sqlalchemy import delete, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from catalog.core import audit
from catalog.core.actor import Actor
from catalog.core.db import require_revision
from catalog.core.errors import NotFound
from catalog.core.fields import camel
from catalog.imports.models import ImportConflict
from catalog.programs import lifecycle, pending
from catalog.programs.rules import COLUMNS
from catalog.review.rights import Rights

Keep = Literal["mine", "source"]


class Seen(NamedTuple):
    """What somebody has read who settles a conflict; None is not compared.

    Attributes:
        conflict_id: The conflict.
        run_id: The run that has noted what the source says.
        rev: The revision of the program.
    """

    conflict_id: int | None = None
    run_id: int | None = None
    rev: int | None = None


ANY = Seen()
_COLUMN_OF = {camel(name): name for name in (*COLUMNS, "tags", "people", "slug")}
_MOMENTS = ("release_date", "expire_at")


def reported(session: Session, program_id: int, fields: Iterable[str]) -> list[str]:
    """Return the fields whose conflict is reported: all fields, except those that an editor has decided to keep.

    Args:
        session: The transaction.
        program_id: The program.
        fields: The fields in which the source and the program differ, by JSON name.
    """
    listed = list(fields)
    if not listed:
        return []
    kept = session.scalars(
        select(ImportConflict.field).where(
            ImportConflict.program_id == program_id, ImportConflict.state == "kept"
        )
    ).all()
    return [field for field in listed if field not in kept]


def note(
    session: Session, program_id: int, run_id: int, edited: Mapping[str, object], conflicts: Iterable[str]
) -> list[str]:
    """Store the conflicts of a program after a comparison, and drop those in which both agree again.

    Args:
        session: The transaction.
        program_id: The program.
        run_id: The run that compared.
        edited: What the source says of every field that an editor wrote and that differs, by JSON name.
        conflicts: Those fields of which the source says something new.

    Returns:
        The fields to report in the run's item.
    """
    session.execute(
        delete(ImportConflict).where(
            ImportConflict.program_id == program_id,
            ImportConflict.state == "open",
            ImportConflict.field.not_in(list(edited)),
        )
    )
    told = reported(session, program_id, conflicts)
    for field in conflicts:
        values = {"source_value": edited[field], "run_id": run_id}
        statement = insert(ImportConflict).values(program_id=program_id, field=field, **values)
        session.execute(statement.on_conflict_do_update(index_elements=["program_id", "field"], set_=values))
    return told


def get(session: Session, program_id: int, field: str) -> ImportConflict:
    """Return the conflict in a field of a program, locked until the transaction ends.

    Args:
        session: The transaction.
        program_id: The program.
        field: JSON name of the field.

    Raises:
        NotFound: The field has no conflict.
    """
    found = session.scalar(
        select(ImportConflict)
        .where(ImportConflict.program_id == program_id, ImportConflict.field == field)
        .with_for_update()
    )
    if found is None:
        raise NotFound("import conflict", f"{program_id}/{field}")
    return found


def settle(
    session: Session,
    program_id: int,
    field: str,
    keep: Keep,
    actor: Actor,
    rights: Rights,
    *,
    seen: Seen = ANY,
) -> bool:
    """Settle a conflict.

    Args:
        session: The transaction.
        program_id: The program.
        field: JSON name of the field.
        keep: `source` takes the source's value, and the field follows its source again; of a live program the value
            waits for a reviewer unless the actor may publish. `mine` keeps the editor's value, and later changes of the
            source are not reported.
        actor: Who settles it.
        rights: What the actor may change alone.
        seen: What the actor has read of the conflict.

    Returns:
        Whether the source's value waits for a reviewer.

    Raises:
        NotFound: No such program, or no conflict in this field.
        StaleRevision: The conflict or the program is not what the actor has read.
        ValidationFailed: The category or series that the source names does not exist any more.
    """
    rev = lifecycle.get(session, program_id, expected_rev=seen.rev).rev
    conflict = get(session, program_id, field)
    for expected, current in ((seen.conflict_id, conflict.id), (seen.run_id, conflict.run_id)):
        require_revision(current, expected)
    waits = False
    if keep == "mine":
        conflict.state = "kept"
        audit.record(session, actor, "program.keep_edited", "program", program_id, {"field": [None, field]})
    else:
        name = _COLUMN_OF[field]
        values = {name: _value(name, conflict.source_value)}
        pending.change(session, program_id, values, actor, rights, action="take_from_source")
        session.delete(conflict)
        session.flush()
        waits = lifecycle.get(session, program_id).rev == rev
    session.flush()
    return waits


def _value(name: str, stored: object) -> object:
    """A stored value as `editing.edit` takes it."""
    if name in _MOMENTS and isinstance(stored, str):
        return datetime.fromisoformat(stored)
    if name == "people" and isinstance(stored, list):
        return [tuple(pair) for pair in stored]
    return stored
