"""Tables of the vocabulary."""

from sqlalchemy import (
    ARRAY,
    BigInteger,
    Boolean,
    CheckConstraint,
    Index,
    Integer,
    Sequence,
    Text,
    column,
    func,
    text,
)
from sqlalchemy.orm import Mapped, mapped_column

from catalog.core.base import Base

# Numbers marks: a mark that was made anew has a higher number than the one that was claimed.
_SEQ = Sequence("vocabulary_seq", metadata=Base.metadata)


class VocabularyMark(Base):
    """A program whose words may have changed since they were counted.

    Triggers write it (`index_mark`, and `vocabulary_mark` for what is not published).
    """

    __tablename__ = "vocabulary_marks"
    __table_args__ = (Index("vocabulary_marks_seq_idx", "seq"),)

    # No foreign key, because a deleted program is marked as well.
    program_id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    seq: Mapped[int] = mapped_column(server_default=_SEQ.next_value())


class VocabularyProgram(Base):
    """The words that a program was counted with, so that they can be counted out again.

    `is_visible`: listeners saw it then.
    """

    __tablename__ = "vocabulary_programs"

    program_id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    words: Mapped[list[str]] = mapped_column(ARRAY(Text))
    is_visible: Mapped[bool] = mapped_column(default=True, server_default="true")


class VocabularyWord(Base):
    """A word, in how many programs it is, and the hashes of what it sounds like.

    `programs` are those that listeners see; `drafts` are all others that are not deleted.
    """

    __tablename__ = "vocabulary"
    __table_args__ = (
        Index("vocabulary_unused_idx", "word", postgresql_where=text("programs <= 0 AND drafts <= 0")),
        # Editors' searches read the words that are near to a query.
        Index(
            "vocabulary_shorter_idx",
            func.catalog_shorter(column("word")).label("shorter"),
            postgresql_using="gin",
        ),
        Index("vocabulary_sounds_idx", "sounds", postgresql_using="gin"),
    )

    word: Mapped[str] = mapped_column(Text(collation="C"), primary_key=True)
    programs: Mapped[int] = mapped_column(Integer)
    drafts: Mapped[int] = mapped_column(Integer, default=0, server_default="0")
    sounds: Mapped[list[int]] = mapped_column(ARRAY(Integer))


class VocabularyState(Base):
    """One row: a number that grows whenever the words have changed."""

    __tablename__ = "vocabulary_state"
    __table_args__ = (CheckConstraint("one", name="one"),)

    one: Mapped[bool] = mapped_column(Boolean, primary_key=True, server_default=text("true"))
    version: Mapped[int] = mapped_column(BigInteger, server_default=text("0"))
