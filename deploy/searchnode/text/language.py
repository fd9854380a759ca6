"""Guesses the language of a text in Arabic script: Arabic, Urdu or Persian. The tokenizer asks.

Each of the three languages is folded in its own way, so Meilisearch guesses the language of every
text. On a short text the guess is often wrong. A search finds the same documents as in Meilisearch
only when the node guesses wrong in the same way. Therefore this module repeats the method of whatlang,
the library that Meilisearch uses: it compares the text's trigrams in order of frequency with the 300
most frequent trigrams of each language (`arabic_script.tsv`, from whatlang, MIT licence).
"""

from collections import Counter
from functools import lru_cache
from importlib.resources import files

LANGUAGES = ("ara", "urd", "pes")
# Trigrams in the profile of each language.
_PROFILE_SIZE = 300
# Trigrams of the text that are compared, the most frequent first.
_MAX_TRIGRAMS = 600
# Characters of the text that are read. Of 1,035 Arabic descriptions none is guessed otherwise by more.
_MAX_CHARACTERS = 160
# Texts whose guess is remembered.
_MAX_GUESSES = 50_000
# ASCII punctuation and digits are the same in every language.
_BLANK = str.maketrans(
    dict.fromkeys((chr(c) for c in (*range(0x41), *range(0x5B, 0x61), *range(0x7B, 0x7F))), " ")
)


def _profiles() -> dict[str, list[tuple[int, int]]]:
    """Read the profiles: trigram -> (number of the language, rank in its profile) pairs."""
    found: dict[str, list[tuple[int, int]]] = {}
    text = (files("deploy.searchnode.text") / "arabic_script.tsv").read_text(encoding="utf-8")
    for line in text.splitlines():
        name, _, trigrams = line.partition("\t")
        for rank, trigram in enumerate(trigrams.split("|")):
            found.setdefault(trigram, []).append((LANGUAGES.index(name), rank))
    return found


_RANKS_OF_TRIGRAM = _profiles()


def language_of(text: str, among: tuple[str, ...] | None = None) -> str | None:
    """Return the language of a text in Arabic script: `ara`, `urd` or `pes`.

    With `among` (codes of three letters) only these languages are possible; the result is None when
    none of them is written in Arabic script.
    """
    if among is not None and len(among) == 1:
        return among[0]
    return _guess(text[:_MAX_CHARACTERS], among)


@lru_cache(maxsize=_MAX_GUESSES)
def _guess(text: str, among: tuple[str, ...] | None) -> str | None:
    padded = f" {text.lower().translate(_BLANK)} "
    counts = Counter(map("".join, zip(padded, padded[1:], padded[2:], strict=False)))
    for blank in [t for t in counts if t[1] == " " and (t[0] == " " or t[2] == " ")]:
        del counts[blank]
    ordered = sorted(((n, t) for t, n in counts.items()), reverse=True)[:_MAX_TRIGRAMS]
    similarity = [0, 0, 0]
    for own_rank, (_, trigram) in enumerate(ordered):
        for language, rank in _RANKS_OF_TRIGRAM.get(trigram, ()):
            similarity[language] += _PROFILE_SIZE - abs(own_rank - rank)
    allowed = [n for n, name in enumerate(LANGUAGES) if among is None or name in among]
    return LANGUAGES[max(allowed, key=lambda n: similarity[n])] if allowed else None
