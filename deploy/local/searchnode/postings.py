"""Where every word stands: its places in order, each one number.

A place is `document << 32 | field << 16 | position`. Documents per word, per prefix and the words
that begin alike are found from the places when a search first needs them, and kept until a write
changes the word.
"""

from array import array
from bisect import bisect_left, insort
from collections.abc import Callable, Hashable, Iterable
from itertools import groupby
from typing import Any

import numpy as np
from pyroaring import BitMap

Places = np.ndarray[Any, np.dtype[np.uint64]]
Numbers = np.ndarray[Any, np.dtype[np.integer[Any]]]
NO_PLACES: Places = np.empty(0, np.uint64)
# Prefixes up to here are worth remembering: many words share them.
SHORT_PREFIX_BYTES = 4
_FEW_NEW_WORDS = 50
# So much of what was found out about words is kept.
_MANY_FOUND = 4_000
# So many places are worth looking for repeated documents.
_MANY_PLACES = 5_000


def bitmap(places: Places) -> BitMap:
    """The documents of these places."""
    # The upper half of every place, as it lies in memory on a little-endian machine.
    documents = places.view(np.uint32)[1::2]
    if len(documents) > _MANY_PLACES:
        first = np.empty(len(documents), np.bool_)
        first[0] = True
        np.not_equal(documents[1:], documents[:-1], out=first[1:])
        documents = documents[first]
    return BitMap(array("I", documents.tobytes()))


def _document(place: int) -> int:
    return place >> 32


class Postings:
    """The inverted index of one index."""

    def __init__(self) -> None:
        self.places: dict[str, array[int]] = {}
        # Every word in order (new ones apart until they are needed), and by letter and length.
        self._ordered: list[str] = []
        self._fresh: list[str] = []
        self.shelves: dict[tuple[str, int], list[str]] = {}
        self._heads: dict[tuple[str, int], tuple[list[str], set[str]]] = {}
        self._documents: dict[str, BitMap] = {}
        self._prefixed: dict[str, tuple[BitMap, Places]] = {}
        self._found: dict[Hashable, Any] = {}

    @property
    def vocabulary(self) -> list[str]:
        """Every word, in order."""
        if self._fresh:
            if len(self._fresh) <= _FEW_NEW_WORDS:
                for word in self._fresh:
                    insort(self._ordered, word)
            else:
                self._ordered += sorted(self._fresh)
                self._ordered.sort()
            self._fresh = []
        return self._ordered

    def __contains__(self, word: str) -> bool:
        return word in self.places

    def count(self, word: str) -> int:
        """How many places a word has."""
        places = self.places.get(word)
        return len(places) if places else 0

    def once(self, key: Hashable, find: Callable[[], Any]) -> Any:
        """What `find` finds out about a word, found once until the next write; not to be changed."""
        if key not in self._found:
            if len(self._found) >= _MANY_FOUND:
                self._found.clear()
            self._found[key] = find()
        return self._found[key]

    def restore(self, word: str, places: "array[int]") -> None:
        """Take a word with its places, as they were kept."""
        self.places[word] = places
        self._shelve([word])

    def add(self, found: dict[str, list[int]]) -> None:
        """Write down new places, by word, each list in order."""
        self._found.clear()
        fresh = []
        for word, keys in found.items():
            places = self.places.get(word)
            if places is None:
                self.places[word] = array("Q", keys)
                fresh.append(word)
            elif places[-1] < keys[0]:
                places.extend(array("Q", keys))
            else:
                for _, own in groupby(keys, _document):
                    new = array("Q", own)
                    at = bisect_left(places, new[0])
                    places[at:at] = new
            self._forget(word)
        self._shelve(fresh)

    def change(self, document: int, old: dict[str, list[int]], new: dict[str, list[int]]) -> None:
        """Some of a document's places are no longer `old` but `new`, by word, each list in order."""
        fresh = []
        for word in old | new:
            gone, come = old.get(word, []), new.get(word, [])
            if gone == come:
                continue
            self._found.clear()
            places = self.places.get(word)
            if places is None:
                self.places[word] = array("Q", come)
                fresh.append(word)
            else:
                first = bisect_left(places, document << 32)
                last = bisect_left(places, (document + 1) << 32, first)
                stay = set(places[first:last]).difference(gone)
                places[first:last] = array("Q", sorted(stay.union(come)))
            self._forget(word)
            if not self.places[word]:
                self._drop(word)
        self._shelve(fresh)

    def _drop(self, word: str) -> None:
        """Forget a word that stands nowhere any more."""
        del self.places[word]
        words = self.vocabulary
        del words[bisect_left(words, word)]
        self.shelves[(word[0], len(word))].remove(word)

    def _shelve(self, fresh: list[str]) -> None:
        self._fresh += fresh
        for word in fresh:
            self.shelves.setdefault((word[0], len(word)), []).append(word)
        for (first, size), (heads, seen) in self._heads.items():
            for word in fresh:
                if word[0] == first and len(word) > size and word[:size] not in seen:
                    seen.add(word[:size])
                    heads.append(word[:size])

    def _forget(self, word: str) -> None:
        self._documents.pop(word, None)
        if self._prefixed:
            for size in range(1, SHORT_PREFIX_BYTES + 1):
                self._prefixed.pop(word[:size], None)

    def heads(self, first: str, size: int) -> list[str]:
        """The beginnings of `size` letters of the longer words with this first letter.

        May name some that no word has any more.
        """
        known = self._heads.get((first, size))
        if known is None:
            seen = {
                word[:size]
                for (letter, length), words in self.shelves.items()
                if letter == first and length > size
                for word in words
            }
            known = self._heads[(first, size)] = (sorted(seen), seen)
        return known[0]

    def of_length(self, first: str, length: int) -> list[str]:
        """The words with this first letter and length."""
        return self.shelves.get((first, length), [])

    def documents(self, word: str) -> BitMap:
        """Documents that have this word; not to be changed."""
        known = self._documents.get(word)
        if known is None:
            places = self.places.get(word)
            known = bitmap(np.frombuffer(places, np.uint64)) if places else BitMap()
            self._documents[word] = known
        return known

    def view(self, word: str) -> Places:
        """The word's places without a copy: gone before the next write, or that write fails."""
        places = self.places.get(word)
        return NO_PLACES if places is None else np.frombuffer(places, np.uint64)

    def gather(self, words: Iterable[str]) -> Places:
        """The places of several words, in order, copied."""
        found = [np.frombuffer(self.places[w], np.uint64) for w in words if w in self.places]
        if not found:
            return NO_PLACES
        if len(found) == 1:
            return found[0].copy()
        merged = np.concatenate(found)
        merged.sort(kind="stable")
        return merged

    def prefixed(self, prefix: str, limit: int) -> list[str]:
        """The first words of the vocabulary that start so, in order."""
        words = self.vocabulary
        first = bisect_left(words, prefix)
        last = bisect_left(words, prefix + "\U0010ffff", first)
        return words[first : min(last, first + limit)]

    def of_prefix(self, prefix: str) -> tuple[BitMap, Places]:
        """Documents and places of every word that starts so."""
        known = self._prefixed.get(prefix)
        if known is None:
            places = self.gather(self.prefixed(prefix, len(self.vocabulary)))
            known = bitmap(places), places
            if len(prefix.encode()) <= SHORT_PREFIX_BYTES:
                self._prefixed[prefix] = known
        return known
