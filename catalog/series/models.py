"""Series: programs that belong together and have a season and episode order."""

from datetime import datetime

from sqlalchemy import DateTime, ForeignKey, Index, column, func
from sqlalchemy.orm import Mapped, mapped_column

from catalog.base import Base, BigId, CreatedAt


class Series(Base):
    """A podcast, a season of documentaries, a run of films."""

    __tablename__ = "series"
    __table_args__ = (
        Index("series_category_id_idx", "category_id"),
        Index(
            "series_title_trgm_idx",
            func.catalog_fold(column("title")).label("folded"),
            postgresql_using="gin",
            postgresql_ops={"folded": "gin_trgm_ops"},
        ),
    )

    id: Mapped[BigId]
    slug: Mapped[str] = mapped_column(unique=True)
    title: Mapped[str]
    description: Mapped[str] = mapped_column(default="", server_default="")
    language: Mapped[str]
    thumbnail_url: Mapped[str | None]
    category_id: Mapped[int | None] = mapped_column(
        ForeignKey("categories.id", ondelete="SET NULL")
    )
    rev: Mapped[int] = mapped_column(default=1, server_default="1")
    created_at: Mapped[CreatedAt]
    updated_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), server_default=func.now())
