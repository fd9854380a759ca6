"""Which language a run of Arabic script is in: Arabic, Urdu or Persian.

The engine asks for every text, because each is folded in its own way; on a short text the guess is
often wrong, and a search only finds what it should when the guess is wrong in the same way. So this
is the same method as whatlang's, on which the engine relies: the text's trigrams in order of
frequency against the 300 most frequent of each language (`arabic_script.tsv`, from whatlang, MIT).
"""

from collections import Counter
from functools import lru_cache
from importlib.resources import files

LANGUAGES = ("ara", "urd", "pes")
_PROFILE = 300
_SEEN = 600
# The guess has settled by then: over the catalogue's 1,035 Arabic descriptions none changes later.
_ENOUGH = 160
# Punctuation and digits of ASCII tell nothing of the language.
_BLANK = str.maketrans(
    dict.fromkeys((chr(c) for c in (*range(0x41), *range(0x5B, 0x61), *range(0x7B, 0x7F))), " ")
)


def _profiles() -> dict[str, list[tuple[int, int]]]:
    """Trigram -> (language, rank) pairs."""
    found: dict[str, list[tuple[int, int]]] = {}
    text = (files(__package__) / "arabic_script.tsv").read_text(encoding="utf-8")
    for line in text.splitlines():
        name, _, trigrams = line.partition("\t")
        for rank, trigram in enumerate(trigrams.split("|")):
            found.setdefault(trigram, []).append((LANGUAGES.index(name), rank))
    return found


_RANKS = _profiles()


def arabic_script(text: str, among: tuple[str, ...] | None = None) -> str | None:
    """`ara`, `urd` or `pes`; one of `among` when languages are given (None: none of them fits)."""
    if among is not None and len(among) == 1:
        return among[0]
    return _guess(text[:_ENOUGH], among)


@lru_cache(maxsize=50_000)
def _guess(text: str, among: tuple[str, ...] | None) -> str | None:
    padded = f" {text.lower().translate(_BLANK)} "
    counts = Counter(map("".join, zip(padded, padded[1:], padded[2:], strict=False)))
    for blank in [t for t in counts if t[1] == " " and (t[0] == " " or t[2] == " ")]:
        del counts[blank]
    ordered = sorted(((n, t) for t, n in counts.items()), reverse=True)[:_SEEN]
    near = [0, 0, 0]
    for place, (_, trigram) in enumerate(ordered):
        for language, rank in _RANKS.get(trigram, ()):
            near[language] += _PROFILE - abs(place - rank)
    allowed = [n for n, name in enumerate(LANGUAGES) if among is None or name in among]
    return LANGUAGES[max(allowed, key=lambda n: near[n])] if allowed else None
