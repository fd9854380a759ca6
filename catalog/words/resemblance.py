"""How much a word sounds like one of the other script: whether a listener may have meant it.

`keys.sounds` finds words with the same consonants, and a word of two or three consonants shares them with many. Here two
words are laid beside each other, vowels included. A short vowel is not written in Arabic and costs little; a long one is
written in both scripts. The costs are in `data/resemblance.tsv`.
"""

from functools import lru_cache
from importlib.resources import files

from catalog.words.joined import is_arabic
from catalog.words.keys import heard

_KEPT = 20_000
# What is heard of letters that are no consonants, and of endings: $ is ة, final ه and a; T, E (t, h) and Y are final letters
# that may be part of ة, of a and of ى.
_VOWELS = {
    **dict.fromkeys(("ا", "ا$", "a"), "a"),
    **dict.fromkeys(("و", "o", "u", "w", "ou", "oo"), "u"),
    **dict.fromkeys(("ي", "i", "y", "ee"), "i"),
    **dict.fromkeys(("ه$", "ة$", "a$"), "$"),
    "h$": "E",
    "ah$": "aE",
    "ي$": "Y",
    **dict.fromkeys(("ع", "3"), "3"),
    "e": "e",
    "2": "2",
    **dict.fromkeys(("t$", "et$"), "T"),
}
# A letter that stands in one of the two words alone: vowels that Arabic writes are long, those of Latin mostly short.
_ARABIC_ALONE = {"a": 0.6, "u": 0.65, "i": 0.65, "3": 0.3, "$": 0.25, "Y": 0.7, "h": 0.6}
_LATIN_ALONE = {"a": 0.12, "e": 0.1, "i": 0.15, "u": 0.15, "$": 0.15, "3": 0.5, "2": 0.2, "h": 0.4, "E": 0.05}
_WEAK, _LONG = frozenset("aeiu23$EY"), frozenset("aui3Y")
# Arabic writes a vowel at the beginning of a word.
_FIRST_ALONE = 0.6
_CONSONANT, _OTHER = 1.0, 2.0
# What a long vowel adds to the length of a word, in consonants.
_VOWEL = 0.5


def _table() -> dict[tuple[str, str], float]:
    text = (files("catalog.words") / "data" / "resemblance.tsv").read_text(encoding="utf-8")
    rows = [line.split("\t") for line in text.splitlines() if not line.startswith("# ")]
    return {pair: float(cost) for a, b, cost in rows for pair in ((a, b), (b, a))}


_APART = _table()


@lru_cache(maxsize=_KEPT)
def _sounds(word: str) -> tuple[str, ...]:
    """What is heard of a word, one sound behind the other."""
    found: list[str] = []
    for letters, sound in heard(word):
        found += _VOWELS.get(letters) or sound.replace("w", "u").replace("y", "i")
    # اي and او at the beginning are one vowel, which alef carries: إيليا, أوروبا.
    return tuple(found[1:] if word.startswith(("اي", "او")) else found)


def resemblance(one: str, other: str) -> float:
    """Return from 0 to 1 how much a word of one script sounds like one of the other script.

    Args:
        one: In the spelling of comparison, without an article.
        other: In the other script.
    """
    arabic, latin = map(_sounds, (one, other) if is_arabic(one) else (other, one))
    alone = [_LATIN_ALONE.get(sound, _CONSONANT) for sound in latin]
    if latin and latin[0] in _WEAK:
        alone[0] = _FIRST_ALONE
    row = [sum(alone[:n]) for n in range(len(latin) + 1)]
    for sound in arabic:
        here = _ARABIC_ALONE.get(sound, _CONSONANT)
        following = [row[0] + here]
        for n, heard_there in enumerate(latin):
            apart = 0.0 if sound == heard_there else _APART.get((sound, heard_there), _OTHER)
            following.append(min(row[n] + apart, row[n + 1] + here, following[n] + alone[n]))
        row = following
    long_vowels = sum(sound in _LONG for sound in arabic)
    length = max(_consonants(arabic) + _VOWEL * long_vowels, _consonants(latin), 1)
    return max(0.0, 1 - row[-1] / length)


def _consonants(sounds: tuple[str, ...]) -> int:
    return sum(sound not in _WEAK for sound in sounds)
