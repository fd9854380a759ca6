"""Pins: their query, period and programs, and the only writes of their tables. The API lets reviewers alone write them."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from sqlalchemy import delete as delete_rows
from sqlalchemy import insert, select
from sqlalchemy.orm import Session

from catalog.core import fields
from catalog.core.actor import Actor
from catalog.core.db import locked, require_revision
from catalog.core.errors import FieldError, ValidationFailed
from catalog.core.limits import require_room
from catalog.curation import periods
from catalog.curation.choosing import require_programs
from catalog.curation.models import Pin, PinProgram
from catalog.curation.recording import record
from catalog.words.spelling import split

MAX_QUERY, MAX_PLACE = 120, 50
MAX_PINS, MAX_PROGRAMS = 2_000, 10
_CHECKS: dict[str, fields.Check] = {
    "query": fields.text(MAX_QUERY, required=True),
    "starts_at": fields.moment,
    "ends_at": fields.moment,
}


class Placed(NamedTuple):
    """A program and its place in the results, from 1."""

    program_id: int
    place: int


def folded(query: str) -> str:
    """Return the words of a query in the spelling of comparison: queries with the same words share their pins."""
    return " ".join(split(query))


def create(session: Session, values: Mapping[str, object], placed: Sequence[Placed], actor: Actor) -> Pin:
    """Create a pin.

    Args:
        session: The transaction.
        values: `query`, optionally `starts_at` and `ends_at`.
        placed: The programs, in any state: listeners see those that are published.
        actor: Who creates it.

    Raises:
        ValidationFailed: A value is wrong or missing, or a program or place is.
        Conflict: There are too many pins.
    """
    fields.require_valid(fields.errors_of(values, _CHECKS, ("query",)))
    require_room(session, Pin, MAX_PINS, "pins")
    row = Pin(**values)
    _fold(row)
    session.add(row)
    session.flush()
    _place(session, row, placed)
    session.refresh(row)
    record(session, row, "create", {"query": [None, row.query], "programs": [None, _plain(placed)]}, actor)
    return row


def edit(
    session: Session,
    pin_id: int,
    values: Mapping[str, object],
    placed: Sequence[Placed] | None,
    actor: Actor,
    *,
    expected_rev: int | None = None,
) -> Pin:
    """Change a pin; without a difference nothing is written.

    Args:
        session: The transaction.
        pin_id: The pin.
        values: The fields to change, by column name.
        placed: All its programs; None for those that it has.
        actor: Who changes it.
        expected_rev: The revision that the caller has seen; None skips the check.

    Raises:
        NotFound: No such pin.
        StaleRevision: The pin has another revision.
        ValidationFailed: A value is wrong, or a program or place is.
    """
    row = locked(session, Pin, pin_id)
    require_revision(row.rev, expected_rev)
    fields.require_valid(fields.errors_of(values, _CHECKS))
    diff: dict[str, object] = dict(fields.assign(row, values))
    _fold(row)
    before = programs_of(session, pin_id)
    if placed is not None and sorted(placed) != sorted(before):
        _place(session, row, placed)
        diff["programs"] = [_plain(before), _plain(placed)]
        row.rev += 1
    session.flush()
    session.refresh(row)
    if diff:
        record(session, row, "edit", diff, actor)
    return row


def delete(session: Session, pin_id: int, actor: Actor, *, expected_rev: int | None = None) -> None:
    """Delete a pin.

    Args:
        session: The transaction.
        pin_id: The pin.
        actor: Who deletes it.
        expected_rev: The revision that the caller has seen; None skips the check.

    Raises:
        NotFound: No such pin.
        StaleRevision: The pin has another revision.
    """
    row = locked(session, Pin, pin_id)
    require_revision(row.rev, expected_rev)
    diff = {"query": [row.query, None], "programs": [_plain(programs_of(session, pin_id)), None]}
    session.delete(row)
    record(session, row, "delete", diff, actor)


def programs_of(session: Session, pin_id: int) -> list[Placed]:
    """Return the programs of a pin by their places."""
    wanted = select(PinProgram.program_id, PinProgram.place).where(PinProgram.pin_id == pin_id)
    return [Placed(*row) for row in session.execute(wanted.order_by(PinProgram.place))]


def _fold(row: Pin) -> None:
    row.folded = folded(row.query)
    if not row.folded:
        raise ValidationFailed([FieldError("query", "invalid", "Needs a letter or a digit.")])
    periods.require_order(row.starts_at, row.ends_at)


def _place(session: Session, row: Pin, placed: Sequence[Placed]) -> None:
    if not placed:
        raise ValidationFailed([FieldError("programs", "required", "Must not be empty.")])
    before = [known.program_id for known in programs_of(session, row.id)]
    require_programs(session, "programs", [each.program_id for each in placed], MAX_PROGRAMS, before)
    places = [each.place for each in placed]
    if not all(1 <= place <= MAX_PLACE for place in places):
        raise ValidationFailed([FieldError("programs", "out_of_range", f"Places are from 1 to {MAX_PLACE}.")])
    if len(set(places)) < len(places):
        raise ValidationFailed([FieldError("programs", "duplicate", "A place is named twice.")])
    session.execute(delete_rows(PinProgram).where(PinProgram.pin_id == row.id))
    session.execute(insert(PinProgram), [{"pin_id": row.id, **each._asdict()} for each in placed])


def _plain(placed: Sequence[Placed]) -> list[dict[str, int]]:
    return [
        {"programId": each.program_id, "place": each.place} for each in sorted(placed, key=lambda p: p.place)
    ]
