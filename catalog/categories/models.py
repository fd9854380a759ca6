"""Categories: the shelves a listener browses, named in both languages."""

from datetime import datetime

from sqlalchemy import DateTime, Index, func
from sqlalchemy.orm import Mapped, mapped_column

from catalog.base import Base, BigId, CreatedAt


class Category(Base):
    """One shelf. An inactive one keeps its programs but is not offered for browsing."""

    __tablename__ = "categories"
    __table_args__ = (Index("categories_active_sort_order_idx", "is_active", "sort_order", "id"),)

    id: Mapped[BigId]
    slug: Mapped[str] = mapped_column(unique=True)
    name_ar: Mapped[str]
    name_en: Mapped[str]
    sort_order: Mapped[int] = mapped_column(default=0, server_default="0")
    is_active: Mapped[bool] = mapped_column(default=True, server_default="true")
    rev: Mapped[int] = mapped_column(default=1, server_default="1")
    created_at: Mapped[CreatedAt]
    updated_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), server_default=func.now())
