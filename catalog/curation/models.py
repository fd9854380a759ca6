"""Tables of the curation: collections and pins with their programs, and synonyms."""

from datetime import datetime

from sqlalchemy import (
    ARRAY,
    CheckConstraint,
    DateTime,
    ForeignKey,
    Index,
    SmallInteger,
    Text,
    UniqueConstraint,
    func,
)
from sqlalchemy.orm import Mapped, mapped_column

from catalog.core.base import Base, BigId, CreatedAt

COLLECTION_STATES = ("draft", "published")
SYNONYM_KINDS = ("two_way", "one_way")
SYNONYM_LANGUAGES = ("ar", "en")


class Collection(Base):
    """Programs that editors chose. Listeners see it while it is published, from `starts_at` until `ends_at`."""

    __tablename__ = "collections"
    __table_args__ = (
        CheckConstraint(f"status IN {COLLECTION_STATES}", name="status"),
        CheckConstraint("starts_at < ends_at", name="period"),
        Index("collections_order_idx", "sort_order", "id"),
    )

    id: Mapped[BigId]
    slug: Mapped[str] = mapped_column(unique=True)
    title_ar: Mapped[str]
    title_en: Mapped[str]
    description_ar: Mapped[str] = mapped_column(default="", server_default="")
    description_en: Mapped[str] = mapped_column(default="", server_default="")
    image_url: Mapped[str | None]
    sort_order: Mapped[int] = mapped_column(default=0, server_default="0")
    status: Mapped[str] = mapped_column(default="draft", server_default="draft")
    starts_at: Mapped[datetime | None]
    ends_at: Mapped[datetime | None]
    rev: Mapped[int] = mapped_column(default=1, server_default="1")
    created_at: Mapped[CreatedAt]
    updated_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), server_default=func.now())


class CollectionProgram(Base):
    """A program of a collection; `position` is its place in the editors' order, from 0."""

    __tablename__ = "collection_programs"
    __table_args__ = (Index("collection_programs_program_id_idx", "program_id"),)

    collection_id: Mapped[int] = mapped_column(
        ForeignKey("collections.id", ondelete="CASCADE"), primary_key=True
    )
    program_id: Mapped[int] = mapped_column(ForeignKey("programs.id", ondelete="CASCADE"), primary_key=True)
    position: Mapped[int] = mapped_column(SmallInteger)


class Pin(Base):
    """Programs at given places of a query's results, from `starts_at` until `ends_at`.

    `folded` are the words of the query in the spelling of comparison, for editors who look for a pin.
    """

    __tablename__ = "pins"
    __table_args__ = (
        CheckConstraint("starts_at < ends_at", name="period"),
        Index("pins_folded_idx", "folded", postgresql_ops={"folded": "text_pattern_ops"}),
    )

    id: Mapped[BigId]
    query: Mapped[str]
    folded: Mapped[str]
    starts_at: Mapped[datetime | None]
    ends_at: Mapped[datetime | None]
    rev: Mapped[int] = mapped_column(default=1, server_default="1")
    created_at: Mapped[CreatedAt]
    updated_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), server_default=func.now())


class PinProgram(Base):
    """A program of a pin; `place` counts from 1."""

    __tablename__ = "pin_programs"
    __table_args__ = (
        UniqueConstraint("pin_id", "place"),
        CheckConstraint("place > 0", name="place"),
        Index("pin_programs_program_id_idx", "program_id"),
    )

    pin_id: Mapped[int] = mapped_column(ForeignKey("pins.id", ondelete="CASCADE"), primary_key=True)
    program_id: Mapped[int] = mapped_column(ForeignKey("programs.id", ondelete="CASCADE"), primary_key=True)
    place: Mapped[int] = mapped_column(SmallInteger)


class Synonym(Base):
    """Words that find the same programs.

    `two_way`: each of `terms` finds what the others do. `one_way`: each of `terms` also finds what `finds` do. `language`
    says in which script all of them are; NULL joins both.
    """

    __tablename__ = "synonyms"
    __table_args__ = (
        CheckConstraint(f"kind IN {SYNONYM_KINDS}", name="kind"),
        CheckConstraint(f"language IN {SYNONYM_LANGUAGES}", name="language"),
    )

    id: Mapped[BigId]
    kind: Mapped[str]
    language: Mapped[str | None]
    terms: Mapped[list[str]] = mapped_column(ARRAY(Text))
    finds: Mapped[list[str]] = mapped_column(ARRAY(Text), default=list, server_default="{}")
    rev: Mapped[int] = mapped_column(default=1, server_default="1")
    created_at: Mapped[CreatedAt]
    updated_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), server_default=func.now())
