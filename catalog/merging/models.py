"""The table of merge proposals."""

from datetime import datetime

from sqlalchemy import CheckConstraint, DateTime, ForeignKey, Index, UniqueConstraint, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from catalog.core.base import Base, BigId, CreatedAt

STATES = ("open", "merged", "dismissed")


class MergeProposal(Base):
    """Two programs that may be the same; `program_id` is the older one.

    A decided pair is kept, so that it is not proposed again. `reasons` has by how many seconds the release dates
    (`secondsApart`) and the durations (`durationDiffers`) differ.
    """

    __tablename__ = "merge_proposals"
    __table_args__ = (
        UniqueConstraint("program_id", "other_id"),
        CheckConstraint("program_id < other_id", name="order"),
        CheckConstraint(f"state IN {STATES}", name="state"),
        Index("merge_proposals_open_idx", "id", postgresql_where=text("state = 'open'")),
        Index("merge_proposals_other_id_idx", "other_id"),
    )

    id: Mapped[BigId]
    program_id: Mapped[int] = mapped_column(ForeignKey("programs.id", ondelete="CASCADE"))
    other_id: Mapped[int] = mapped_column(ForeignKey("programs.id", ondelete="CASCADE"))
    reasons: Mapped[dict[str, object]] = mapped_column(JSONB, default=dict, server_default="{}")
    state: Mapped[str] = mapped_column(default="open", server_default="open")
    # The program that stayed, of a merged pair.
    kept_id: Mapped[int | None]
    decided_by: Mapped[str | None]
    decided_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    created_at: Mapped[CreatedAt]
