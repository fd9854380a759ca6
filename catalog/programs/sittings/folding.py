"""Folds what an author has just saved automatically into what the same author saved automatically before.

A sitting ends when somebody else, or the same author in another way, changes the program or its pending revision; when
nothing is saved for `GAP`; or when somebody comments on its revision, because a comment names a revision that has to stay.
Functions flush; the caller commits, and has locked the program.
"""

from collections.abc import Mapping
from datetime import timedelta

from sqlalchemy import delete, exists, select
from sqlalchemy.orm import Session

from catalog.core.actor import Actor
from catalog.core.audit import AuditEvent
from catalog.core.db import database_now
from catalog.programs.models import Program, ProgramRevision, ProgramSlug
from catalog.review.models import ReviewComment

# What the history calls it: of the program itself, and of its pending revision.
AUTOSAVE = "autosave"
# The longest pause within a sitting.
GAP = timedelta(minutes=15)
# Events that change nothing of the program.
_SAID = ("program.comment", "program.reply", "program.resolve_comment", "program.reopen_comment")


def fold(session: Session, program_id: int, actor: Actor) -> None:
    """Fold the newest change of a program, or of its pending revision, into the one before, if both are of one sitting.

    Afterwards there is one event with the values before the sitting and those now, and of the program itself one
    revision: the newest. The number of the one before is not used again.

    Args:
        session: The transaction that has saved the change.
        program_id: The program.
        actor: Who has saved it.
    """
    newest = (
        select(AuditEvent)
        .where(
            AuditEvent.entity == "program",
            AuditEvent.entity_id == program_id,
            AuditEvent.action.not_in(_SAID),
        )
        .order_by(AuditEvent.id.desc())
        .limit(2)
    )
    events = session.scalars(newest).all()
    if len(events) < 2 or not _is_one_sitting(session, *events):
        return
    now, before = events
    if now.action == f"program.{AUTOSAVE}" and not _drop_revision_before(session, program_id, actor):
        return
    now.diff = joined(before.diff, now.diff)
    session.delete(before)
    session.flush()


def joined(first: Mapping[str, object], second: Mapping[str, object]) -> dict[str, object]:
    """Return what two changes change together: field -> [before, after], without fields that are as before.

    >>> joined({"title": ["a", "b"], "season": [1, 2]}, {"title": ["b", "c"], "season": [2, 1]})
    {'title': ['a', 'c']}
    """
    found: dict[str, object] = {}
    for name in sorted(first.keys() | second.keys()):
        pairs = [pair for pair in (first.get(name), second.get(name)) if isinstance(pair, list)]
        before, after = pairs[0][0], pairs[-1][1]
        if before != after:
            found[name] = [before, after]
    return found


def _is_one_sitting(session: Session, now: AuditEvent, before: AuditEvent) -> bool:
    author, same = (now.action, now.actor_kind, now.actor_id, now.actor_name), before
    return (
        now.action.endswith(AUTOSAVE)
        and author == (same.action, same.actor_kind, same.actor_id, same.actor_name)
        and before.at >= database_now(session) - GAP
    )


def _drop_revision_before(session: Session, program_id: int, actor: Actor) -> bool:
    """Delete the revision before the newest one, if it is of the same sitting; return whether it was.

    An address that only this revision had is free again, unless listeners may have seen it.
    """
    revisions = select(ProgramRevision).where(ProgramRevision.program_id == program_id)
    newest, *others = session.scalars(revisions.order_by(ProgramRevision.rev.desc()).limit(2))
    for before in others:
        is_named = exists().where(ReviewComment.program_id == program_id, ReviewComment.rev == before.rev)
        if before.action != AUTOSAVE or before.actor != str(actor) or session.scalar(select(is_named)):
            return False
        session.delete(before)
        session.flush()
        if before.snapshot["slug"] != newest.snapshot["slug"]:
            _free(session, program_id, before.snapshot["slug"])
    return bool(others)


def _free(session: Session, program_id: int, slug: str) -> None:
    """Give up an address of a program that was never published, unless a revision of it has the address."""
    had = ProgramRevision.snapshot["slug"].astext == slug
    session.execute(
        delete(ProgramSlug).where(
            ProgramSlug.slug == slug,
            ProgramSlug.program_id == program_id,
            exists().where(Program.id == program_id, Program.published_at.is_(None)),
            ~exists().where(ProgramRevision.program_id == program_id, had),
        )
    )
