"""What editors chose follows a program that is merged into another one. Called by `catalog.merging`."""

from typing import NamedTuple

from sqlalchemy import delete, func, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from catalog.core import audit, changes
from catalog.core.actor import Actor
from catalog.core.base import entity_of
from catalog.core.db import change_rows
from catalog.curation.models import Collection, CollectionProgram, Pin, PinProgram


class _Link(NamedTuple):
    """A table that puts programs into places: the table, what its rows belong to, and the names of its columns."""

    table: type[CollectionProgram | PinProgram]
    owner: type[Collection | Pin]
    key: str
    place: str


_COLLECTIONS = _Link(CollectionProgram, Collection, "collection_id", "position")
_PINS = _Link(PinProgram, Pin, "pin_id", "place")


def follow(session: Session, merged_id: int, staying_id: int, actor: Actor) -> None:
    """Put the program that stays where the merged one stood; where both stood, it takes the first of the two places.

    Args:
        session: The transaction.
        merged_id: The program that was merged.
        staying_id: The program that stays.
        actor: Who merges them.
    """
    moved = [_move(session, link, merged_id, staying_id) for link in (_COLLECTIONS, _PINS)]
    for link, owners in zip((_COLLECTIONS, _PINS), moved, strict=True):
        entity = entity_of(link.owner)
        for owner_id in owners:
            diff = {"programId": [merged_id, staying_id]}
            audit.record(session, actor, f"{entity}.merge", entity, owner_id, diff)
    if any(moved):
        session.flush()
        changes.note_curation(session)


def _move(session: Session, link: _Link, merged_id: int, staying_id: int) -> list[int]:
    """Move the rows of a table; return the ids of the rows that they belong to."""
    program, owner, place = (getattr(link.table, name) for name in ("program_id", link.key, link.place))
    stood = delete(link.table).where(program == merged_id).returning(owner, place)
    found = sorted(tuple(row) for row in session.execute(stood))
    for owner_id, at in found:
        there = insert(link.table).values({link.key: owner_id, "program_id": staying_id, link.place: at})
        first = func.least(place, there.excluded[link.place])
        session.execute(
            there.on_conflict_do_update(index_elements=[link.key, "program_id"], set_={link.place: first})
        )
        change_rows(
            session, update(link.owner).where(link.owner.id == owner_id).values(rev=link.owner.rev + 1)
        )
    return [owner_id for owner_id, _ in found]
