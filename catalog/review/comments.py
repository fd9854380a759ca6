"""What people say about a program while it is written and reviewed: threads that are resolved. The only writer of its table.

A thread belongs to the revision that its author saw. A rejection with a comment begins one. Functions flush; the caller
commits, and has locked the program.
"""

from collections.abc import Sequence
from typing import NamedTuple

from sqlalchemy import ColumnElement, Select, func, select
from sqlalchemy.orm import Session

from catalog.core import audit
from catalog.core.actor import Actor
from catalog.core.db import database_now
from catalog.core.errors import Conflict, NotFound
from catalog.core.fields import require_valid, text
from catalog.review.models import ReviewComment
from catalog.review.rights import ReviewerNeeded, Rights

ENTITY = "program"
# Characters of a comment, and comments on one program.
MAX_BODY, MAX_COMMENTS = 2_000, 1_000
_OPEN = (ReviewComment.thread_id.is_(None), ReviewComment.resolved_at.is_(None))
_check_body = text(MAX_BODY, required=True)
# Programs with a thread that is open.
WITH_OPEN = select(ReviewComment.program_id).where(*_OPEN)


class About(NamedTuple):
    """What a thread is about: the revision, that of the pending revision if there is one, and a field of it or all."""

    rev: int
    pending_rev: int | None = None
    field: str | None = None


def open_threads(program_id: ColumnElement[int]) -> ColumnElement[int]:
    """Return how many threads of a program are open, as a column beside its row."""
    count = select(func.count()).where(ReviewComment.program_id == program_id, *_OPEN)
    return count.scalar_subquery()


def threads(
    program_id: int | None, is_open: bool | None, before: int | None, limit: int
) -> Select[ReviewComment]:
    """Return the beginnings of threads, the newest first.

    Args:
        program_id: Of this program; None: of every program.
        is_open: Only open threads, or only resolved ones; None: both.
        before: Only threads that are older than this one.
        limit: How many at most.
    """
    query = select(ReviewComment).where(ReviewComment.thread_id.is_(None))
    if program_id is not None:
        query = query.where(ReviewComment.program_id == program_id)
    if is_open is not None:
        resolved = ReviewComment.resolved_at
        query = query.where(resolved.is_(None) if is_open else resolved.is_not(None))
    if before is not None:
        query = query.where(ReviewComment.id < before)
    return query.order_by(ReviewComment.id.desc()).limit(limit)


def replies(thread_ids: Sequence[int], limit: int) -> Select[ReviewComment, int]:
    """Return the last replies in some threads, the oldest first, each with the number of replies in its thread.

    Args:
        thread_ids: The threads.
        limit: How many of each thread at most.
    """
    thread = ReviewComment.thread_id
    place = func.row_number().over(partition_by=thread, order_by=ReviewComment.id.desc())
    count = func.count().over(partition_by=thread)
    placed = (
        select(ReviewComment.id, place.label("place"), count.label("count"))
        .where(thread == func.any(list(thread_ids)))
        .subquery()
    )
    last = select(ReviewComment, placed.c["count"]).join(placed, placed.c.id == ReviewComment.id)
    return last.where(placed.c.place <= limit).order_by(ReviewComment.id)


def said(comment: str) -> dict[str, object]:
    """Return what was said about a step as its audit event has it; nothing for a blank."""
    return {"comment": [None, comment.strip()]} if comment.strip() else {}


def reject(session: Session, program_id: int, comment: str, actor: Actor, about: About) -> None:
    """Begin a thread with what a reviewer said when rejecting a text. Nothing is said by a blank.

    Args:
        session: The transaction.
        program_id: The program.
        comment: What the reviewer said.
        actor: The reviewer.
        about: What was rejected.
    """
    if comment.strip():
        # The audit event of the rejection has it.
        session.add(_new(program_id, comment, actor, about, "rejection"))
        session.flush()


def begin(session: Session, program_id: int, body: str, actor: Actor, about: About) -> ReviewComment:
    """Begin a thread.

    Args:
        session: The transaction.
        program_id: The program.
        body: What the actor says.
        actor: Who says it.
        about: What it is about.

    Raises:
        ValidationFailed: There is nothing said, or too much.
        Conflict: The program has as many comments as it may have.
    """
    _require_room(session, program_id, body)
    return _written(session, _new(program_id, body, actor, about), actor, "comment")


def reply(session: Session, program_id: int, thread_id: int, body: str, actor: Actor) -> ReviewComment:
    """Reply in a thread; whether it is resolved stays as it is.

    Args:
        session: The transaction.
        program_id: The program.
        thread_id: The comment that began the thread.
        body: What the actor says.
        actor: Who says it.

    Raises:
        NotFound: The program has no such thread.
        ValidationFailed: There is nothing said, or too much.
        Conflict: The program has as many comments as it may have.
    """
    thread = get(session, program_id, thread_id)
    _require_room(session, program_id, body)
    new = ReviewComment(
        program_id=program_id, thread_id=thread.id, rev=thread.rev, body=body.strip(), author=str(actor)
    )
    return _written(session, new, actor, "reply")


def settle(
    session: Session, program_id: int, thread_id: int, actor: Actor, rights: Rights, *, is_resolved: bool
) -> None:
    """Resolve a thread, or open it again. Nothing is recorded when it is so already.

    Args:
        session: The transaction.
        program_id: The program.
        thread_id: The comment that began the thread.
        actor: Who does it.
        rights: What the actor may do; whoever may not publish settles threads of their own.
        is_resolved: Resolve it instead of opening it.

    Raises:
        NotFound: The program has no such thread.
        ReviewerNeeded: Somebody else began the thread, and the actor is no reviewer.
    """
    thread = get(session, program_id, thread_id)
    if not rights.may_publish and thread.author != str(actor):
        raise ReviewerNeeded("Whoever began the thread settles it, or a reviewer.")
    if (thread.resolved_at is not None) == is_resolved:
        return
    thread.resolved_at = database_now(session) if is_resolved else None
    thread.resolved_by = str(actor) if is_resolved else None
    action = "resolve_comment" if is_resolved else "reopen_comment"
    diff = {"resolved": [not is_resolved, is_resolved], "thread": [thread.id, thread.id]}
    audit.record(session, actor, f"{ENTITY}.{action}", ENTITY, program_id, diff)
    session.flush()


def get(session: Session, program_id: int, thread_id: int) -> ReviewComment:
    """Return the comment that began a thread.

    Args:
        session: Reads.
        program_id: The program.
        thread_id: The comment.

    Raises:
        NotFound: The program has no such thread.
    """
    found = session.get(ReviewComment, thread_id)
    if found is None or found.program_id != program_id or found.thread_id is not None:
        raise NotFound("thread", thread_id)
    return found


def _new(program_id: int, body: str, actor: Actor, about: About, kind: str = "comment") -> ReviewComment:
    return ReviewComment(
        program_id=program_id,
        kind=kind,
        rev=about.rev,
        pending_rev=about.pending_rev,
        field=about.field,
        body=body.strip(),
        author=str(actor),
    )


def _require_room(session: Session, program_id: int, body: str) -> None:
    require_valid(_check_body("body", body))
    count = select(func.count()).where(ReviewComment.program_id == program_id)
    if (session.scalar(count) or 0) >= MAX_COMMENTS:
        raise Conflict(f"A program has at most {MAX_COMMENTS} comments.")


def _written(session: Session, new: ReviewComment, actor: Actor, action: str) -> ReviewComment:
    session.add(new)
    session.flush()
    session.refresh(new)
    diff: dict[str, object] = {"comment": [None, new.body], "thread": [None, new.thread_id or new.id]}
    if new.field is not None:
        diff["field"] = [None, new.field]
    audit.record(session, actor, f"{ENTITY}.{action}", ENTITY, new.program_id, diff)
    session.flush()
    return new
