"""Collections: their fields and programs, and the only writes of their tables.

A collection that listeners see, or would see at its time, is changed by those who may publish alone; drafts by every editor.
"""

from collections.abc import Mapping, Sequence

from sqlalchemy import delete as delete_rows
from sqlalchemy import insert, select
from sqlalchemy.orm import Session

from catalog.core import fields
from catalog.core.actor import Actor
from catalog.core.db import flush, locked, require_revision
from catalog.core.errors import FieldError, NotFound, ValidationFailed
from catalog.core.limits import require_room
from catalog.curation import periods
from catalog.curation.choosing import require_programs
from catalog.curation.models import COLLECTION_STATES, Collection, CollectionProgram
from catalog.curation.recording import record
from catalog.review.rights import ReviewerNeeded, Rights

MAX_TITLE, MAX_DESCRIPTION = 120, 5_000
MAX_COLLECTIONS, MAX_PROGRAMS = 500, 200
_CHECKS: dict[str, fields.Check] = {
    "title_ar": fields.text(MAX_TITLE, required=True),
    "title_en": fields.text(MAX_TITLE, required=True),
    "description_ar": fields.text(MAX_DESCRIPTION, nullable=False),
    "description_en": fields.text(MAX_DESCRIPTION, nullable=False),
    "slug": fields.slug,
    "image_url": fields.url,
    "sort_order": fields.whole_number(-(2**31), 2**31 - 1, nullable=False),
    "status": fields.one_of(COLLECTION_STATES),
    "starts_at": fields.moment,
    "ends_at": fields.moment,
}


def create(session: Session, values: Mapping[str, object], actor: Actor, rights: Rights) -> Collection:
    """Create a collection without programs.

    Args:
        session: The transaction.
        values: `title_ar` and `title_en`, optionally the other fields.
        actor: Who creates it.
        rights: What the actor may do without a reviewer.

    Raises:
        ValidationFailed: A value is wrong or missing.
        ReviewerNeeded: It would be published at once.
        Conflict: Another collection has the slug, or there are too many.
    """
    fields.require_valid(fields.errors_of(values, _CHECKS, ("title_ar", "title_en")))
    row = Collection(**{"status": "draft", **values})
    _require_right(rights, row.status)
    periods.require_order(row.starts_at, row.ends_at)
    row.slug = fields.first_slug([row.slug] if row.slug else [row.title_en, row.title_ar])
    if not row.slug:
        raise ValidationFailed([FieldError("titleEn", "invalid", "Needs a letter or a digit.")])
    require_room(session, Collection, MAX_COLLECTIONS, "collections")
    session.add(row)
    _flush(session)
    session.refresh(row)
    diff = {fields.camel(name): [None, getattr(row, name)] for name in ("title_en", "slug", "status")}
    record(session, row, "create", diff, actor)
    return row


def edit(
    session: Session,
    collection_id: int,
    values: Mapping[str, object],
    actor: Actor,
    rights: Rights,
    *,
    expected_rev: int | None = None,
) -> Collection:
    """Change fields of a collection; without a difference nothing is written.

    Args:
        session: The transaction.
        collection_id: The collection.
        values: The fields to change, by column name.
        actor: Who changes it.
        rights: What the actor may do without a reviewer.
        expected_rev: The revision that the caller has seen; None skips the check.

    Raises:
        NotFound: No such collection.
        StaleRevision: The collection has another revision.
        ValidationFailed: A value is wrong.
        ReviewerNeeded: It is published, or would be.
        Conflict: Another collection has the slug.
    """
    row = _opened(session, collection_id, rights, expected_rev)
    fields.require_valid(fields.errors_of(values, _CHECKS))
    _require_right(rights, str(values.get("status", row.status)))
    diff = fields.assign(row, values)
    periods.require_order(row.starts_at, row.ends_at)
    if diff:
        _flush(session)
        session.refresh(row)
        record(session, row, "edit", diff, actor)
    return row


def delete(
    session: Session, collection_id: int, actor: Actor, rights: Rights, *, expected_rev: int | None = None
) -> None:
    """Delete a collection. Its programs stay.

    Args:
        session: The transaction.
        collection_id: The collection.
        actor: Who deletes it.
        rights: What the actor may do without a reviewer.
        expected_rev: The revision that the caller has seen; None skips the check.

    Raises:
        NotFound: No such collection.
        StaleRevision: The collection has another revision.
        ReviewerNeeded: It is published.
    """
    row = _opened(session, collection_id, rights, expected_rev)
    diff = {"slug": [row.slug, None], "programIds": [programs_of(session, collection_id), None]}
    session.delete(row)
    record(session, row, "delete", diff, actor)


def programs_of(session: Session, collection_id: int) -> list[int]:
    """Return the ids of the programs in their order, whatever their states."""
    wanted = select(CollectionProgram.program_id).where(CollectionProgram.collection_id == collection_id)
    return list(session.scalars(wanted.order_by(CollectionProgram.position, CollectionProgram.program_id)))


def arrange(
    session: Session,
    collection_id: int,
    program_ids: Sequence[int],
    actor: Actor,
    rights: Rights,
    *,
    expected_rev: int | None = None,
) -> Collection:
    """Give a collection these programs, in this order.

    Args:
        session: The transaction.
        collection_id: The collection.
        program_ids: Programs in any state: listeners see those that are published.
        actor: Who arranges them.
        rights: What the actor may do without a reviewer.
        expected_rev: The revision that the caller has seen; None skips the check.

    Raises:
        NotFound: No such collection.
        StaleRevision: The collection has another revision.
        ReviewerNeeded: It is published.
        ValidationFailed: There are too many programs, one is repeated, or one does not exist.
    """
    row = _opened(session, collection_id, rights, expected_rev)
    return _arrange(session, row, list(program_ids), actor)


def place(
    session: Session,
    collection_id: int,
    program_id: int,
    at: int | None,
    actor: Actor,
    rights: Rights,
    *,
    expected_rev: int | None = None,
) -> Collection:
    """Add a program to a collection, or move it there.

    Args:
        session: The transaction.
        collection_id: The collection.
        program_id: The program.
        at: Its place from 1; the last place for None, and for a place behind the last.
        actor: Who places it.
        rights: What the actor may do without a reviewer.
        expected_rev: The revision that the caller has seen; None skips the check.

    Raises:
        NotFound: No such collection.
        StaleRevision: The collection has another revision.
        ReviewerNeeded: It is published.
        ValidationFailed: The program does not exist, or there are too many.
    """
    row = _opened(session, collection_id, rights, expected_rev)
    ids = [known for known in programs_of(session, collection_id) if known != program_id]
    ids.insert(len(ids) if at is None else at - 1, program_id)
    return _arrange(session, row, ids, actor)


def take_out(
    session: Session,
    collection_id: int,
    program_id: int,
    actor: Actor,
    rights: Rights,
    *,
    expected_rev: int | None = None,
) -> Collection:
    """Take a program out of a collection.

    Args:
        session: The transaction.
        collection_id: The collection.
        program_id: The program.
        actor: Who takes it out.
        rights: What the actor may do without a reviewer.
        expected_rev: The revision that the caller has seen; None skips the check.

    Raises:
        NotFound: No such collection, or it does not have the program.
        StaleRevision: The collection has another revision.
        ReviewerNeeded: It is published.
    """
    row = _opened(session, collection_id, rights, expected_rev)
    ids = programs_of(session, collection_id)
    if program_id not in ids:
        raise NotFound("program of the collection", program_id)
    return _arrange(session, row, [known for known in ids if known != program_id], actor)


def _arrange(session: Session, row: Collection, ids: list[int], actor: Actor) -> Collection:
    before = programs_of(session, row.id)
    if ids == before:
        return row
    require_programs(session, "programIds", ids, MAX_PROGRAMS, before)
    session.execute(delete_rows(CollectionProgram).where(CollectionProgram.collection_id == row.id))
    if ids:
        placed = [{"collection_id": row.id, "program_id": i, "position": n} for n, i in enumerate(ids)]
        session.execute(insert(CollectionProgram), placed)
    row.rev += 1
    session.flush()
    session.refresh(row)
    record(session, row, "arrange", {"programIds": [before, ids]}, actor)
    return row


def _opened(session: Session, collection_id: int, rights: Rights, expected_rev: int | None) -> Collection:
    """Return a collection that the actor may change, locked."""
    row = locked(session, Collection, collection_id)
    require_revision(row.rev, expected_rev)
    _require_right(rights, row.status)
    return row


def _require_right(rights: Rights, status: str) -> None:
    if status == "published" and not rights.may_publish:
        raise ReviewerNeeded("Listeners see a published collection: only a reviewer changes it.")


def _flush(session: Session) -> None:
    flush(session, "Another collection has this slug.", {"slug": "slug"})
