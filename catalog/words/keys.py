"""What a word sounds like in either script: its consonants, in classes that Arabic and Latin spellings share.

`sounds` returns the keys of a word: يوسف, yousef and youssef share one. A letter that may be read in several ways gives
several keys. `likeness` compares two words of which one is Arabic and one Latin, with their vowels. The classes are in
`data/sounds.tsv`: the Arabic letters after ISO 233-2 and the ALA-LC romanization, the digits and pairs of letters after
the Arabic chat alphabet.
"""

import re
from functools import lru_cache
from importlib.resources import files
from typing import NamedTuple

from rapidfuzz.distance import Indel

# Words whose sounds are remembered, in each of the two caches.
_KEPT = 20_000
# Keys of one word; ambiguous letters multiply.
_MAX_KEYS = 12
_MAX_LETTERS = 24
_SHORT = 3


class _Sound(NamedTuple):
    """What letters sound like: the classes of consonants that they may stand for, and the likeliest sound itself."""

    classes: tuple[str, ...]
    sound: str


def _table() -> dict[str, _Sound]:
    found = {}
    for line in (files("catalog.words") / "data" / "sounds.tsv").read_text(encoding="utf-8").splitlines():
        if not line.startswith("# "):
            letters, classes, sound = line.replace("-", "").split("\t")
            # A class of nothing is one of several.
            found[letters] = _Sound(tuple(classes.split(" ")), sound)
    return found


_SOUNDS = _table()
_LONGEST = max(map(len, _SOUNDS))
_SILENT = _Sound(("",), "")
# A doubled vowel is another sound, such as ee and oo; Arabic letters are doubled by a mark.
_DOUBLED = re.compile(r"([bcdfghj-np-tv-z])\1+")
_VOWELS = frozenset("aeiouاع23")
# Egyptians say ق as a hamza, and write both alike.
_HAMZA_OR_QAF = "2"


def _pieces(word: str) -> list[tuple[str, _Sound]]:
    """Return the letters of a word as the table has them, and what each of them sounds like."""
    found, at = [], 0
    while at < len(word):
        for length in range(min(_LONGEST, len(word) - at), 0, -1):
            piece = word[at : at + length]
            # A piece with $ stands at the end of a word only.
            ends = at + length == len(word) and at > 0
            letters = f"{piece}$" if ends and f"{piece}$" in _SOUNDS else piece
            if letters in _SOUNDS or length == 1:
                found.append((letters, _SOUNDS.get(letters, _SILENT)))
                at += length
                break
    return found


def _undoubled(word: str) -> str:
    return "".join(c for n, c in enumerate(word) if n == 0 or word[n - 1] != c)


@lru_cache(maxsize=_KEPT)
def sounds(word: str) -> tuple[str, ...]:
    """Return the keys of a word in the spelling of comparison; none for numbers and for words without consonants."""
    if word.isdecimal() or not word or len(word) > _MAX_LETTERS:
        return ()
    short = _undoubled(word)
    first = short[0]
    keys = ["A" if first in _VOWELS else "W" if first in "wو" else "Y" if first in "yي" else ""]
    pieces = _pieces(short)
    if first == _HAMZA_OR_QAF:
        keys, pieces = ["A", "K"], pieces[1:]
    for _, (classes, _) in pieces:
        if len(keys) * len(classes) > _MAX_KEYS:
            classes = classes[:1]  # noqa: PLW2901 (the most likely reading alone)
        keys = [key + c for c in classes for key in keys]
    keys = list(dict.fromkeys(_undoubled(key) for key in keys))
    # A single consonant says enough of a short word only, such as في and fi.
    return tuple(key for key in keys if len(key) >= 2 or (key and len(word) <= _SHORT))


def heard(word: str) -> list[tuple[str, str]]:
    """Return the letters of a word, a doubled Latin consonant once, and how each of them sounds."""
    return [(letters, sound.sound) for letters, sound in _pieces(_DOUBLED.sub(r"\1", word))]


@lru_cache(maxsize=_KEPT)
def _simple(word: str) -> str:
    """How the word sounds. Short vowels, and ا, are not written in both scripts: only that it begins with one counts."""
    begins = "a" if word[:1] in _VOWELS else ""
    rest = word.lstrip("aeiou2") if begins else word
    return begins + _undoubled("".join(sound for _, sound in heard(rest)))


def likeness(one: str, other: str) -> float:
    """Return from 0 to 1 how alike two words sound, vowels included."""
    return float(Indel.normalized_similarity(_simple(one), _simple(other)))


def sound_hash(key: str) -> int:
    """Return the number by which a lexicon knows a key of `sounds`: 31 bits."""
    value = 0
    for letter in key:
        value = value * 31 + ord(letter)
    return value & 0x7FFFFFFF
