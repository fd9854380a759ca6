"""The documents that the ranking rules look at, and what is known of them. `context.py` owns scopes.

Buckets get smaller from rule to rule. For a small bucket it is worth the time to keep only the
postings of its documents: every later question is then about few postings.
"""

from collections.abc import Callable, Hashable
from typing import Any, Optional, TypeVar

import numpy as np
from numpy.typing import NDArray
from pyroaring import BitMap

from deploy.searchnode.index.inverted_index import Postings
from deploy.searchnode.rank.lookup.postings import MAX_LISTED, PostingList

# A word with more than `_RARE` postings for each document, and `_MANY` more, is searched document by
# document; otherwise every posting is tested.
_RARE, _MANY = 32, 4_000
_SHIFT = np.int64(32)
_NEXT = np.uint64(1 << 32)
Found = TypeVar("Found")


class Scope:
    """Some documents of a wider scope. What is known in the wider scope is used here, narrowed down.

    A scope lives as long as its bucket, so what it remembers is bounded by the questions of one rule.
    """

    def __init__(self, documents: BitMap, wider: Optional["Scope"], size: int) -> None:
        """Look at these documents.

        Args:
            documents: Their numbers.
            wider: The scope that contains them; None for the first scope of a search.
            size: More than the number of any document of the index.
        """
        self.documents, self.wider, self.size = documents, wider, size
        # The key decides the type of the value: `once` is called with one type for each kind of key.
        self._known: dict[Hashable, Any] = {}
        self._postings: dict[Hashable, PostingList] = {}
        # The documents in the three forms in which `narrow` needs them.
        self._numbers: frozenset[int] | None = None
        self._bounds: Postings | None = None
        self._inside: NDArray[np.bool_] | None = None

    def postings(self, key: Hashable, find: Callable[[], PostingList]) -> PostingList:
        """Return the postings under this key in these documents, copied; `find` returns all of them."""
        known = self.known_postings(key)
        return self.remember(key, self.narrow(find())) if known is None else known

    def known_postings(self, key: Hashable) -> PostingList | None:
        """Return the postings under this key if this scope or a wider scope knows them."""
        known = self._postings.get(key)
        scope = self.wider
        while known is None and scope is not None:
            known = scope._postings.get(key)
            if known is not None:
                return self.remember(key, self.narrow(known))
            scope = scope.wider
        return known

    def remember(self, key: Hashable, postings: PostingList) -> PostingList:
        """Keep postings that are all in these documents, and return them."""
        self._postings[key] = postings
        return postings

    def once(self, key: Hashable, find: Callable[[], Found]) -> Found:
        """Return the result of `find`, which runs once for these documents or for wider ones."""
        scope: Scope | None = self
        while scope is not None:
            if key in scope._known:
                known: Found = scope._known[key]
                return known
            scope = scope.wider
        found = self._known[key] = find()
        return found

    def narrow(self, postings: PostingList) -> PostingList:
        """Return a copy of the postings that are in these documents."""
        if isinstance(postings, list):
            if self._numbers is None:
                self._numbers = frozenset(self.documents)
            numbers = self._numbers
            return [posting for posting in postings if posting >> 32 in numbers]
        if _RARE * len(self.documents) + _MANY < len(postings):
            return self._searched(postings)
        if self._inside is None:
            self._inside = np.zeros(self.size, np.bool_)
            self._inside[np.array(self.documents.to_array(), np.uint32)] = True
        kept: Postings = postings.take(self._inside.take(postings.view(np.int64) >> _SHIFT).nonzero()[0])
        return kept.tolist() if len(kept) <= MAX_LISTED else kept

    def _searched(self, postings: Postings) -> PostingList:
        """Find each document among the postings by binary search."""
        if self._bounds is None:
            wanted = np.array(self.documents.to_array(), np.uint64) << np.uint64(_SHIFT)
            self._bounds = np.concatenate((wanted, wanted + _NEXT))
        bounds, count = postings.searchsorted(self._bounds), len(self.documents)
        first, last = bounds[:count], bounds[count:]
        sizes = last - first
        total = int(sizes.sum())
        if total <= MAX_LISTED:
            found: list[int] = []
            for at in np.flatnonzero(sizes).tolist():
                found += postings[first[at] : last[at]].tolist()
            return found
        # For each document the numbers from `first` to `last`, one after another.
        ahead = np.repeat(first - np.cumsum(sizes) + sizes, sizes)
        return postings[ahead + np.arange(total)]
