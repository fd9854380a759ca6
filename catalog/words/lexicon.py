"""The words of the catalogue in the memory of a process: is a word known, what was a misspelt word meant as.

Immutable once built, so that a new lexicon replaces an old one without a pause. Words are kept in order, one byte for a
letter; misspellings are found by the hashes of every word without each of its letters (the method of SymSpell): two
words at distance one share such a hash. `make bench-vocabulary` says how much memory the words of one million programs
take.
"""

from bisect import bisect_left
from collections.abc import Iterable, Iterator
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from rapidfuzz.distance import OSA

from catalog.words.columns import PLACE_BITS, Column, Places

# The most words that are kept, the most frequent ones.
MAX_WORDS = 500_000
# Longer words are known, but are not corrected.
_LONGEST = 24
# A shorter word with another letter resembles too many words.
SHORTEST_CORRECTED = 3
# Candidates that are compared letter by letter.
_MAX_CANDIDATES = 400
_BASE = 0x9E3779B97F4A7C15
_POWERS = np.array([pow(_BASE, n + 1, 1 << 64) for n in range(_LONGEST)], dtype=np.uint64)
_HASH_SHIFT = np.uint64(32)
# Spreads the hashes of sounds, which are small numbers, over 32 bits.
_SPREAD = np.uint32(0x9E3779B1)
# Words whose hashes are computed together: few enough that other threads run in between.
_BLOCK = 4_000
# How letters are numbered: 0 is a blank between words, 1 a letter that has no number.
_BLANK, _OTHER, _LETTERS = 0, 1, 256
_FIRST_LETTERS = "0123456789abcdefghijklmnopqrstuvwxyz" + "".join(map(chr, range(0x621, 0x64B)))


class Entry(NamedTuple):
    """A word of the catalogue and in how many programs' titles, series, people and tags it is."""

    word: str
    programs: int


class Correction(NamedTuple):
    """What a word may have been meant as. `distance`: letters left out, added, replaced or changed places."""

    word: str
    distance: int
    programs: int


class _Alphabet(dict[int, int]):
    """Numbers letters from 2, for `str.translate`. A letter that comes when no number is left gets _OTHER."""

    def __init__(self) -> None:
        super().__init__({ord(" "): _BLANK})
        for letter in _FIRST_LETTERS:
            self[ord(letter)]

    def __missing__(self, letter: int) -> int:
        number = len(self) + 1
        if number >= _LETTERS:
            return _OTHER
        self[letter] = number
        return number

    def numbers(self, text: str) -> NDArray[np.uint8]:
        """Return the numbers of the letters of a text."""
        return np.frombuffer(text.translate(self).encode("latin-1"), dtype=np.uint8)


class Builder:
    """Gathers words for a lexicon. Numbers of a text are separated by blanks."""

    def __init__(self) -> None:
        """Begin without any word."""
        self.alphabet = _Alphabet()
        self.letters, self.starts = Column(np.uint8), Column(np.uint32)
        self.counts = Column(np.uint32)
        self.sounds, self.sounding = Column(np.uint32), Column(np.uint32)

    def add(self, words: str, counts: str, sounds: str, sounds_of_each: str) -> None:
        """Add words behind those that are there, in the order of their code points.

        A word with a letter that has no number is left out: there is place for some ten scripts, not for ideographs.

        Args:
            words: The words, with a blank between two of them.
            counts: How many programs have each.
            sounds: `keys.sound_hash` of their keys, one word behind the other.
            sounds_of_each: How many of these each word has.
        """
        numbers = self.alphabet.numbers(words)
        ends = np.append(np.flatnonzero(numbers == _BLANK), len(numbers))
        starts = np.append(0, ends[:-1] + 1)
        known = np.add.reduceat(numbers == _OTHER, starts) == 0
        of_each = _numbers(sounds_of_each)
        room = (1 << PLACE_BITS) - self.starts.size
        known &= np.cumsum(known) <= room
        kept = np.repeat(known, ends - starts)
        first = self.starts.size
        places = np.cumsum(known, dtype=np.uint32) - np.uint32(1) + np.uint32(first)
        self.sounds.extend(_numbers(sounds)[np.repeat(known, of_each)] * _SPREAD)
        self.sounding.extend(np.repeat(places[known], of_each[known]))
        self.counts.extend(_numbers(counts)[known])
        lengths = (ends - starts)[known]
        self.starts.extend((self.letters.size + np.cumsum(lengths) - lengths).astype(np.uint32))
        self.letters.extend(numbers[numbers != _BLANK][kept])

    def finish(self) -> "Lexicon":
        """Return the words as a lexicon. The builder is not used any more."""
        self.starts.extend(np.array([self.letters.size], dtype=np.uint32))
        return Lexicon(self)


class Lexicon:
    """The words of one state of the catalogue."""

    def __init__(self, words: Builder) -> None:
        """Arrange words; `Builder.finish` calls it."""
        self._alphabet = words.alphabet
        self._signs = {number: letter for letter, number in words.alphabet.items()}
        self._letters, self._starts = words.letters.values, words.starts.values
        self._counts = words.counts.values
        self.size = len(self._counts)
        # How many programs have the most frequent word.
        self.most = int(self._counts.max(initial=0))
        self._shorter = self._without_each_letter()
        sounds = words.sounds.values, words.sounding.values
        self._sounds = Places(words.sounds.size, lambda: [sounds])
        self._order = range(self.size)

    @property
    def bytes(self) -> int:
        """How much memory the arrays take."""
        arrays = (self._letters, self._starts, self._counts, self._shorter, self._sounds)
        return sum(array.nbytes for array in arrays)

    def count(self, word: str) -> int:
        """Return how many programs have the word; 0: it is unknown."""
        at = self._place(word)
        return int(self._counts[at]) if at < self.size and self._word(at) == word else 0

    def begins(self, beginning: str) -> bool:
        """Return whether a word begins so."""
        at = self._place(beginning)
        return at < self.size and self._word(at).startswith(beginning)

    def completions(self, beginning: str, limit: int) -> list[Entry]:
        """Return the most frequent words that begin so."""
        first = self._place(beginning)
        last = self._place(beginning + "\uffff")
        if first >= last:
            return []
        counts = self._counts[first:last]
        best = np.argsort(counts)[::-1][:limit]
        return [self._entry(first + int(n)) for n in best]

    def corrections(self, word: str, limit: int = 3, distance: int = 1) -> list[Correction]:
        """Return the words nearest to a misspelt one, the likeliest first.

        Of two at the same distance the one with the same first letter, and then the more frequent one, is likelier.

        Args:
            word: In the spelling of comparison.
            limit: How many at most.
            distance: 1 or 2. Not every word at distance two is found.
        """
        if not SHORTEST_CORRECTED <= len(word) <= _LONGEST:
            return []
        found: list[tuple[tuple[int, int, int], Correction]] = []
        for at in self._candidates(word, distance):
            entry = self._entry(at)
            apart = int(OSA.distance(word, entry.word, score_cutoff=distance))
            if 0 < apart <= distance:
                rank = (apart, int(entry.word[0] != word[0]), -entry.programs)
                found.append((rank, Correction(entry.word, apart, entry.programs)))
        found.sort(key=lambda pair: pair[0])
        return [correction for _, correction in found[:limit]]

    def sounding(self, hashes: Iterable[int], limit: int) -> list[Entry]:
        """Return the most frequent words with one of these `keys.sound_hash`es."""
        wanted = np.array(list(hashes), dtype=np.uint32) * _SPREAD
        return [self._entry(at) for at in self._most_frequent(self._sounds.of(wanted), limit)]

    def _place(self, word: str) -> int:
        return bisect_left(self._order, word, key=self._word)

    def _word(self, at: int) -> str:
        numbers = self._letters[self._starts[at] : self._starts[at + 1]]
        return numbers.tobytes().decode("latin-1").translate(self._signs)

    def _entry(self, at: int) -> Entry:
        return Entry(self._word(at), int(self._counts[at]))

    def _most_frequent(self, places: NDArray[np.uint32], limit: int) -> list[int]:
        """Of these places those of the most frequent words, the most frequent one first."""
        best = np.argsort(-self._counts[places].astype(np.int64), kind="stable")[:limit]
        return [int(at) for at in places[best]]

    def _candidates(self, word: str, distance: int) -> list[int]:
        """Places of words that may be so near."""
        letters = np.array([[self._alphabet.get(ord(letter), _OTHER) for letter in word]], dtype=np.uint8)
        places = self._shorter.of(_without_each_letter(letters)[0])
        lengths = self._starts[places + np.uint32(1)] - self._starts[places]
        near = np.abs(lengths.astype(np.int64) - len(word)) <= distance
        return self._most_frequent(places[near], _MAX_CANDIDATES)

    def _without_each_letter(self) -> Places:
        """Find words by the hashes of themselves, and of themselves without each of their letters."""
        lengths = np.diff(self._starts)
        of_length = np.bincount(lengths, minlength=_LONGEST + 1)[: _LONGEST + 1]
        # A word of two letters is found by a longer one; itself it has no shorter forms.
        count = int(of_length[SHORTEST_CORRECTED - 1]) + sum(
            int(of_length[n]) * (n + 1) for n in range(SHORTEST_CORRECTED, _LONGEST + 1)
        )

        def pairs() -> Iterator[tuple[NDArray[np.uint32], NDArray[np.uint32]]]:
            for length in range(SHORTEST_CORRECTED - 1, _LONGEST + 1):
                places = np.flatnonzero(lengths == length).astype(np.uint32)
                for first in range(0, len(places), _BLOCK):
                    block = places[first : first + _BLOCK]
                    letters = self._letters[self._starts[block][:, None] + np.arange(length, dtype=np.uint32)]
                    hashes = _without_each_letter(letters)
                    yield hashes.ravel(), np.repeat(block, hashes.shape[1])

        return Places(count, pairs)


def _without_each_letter(letters: NDArray[np.uint8]) -> NDArray[np.uint32]:
    """Return the hashes of words of one length: in each row that of the word, and of it without each of its letters."""
    count, length = letters.shape
    numbers = letters.astype(np.uint64)
    before = np.cumsum(numbers * _POWERS[:length], axis=1)
    if length < SHORTEST_CORRECTED:
        return (before[:, -1:] >> _HASH_SHIFT).astype(np.uint32)
    hashes = np.zeros((count, length + 1), dtype=np.uint64)
    hashes[:, 0] = before[:, -1]
    hashes[:, 2:] = before[:, :-1]
    # The letters behind the missing letter move forward by one place.
    moved = numbers[:, 1:] * _POWERS[: length - 1]
    hashes[:, 1:-1] += np.cumsum(moved[:, ::-1], axis=1)[:, ::-1]
    return (hashes >> _HASH_SHIFT).astype(np.uint32)


def _numbers(text: str) -> NDArray[np.uint32]:
    """Return the numbers of a text, which blanks separate."""
    return np.fromstring(text, dtype=np.uint32, sep=" ")
