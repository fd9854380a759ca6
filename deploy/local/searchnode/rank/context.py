"""Which documents have which word, in which field, how near to which other: one search's view."""

import numpy as np
from pyroaring import BitMap

from deploy.local.searchnode.index import Index
from deploy.local.searchnode.postings import Places, bitmap
from deploy.local.searchnode.rank import typos
from deploy.local.searchnode.rank.places import Some, merged, same_field
from deploy.local.searchnode.rank.scope import Scope
from deploy.local.searchnode.rank.terms import Phrase, Subset

# So few documents are not worth narrowing down.
_SMALL = 100
# Words with so few places are rare.
_RARE = 200
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
        if wider is not None and len(wider.documents) < max(2 * len(documents), _SMALL):
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

    def places(self, word: str) -> Some:
        """The places of a word, in order, in the documents looked at."""
        return self.scope.places(word, lambda: self.postings.view(word))

    def places_of(self, subset: Subset, *, prefix: bool = True) -> Some:
        """The places of every single word of a subset and (unless told not to) of its prefix."""
        scope, start = self.scope, subset.prefix if prefix else None
        if start is None and len(subset.words) == 1:
            return self.places(subset.words[0][0])
        key = subset, start
        found = scope.sifted(key)
        return scope.keep(key, self._together(subset, start)) if found is None else found

    def _together(self, subset: Subset, start: str | None) -> Some:
        found, rare = [], []
        for word, _ in subset.words:
            # Rare words are sifted together, common ones each for all who ask.
            if self.postings.count(word) > _RARE:
                found.append(self.places(word))
            else:
                rare.append(self.postings.view(word))
        if start is not None:
            found.append(self.scope.places((start,), lambda: self.postings.of_prefix(start)[1]))
        if rare:
            found.append(self.scope.sift(merged(rare)))
        return merged(found) if found else []

    def most_often_side_by_side(self, word: str, known: tuple[str, ...]) -> tuple[str, str] | None:
        """The halves of a word that most often follow one another in the index, if not `known`."""
        postings = self.postings
        halves = []
        for at in range(1, len(word)):
            pair = word[:at], word[at:]
            # No more documents than both halves share, nor than the rarer one has places.
            if pair[0] in postings and pair[1] in postings:
                most = postings.documents(pair[0]).intersection_cardinality(
                    postings.documents(pair[1])
                )
                if most:
                    halves.append((min(most, *map(postings.count, pair)), pair))
        if all(pair == known for _, pair in halves):
            return None
        best, found = 0, None
        for most, pair in halves:
            if most > best:
                count = len(self._following(*pair, 1))
                if count > best:
                    best, found = count, pair
        return None if found == known else found

    def _following(self, left: str, right: str, most: int) -> BitMap:
        a, b = self.postings.view(left), self.postings.view(right)
        if self.by_attribute:
            return same_field(a, b)
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
