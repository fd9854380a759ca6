"""The dirty set: which programs each engine still has to hear about.

A trigger marks a program in the transaction that changes it, so bulk SQL counts too. The sender
claims rows here, sends the *current* state of those programs and settles by `seq`: a mark made
while documents were on the way has a higher `seq` and stays.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import (
    CheckConstraint,
    DateTime,
    Identity,
    Index,
    Integer,
    PrimaryKeyConstraint,
    SmallInteger,
    UniqueConstraint,
    func,
    select,
    text,
    update,
)
from sqlalchemy.orm import Mapped, Session, mapped_column

from catalog.base import Base, CreatedAt


class IndexTarget(Base):
    """One index on one engine that must be kept equal to the published set."""

    __tablename__ = "index_targets"
    __table_args__ = (
        CheckConstraint("state IN ('live', 'building', 'previous', 'retired')", name="state"),
        UniqueConstraint("engine", "index_uid"),
    )

    id: Mapped[int] = mapped_column(SmallInteger, Identity(), primary_key=True)
    engine: Mapped[str]
    index_uid: Mapped[str]
    state: Mapped[str] = mapped_column(default="live", server_default="live")
    settings_hash: Mapped[str] = mapped_column(default="", server_default="")
    settings_revision: Mapped[int] = mapped_column(default=0, server_default="0")
    # While it is held its sender claims nothing; `held_epoch` is the sender that has nothing on its way.
    hold: Mapped[bool] = mapped_column(default=False, server_default="false")
    held_epoch: Mapped[int | None]
    # A previous index is kept, in step, until then.
    keep_until: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    # Grows whenever a sender takes over: a sender that lost its place cannot settle.
    epoch: Mapped[int] = mapped_column(default=0, server_default="0")
    heartbeat_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    # False from an index's making until everything that was published then is confirmed. What is
    # marked up to `fill_marked_at` belongs to it; null while the marking goes on.
    filled: Mapped[bool] = mapped_column(default=False, server_default="false")
    fill_marked_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    created_at: Mapped[CreatedAt]


class IndexDirty(Base):
    """A program that one target has not yet confirmed. No foreign key: deletions mark as well."""

    __tablename__ = "index_dirty"
    __table_args__ = (
        PrimaryKeyConstraint("target_id", "program_id"),
        Index(
            "index_dirty_claim_idx",
            "target_id",
            "seq",
            postgresql_where=text("NOT parked"),
        ),
        Index("index_dirty_marked_at_idx", "target_id", "marked_at"),
    )

    target_id: Mapped[int] = mapped_column(SmallInteger)
    program_id: Mapped[int]
    rev: Mapped[int]
    seq: Mapped[int] = mapped_column(server_default=text("nextval('index_dirty_seq')"))
    marked_at: Mapped[datetime] = mapped_column(
        DateTime(timezone=True), server_default=func.clock_timestamp()
    )
    attempts: Mapped[int] = mapped_column(Integer, server_default="0")
    next_at: Mapped[datetime] = mapped_column(
        DateTime(timezone=True), server_default=func.clock_timestamp()
    )
    error: Mapped[str | None]
    parked: Mapped[bool] = mapped_column(server_default="false")


@dataclass(frozen=True, slots=True)
class Mark:
    """A claimed row: the program, and the mark up to which sending it settles the row."""

    program_id: int
    rev: int
    seq: int
    marked_at: datetime


class LostPlaceError(Exception):
    """Another sender has taken over: nothing may be settled any more."""


def claim(session: Session, target_id: int, epoch: int, limit: int) -> list[Mark] | None:
    """What is due for the target, oldest mark first; None while the target is held.

    Locks nothing: there is one sender. Raises LostPlaceError.
    """
    target = session.execute(
        select(IndexTarget.epoch, IndexTarget.hold).where(IndexTarget.id == target_id)
    ).one_or_none()
    if target is None or target.epoch != epoch:
        raise LostPlaceError(f"epoch {epoch} of target {target_id} is over")
    if target.hold:
        return None
    rows = session.execute(
        select(IndexDirty.program_id, IndexDirty.rev, IndexDirty.seq, IndexDirty.marked_at)
        .where(
            IndexDirty.target_id == target_id,
            ~IndexDirty.parked,
            IndexDirty.next_at <= func.clock_timestamp(),
        )
        .order_by(IndexDirty.seq)
        .limit(limit)
    )
    return [Mark(*row) for row in rows]


def settle(session: Session, target_id: int, epoch: int, marks: Sequence[Mark]) -> float:
    """Forget what was confirmed; marks made since stay. Returns the database's clock (Unix time).

    Raises LostPlaceError when the epoch is no longer the caller's.
    """
    _hold_place(session, target_id, epoch)
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
    """Put a document aside that the engine refuses; a change of the program frees it."""
    _hold_place(session, target_id, epoch)
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
    """Try parked documents again; returns how many."""
    query = update(IndexDirty).where(IndexDirty.target_id == target_id, IndexDirty.parked)
    if program_ids is not None:
        query = query.where(IndexDirty.program_id.in_(program_ids))
    result = session.execute(query.values(parked=False, next_at=func.clock_timestamp()))
    return int(getattr(result, "rowcount", 0))


def mark(session: Session, program_ids: Sequence[int]) -> None:
    """Mark programs for every target, as the trigger does."""
    session.execute(text("SELECT index_mark(CAST(:ids AS bigint[]))"), {"ids": sorted(program_ids)})


def mark_target(session: Session, target_id: int, program_ids: Sequence[int]) -> None:
    """Mark programs for one target only; parked ones are tried again."""
    session.execute(
        text(
            "INSERT INTO index_dirty AS d (target_id, program_id, rev) "
            "SELECT :target, m.id, coalesce(p.rev, 0) FROM unnest(CAST(:ids AS bigint[])) AS m(id) "
            "LEFT JOIN programs p ON p.id = m.id ORDER BY m.id "
            "ON CONFLICT (target_id, program_id) DO UPDATE SET rev = excluded.rev, "
            "seq = nextval('index_dirty_seq'), parked = false, attempts = 0, error = NULL, "
            "next_at = clock_timestamp()"
        ),
        {"target": target_id, "ids": sorted(program_ids)},
    )


def waiting(session: Session, target_id: int, program_ids: Sequence[int] | None = None) -> set[int]:
    """Programs the target has not confirmed, parked ones too; all of them or those of `program_ids`."""
    query = select(IndexDirty.program_id).where(IndexDirty.target_id == target_id)
    if program_ids is not None:
        query = query.where(IndexDirty.program_id == func.any(list(program_ids)))
    return set(session.scalars(query))


def take_place(session: Session, target_id: int) -> int:
    """Become the target's sender; returns the new epoch. Raises LostPlaceError when it is gone."""
    epoch = session.scalars(
        update(IndexTarget)
        .where(IndexTarget.id == target_id)
        .values(epoch=IndexTarget.epoch + 1, heartbeat_at=func.clock_timestamp())
        .returning(IndexTarget.epoch)
    ).one_or_none()
    if epoch is None:
        raise LostPlaceError(f"target {target_id} is gone")
    return epoch


def acknowledge_hold(session: Session, target_id: int, epoch: int) -> None:
    """Say that nothing of this sender is on its way. Raises LostPlaceError."""
    _hold_place(session, target_id, epoch)
    session.execute(
        update(IndexTarget)
        .where(IndexTarget.id == target_id, IndexTarget.hold)
        .values(held_epoch=epoch)
    )


def beat(session: Session, target_id: int, epoch: int) -> None:
    """Say that the sender is alive. Raises LostPlaceError."""
    _hold_place(session, target_id, epoch)
    session.execute(
        update(IndexTarget)
        .where(IndexTarget.id == target_id)
        .values(heartbeat_at=func.clock_timestamp())
    )


def begin_filling(session: Session, target_id: int, epoch: int) -> None:
    """The index is empty or unknown: listeners are better answered elsewhere. Raises LostPlaceError."""
    _hold_place(session, target_id, epoch)
    session.execute(
        update(IndexTarget)
        .where(IndexTarget.id == target_id)
        .values(filled=False, fill_marked_at=None)
    )


def filling_marked(session: Session, target_id: int, epoch: int) -> None:
    """Everything that belongs into the index is marked. Raises LostPlaceError."""
    _hold_place(session, target_id, epoch)
    session.execute(
        update(IndexTarget)
        .where(IndexTarget.id == target_id)
        .values(fill_marked_at=func.clock_timestamp())
    )


def end_filling(session: Session, target_id: int, epoch: int) -> bool:
    """Say that the index is filled once nothing waits that was marked for it (what the engine refuses
    does not count); returns whether it is. Raises LostPlaceError."""
    _hold_place(session, target_id, epoch)
    waits = (
        select(IndexDirty.program_id)
        .where(
            IndexDirty.target_id == target_id,
            ~IndexDirty.parked,
            IndexDirty.marked_at <= IndexTarget.fill_marked_at,
        )
        .correlate(IndexTarget)
        .exists()
    )
    session.execute(
        update(IndexTarget)
        .where(IndexTarget.id == target_id, IndexTarget.fill_marked_at.is_not(None), ~waits)
        .values(filled=True, fill_marked_at=None)
    )
    query = select(IndexTarget.filled).where(IndexTarget.id == target_id)
    return bool(session.scalars(query).one())


def _hold_place(session: Session, target_id: int, epoch: int) -> None:
    # Locked until the commit: a takeover waits for it, or this waits for the takeover and sees it.
    current = session.scalars(
        select(IndexTarget.epoch).where(IndexTarget.id == target_id).with_for_update()
    ).one_or_none()
    if current != epoch:
        raise LostPlaceError(f"epoch {epoch} was superseded by {current}")
