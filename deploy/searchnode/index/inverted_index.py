"""The inverted index: for every word the sorted list of its postings. `rank/` finds documents by it.

A posting says that a word stands at one position of one field of one document. It is one number of 64
bits: `document << 32 | field << 16 | position`. Everything else (documents of a word, postings of a
prefix, words that begin alike, misspellings) is derived from the postings when a search first needs
it, and remembered until a write changes the word.
"""

from array import array
from bisect import bisect_left, insort
from collections.abc import Callable, Hashable, Iterable
from itertools import groupby
from typing import Generic, TypeVar

import numpy as np
from numpy.typing import NDArray
from pyroaring import BitMap

# A sorted array of postings.
Postings = NDArray[np.uint64]
NO_POSTINGS: Postings = np.empty(0, np.uint64)
# The postings of prefixes up to this length are remembered: many words share them.
SHORT_PREFIX_BYTES = 4
# Up to so many new words are put in their places one by one; more are sorted together with the others.
_FEW_NEW_WORDS = 50
# Misspellings of words, and splits of words, that are remembered until the next write.
_MAX_REMEMBERED = 4_000
# With more postings than this it is faster to drop repeated documents before the bitmap is made.
_MANY_POSTINGS = 5_000
Found = TypeVar("Found")


def documents_of(postings: Postings) -> BitMap:
    """Return the documents in which these postings are."""
    # The upper half of every posting, as it lies in memory on a little-endian machine.
    documents = postings.view(np.uint32)[1::2]
    if len(documents) > _MANY_POSTINGS:
        first = np.empty(len(documents), np.bool_)
        first[0] = True
        np.not_equal(documents[1:], documents[:-1], out=first[1:])
        documents = documents[first]
    return BitMap(array("I", documents.tobytes()))


def _document(posting: int) -> int:
    return posting >> 32


class Memo(Generic[Found]):
    """Remembers what was derived from the words of the index; the next write empties it."""

    def __init__(self) -> None:
        self._found: dict[Hashable, Found] = {}

    def get(self, key: Hashable, find: Callable[[], Found]) -> Found:
        """Return the result of `find`, which runs once for each key; not to be changed."""
        if key not in self._found:
            if len(self._found) >= _MAX_REMEMBERED:
                self._found.clear()
            self._found[key] = find()
        return self._found[key]

    def clear(self) -> None:
        """Forget everything."""
        self._found.clear()


class InvertedIndex:
    """The words of one index and their postings. Returned bitmaps and lists must not be changed."""

    def __init__(self) -> None:
        self.postings: dict[str, array[int]] = {}
        # Every word in order; new words stand apart until the order is needed.
        self._ordered: list[str] = []
        self._new_words: list[str] = []
        # The four maps below are bounded by the vocabulary.
        # (first letter, number of letters) -> words.
        self.words_by_shape: dict[tuple[str, int], list[str]] = {}
        # (first letter, number of letters) -> the beginnings of longer words, in order and as a set.
        self._beginnings: dict[tuple[str, int], tuple[list[str], set[str]]] = {}
        self._documents: dict[str, BitMap] = {}
        # Prefixes of at most SHORT_PREFIX_BYTES.
        self._prefixes: dict[str, tuple[BitMap, Postings]] = {}
        # A query word -> the words one typo and two typos away (`rank/typos.py`).
        self.misspellings: Memo[tuple[list[str], list[str]]] = Memo()
        # A query word -> its halves that most often follow one another (`rank/lookup/context.py`).
        self.splits: Memo[tuple[str, str] | None] = Memo()
        self._first_letters: set[str] | None = None

    @property
    def vocabulary(self) -> list[str]:
        """Every word, in order."""
        if self._new_words:
            if len(self._new_words) <= _FEW_NEW_WORDS:
                for word in self._new_words:
                    insort(self._ordered, word)
            else:
                self._ordered += sorted(self._new_words)
                self._ordered.sort()
            self._new_words = []
        return self._ordered

    @property
    def first_letters(self) -> set[str]:
        """The first letters of all words; may have letters with which no word begins any more."""
        if self._first_letters is None:
            self._first_letters = {first for first, _ in self.words_by_shape}
        return self._first_letters

    def __contains__(self, word: str) -> bool:
        return word in self.postings

    def count(self, word: str) -> int:
        """Return how many postings a word has."""
        postings = self.postings.get(word)
        return len(postings) if postings else 0

    def restore(self, word: str, postings: "array[int]") -> None:
        """Take a word with its postings from a snapshot; the word must be new."""
        self.postings[word] = postings
        self._register([word])

    def add(self, found: dict[str, list[int]]) -> None:
        """Add postings by word, each list in order; no posting may be there already."""
        self._forget_derived()
        new_words = []
        for word, added in found.items():
            postings = self.postings.get(word)
            if postings is None:
                self.postings[word] = array("Q", added)
                new_words.append(word)
            elif postings[-1] < added[0]:
                postings.extend(array("Q", added))
            else:
                for _, of_document in groupby(added, _document):
                    fresh = array("Q", of_document)
                    at = bisect_left(postings, fresh[0])
                    postings[at:at] = fresh
            self._forget_documents(word)
        self._register(new_words)

    def replace(self, document: int, old: dict[str, list[int]], new: dict[str, list[int]]) -> None:
        """Replace some postings of one document by others.

        Args:
            document: The number of the document.
            old: The postings to remove, by word, each list in order.
            new: The postings to add, in the same shape.
        """
        new_words = []
        for word in old | new:
            removed, added = old.get(word, []), new.get(word, [])
            if removed == added:
                continue
            self._forget_derived()
            postings = self.postings.get(word)
            if postings is None:
                self.postings[word] = array("Q", added)
                new_words.append(word)
            else:
                first = bisect_left(postings, document << 32)
                last = bisect_left(postings, (document + 1) << 32, first)
                stay = set(postings[first:last]).difference(removed)
                postings[first:last] = array("Q", sorted(stay.union(added)))
            self._forget_documents(word)
            if not self.postings[word]:
                self._remove_word(word)
        self._register(new_words)

    def _remove_word(self, word: str) -> None:
        del self.postings[word]
        words = self.vocabulary
        del words[bisect_left(words, word)]
        self.words_by_shape[(word[0], len(word))].remove(word)

    def _register(self, new_words: list[str]) -> None:
        self._new_words += new_words
        for word in new_words:
            self.words_by_shape.setdefault((word[0], len(word)), []).append(word)
        for (first, size), (beginnings, known) in self._beginnings.items():
            for word in new_words:
                if word[0] == first and len(word) > size and word[:size] not in known:
                    known.add(word[:size])
                    beginnings.append(word[:size])

    def _forget_derived(self) -> None:
        self.misspellings.clear()
        self.splits.clear()
        self._first_letters = None

    def _forget_documents(self, word: str) -> None:
        self._documents.pop(word, None)
        if self._prefixes:
            for size in range(1, SHORT_PREFIX_BYTES + 1):
                self._prefixes.pop(word[:size], None)

    def beginnings(self, first: str, size: int) -> list[str]:
        """Return the beginnings of `size` letters of all longer words with this first letter.

        The list may have beginnings that no word has any more.
        """
        known = self._beginnings.get((first, size))
        if known is None:
            found = {
                word[:size]
                for (letter, length), words in self.words_by_shape.items()
                if letter == first and length > size
                for word in words
            }
            known = self._beginnings[(first, size)] = (sorted(found), found)
        return known[0]

    def words_of_length(self, first: str, length: int) -> list[str]:
        """Return the words with this first letter and this number of letters."""
        return self.words_by_shape.get((first, length), [])

    def documents(self, word: str) -> BitMap:
        """Return the documents that have this word; not to be changed."""
        known = self._documents.get(word)
        if known is None:
            postings = self.postings.get(word)
            known = documents_of(np.frombuffer(postings, np.uint64)) if postings else BitMap()
            self._documents[word] = known
        return known

    def view(self, word: str) -> Postings:
        """Return the word's postings without a copy.

        The caller must drop the array before the next write: an array that is in view cannot grow.
        """
        postings = self.postings.get(word)
        return NO_POSTINGS if postings is None else np.frombuffer(postings, np.uint64)

    def _gather(self, words: Iterable[str]) -> Postings:
        """Return a copy of the postings of several words, in order."""
        found = [np.frombuffer(self.postings[w], np.uint64) for w in words if w in self.postings]
        if not found:
            return NO_POSTINGS
        if len(found) == 1:
            return found[0].copy()
        merged = np.concatenate(found)
        merged.sort(kind="stable")
        return merged

    def words_with_prefix(self, prefix: str, limit: int) -> list[str]:
        """Return the first `limit` words of the vocabulary that start with the prefix, in order."""
        words = self.vocabulary
        first = bisect_left(words, prefix)
        last = bisect_left(words, prefix + "\U0010ffff", first)
        return words[first : min(last, first + limit)]

    def prefix(self, prefix: str) -> tuple[BitMap, Postings]:
        """Return the documents and the postings of all words that start with the prefix."""
        known = self._prefixes.get(prefix)
        if known is None:
            postings = self._gather(self.words_with_prefix(prefix, len(self.vocabulary)))
            known = documents_of(postings), postings
            if len(prefix.encode()) <= SHORT_PREFIX_BYTES:
                self._prefixes[prefix] = known
        return known
