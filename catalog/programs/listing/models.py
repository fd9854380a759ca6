"""The tables of editors' lists: programs that were changed since they were published, and lists that people keep."""

from sqlalchemy import ForeignKey, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from catalog.core.base import Base, BigId, CreatedAt


class ChangedProgram(Base):
    """A program that was published, and whose fields were changed while it is not. Publishing it removes the row.

    `catalog.programs.lifecycle` writes it. A change of a published program is live at once, so it is none, and what waits
    in a pending revision is no change of the program yet.
    """

    __tablename__ = "changed_programs"

    program_id: Mapped[int] = mapped_column(ForeignKey("programs.id", ondelete="CASCADE"), primary_key=True)
    at: Mapped[CreatedAt]


class SavedFilter(Base):
    """A list of programs that a person keeps under a name. `catalog.programs.listing.saved` writes it.

    Attributes:
        account_id: Whose list it is.
        name: Another one for each list of the person.
        query: The query string of the list, without a question mark.
    """

    __tablename__ = "saved_filters"
    __table_args__ = (UniqueConstraint("account_id", "name"),)

    id: Mapped[BigId]
    account_id: Mapped[int] = mapped_column(ForeignKey("accounts.id", ondelete="CASCADE"))
    name: Mapped[str]
    query: Mapped[str]
    created_at: Mapped[CreatedAt]
