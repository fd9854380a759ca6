"""The life of a program. Its public callers are the editors' API, imports, merging and the clock job.

`catalog.review.states` has the table of states and transitions. Every transition locks the program, checks its state, writes a revision and an audit event, and notes the change
for the caches. `editing` writes the fields, `bulk` new programs of imports; view counts are the business of
`indexer/jobs/views.py` and `catalog/merging/lifecycle.py`. Functions flush; the caller commits.
"""

from collections.abc import Iterable, Mapping
from datetime import datetime

from sqlalchemy import ColumnElement, Select, and_, delete, func, or_, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from catalog.core import audit, changes
from catalog.core.actor import Actor
from catalog.core.db import database_now, flush
from catalog.core.errors import FieldError, NotFound, StaleRevision, ValidationFailed
from catalog.core.fields import camel, moment, require_valid
from catalog.programs import slugs, snapshot
from catalog.programs.listing.models import ChangedProgram
from catalog.programs.models import Program, ProgramRedirect, ProgramRevision, Snapshot
from catalog.review import comments, states
from catalog.review.rights import require_named
from catalog.review.subjects import APPLY

# How many programs the clock publishes or archives in one transaction.
DUE_LIMIT = 500
# What makes the text of a program that which was published.
_PUBLISHING = ("publish", "approve", APPLY)


def get(session: Session, program_id: int, *, expected_rev: int | None = None) -> Program:
    """Return a program that is not deleted, locked until the transaction ends.

    Args:
        session: The transaction.
        program_id: The program.
        expected_rev: The revision that the caller has seen; None skips the check.

    Raises:
        NotFound: No such program, or it is deleted.
        StaleRevision: The program has another revision.
    """
    program = _lock(session, program_id, expected_rev)
    if program.deleted_at is not None:
        raise NotFound("program", program_id)
    return program


def lock_all(session: Session, program_ids: Iterable[int]) -> dict[int, Program]:
    """Lock several programs until the transaction ends, in ascending order of their ids, by one statement.

    The flush of views and the clock lock in the same order, so no two of them wait for each other.

    Args:
        session: The transaction.
        program_ids: The programs; an id of no program is left out.

    Returns:
        The programs by id, deleted ones included.
    """
    wanted = select(Program).where(Program.id == func.any(sorted(program_ids))).order_by(Program.id)
    locked = session.scalars(wanted.with_for_update().execution_options(populate_existing=True))
    return {program.id: program for program in locked}


def _lock(session: Session, program_id: int, expected_rev: int | None) -> Program:
    program = session.get(Program, program_id, with_for_update=True, populate_existing=True)
    if program is None:
        raise NotFound("program", program_id)
    if expected_rev is not None and program.deleted_at is None and program.rev != expected_rev:
        raise StaleRevision(expected_rev, program.rev)
    return program


def transition(
    session: Session,
    program_id: int,
    action: str,
    actor: Actor,
    expected_rev: int | None = None,
    *,
    at: datetime | None = None,
    comment: str = "",
) -> Program:
    """Take an action of `states.PROGRAM`.

    Publishing sets `published_at` when the program is published for the first time. Undeleting a program that
    was merged into another one takes its id and its address back.

    Args:
        session: The transaction.
        program_id: The program.
        action: A key of `states.PROGRAM`.
        actor: Who acts.
        expected_rev: The revision that the caller has seen; None skips the check. A person who publishes, approves or
            schedules what somebody else wrote has to name it.
        at: The publishing time, for `schedule` only.
        comment: What the actor says about it, for the audit event.

    Returns:
        The program in its new state, with a new revision.

    Raises:
        NotFound: No such program, or it is deleted.
        StaleRevision: The program has another revision.
        IllegalTransition: The program's state does not allow the action.
        RevisionRequired: `expected_rev` is None, and somebody else wrote a part of the text.
        ValidationFailed: `at` is not in the future or beyond the calendar, or the program to be published has already expired.
    """
    program = _lock(session, program_id, expected_rev)
    state = program.status if program.deleted_at is None else states.DELETED
    if state == states.DELETED and state not in states.PROGRAM[action].sources:
        raise NotFound("program", program_id)
    _, target, unschedules = states.step(states.PROGRAM, action, state)
    if target in states.LIVE:
        require_named(expected_rev, actor, _authors(session, program_id), program.rev)
    now = database_now(session)
    planned = program.scheduled_publish_at
    if action == "approve" and planned is not None and planned > now:
        target, unschedules = "scheduled", False
    if action == "schedule":
        if at is None or at <= now:
            raise ValidationFailed(
                [FieldError("scheduledPublishAt", "in_the_past", "Must be in the future.")]
            )
        require_valid(moment("scheduled_publish_at", at))
        planned = at
    if target == "published":
        if program.expire_at is not None and program.expire_at <= now:
            raise ValidationFailed([FieldError("expireAt", "in_the_past", "It has already expired.")])
        program.published_at = program.published_at or now
    if target == states.DELETED:
        program.deleted_at = now
    else:
        program.status, program.deleted_at = target, None
    diff: dict[str, object] = {} if state == target else {"status": [state, target]}
    diff |= comments.said(comment)
    planned = None if unschedules else planned
    if planned != program.scheduled_publish_at:
        name, before = "scheduled_publish_at", program.scheduled_publish_at
        diff[camel(name)] = [snapshot.plain(before), snapshot.plain(planned)]
        program.scheduled_publish_at = planned
    if action == "undelete":
        _take_back(session, program)
    if action == "reject":
        comments.reject(session, program_id, comment, actor, comments.About(program.rev))
    program.rev += 1
    return record(session, program, action, actor, diff)


def _authors(session: Session, program_id: int) -> list[str]:
    """Return everybody who wrote a revision of the program other than by a transition."""
    wrote = select(ProgramRevision.actor).where(
        ProgramRevision.program_id == program_id, ProgramRevision.action.not_in(states.PROGRAM.keys())
    )
    return list(session.scalars(wrote.distinct()))


def _take_back(session: Session, program: Program) -> None:
    """Give an undeleted program its id and address again, if a merge had given them to another program."""
    redirect = session.get(ProgramRedirect, program.id)
    if redirect is not None:
        session.delete(redirect)
        slugs.take_back(session, program)


def publish_due(session: Session, actor: Actor, limit: int = DUE_LIMIT) -> list[int]:
    """Publish scheduled programs whose time has come by the database's clock.

    Programs that another transaction has locked are left to it. A program that has expired meanwhile is
    archived instead.

    Args:
        session: The transaction.
        actor: Who publishes.
        limit: How many programs at most.

    Returns:
        The ids of the published programs.
    """
    published = []
    for program_id in _locked_ids(session, _to_publish(), limit):
        try:
            transition(session, program_id, "publish", actor)
        except ValidationFailed:
            transition(session, program_id, "archive", actor)
        else:
            published.append(program_id)
    return published


def expire_due(session: Session, actor: Actor, limit: int = DUE_LIMIT) -> list[int]:
    """Archive published programs that have expired by the database's clock.

    Args:
        session: The transaction.
        actor: Who archives.
        limit: How many programs at most.

    Returns:
        The ids of the archived programs.
    """
    ids = _locked_ids(session, _to_expire(), limit)
    for program_id in ids:
        transition(session, program_id, "archive", actor)
    return ids


def is_any_due() -> ColumnElement[bool]:
    """Return the condition that there is something for `publish_due` or `expire_due`."""
    return or_(_to_publish().exists(), _to_expire().exists())


def _to_publish() -> Select[int]:
    due = Program.scheduled_publish_at <= func.clock_timestamp()
    return select(Program.id).where(Program.status == "scheduled", due, Program.deleted_at.is_(None))


def _to_expire() -> Select[int]:
    due = and_(Program.expire_at.is_not(None), Program.expire_at <= func.clock_timestamp())
    return select(Program.id).where(Program.status == "published", due, Program.deleted_at.is_(None))


def _locked_ids(session: Session, due: Select[int], limit: int) -> list[int]:
    return list(session.scalars(due.order_by(Program.id).limit(limit).with_for_update(skip_locked=True)))


def record(
    session: Session,
    program: Program,
    action: str,
    actor: Actor,
    diff: Mapping[str, object],
    *,
    after: Snapshot | None = None,
) -> Program:
    """Write a change of a program: its row, a revision, an audit event, and a note for the caches.

    Args:
        session: The transaction.
        program: The changed row, its `rev` already raised.
        action: What the revision and the audit event call the change.
        actor: Who changed it.
        diff: JSON field -> [before, after], for the audit event.
        after: What the program says now, where the caller has read it already.

    Raises:
        Conflict: Another program has a unique value.
    """
    flush_program(session)
    session.refresh(program)
    session.add(
        ProgramRevision(
            program_id=program.id,
            rev=program.rev,
            action=action,
            actor=str(actor),
            snapshot=snapshot.of(session, program) if after is None else after,
        )
    )
    _note_change(session, program, action)
    audit.record(session, actor, f"program.{action}", "program", program.id, diff)
    session.flush()
    note_changed(session, program)
    return program


def note_changed(session: Session, program: Program) -> None:
    """Let the caches forget a program that is otherwise, after the commit."""
    changes.note(session, [changes.ProgramChange(program.id, program.rev, _is_visible(session, program))])


def _note_change(session: Session, program: Program, action: str) -> None:
    """Keep which programs listeners will see otherwise when they are published again. What is typed while they see it is live."""
    if program.published_at is None:
        return
    if action in _PUBLISHING:
        session.execute(delete(ChangedProgram).where(ChangedProgram.program_id == program.id))
    elif action not in states.PROGRAM and program.status != "published":
        new = insert(ChangedProgram).values(program_id=program.id)
        session.execute(new.on_conflict_do_nothing(index_elements=["program_id"]))


def flush_program(session: Session) -> None:
    """Send pending changes of programs.

    Raises:
        Conflict: Another program has a unique value.
    """
    flush(session, "Another program has this value.", {"slug": "slug", "external_id": "externalId"})


def _is_visible(session: Session, program: Program) -> bool:
    return (
        program.status == "published"
        and program.deleted_at is None
        and (program.expire_at is None or program.expire_at > session.scalars(select(func.now())).one())
    )
