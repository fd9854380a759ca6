"""The documents that the rules look at, ever fewer as buckets get smaller, and what is known of them."""

from collections.abc import Callable, Hashable
from typing import Any, Optional

import numpy as np
from pyroaring import BitMap

from deploy.local.searchnode.postings import Places
from deploy.local.searchnode.rank.places import FEW, Some

# Documents are looked up in a word's places when there are so many times more places, and so many.
_RARE, _MANY = 32, 4_000
_SHIFT = np.int64(32)
_NEXT = np.uint64(1 << 32)


class Scope:
    """Some documents of a wider scope. What was found there is only sifted here."""

    def __init__(self, documents: BitMap, wider: Optional["Scope"], size: int) -> None:
        """`size`: more than the number of any document."""
        self.documents, self.wider, self.size = documents, wider, size
        self.known: dict[Hashable, Any] = {}
        self._places: dict[Hashable, Some] = {}
        # The documents in the forms in which they are asked for.
        self._numbers: frozenset[int] | None = None
        self._bounds: Places | None = None
        self._inside: np.ndarray[Any, np.dtype[np.bool_]] | None = None

    def places(self, key: Hashable, find: Callable[[], Some]) -> Some:
        """The places under this key in these documents, copied; `find` gives all of them."""
        kept = self.sifted(key)
        return self.keep(key, self.sift(find())) if kept is None else kept

    def sifted(self, key: Hashable) -> Some | None:
        """The places under this key, when they are known here or in a wider scope."""
        kept = self._places.get(key)
        scope = self.wider
        while kept is None and scope is not None:
            kept = scope._places.get(key)
            if kept is not None:
                return self.keep(key, self.sift(kept))
            scope = scope.wider
        return kept

    def keep(self, key: Hashable, places: Some) -> Some:
        """Remember places that are in these documents."""
        self._places[key] = places
        return places

    def once(self, key: Hashable, find: Callable[[], Any]) -> Any:
        """What `find` finds, found once for these documents or for wider ones."""
        scope: Scope | None = self
        while scope is not None:
            if key in scope.known:
                return scope.known[key]
            scope = scope.wider
        found = self.known[key] = find()
        return found

    def sift(self, places: Some) -> Some:
        """Those of the places that are in these documents, copied."""
        if isinstance(places, list):
            if self._numbers is None:
                self._numbers = frozenset(self.documents)
            numbers = self._numbers
            return [place for place in places if place >> 32 in numbers]
        if _RARE * len(self.documents) + _MANY < len(places):
            return self._looked_up(places)
        if self._inside is None:
            self._inside = np.zeros(self.size, np.bool_)
            self._inside[np.array(self.documents.to_array(), np.uint32)] = True
        kept: Places = places.take(self._inside.take(places.view(np.int64) >> _SHIFT).nonzero()[0])
        return kept.tolist() if len(kept) <= FEW else kept

    def _looked_up(self, places: Places) -> Some:
        if self._bounds is None:
            wanted = np.array(self.documents.to_array(), np.uint64) << np.uint64(_SHIFT)
            self._bounds = np.concatenate((wanted, wanted + _NEXT))
        bounds, count = places.searchsorted(self._bounds), len(self.documents)
        first, last = bounds[:count], bounds[count:]
        sizes = last - first
        total = int(sizes.sum())
        if total <= FEW:
            found: list[int] = []
            for at in np.flatnonzero(sizes).tolist():
                found += places[first[at] : last[at]].tolist()
            return found
        # For each document the numbers from `first` to `last`, one after another.
        ahead = np.repeat(first - np.cumsum(sizes) + sizes, sizes)
        return places[ahead + np.arange(total)]
