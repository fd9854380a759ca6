"""One search's view of an index: which documents have which word or phrase, in the fields that count.

`rank/search.py` makes one context for each search; parser, terms and rules ask it.
"""

import numpy as np
from pyroaring import BitMap

from deploy.searchnode.index.index import Index
from deploy.searchnode.index.inverted_index import Postings, documents_of
from deploy.searchnode.rank import typos
from deploy.searchnode.rank.lookup.postings import PostingList, documents_with_both_in_a_field
from deploy.searchnode.rank.lookup.scope import Scope

# A phrase's words in order; None stands for a stop word.
Phrase = tuple[str | None, ...]
# With so few documents a scope of their own saves no time.
_SMALL_SCOPE = 100
_FIELD = np.uint64(0xFFFF)


class Context:
    """One search's view of an index. What it finds is remembered until the search ends.

    Returned bitmaps must not be changed.
    """

    def __init__(self, index: Index, fields: set[int] | None = None) -> None:
        """Look at an index; with `fields` (their numbers) words count in these fields only."""
        self.index, self.words, self.fields = index, index.words, fields
        names = index.settings["typoTolerance"]["disableOnAttributes"]
        self._fields_without_typos = {n for n, name in enumerate(index.searchable.names) if name in names}
        self.by_attribute = index.settings["proximityPrecision"] == "byAttribute"
        # The documents that the rules at work look at, the innermost scope last.
        self._scopes: list[Scope] = []
        self._documents: dict[tuple[str, bool], BitMap] = {}
        self._phrases: dict[Phrase, BitMap] = {}

    def enter(self, documents: BitMap) -> None:
        """Look at these documents only, until the matching `leave`."""
        wider = self._scopes[-1] if self._scopes else None
        if wider is not None and len(wider.documents) < max(2 * len(documents), _SMALL_SCOPE):
            self._scopes.append(wider)
        else:
            self._scopes.append(Scope(documents, wider, self.index.next_id + 1))

    def leave(self) -> None:
        """Look again at the documents before the last `enter`."""
        self._scopes.pop()

    def release(self) -> None:
        """Drop the scopes, whose memory is then free at once."""
        self._scopes.clear()

    @property
    def scope(self) -> Scope:
        """The documents that the rules look at now."""
        return self._scopes[-1]

    def documents(self, word: str, *, derived: bool = False) -> BitMap:
        """Return the documents with the word; a derived word counts only where typos are allowed."""
        if self.fields is None and not derived:
            return self.words.documents(word)
        known = self._documents.get((word, derived))
        if known is None:
            known = self._documents[(word, derived)] = self._find_documents(word, derived=derived)
        return known

    def _find_documents(self, word: str, *, derived: bool) -> BitMap:
        if derived and typos.must_be_exact(self.index, word):
            return BitMap()
        if self._counts_everywhere(derived=derived):
            return self.words.documents(word)
        return self._in_fields(self.words.view(word), derived=derived)

    def prefix_documents(self, prefix: str, *, derived: bool) -> BitMap:
        """Return the documents with any word that starts with the prefix; `derived` as in `documents`."""
        documents, postings = self.words.prefix(prefix)
        if self._counts_everywhere(derived=derived):
            return documents
        return self._in_fields(postings, derived=derived)

    def _counts_everywhere(self, *, derived: bool) -> bool:
        return self.fields is None and not (derived and self._fields_without_typos)

    def _in_fields(self, postings: Postings, *, derived: bool) -> BitMap:
        """Return the documents of the postings that are in fields that count."""
        without = self._fields_without_typos if derived else set()
        count = len(self.index.searchable.names)
        allowed = np.ones(count + 1, np.bool_)
        for field in range(count):
            allowed[field] = field not in without and (self.fields is None or field in self.fields)
        return documents_of(postings[allowed[(postings >> np.uint64(16)) & _FIELD]])

    def postings(self, word: str) -> PostingList:
        """Return the postings of a word, in order, in the documents of the scope."""
        return self.scope.postings(word, lambda: self.words.view(word))

    def prefix_postings(self, prefix: str) -> PostingList:
        """Return the postings of all words with the prefix, in order, in the documents of the scope."""
        return self.scope.postings((prefix,), lambda: self.words.prefix(prefix)[1])

    def most_frequent_split(self, word: str, parts: tuple[str, ...]) -> tuple[str, str] | None:
        """Return the two halves of a word that most often follow one another in the index.

        None when no halves do, or when they are `parts`, the words that the query itself has.
        """
        words = self.words
        halves = []
        for at in range(1, len(word)):
            pair = word[:at], word[at:]
            # At most as many documents as both halves have in common, and as the rarer has postings.
            if pair[0] in words and pair[1] in words:
                most = words.documents(pair[0]).intersection_cardinality(words.documents(pair[1]))
                if most:
                    halves.append((min(most, *map(words.count, pair)), pair))
        if all(pair == parts for _, pair in halves):
            return None
        best, found = 0, None
        for most, pair in halves:
            if most > best:
                first, second = pair
                count = len(self._following(first, second, 1))
                if count > best:
                    best, found = count, pair
        return None if found == parts else found

    def _following(self, left: str, right: str, max_distance: int) -> BitMap:
        """Return the documents in which `right` follows `left` within the distance, in positions."""
        a, b = self.words.view(left), self.words.view(right)
        if self.by_attribute:
            return documents_with_both_in_a_field(a, b)
        if not len(a) or not len(b):
            return BitMap()
        # The shorter list is looked up in the longer one.
        if len(a) > len(b):
            at = np.searchsorted(a, b)
            gap = b - a[np.maximum(at, 1) - 1]
            return documents_of(b[(at > 0) & (gap <= np.uint64(max_distance))])
        at = np.searchsorted(b, a, "right")
        gap = b[np.minimum(at, len(b) - 1)] - a
        return documents_of(a[(at < len(b)) & (gap <= np.uint64(max_distance))])

    def phrase(self, phrase: Phrase) -> BitMap:
        """Return the documents in which the words of the phrase follow one another."""
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
