"""Tables of the taxonomy: categories, series, tags, people, and their links to programs."""

from datetime import datetime
from typing import TypedDict

from sqlalchemy import CheckConstraint, DateTime, ForeignKey, Index, SmallInteger, column, func
from sqlalchemy.orm import Mapped, mapped_column

from catalog.core.base import Base, BigId, CreatedAt

PERSON_ROLES = ("host", "guest", "director", "producer", "narrator", "cast")


class Credit(TypedDict):
    """A person in one role, as JSON has it."""

    role: str
    name: str


FORMER_KINDS = ("series", "tag", "person")


class Category(Base):
    """A category. An inactive category keeps its programs, but listeners do not see it anywhere."""

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


class Series(Base):
    """A series: a podcast, or films and documentaries that belong together."""

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
    category_id: Mapped[int | None] = mapped_column(ForeignKey("categories.id", ondelete="SET NULL"))
    rev: Mapped[int] = mapped_column(default=1, server_default="1")
    created_at: Mapped[CreatedAt]
    updated_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), server_default=func.now())


class Tag(Base):
    """A topic of programs, in the words that listeners search for."""

    __tablename__ = "tags"
    __table_args__ = (
        Index(
            "tags_name_trgm_idx",
            func.catalog_fold(column("name")).label("folded"),
            postgresql_using="gin",
            postgresql_ops={"folded": "gin_trgm_ops"},
        ),
    )

    id: Mapped[BigId]
    slug: Mapped[str] = mapped_column(unique=True)
    name: Mapped[str]
    created_at: Mapped[CreatedAt]


class Person(Base):
    """A person who can be heard or seen in a program, or who made it."""

    __tablename__ = "people"
    __table_args__ = (
        Index(
            "people_name_trgm_idx",
            func.catalog_fold(column("name")).label("folded"),
            postgresql_using="gin",
            postgresql_ops={"folded": "gin_trgm_ops"},
        ),
    )

    id: Mapped[BigId]
    slug: Mapped[str] = mapped_column(unique=True)
    name: Mapped[str]
    created_at: Mapped[CreatedAt]


class FormerSlug(Base):
    """A slug that a series, a tag or a person had, or that was merged into it: `row_id` is where it leads.

    A trigger adds it when a slug changes, and deletes it with the row (`catalog/taxonomy/addresses.py` has merges).
    """

    __tablename__ = "former_slugs"
    __table_args__ = (
        CheckConstraint(f"kind IN {FORMER_KINDS}", name="kind"),
        Index("former_slugs_kind_row_id_idx", "kind", "row_id"),
    )

    kind: Mapped[str] = mapped_column(primary_key=True)
    slug: Mapped[str] = mapped_column(primary_key=True)
    # No foreign key: three tables have such rows.
    row_id: Mapped[int]
    at: Mapped[CreatedAt]


class ProgramTag(Base):
    """A tag of a program; `position` is its place in the editor's order."""

    __tablename__ = "program_tags"
    __table_args__ = (Index("program_tags_tag_id_program_id_idx", "tag_id", "program_id"),)

    program_id: Mapped[int] = mapped_column(ForeignKey("programs.id", ondelete="CASCADE"), primary_key=True)
    tag_id: Mapped[int] = mapped_column(ForeignKey("tags.id", ondelete="CASCADE"), primary_key=True)
    position: Mapped[int] = mapped_column(SmallInteger, default=0, server_default="0")


class ProgramPerson(Base):
    """A person of a program, in one role; `position` is the place in the editor's order."""

    __tablename__ = "program_people"
    __table_args__ = (
        Index("program_people_person_id_program_id_idx", "person_id", "program_id"),
        CheckConstraint(f"role IN {PERSON_ROLES}", name="role"),
    )

    program_id: Mapped[int] = mapped_column(ForeignKey("programs.id", ondelete="CASCADE"), primary_key=True)
    person_id: Mapped[int] = mapped_column(ForeignKey("people.id", ondelete="CASCADE"), primary_key=True)
    role: Mapped[str] = mapped_column(primary_key=True)
    position: Mapped[int] = mapped_column(SmallInteger, default=0, server_default="0")
