"""The tables of pending revisions and of comments."""

from collections.abc import Mapping
from datetime import datetime

from sqlalchemy import ARRAY, CheckConstraint, DateTime, ForeignKey, Index, Sequence, Text, func, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from catalog.core.base import Base, BigId, CreatedAt
from catalog.review.states import PENDING_STATES

ENTITIES = ("program", "series", "category")
COMMENT_KINDS = ("comment", "rejection")
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


class ReviewComment(Base):
    """What somebody said about a program: the beginning of a thread, or a reply in it.

    Attributes:
        program_id: The program.
        thread_id: The comment that it replies to; None begins a thread.
        kind: An element of `COMMENT_KINDS`; a rejection begins a thread.
        rev: The program's revision when it was written.
        pending_rev: The revision of its pending revision then; None without one.
        field: The field that it is about, by JSON name; None: the program.
        body: What was said.
        author: Who said it, as revisions name their actors.
        resolved_at: When the thread was resolved; None while it is open.
        resolved_by: Who resolved it.
    """

    __tablename__ = "review_comments"
    __table_args__ = (
        CheckConstraint(f"kind IN {COMMENT_KINDS}", name="kind"),
        Index("review_comments_program_id_idx", "program_id", "id"),
        Index("review_comments_thread_id_idx", "thread_id", "id"),
        Index(
            "review_comments_open_idx",
            "id",
            "program_id",
            postgresql_where=text("thread_id IS NULL AND resolved_at IS NULL"),
        ),
    )

    id: Mapped[BigId]
    program_id: Mapped[int] = mapped_column(ForeignKey("programs.id", ondelete="CASCADE"))
    thread_id: Mapped[int | None] = mapped_column(ForeignKey("review_comments.id", ondelete="CASCADE"))
    kind: Mapped[str] = mapped_column(default="comment", server_default="comment")
    rev: Mapped[int]
    pending_rev: Mapped[int | None]
    field: Mapped[str | None]
    body: Mapped[str]
    author: Mapped[str]
    at: Mapped[CreatedAt]
    resolved_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    resolved_by: Mapped[str | None]
