"""The words of programs in every state that a query may mean, read from PostgreSQL when they are needed.

Listeners' searches keep the words of published programs in memory. Editors search seldom, and for drafts too, so an
editor's query reads the few words that are near to its own: indexes find those that are spelled or sound alike.
"""

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

from sqlalchemy import text
from sqlalchemy.orm import Session

from catalog.words import layouts
from catalog.words.joined import ARTICLE, bare, without
from catalog.words.keys import sound_hash, sounds
from catalog.words.lexicon import SHORTEST_CORRECTED, Builder
from catalog.words.readings import MAX_WORDS, Reader
from catalog.words.spelling import split

# Words that are read for one word of the query: of those that are spelled or sound alike the most frequent ones, and a
# few that begin alike.
_ALIKE, _BEGUN = 200, 3
# Longer words are looked up as they are.
_LONGEST = 24
NEAR = text(
    """
    SELECT word, programs + drafts AS programs, sounds FROM vocabulary WHERE word = ANY(CAST(:forms AS text[]))
    UNION
    SELECT found.* FROM unnest(CAST(:misspelt AS text[])) typed (word) CROSS JOIN LATERAL (
      SELECT v.word, v.programs + v.drafts, v.sounds FROM vocabulary v
      WHERE catalog_shorter(v.word) && catalog_shorter(typed.word)
      ORDER BY v.programs + v.drafts DESC LIMIT :alike) found
    UNION
    SELECT found.* FROM unnest(CAST(:heard AS integer[])) typed (sound) CROSS JOIN LATERAL (
      SELECT v.word, v.programs + v.drafts, v.sounds FROM vocabulary v
      WHERE v.sounds @> ARRAY[typed.sound] ORDER BY v.programs + v.drafts DESC LIMIT :alike) found
    UNION
    SELECT found.* FROM unnest(CAST(:begun AS text[])) typed (word) CROSS JOIN LATERAL (
      SELECT v.word, v.programs + v.drafts, v.sounds FROM vocabulary v
      WHERE v.word >= typed.word COLLATE "C" AND v.word < (typed.word || chr(65535)) COLLATE "C"
      ORDER BY v.word LIMIT :few) found
    """
)


def parameters(query: str) -> dict[str, object]:
    """Return the parameters of `NEAR` for a query as it was typed."""
    typings = [split(query), split(layouts.to_arabic(query))]
    typings += [split(text) for text in layouts.to_latin(query.lower())]
    forms: set[str] = set()
    for words in typings:
        forms.update(one + other for one, other in pairwise(words[:MAX_WORDS]))
    typed = list(dict.fromkeys(word for words in typings for word in words[:MAX_WORDS]))
    spelled = list(dict.fromkeys(form for word in typed for form in (word, bare(word))))
    for word in spelled:
        forms.update((word, ARTICLE + word, *without(word)))
        if len(word) <= _LONGEST:
            parts = {part for n in range(2, len(word) - 1) for part in (word[:n], word[n:])}
            forms.update(parts, map(bare, parts))
    # What looks like an article of a word in Latin letters may be one.
    articled = [word[2:] for word in typed if word[:2] in ("al", "el")]
    heard = sorted({sound_hash(key) for word in (*spelled, *articled) for key in sounds(word)})
    return {
        "forms": sorted(forms),
        "misspelt": [word for word in spelled if SHORTEST_CORRECTED <= len(word) <= _LONGEST],
        "heard": heard,
        "begun": spelled,
        "alike": _ALIKE,
        "few": _BEGUN,
    }


def reader(session: Session, query: str) -> Reader:
    """Return a reader of the words that the query may mean.

    Args:
        session: Reads.
        query: As it was typed.
    """
    found: Sequence[Any] = session.execute(NEAR, parameters(query)).all()
    rows = sorted(found, key=lambda row: str(row.word))
    builder = Builder()
    if rows:
        builder.add(
            " ".join(row.word for row in rows),
            " ".join(str(row.programs) for row in rows),
            " ".join(str(sound) for row in rows for sound in row.sounds),
            " ".join(str(len(row.sounds)) for row in rows),
        )
    return Reader(builder.finish())
