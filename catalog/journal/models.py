"""Tables of the journal."""

from datetime import datetime

from sqlalchemy import Boolean, CheckConstraint, DateTime, Index, Sequence, UniqueConstraint, func, text
from sqlalchemy.orm import Mapped, mapped_column

from catalog.core.base import Base, BigId

ENTRY_TYPES = ("published", "changed", "withdrawn")
# Numbers entries.
_POSITIONS = Sequence("journal_seq", metadata=Base.metadata)


class JournalMark(Base):
    """A program that changed, was published or was withdrawn in a transaction. Triggers add the rows (`journal_mark`).

    Rows are only added and deleted, so that writers of one program never wait for each other here.
    """

    __tablename__ = "journal_marks"

    id: Mapped[BigId]
    # No foreign key, because a deleted program is marked as well.
    program_id: Mapped[int]
    marked_at: Mapped[datetime] = mapped_column(
        DateTime(timezone=True), server_default=func.clock_timestamp()
    )


class JournalEntry(Base):
    """What happened to a program that listeners see, or saw once.

    A visible program has an entry for its publication and, if it was changed since, one for its last change. A withdrawn
    program has one for its withdrawal.

    Attributes:
        position: Positions become visible in ascending order.
        program_id: The program.
        type: What happened.
        at: When the entry was written.
    """

    __tablename__ = "journal"
    __table_args__ = (
        UniqueConstraint("program_id", "type"),
        CheckConstraint(f"type IN {ENTRY_TYPES}", name="type"),
        Index("journal_withdrawn_idx", "at", postgresql_where=text("type = 'withdrawn'")),
    )

    position: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    program_id: Mapped[int]
    type: Mapped[str]
    at: Mapped[datetime] = mapped_column(DateTime(timezone=True), server_default=func.clock_timestamp())


class JournalState(Base):
    """One row. `epoch` names the journal, `floor` is the highest position of a withdrawal that is no longer kept."""

    __tablename__ = "journal_state"
    __table_args__ = (CheckConstraint("one", name="one"),)

    one: Mapped[bool] = mapped_column(Boolean, primary_key=True, server_default=text("true"))
    epoch: Mapped[str] = mapped_column(server_default=text("substr(md5((gen_random_uuid())::text), 1, 8)"))
    floor: Mapped[int] = mapped_column(server_default=text("0"))
