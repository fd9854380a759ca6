"""How the vocabulary is read: statements that the caller runs."""

from sqlalchemy import (
    ColumnElement,
    Select,
    Text,
    and_,
    bindparam,
    cast,
    func,
    literal_column,
    or_,
    select,
    true,
)
from sqlalchemy.dialects.postgresql import aggregate_order_by

from catalog.vocabulary.models import VocabularyState, VocabularyWord

# The number that grows with every change of the words.
VERSION: Select[int] = select(VocabularyState.version)
# Of the words that as many programs have as the rarest one that is kept, a share is kept, and which ones their hash
# decides: the order of the alphabet would leave out whole scripts.
SHARES = 1024
_CHUNK = (
    select(VocabularyWord.word, VocabularyWord.programs, VocabularyWord.sounds)
    .where(
        VocabularyWord.word > bindparam("after"),
        or_(
            VocabularyWord.programs > bindparam("rarest"),
            and_(
                VocabularyWord.programs == bindparam("rarest"),
                func.hashtext(VocabularyWord.word).op("&")(SHARES - 1) < bindparam("share"),
            ),
        ),
    )
    .order_by(VocabularyWord.word)
    .limit(bindparam("limit"))
    .subquery()
)


def _joined(value: ColumnElement[str] | ColumnElement[int]) -> ColumnElement[str]:
    return func.string_agg(cast(value, Text), aggregate_order_by(literal_column("' '"), _CHUNK.c.word))


# Words behind `:after` in the order of their code points, at most `:limit`: those that more than `:rarest` programs
# have, and `:share` of SHARES of those that as many have. One row of texts, with a blank between two values: a row for
# each word would keep an API process from answering while it reads them.
WORDS = select(
    func.max(_CHUNK.c.word).label("last"),
    _joined(_CHUNK.c.word).label("words"),
    _joined(_CHUNK.c.programs).label("programs"),
    _joined(func.array_to_string(_CHUNK.c.sounds, " ")).label("sounds"),
    _joined(func.cardinality(_CHUNK.c.sounds)).label("sounds_of_each"),
)
_FIRST_LEFT_OUT = (
    select(VocabularyWord.programs)
    .where(VocabularyWord.programs > 0)
    .order_by(VocabularyWord.programs.desc())
    .offset(bindparam("kept"))
    .limit(1)
    .subquery()
)
# For the `:kept` most frequent words: how many programs the next word has, how many words have more, and how many as
# many. No row if there is no next word.
RAREST = (
    select(
        _FIRST_LEFT_OUT.c.programs,
        func.count().filter(VocabularyWord.programs > _FIRST_LEFT_OUT.c.programs).label("above"),
        func.count().filter(VocabularyWord.programs == _FIRST_LEFT_OUT.c.programs).label("alike"),
    )
    .select_from(VocabularyWord)
    .join(_FIRST_LEFT_OUT, true())
    .group_by(_FIRST_LEFT_OUT.c.programs)
)
