"""Changes of programs by people: live at once, or waiting for a reviewer beside the live version.

Who may publish changes a program at once. Everybody else does so only while nobody sees the program: a change of a
live program (`states.LIVE`) becomes its pending revision, and a change of a submitted program takes the submission
back. Fields that need no review are changed at once in either case.
"""

from collections.abc import Mapping
from typing import NamedTuple

from sqlalchemy.orm import Session

from catalog.core.actor import Actor
from catalog.core.errors import NotFound, StaleRevision
from catalog.core.fields import camel
from catalog.programs import editing, lifecycle, snapshot
from catalog.programs.models import Program, ProgramRevision
from catalog.programs.rules import COLUMNS
from catalog.programs.sittings.folding import AUTOSAVE, fold
from catalog.review import pending, states
from catalog.review.models import PendingRevision
from catalog.review.rights import Rights
from catalog.review.subjects import Subject, Values, tried
from catalog.taxonomy import links


class Seen(NamedTuple):
    """A revision of a program, or of its pending revision: their numbers are not related."""

    rev: int
    is_pending: bool


# What listeners never see needs no review.
_UNSEEN = frozenset({"lockedFields"})


def _read(session: Session, program_id: int) -> dict[str, object]:
    program = session.get_one(Program, program_id)
    columns = {camel(name): snapshot.plain(getattr(program, name)) for name in COLUMNS}
    tags, people = links.tags_of(session, program_id), links.people_of(session, program_id)
    return {**columns, "slug": program.slug, "tags": tags, "people": people}


def _write(session: Session, program_id: int, values: Values, actor: Actor, action: str) -> object:
    return editing.edit(session, program_id, values, actor, action=action)


PROGRAMS = Subject(
    entity="program",
    lock=lambda session, program_id: lifecycle.get(session, program_id).rev,
    read=_read,
    write=_write,
    values=snapshot.values_of,
)


def change(
    session: Session,
    program_id: int,
    values: Mapping[str, object],
    actor: Actor,
    rights: Rights,
    *,
    expected_rev: int | None = None,
    action: str = "edit",
    restates: bool = True,
) -> None:
    """Change fields of a program, at once or in its pending revision.

    Args:
        session: The transaction.
        program_id: The program.
        values: The fields to change, as `rules.ProgramValues`, not yet validated.
        actor: Who changes it.
        rights: What the actor may change alone.
        expected_rev: The live revision that the caller has seen; None skips the check.
        action: What the history calls a change that is made at once.
        restates: A change that waits settles conflicts about its fields (`catalog.review.pending.propose`).

    Raises:
        NotFound: No such program, or it is deleted.
        StaleRevision: The program has another revision.
        ValidationFailed: A value is wrong, or a category or series does not exist.
        Conflict: Another program has the address.
    """
    program = lifecycle.get(session, program_id, expected_rev=expected_rev)
    direct = rights.direct | _UNSEEN
    if not rights.may_publish and program.status in states.LIVE:
        waiting = {name: value for name, value in values.items() if camel(name) not in direct}
        if waiting:
            pending.propose(session, PROGRAMS, program_id, waiting, actor, restates=restates)
        values = {name: value for name, value in values.items() if camel(name) in direct}
    before = _read(session, program_id)
    editing.edit(session, program_id, values, actor, action=action)
    if not rights.may_publish and program.status == "in_review":
        after = _read(session, program_id)
        if any(after[name] != before[name] for name in after.keys() - direct):
            lifecycle.transition(session, program_id, "withdraw", actor)


def propose(
    session: Session,
    program_id: int,
    values: Mapping[str, object],
    actor: Actor,
    expected_rev: int | None = None,
) -> PendingRevision | None:
    """Change the pending revision of a live program, or begin one; whoever may publish can choose this, too.

    Args:
        session: The transaction.
        program_id: The program.
        values: The fields to change, as `rules.ProgramValues`, not yet validated.
        actor: Who changes it.
        expected_rev: The pending revision that the caller has seen; None skips the check.

    Returns:
        The pending revision; None when nothing of it differs from the live version.

    Raises:
        NotFound: No such program, or the caller has seen a pending revision and there is none.
        StaleRevision: The pending revision has changed.
        IllegalTransition: The program is not live: change the program itself.
        ValidationFailed: A value is wrong, or a category or series does not exist.
        Conflict: Another program has the address.
    """
    states.require_live(lifecycle.get(session, program_id).status)
    return pending.propose(session, PROGRAMS, program_id, values, actor, expected_rev=expected_rev)


def autosave(
    session: Session, program_id: int, values: Mapping[str, object], actor: Actor, rights: Rights, seen: Seen
) -> None:
    """Save what somebody is writing; nothing of it gets to listeners, whoever writes.

    A live program's changes wait in its pending revision, those of fields that need no review too. What the same author
    saves in one sitting is one revision and one audit event (`sittings.folding`). A page saves fields again that nobody has
    looked at, so what conflicts with the live version goes on to.

    Args:
        session: The transaction.
        program_id: The program.
        values: The fields to change, as `rules.ProgramValues`, not yet validated.
        actor: Who writes.
        rights: Whether a change of a submitted program takes the submission back.
        seen: What the author has seen.

    Raises:
        NotFound: No such program, or it is deleted.
        StaleRevision: Somebody has changed it since.
        ValidationFailed: A value is wrong, or a category or series does not exist.
        Conflict: Another program has the address.
    """
    program = lifecycle.get(session, program_id)
    before = edition(session, program)
    if seen != before:
        raise StaleRevision(seen.rev, before.rev)
    if program.status in states.LIVE:
        pending.propose(session, PROGRAMS, program_id, values, actor, action=AUTOSAVE, restates=False)
    else:
        if program.status == "in_review" and _takes_back(session, program_id, values, actor, rights):
            lifecycle.transition(session, program_id, "withdraw", actor)
        editing.edit(session, program_id, values, actor, action=AUTOSAVE)
    if edition(session, program) != before:
        fold(session, program_id, actor)


def edition(session: Session, program: Program) -> Seen:
    """Return what somebody who writes the program now changes: its pending revision, or itself."""
    found = pending.find(session, PROGRAMS.entity, program.id) if program.status in states.LIVE else None
    return Seen(program.rev, is_pending=False) if found is None else Seen(found.rev, is_pending=True)


def _takes_back(
    session: Session, program_id: int, values: Mapping[str, object], actor: Actor, rights: Rights
) -> bool:
    """Whether a change of a submitted program takes the submission back."""
    if rights.may_publish:
        return False
    before = _read(session, program_id)
    with tried(session, PROGRAMS, program_id, values, actor):
        after = _read(session, program_id)
    return any(after[name] != before[name] for name in after.keys() - (rights.direct | _UNSEEN))


def restore_revision(
    session: Session, program_id: int, rev: int, actor: Actor, rights: Rights, expected_rev: int | None = None
) -> None:
    """Set the fields to what they were at a revision, at once or in the pending revision. The address stays.

    Args:
        session: The transaction.
        program_id: The program.
        rev: The revision to restore.
        actor: Who restores it.
        rights: What the actor may change alone.
        expected_rev: The live revision that the caller has seen; None skips the check.

    Raises:
        NotFound: No such program or revision.
        StaleRevision: The program has another revision.
        ValidationFailed: A category or series of that revision does not exist any more.
    """
    revision = session.get(ProgramRevision, (program_id, rev))
    if revision is None:
        raise NotFound("revision", rev)
    values = snapshot.to_values(revision.snapshot)
    change(session, program_id, values, actor, rights, expected_rev=expected_rev, action="restore_revision")
