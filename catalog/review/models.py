"""The table of pending revisions."""

from collections.abc import Mapping
from datetime import datetime

from sqlalchemy import ARRAY, CheckConstraint, DateTime, Index, Sequence, Text, func
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from catalog.core.base import Base, CreatedAt
from catalog.review.states import PENDING_STATES

ENTITIES = ("program", "series", "category")
REV = Sequence("pending_revisions_rev_seq", metadata=Base.metadata)


class PendingRevision(Base):
    """Changes of a row that wait for a reviewer, while listeners see the row as it is. A row has at most one.

    Attributes:
        entity: The kind of the row: an element of `ENTITIES`.
        entity_id: The row's id.
        state: An element of `PENDING_STATES`.
        rev: Another number after every change, which no pending revision had before: what an ETag names.
        base_rev: The live revision when the pending revision was last changed.
        base: The live value of each changed field when its change was written, by JSON name.
        changes: What the fields shall be, by JSON name, as a snapshot has them.
        authors: Who wrote changes, in the order of their first change.
        comment: What a reviewer said when rejecting it; None until then, and after the next submission.
    """

    __tablename__ = "pending_revisions"
    __table_args__ = (
        CheckConstraint(f"entity IN {ENTITIES}", name="entity"),
        CheckConstraint(f"state IN {PENDING_STATES}", name="state"),
        Index("pending_revisions_state_rev_idx", "state", "rev"),
        Index("pending_revisions_authors_idx", "authors", postgresql_using="gin"),
    )

    entity: Mapped[str] = mapped_column(primary_key=True)
    entity_id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    state: Mapped[str] = mapped_column(default="draft", server_default="draft")
    rev: Mapped[int] = mapped_column(REV, server_default=REV.next_value(), unique=True)
    base_rev: Mapped[int]
    base: Mapped[dict[str, object]] = mapped_column(JSONB)
    changes: Mapped[dict[str, object]] = mapped_column(JSONB)
    authors: Mapped[list[str]] = mapped_column(ARRAY(Text))
    comment: Mapped[str | None]
    created_at: Mapped[CreatedAt]
    updated_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), server_default=func.now())

    def conflicts(self, live: Mapping[str, object]) -> list[str]:
        """Return the changed fields whose live value is neither the old one nor the new one, by JSON name.

        Args:
            live: The live row, as `Subject.read` returns it.
        """
        return [
            name
            for name, value in self.changes.items()
            if live.get(name) != self.base.get(name) and live.get(name) != value
        ]
