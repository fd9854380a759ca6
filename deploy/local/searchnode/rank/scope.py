"""The documents that the rules look at, ever fewer as buckets get smaller, and what is known of them."""

from collections.abc import Callable, Hashable
from typing import Any, Optional

import numpy as np
from pyroaring import BitMap

from deploy.local.searchnode.postings import Places

# Documents are looked up in a word's places when there are so many times more places.
_RARE = 16
_SHIFT = np.uint64(32)
_NEXT = np.uint64(1 << 32)


class Scope:
    """Some documents of a wider scope. What was found there is only sifted here."""

    def __init__(self, documents: BitMap, wider: Optional["Scope"], size: int) -> None:
        """`size`: more than the number of any document."""
        self.documents, self.wider, self.size = documents, wider, size
        self.known: dict[Hashable, Any] = {}
        self._places: dict[Hashable, Places] = {}
        self._inside: np.ndarray[Any, np.dtype[np.bool_]] | None = None

    def places(self, key: Hashable, find: Callable[[], Places]) -> Places:
        """The places under this key in these documents, copied; `find` gives all of them."""
        kept = self._places.get(key)
        if kept is None:
            scope = self.wider
            while scope is not None and key not in scope._places:
                scope = scope.wider
            kept = self._sift(find() if scope is None else scope._places[key])
            self._places[key] = kept
        return kept

    def have(self, key: Hashable) -> bool:
        """Are the places under this key known here or in a wider scope?"""
        scope: Scope | None = self
        while scope is not None:
            if key in scope._places:
                return True
            scope = scope.wider
        return False

    def once(self, key: Hashable, find: Callable[[], Any]) -> Any:
        """What `find` finds, found once for these documents or for wider ones."""
        scope: Scope | None = self
        while scope is not None:
            if key in scope.known:
                return scope.known[key]
            scope = scope.wider
        found = self.known[key] = find()
        return found

    def _sift(self, places: Places) -> Places:
        if _RARE * len(self.documents) < len(places):
            wanted = np.array(self.documents.to_array(), np.uint64) << _SHIFT
            bounds = np.searchsorted(places, np.concatenate((wanted, wanted + _NEXT)))
            first, last = bounds[: len(wanted)], bounds[len(wanted) :]
            sizes = last - first
            # For each document the numbers from `first` to `last`, one after another.
            ahead = np.repeat(first - np.cumsum(sizes) + sizes, sizes)
            found: Places = places[ahead + np.arange(len(ahead))]
            return found
        if self._inside is None:
            self._inside = np.zeros(self.size, np.bool_)
            self._inside[np.array(self.documents.to_array(), np.uint32)] = True
        kept: Places = places[self._inside[places.view(np.uint32)[1::2]]]
        return kept
