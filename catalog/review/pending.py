"""The life of a pending revision, the same for programs, series and categories. The only writer of its table.

A pending revision is changed by trying: the change is written to the live row within a savepoint, read back, and
rolled back. So a change that could not be published is refused when it is written, and a preview is what publishing
would make. Every function locks the live row first. Functions flush; the caller commits.
"""

from collections.abc import Mapping

from sqlalchemy import select
from sqlalchemy.orm import Session

from catalog.core import audit
from catalog.core.actor import Actor
from catalog.core.db import database_now
from catalog.core.errors import FieldError, NotFound, PendingConflict, StaleRevision
from catalog.core.fields import camel
from catalog.review import comments
from catalog.review.models import REV, PendingRevision
from catalog.review.rights import require_named
from catalog.review.states import PENDING, step
from catalog.review.subjects import APPLY, Subject, Values, tried

WHAT = "pending revision"


def find(session: Session, entity: str, row_id: int) -> PendingRevision | None:
    """Return the pending revision of a row, if there is one.

    Args:
        session: The transaction.
        entity: The kind of row.
        row_id: The row.
    """
    return session.get(PendingRevision, (entity, row_id), populate_existing=True)


def get(
    session: Session, subject: Subject, row_id: int, *, expected_rev: int | None = None
) -> PendingRevision:
    """Return the pending revision of a row; both are locked until the transaction ends.

    Args:
        session: The transaction.
        subject: The kind of row.
        row_id: The row.
        expected_rev: The pending revision that the caller has seen; None skips the check.

    Raises:
        NotFound: No such row, or it has no pending revision.
        StaleRevision: The pending revision has changed.
    """
    subject.lock(session, row_id)
    found = find(session, subject.entity, row_id)
    if found is None:
        raise NotFound(WHAT, row_id)
    if expected_rev is not None and found.rev != expected_rev:
        raise StaleRevision(expected_rev, found.rev)
    return found


def propose(
    session: Session,
    subject: Subject,
    row_id: int,
    values: Values,
    actor: Actor,
    *,
    expected_rev: int | None = None,
    action: str = "edit",
    restates: bool = True,
) -> PendingRevision | None:
    """Change the pending revision of a row, or begin one. A submission is taken back by it.

    A field that becomes what the live row has is no change any more; a pending revision without a change ends.

    Args:
        session: The transaction.
        subject: The kind of row.
        row_id: The row.
        values: What fields shall be, by column name, not yet validated.
        actor: Who changes it.
        expected_rev: The pending revision that the caller has seen; None skips the check.
        action: What the audit event calls the change.
        restates: Whoever writes a field again has seen what it replaces now, so that a conflict about it is settled.

    Returns:
        The pending revision; None when there is none afterwards.

    Raises:
        NotFound: No such row, or the caller has seen a pending revision and there is none.
        StaleRevision: The pending revision has changed.
        ValidationFailed: A value is wrong.
        Conflict: Another row has a unique value.
    """
    base_rev = subject.lock(session, row_id)
    found = find(session, subject.entity, row_id)
    if expected_rev is not None:
        found = get(session, subject, row_id, expected_rev=expected_rev)
    before = dict(found.changes) if found is not None else {}
    live = dict(subject.read(session, row_id))
    with tried(session, subject, row_id, subject.values(before) | dict(values), actor):
        after = dict(subject.read(session, row_id))
    written = {name for name in after if after[name] != live[name]} | before.keys()
    new = {name: after[name] for name in sorted(written) if after[name] != live[name]}
    if not new:
        if found is not None:
            _drop(session, found, actor, live)
        return None
    if found is None:
        found = PendingRevision(entity=subject.entity, entity_id=row_id, state="draft", base={}, authors=[])
        session.add(found)
    restated = (new.keys() - before.keys()) | ({camel(name) for name in values} if restates else set())
    base = {name: live[name] if name in restated else found.base[name] for name in new}
    if new == before and base == found.base:
        return found
    found.state = step(PENDING, "edit", found.state, WHAT).target
    found.base, found.changes, found.base_rev = base, new, base_rev
    found.authors = list(dict.fromkeys([*found.authors, str(actor)]))
    diff = {
        name: [before.get(name, live[name]), new.get(name, live[name])]
        for name in sorted(before.keys() | new.keys())
        if before.get(name, live[name]) != new.get(name, live[name])
    }
    _record(session, found, action, actor, diff)
    return found


def submit(
    session: Session, subject: Subject, row_id: int, actor: Actor, expected_rev: int | None = None
) -> PendingRevision:
    """Ask for a review.

    Args:
        session: The transaction.
        subject: The kind of row.
        row_id: The row.
        actor: Who submits it.
        expected_rev: The pending revision that the caller has seen; None skips the check.

    Raises:
        NotFound: No such row, or it has no pending revision.
        StaleRevision: The pending revision has changed.
        IllegalTransition: It was submitted before.
    """
    found = get(session, subject, row_id, expected_rev=expected_rev)
    before, found.state = found.state, step(PENDING, "submit", found.state, WHAT).target
    found.comment = None
    _record(session, found, "submit", actor, {"state": [before, found.state]})
    return found


def reject(
    session: Session,
    subject: Subject,
    row_id: int,
    actor: Actor,
    expected_rev: int | None = None,
    *,
    comment: str = "",
) -> PendingRevision:
    """Give a submitted pending revision back to its authors.

    Args:
        session: The transaction.
        subject: The kind of row.
        row_id: The row.
        actor: Who rejects it.
        expected_rev: The pending revision that the caller has seen; None skips the check.
        comment: What is wrong with it.

    Raises:
        NotFound: No such row, or it has no pending revision.
        StaleRevision: The pending revision has changed.
        IllegalTransition: It was not submitted.
    """
    found = get(session, subject, row_id, expected_rev=expected_rev)
    before, found.state = found.state, step(PENDING, "reject", found.state, WHAT).target
    if subject.entity == comments.ENTITY:
        about = comments.About(subject.lock(session, row_id), found.rev)
        comments.reject(session, row_id, comment, actor, about)
    found.comment = comment.strip() or None
    diff: dict[str, object] = {"state": [before, found.state]}
    _record(session, found, "reject", actor, diff | comments.said(comment))
    return found


def discard(
    session: Session, subject: Subject, row_id: int, actor: Actor, expected_rev: int | None = None
) -> None:
    """Drop a pending revision; the audit event keeps what it would have changed.

    Args:
        session: The transaction.
        subject: The kind of row.
        row_id: The row.
        actor: Who drops it.
        expected_rev: The pending revision that the caller has seen; None skips the check.

    Raises:
        NotFound: No such row, or it has no pending revision.
        StaleRevision: The pending revision has changed.
    """
    found = get(session, subject, row_id, expected_rev=expected_rev)
    step(PENDING, "discard", found.state, WHAT)
    _drop(session, found, actor, {})


def _drop(session: Session, found: PendingRevision, actor: Actor, live: Values) -> None:
    diff = {name: [value, live.get(name)] for name, value in found.changes.items()}
    audit.record(session, actor, f"{found.entity}.pending_discard", found.entity, found.entity_id, diff)
    session.delete(found)
    session.flush()


def apply(
    session: Session,
    subject: Subject,
    row_id: int,
    action: str,
    actor: Actor,
    expected_rev: int | None = None,
    *,
    comment: str = "",
) -> None:
    """Make a pending revision the live version. Fields that it does not change stay as they are now.

    Args:
        session: The transaction.
        subject: The kind of row.
        row_id: The row.
        action: `approve` what was submitted, or `publish` it in any state.
        actor: Who decides.
        expected_rev: The pending revision that the caller has read; only its only author may leave it out.
        comment: What the actor says about it, for the audit event.

    Raises:
        NotFound: No such row, or it has no pending revision.
        StaleRevision: The pending revision has changed.
        RevisionRequired: Somebody else wrote changes, and no revision was named.
        IllegalTransition: It was not submitted.
        PendingConflict: The live row has other values now than those that were to be replaced.
        ValidationFailed: A value is not valid any more, such as a category that was deleted.
        Conflict: Another row has a unique value.
    """
    found = get(session, subject, row_id, expected_rev=expected_rev)
    step(PENDING, action, found.state, WHAT)
    require_named(expected_rev, actor, found.authors, found.rev)
    names = found.conflicts(subject.read(session, row_id))
    if names:
        message = "The live version has another value than when this change was written."
        raise PendingConflict([FieldError(name, "changed", message) for name in names])
    values = subject.values(found.changes)
    diff: dict[str, object] = {"rev": [found.rev, None], "authors": [found.authors, None]}
    audit.record(
        session,
        actor,
        f"{subject.entity}.pending_{action}",
        subject.entity,
        row_id,
        diff | comments.said(comment),
    )
    session.delete(found)
    session.flush()
    subject.write(session, row_id, values, actor, APPLY)


def forget(session: Session, entity: str, row_id: int) -> None:
    """Delete the pending revision of a row that is deleted for good.

    Args:
        session: The transaction.
        entity: The kind of row.
        row_id: The row.
    """
    found = find(session, entity, row_id)
    if found is not None:
        session.delete(found)


def _record(
    session: Session, found: PendingRevision, action: str, actor: Actor, diff: Mapping[str, object]
) -> None:
    found.rev = session.scalars(select(REV.next_value())).one()
    found.updated_at = database_now(session)
    session.flush()
    audit.record(session, actor, f"{found.entity}.pending_{action}", found.entity, found.entity_id, diff)
    session.flush()
