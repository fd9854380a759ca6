"""Tables of the journal."""

from datetime import datetime

from sqlalchemy import Boolean, CheckConstraint, DateTime, Index, Sequence, func, text
from sqlalchemy.orm import Mapped, mapped_column

from catalog.core.base import Base, BigId

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
    """A program that listeners see, or saw once: at which position it changed last.

    Attributes:
        program_id: The program.
        position: Of its last change. Positions become visible in ascending order.
        is_visible: Whether listeners see it; otherwise it was withdrawn at `position`.
        shown_since: The position at which it was last published.
        at: When the entry was written.
    """

    __tablename__ = "journal"
    __table_args__ = (Index("journal_withdrawn_idx", "at", postgresql_where=text("NOT is_visible")),)

    program_id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    position: Mapped[int] = mapped_column(unique=True)
    is_visible: Mapped[bool] = mapped_column(Boolean)
    shown_since: Mapped[int]
    at: Mapped[datetime]


class JournalState(Base):
    """One row. `epoch` names the journal, `floor` is the highest position of a withdrawal that is no longer kept."""

    __tablename__ = "journal_state"
    __table_args__ = (CheckConstraint("one", name="one"),)

    one: Mapped[bool] = mapped_column(Boolean, primary_key=True, server_default=text("true"))
    epoch: Mapped[str] = mapped_column(server_default=text("substr(md5((gen_random_uuid())::text), 1, 8)"))
    floor: Mapped[int] = mapped_column(server_default=text("0"))
