"""The table of programs that were changed since they were published."""

from sqlalchemy import ForeignKey
from sqlalchemy.orm import Mapped, mapped_column

from catalog.core.base import Base, CreatedAt


class ChangedProgram(Base):
    """A program that was published, and whose fields were changed while it is not. Publishing it removes the row.

    `catalog.programs.lifecycle` writes it. A change of a published program is live at once, so it is none, and what waits
    in a pending revision is no change of the program yet.
    """

    __tablename__ = "changed_programs"

    program_id: Mapped[int] = mapped_column(ForeignKey("programs.id", ondelete="CASCADE"), primary_key=True)
    at: Mapped[CreatedAt]
