"""The dirty set: which programs each engine still has to hear about.

A trigger marks a program in the transaction that changes it, so bulk SQL counts too. The sender
claims rows here, sends the *current* state of those programs and settles by `seq`: a mark made
while documents were on the way has a higher `seq` and stays.
"""

from datetime import datetime

from sqlalchemy import (
    CheckConstraint,
    DateTime,
    Identity,
    Index,
    Integer,
    PrimaryKeyConstraint,
    SmallInteger,
    func,
    text,
)
from sqlalchemy.orm import Mapped, mapped_column

from catalog.base import Base, CreatedAt


class IndexTarget(Base):
    """One index on one engine that must be kept equal to the published set."""

    __tablename__ = "index_targets"
    __table_args__ = (CheckConstraint("state IN ('live', 'building', 'retired')", name="state"),)

    id: Mapped[int] = mapped_column(SmallInteger, Identity(), primary_key=True)
    engine: Mapped[str]
    index_uid: Mapped[str]
    state: Mapped[str] = mapped_column(default="live", server_default="live")
    settings_hash: Mapped[str] = mapped_column(default="", server_default="")
    # Grows whenever a sender takes over: a sender that lost its place cannot settle.
    epoch: Mapped[int] = mapped_column(default=0, server_default="0")
    heartbeat_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    created_at: Mapped[CreatedAt]


class IndexDirty(Base):
    """A program that one target has not yet confirmed. No foreign key: deletions mark as well."""

    __tablename__ = "index_dirty"
    __table_args__ = (
        PrimaryKeyConstraint("target_id", "program_id"),
        Index(
            "index_dirty_due_idx",
            "target_id",
            "next_at",
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
