"""Which documents have which word, in which field, how near to which other: one search's view."""

import numpy as np
from pyroaring import BitMap

from deploy.local.searchnode.index import Index
from deploy.local.searchnode.postings import NO_PLACES, Places, bitmap, by_key
from deploy.local.searchnode.rank import typos
from deploy.local.searchnode.rank.scope import Scope
from deploy.local.searchnode.rank.terms import Phrase, Subset

# From here on words do not count as near.
FAR = 4
# Words with so few places are rare.
_RARE = 200
_ONE = np.uint64(1)
_FIELD = np.uint64(0xFFFF)


class Context:
    """One search's view of an index. `fields` restricts words to some fields (None: all)."""

    def __init__(self, index: Index, fields: set[int] | None = None) -> None:
        self.index, self.postings, self.fields = index, index.postings, fields
        patterns = index.settings["typoTolerance"]["disableOnAttributes"]
        self.exact_fields = {n for n, name in enumerate(index.fields) if name in patterns}
        self.by_attribute = index.settings["proximityPrecision"] == "byAttribute"
        # Documents outside the last of these do not matter to the rules at hand.
        self.scopes: list[Scope] = []
        self._documents: dict[tuple[str, bool], BitMap] = {}
        self._phrases: dict[Phrase, BitMap] = {}

    def enter(self, documents: BitMap) -> None:
        """Look at these documents only, until `leave`."""
        wider = self.scopes[-1] if self.scopes else None
        if wider is not None and 2 * len(documents) > len(wider.documents):
            self.scopes.append(wider)
        else:
            self.scopes.append(Scope(documents, wider, self.index.next_id + 1))

    def leave(self) -> None:
        """Look at what was looked at before."""
        self.scopes.pop()

    @property
    def scope(self) -> Scope:
        """The documents looked at."""
        return self.scopes[-1]

    def documents(self, word: str, *, derived: bool = False) -> BitMap:
        """Documents with the word; a derived one only counts where typos are forgiven."""
        if self.fields is None and not derived:
            return self.postings.documents(word)
        known = self._documents.get((word, derived))
        if known is None:
            known = self._documents[(word, derived)] = self._restricted(word, derived=derived)
        return known

    def _restricted(self, word: str, *, derived: bool) -> BitMap:
        if derived and typos.is_exact(self.index, word):
            return BitMap()
        out = self.exact_fields if derived else set()
        if self.fields is None and not out:
            return self.postings.documents(word)
        return bitmap(self._in_fields(self.postings.view(word), out))

    def _in_fields(self, places: Places, out: set[int]) -> Places:
        count = len(self.index.fields)
        allowed = np.ones(count + 1, np.bool_)
        for field in range(count):
            allowed[field] = field not in out and (self.fields is None or field in self.fields)
        kept: Places = places[allowed[(places >> np.uint64(16)) & _FIELD]]
        return kept

    def prefix_documents(self, prefix: str, *, derived: bool) -> BitMap:
        """Documents with any word that starts so."""
        whole, places = self.postings.of_prefix(prefix)
        out = self.exact_fields if derived else set()
        if self.fields is None and not out:
            return whole
        return bitmap(self._in_fields(places, out))

    def places(self, word: str) -> Places:
        """The places of a word, in order, in the documents looked at."""
        return self.scope.places(word, lambda: self.postings.view(word))

    def places_of(self, subset: Subset, *, prefix: bool = True) -> Places:
        """The places of every single word of a subset and (unless told not to) of its prefix."""
        scope, key = self.scope, (subset, prefix)
        if scope.have(key):
            return scope.places(key, lambda: NO_PLACES)
        words = [word for word, _ in subset.words]
        # Rare words are sifted together, common ones each for all who ask.
        common = [word for word in words if self.postings.count(word) > _RARE]
        found = [self.places(word) for word in common]
        if prefix and subset.prefix is not None:
            start = subset.prefix
            found.append(scope.places((start,), lambda: self.postings.of_prefix(start)[1]))
        found += [self.postings.view(w) for w in words if self.postings.count(w) <= _RARE]
        if len(found) == 1 == len(common):
            return found[0]

        def merged() -> Places:
            together = np.concatenate(found) if found else NO_PLACES
            together.sort()
            return together

        return scope.places(key, merged)

    def near(
        self, left: Places, right: Places, exact_right: Places | None = None
    ) -> tuple[BitMap, BitMap, BitMap]:
        """Documents by how far a right place follows a left one, 1 to 3; before counts one more.

        `exact_right`: the only right places that count when they come before.
        """
        back = right if exact_right is None else exact_right
        near, gaps = [], []
        if len(left) and len(right):
            at = np.searchsorted(left, right)
            gap = right - left[np.maximum(at, 1) - 1]
            close = (gap < np.uint64(FAR)) & (at > 0)
            near.append(right[close])
            gaps.append(gap[close])
        if len(left) and len(back):
            at = np.searchsorted(left, back, "right")
            gap = left[np.minimum(at, len(left) - 1)] - back + _ONE
            close = (gap < np.uint64(FAR)) & (at < len(left))
            near.append(back[close])
            gaps.append(gap[close])
        if not any(map(len, near)):
            return BitMap(), BitMap(), BitMap()
        found = dict(by_key(np.concatenate(near), np.concatenate(gaps).astype(np.int64)))
        one, two, three = (found.get(cost, BitMap()) for cost in (1, 2, 3))
        return one, two - one, three - two - one

    def same_field(self, left: Places, right: Places) -> BitMap:
        """Documents with both in one field."""
        both = np.intersect1d(left >> np.uint64(16), right >> np.uint64(16))
        return bitmap(both << np.uint64(16))

    def side_by_side(self, left: str, right: str) -> BitMap:
        """Documents of the whole index in which the words follow one another."""
        return self._following(left, right, 1)

    def _following(self, left: str, right: str, most: int) -> BitMap:
        a, b = self.postings.view(left), self.postings.view(right)
        if self.by_attribute:
            return self.same_field(a, b)
        if not len(a) or not len(b):
            return BitMap()
        if len(a) > len(b):
            at = np.searchsorted(a, b)
            gap = b - a[np.maximum(at, 1) - 1]
            return bitmap(b[(at > 0) & (gap <= np.uint64(most))])
        at = np.searchsorted(b, a, "right")
        gap = b[np.minimum(at, len(b) - 1)] - a
        return bitmap(a[(at < len(b)) & (gap <= np.uint64(most))])

    def phrase(self, phrase: Phrase) -> BitMap:
        """Documents in which the words follow one another; not to be changed."""
        known = self._phrases.get(phrase)
        if known is None:
            known = self._phrases[phrase] = self._find_phrase(phrase)
        return known

    def _find_phrase(self, phrase: Phrase) -> BitMap:
        present = [word for word in phrase if word is not None]
        if not present:
            return BitMap()
        found = BitMap.intersection(*(self.documents(word) for word in present))
        for start, word in enumerate(phrase):
            for ahead in (1, 2):
                other = phrase[start + ahead] if start + ahead < len(phrase) else None
                if word is not None and other is not None and found:
                    found &= self._following(word, other, ahead)
        return found
