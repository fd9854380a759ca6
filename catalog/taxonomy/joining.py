"""Renaming, merging and deleting tags and people, and what that affects. Writes the links of all programs with one of them.

This is no change of the programs themselves: their revisions stay, and triggers mark those that listeners see. Pending
revisions name what programs name. Programs are locked in ascending order before the tag or the person, as an edit of
them does.
"""

from dataclasses import dataclass

from sqlalchemy import ColumnElement, Update, column, delete, exists, func, select, table, union, update
from sqlalchemy.orm import Session, aliased

from catalog.core import audit, limits
from catalog.core.actor import Actor
from catalog.core.base import entity_of
from catalog.core.db import change_rows, locked
from catalog.core.errors import FieldError, NotFound
from catalog.core.fields import require_valid
from catalog.review import naming
from catalog.review.models import PendingRevision
from catalog.taxonomy import addresses
from catalog.taxonomy.models import ProgramPerson, ProgramTag, Tag
from catalog.taxonomy.names import Named, check_names, clean, key, require_free

# Programs lie above the taxonomy: only the names of their columns are known here.
_PROGRAMS = table("programs", column("id"), column("status"), column("deleted_at"))
# Programs of one row are counted up to this number in lists.
COUNTED = 10_000
# How long each statement of a change may take: a tag may be on very many programs.
_PATIENCE = {"timeout": "60s"}


@dataclass(frozen=True, slots=True)
class Effects:
    """What merging, renaming or deleting a tag or a person affects.

    Attributes:
        programs: How many programs have it, deleted ones left out.
        published: Of these, how many are published.
        trashed: How many deleted programs have it.
        pending: How many pending revisions of programs name it, as it shall be or as it was.
        both: How many programs have the other one, too: they keep that alone.
    """

    programs: int
    published: int
    trashed: int
    pending: int
    both: int


def on_programs(model: type[Named]) -> ColumnElement[int]:
    """Return on how many programs a tag or a person is, deleted ones included, as a column beside its row.

    Args:
        model: Tag or Person.
    """
    owner, program = _links(model)
    # A person may have several roles in a program.
    some = select(program).distinct().where(owner == model.id).limit(COUNTED).correlate(model).subquery()
    return select(func.count()).select_from(some).scalar_subquery()


def _links(model: type[Named]) -> tuple[ColumnElement[int], ColumnElement[int]]:
    """Return the columns of the links: the row's, and the program's."""
    if model is Tag:
        return ProgramTag.tag_id.expression, ProgramTag.program_id.expression
    return ProgramPerson.person_id.expression, ProgramPerson.program_id.expression


def _field(model: type[Named]) -> str:
    """Return the field of programs that names such rows, by its JSON name."""
    return "tags" if model is Tag else "people"


def _get(session: Session, model: type[Named], row_id: int) -> Named:
    row = session.get(model, row_id)
    if row is None:
        raise NotFound(entity_of(model), row_id)
    return row


def effects(session: Session, model: type[Named], row_id: int, into_id: int | None = None) -> Effects:
    """Return what merging, renaming or deleting a tag or a person would affect.

    Args:
        session: Reads.
        model: Tag or Person.
        row_id: The row.
        into_id: The row that it would be merged into; None for another change.

    Raises:
        NotFound: There is no such row.
        ValidationFailed: It would be merged into itself, or into a row that does not exist.
    """
    row = _get(session, model, row_id)
    if into_id is not None:
        _require_other(session, model, row_id, into_id)
    owner, program = _links(model)
    having = select(program).where(owner == row_id)
    is_deleted, is_published = _PROGRAMS.c.deleted_at.is_not(None), _PROGRAMS.c.status == "published"
    counts = session.execute(
        select(
            func.count().filter(~is_deleted),
            func.count().filter(~is_deleted, is_published),
            func.count().filter(is_deleted),
        ).where(_PROGRAMS.c.id.in_(having))
    ).one()
    waiting = select(func.count()).select_from(PendingRevision).where(naming.naming(_field(model), row.name))
    pending = session.scalar(waiting)
    both = 0
    if into_id is not None:
        shared = select(func.count(program.distinct())).where(owner == into_id, program.in_(having))
        both = session.scalar(shared) or 0
    return Effects(*counts, pending=pending or 0, both=both)


def rename(session: Session, model: type[Named], row_id: int, name: str, actor: Actor) -> Named:
    """Rename a tag or a person; the trigger marks all its programs.

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
    _lock_programs(session, model, row_id)
    row = locked(session, model, row_id)
    require_valid(check_names("name", [name], 1))
    require_free(session, model, key(name), row_id)
    before, entity = row.name, entity_of(model)
    row.name, row.slug = clean(name), key(name)
    naming.rename(session, _field(model), before, row.name)
    audit.record(session, actor, f"{entity}.rename", entity, row_id, {"name": [before, row.name]})
    session.flush()
    return row


def merge(session: Session, model: type[Named], row_id: int, into_id: int, actor: Actor) -> Named:
    """Give every program of a tag or a person another one instead, and delete the row.

    A program that has both keeps the other one where it stands. Addresses of the row that goes lead to the one that stays.

    Args:
        session: The transaction.
        model: Tag or Person.
        row_id: The row that goes.
        into_id: The row that stays.
        actor: Who merges them.

    Returns:
        The row that stays.

    Raises:
        NotFound: There is no such row.
        ValidationFailed: It would be merged into itself, or into a row that does not exist.
    """
    _require_other(session, model, row_id, into_id)
    _lock_programs(session, model, row_id)
    rows = {number: locked(session, model, number) for number in sorted((row_id, into_id))}
    row, into = rows[row_id], rows[into_id]
    programs = _programs(session, model, row_id)
    change_rows(session, _moved(model, row_id, into_id))
    entity = entity_of(model)
    diff = {"into": [None, into_id], "name": [row.name, into.name], "programs": [programs, 0]}
    audit.record(session, actor, f"{entity}.merge", entity, row_id, diff)
    audit.record(
        session,
        actor,
        f"{entity}.absorb",
        entity,
        into_id,
        {"from": [None, row_id], "name": [row.name, into.name]},
    )
    addresses.lead(session, row, into_id)
    naming.rename(session, _field(model), row.name, into.name)
    session.execute(delete(model).where(model.id == row_id))
    session.flush()
    return into


def _moved(model: type[Named], row_id: int, into_id: int) -> Update:
    """Return the statement that gives programs the other row, except where they have it already."""
    if model is Tag:
        tag = aliased(ProgramTag)
        has_tag = exists().where(tag.program_id == ProgramTag.program_id, tag.tag_id == into_id)
        return update(ProgramTag).where(ProgramTag.tag_id == row_id, ~has_tag).values(tag_id=into_id)
    credit = aliased(ProgramPerson)
    has_role = exists().where(
        credit.program_id == ProgramPerson.program_id,
        credit.person_id == into_id,
        credit.role == ProgramPerson.role,
    )
    of_person = update(ProgramPerson).where(ProgramPerson.person_id == row_id, ~has_role)
    return of_person.values(person_id=into_id)


def remove(session: Session, model: type[Named], row_id: int, actor: Actor) -> None:
    """Delete a tag or a person, and take it from every program.

    Args:
        session: The transaction.
        model: Tag or Person.
        row_id: The row.
        actor: Who deletes it.

    Raises:
        NotFound: There is no such row.
    """
    _lock_programs(session, model, row_id)
    row = locked(session, model, row_id)
    programs = _programs(session, model, row_id)
    naming.rename(session, _field(model), row.name, None)
    entity = entity_of(model)
    diff = {"name": [row.name, None], "slug": [row.slug, None], "programs": [programs, 0]}
    audit.record(session, actor, f"{entity}.delete", entity, row_id, diff)
    session.execute(delete(model).where(model.id == row_id))
    session.flush()


def _lock_programs(session: Session, model: type[Named], row_id: int) -> None:
    """Lock the programs that have a tag or a person, or whose pending revision names it.

    Raises:
        NotFound: There is no such row.
    """
    row = _get(session, model, row_id)
    session.execute(limits.TIME, _PATIENCE)
    owner, program = _links(model)
    waiting = select(PendingRevision.entity_id).where(naming.naming(_field(model), row.name))
    having = _PROGRAMS.c.id.in_(union(select(program).where(owner == row_id), waiting))
    session.execute(select(_PROGRAMS.c.id).where(having).order_by(_PROGRAMS.c.id).with_for_update()).all()


def _programs(session: Session, model: type[Named], row_id: int) -> int:
    """Return on how many programs a tag or a person is. No program can get it any more: the row is locked."""
    owner, program = _links(model)
    return session.scalar(select(func.count(program.distinct())).where(owner == row_id)) or 0


def _require_other(session: Session, model: type[Named], row_id: int, into_id: int) -> None:
    if row_id == into_id:
        require_valid([FieldError("intoId", "invalid", "Must be another one.")])
    if session.get(model, into_id) is None:
        require_valid([FieldError("intoId", "not_found", f"No such {entity_of(model)}.")])
