"""Tags and people: short named things that many programs share."""

from sqlalchemy import CheckConstraint, ForeignKey, Index, SmallInteger, column, func
from sqlalchemy.orm import Mapped, mapped_column

from catalog.base import Base, BigId, CreatedAt

PERSON_ROLES = ("host", "guest", "director", "producer", "narrator", "cast")


class Tag(Base):
    """A topic, written as people search for it."""

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
    """Somebody heard or seen in a program, or who made it."""

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


class ProgramTag(Base):
    """A tag on a program; `position` keeps the editor's order."""

    __tablename__ = "program_tags"
    __table_args__ = (Index("program_tags_tag_id_program_id_idx", "tag_id", "program_id"),)

    program_id: Mapped[int] = mapped_column(
        ForeignKey("programs.id", ondelete="CASCADE"), primary_key=True
    )
    tag_id: Mapped[int] = mapped_column(ForeignKey("tags.id", ondelete="CASCADE"), primary_key=True)
    position: Mapped[int] = mapped_column(SmallInteger, default=0, server_default="0")


class ProgramPerson(Base):
    """A person on a program in one role."""

    __tablename__ = "program_people"
    __table_args__ = (
        Index("program_people_person_id_program_id_idx", "person_id", "program_id"),
        CheckConstraint(f"role IN {PERSON_ROLES}", name="role"),
    )

    program_id: Mapped[int] = mapped_column(
        ForeignKey("programs.id", ondelete="CASCADE"), primary_key=True
    )
    person_id: Mapped[int] = mapped_column(
        ForeignKey("people.id", ondelete="CASCADE"), primary_key=True
    )
    role: Mapped[str] = mapped_column(primary_key=True)
    position: Mapped[int] = mapped_column(SmallInteger, default=0, server_default="0")
