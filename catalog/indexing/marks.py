"""The dirty set: which programs each target has not confirmed yet.

A trigger marks a program in the transaction that changes it (migrations/versions/20261125_10_triggers.py), so
changes by plain SQL are marked as well. The target's sender claims marks, sends the current state of their
programs and settles the marks by `seq`: a mark made while a document was being sent has a higher `seq` and
stays.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import delete, func, select, text, update
from sqlalchemy.orm import Session

from catalog.core.db import change_rows
from catalog.indexing import leadership
from catalog.indexing.models import IndexDirty, IndexTarget


class Mark(NamedTuple):
    """A claimed mark. Settling it deletes the mark's row unless the row's `seq` has grown since."""

    program_id: int
    rev: int
    seq: int
    marked_at: datetime


def claim(session: Session, target_id: int, epoch: int, limit: int) -> list[Mark] | None:
    """Return the target's marks that are not parked, oldest first, or None while the target is paused.

    Locks nothing: a target has one sender.

    Args:
        session: The transaction.
        target_id: The target.
        epoch: The sender's epoch.
        limit: How many marks at most.

    Raises:
        LeadershipLost: Another sender leads the target.
    """
    target = session.execute(
        select(IndexTarget.epoch, IndexTarget.paused).where(IndexTarget.id == target_id)
    ).one_or_none()
    if target is None or target.epoch != epoch:
        raise leadership.LeadershipLost(f"epoch {epoch} of target {target_id} has ended")
    if target.paused:
        return None
    rows = session.execute(
        select(IndexDirty.program_id, IndexDirty.rev, IndexDirty.seq, IndexDirty.marked_at)
        .where(IndexDirty.target_id == target_id, ~IndexDirty.parked)
        .order_by(IndexDirty.seq)
        .limit(limit)
    )
    return [Mark(*row) for row in rows]


def settle(session: Session, target_id: int, epoch: int, marks: Sequence[Mark]) -> float:
    """Delete the marks that the engine has confirmed; marks made since they were claimed stay.

    Args:
        session: The transaction.
        target_id: The target.
        epoch: The sender's epoch.
        marks: Claimed marks whose documents the engine has stored or deleted.

    Returns:
        The database's clock, in seconds since 1970.

    Raises:
        LeadershipLost: Another sender leads the target.
    """
    leadership.require(session, target_id, epoch)
    session.execute(
        text(
            "DELETE FROM index_dirty d USING unnest(CAST(:ids AS bigint[]), CAST(:seqs AS bigint[])) "
            "AS sent(id, seq) WHERE d.target_id = :target AND d.program_id = sent.id "
            "AND d.seq <= sent.seq"
        ),
        {
            "target": target_id,
            "ids": [mark.program_id for mark in marks],
            "seqs": [mark.seq for mark in marks],
        },
    )
    return float(session.scalars(select(func.extract("epoch", func.clock_timestamp()))).one())


def park(session: Session, target_id: int, epoch: int, mark: Mark, reason: str) -> None:
    """Park a mark whose document the engine refuses: it is not claimed until the program changes.

    Args:
        session: The transaction.
        target_id: The target.
        epoch: The sender's epoch.
        mark: The claimed mark; a newer mark of the program is left alone.
        reason: What the engine said; the first 2,000 characters are stored.

    Raises:
        LeadershipLost: Another sender leads the target.
    """
    leadership.require(session, target_id, epoch)
    session.execute(
        update(IndexDirty)
        .where(
            IndexDirty.target_id == target_id,
            IndexDirty.program_id == mark.program_id,
            IndexDirty.seq <= mark.seq,
        )
        .values(parked=True, error=reason[:2000], attempts=IndexDirty.attempts + 1)
    )


def unpark(session: Session, target_id: int, program_ids: Sequence[int] | None = None) -> int:
    """Let the sender claim parked marks again.

    Args:
        session: The transaction.
        target_id: The target.
        program_ids: Only the marks of these programs; all of them by default.

    Returns:
        How many marks were parked.
    """
    statement = update(IndexDirty).where(IndexDirty.target_id == target_id, IndexDirty.parked)
    if program_ids is not None:
        statement = statement.where(IndexDirty.program_id.in_(program_ids))
    return change_rows(session, statement.values(parked=False))


def mark(session: Session, program_ids: Sequence[int]) -> None:
    """Mark the programs for every target, as the trigger does."""
    session.execute(text("SELECT index_mark(CAST(:ids AS bigint[]))"), {"ids": sorted(program_ids)})


def mark_target(session: Session, target_id: int, program_ids: Sequence[int]) -> None:
    """Mark the programs for one target; parked marks are claimed again.

    Args:
        session: The transaction.
        target_id: The target.
        program_ids: Ids in any order; a deleted program is marked with revision 0.
    """
    session.execute(
        text(
            "INSERT INTO index_dirty AS d (target_id, program_id, rev) "
            "SELECT :target, m.id, coalesce(p.rev, 0) FROM unnest(CAST(:ids AS bigint[])) AS m(id) "
            "LEFT JOIN programs p ON p.id = m.id ORDER BY m.id "
            "ON CONFLICT (target_id, program_id) DO UPDATE SET rev = excluded.rev, "
            "seq = nextval('index_dirty_seq'), parked = false, attempts = 0, error = NULL"
        ),
        {"target": target_id, "ids": sorted(program_ids)},
    )


def marked_ids(session: Session, target_id: int, program_ids: Sequence[int] | None = None) -> set[int]:
    """Return the ids of the programs that have a mark for the target, parked marks included.

    Args:
        session: The transaction.
        target_id: The target.
        program_ids: Look only at these programs; at all of them by default.
    """
    query = select(IndexDirty.program_id).where(IndexDirty.target_id == target_id)
    if program_ids is not None:
        query = query.where(IndexDirty.program_id == func.any(list(program_ids)))
    return set(session.scalars(query))


def has_marks_before(session: Session, target_id: int, moment: datetime | None) -> bool:
    """Return whether a mark for the target that is not parked was made at `moment` or earlier.

    Editors go on while a rebuild waits, so some program is always marked. A mark keeps the time of its first
    making, so the marks made up to a moment do come to an end.

    Args:
        session: The transaction.
        target_id: The target.
        moment: By the database's clock; None is before every mark.
    """
    query = select(IndexDirty.program_id).where(
        IndexDirty.target_id == target_id, ~IndexDirty.parked, IndexDirty.marked_at <= moment
    )
    return session.scalars(query.limit(1)).first() is not None


def delete_orphans(session: Session) -> None:
    """Delete the marks of targets that were removed.

    A transaction that was open while its target was removed may have added marks after the removal.
    """
    session.execute(delete(IndexDirty).where(IndexDirty.target_id.not_in(select(IndexTarget.id))))
