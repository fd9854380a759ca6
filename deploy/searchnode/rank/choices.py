"""The choices of the ranking rules that look at the query: costs and documents between two neighbours.

`rules.py` makes rules of them with the paths of `paths.py`. For each rule there is a method with the
choices, and a method with the cost of the dearest choice, of which scores are made.
"""

from collections.abc import Callable

from pyroaring import BitMap

from deploy.searchnode.rank.lookup import postings
from deploy.searchnode.rank.lookup.context import Context
from deploy.searchnode.rank.lookup.postings import FAR, MAX_POSITION_COST, PostingList
from deploy.searchnode.rank.paths import Choice
from deploy.searchnode.rank.reading.graph import TermNode
from deploy.searchnode.rank.reading.terms import Subset

_NO_DOCUMENTS = BitMap()
# Documents with a distance of 1, of 2 and of 3.
Proximity = tuple[BitMap, BitMap, BitMap]


class RuleChoices:
    """The choices of one search. Each is found once for the documents of the context's scope.

    Every method takes the left neighbour (None at the start of a reading) and the right one.
    """

    def __init__(self, context: Context) -> None:
        self.context = context

    def _once(self, key: object, find: Callable[[], list[Choice]]) -> list[Choice]:
        return self.context.scope.once(key, find)

    def words(self, _: TermNode | None, right: TermNode) -> list[Choice]:
        """Return the choices of `words`: a term that is there costs nothing; skips cost, not choices."""
        return [Choice(0, right.subset.documents, (None, right))]

    def typo(self, _: TermNode | None, right: TermNode) -> list[Choice]:
        """Return the choices of `typo`: each typo costs one, words written as one their number."""
        return self._once(("typo", right), lambda: self._typo(right))

    def _typo(self, right: TermNode) -> list[Choice]:
        base = 0 if right.size == 1 else right.size
        found = []
        for count in range(right.subset.max_typos + 1):
            node = right.part(right.subset.with_typos(count))
            found.append(Choice(base + count, node.subset.documents, (None, node)))
        return found

    def max_typo(self, _: TermNode | None, right: TermNode) -> int:
        """Return the cost of the dearest choice of `typo`."""
        return (0 if right.size == 1 else right.size) + right.subset.max_typos

    def proximity(self, left: TermNode | None, right: TermNode) -> list[Choice]:
        """Return the choices of `proximity`: one less than the distance, at most FAR - 1."""
        return self._once(("proximity", left, right), lambda: self._proximity(left, right))

    def _proximity(self, left: TermNode | None, right: TermNode) -> list[Choice]:
        base = right.size - 1
        anywhere = Choice(base, right.subset.documents, (None, right))
        if left is None or not _are_adjacent(left, right):
            return [anywhere]
        by_distance = self._distances(left.subset, right.subset)
        found = [Choice(base + cost, documents, (left, right)) for cost, documents in by_distance]
        return [*found, anywhere._replace(cost=base + FAR - 1)]

    def max_proximity(self, left: TermNode | None, right: TermNode) -> int:
        """Return the cost of the dearest choice of `proximity`."""
        return right.size - 1 + (FAR - 1 if left is not None and _are_adjacent(left, right) else 0)

    def _distances(self, left: Subset, right: Subset) -> list[tuple[int, BitMap]]:
        """Return (distance less one, documents) of two terms, for distances below FAR."""
        context = self.context
        before, after = left.postings(), right.postings()
        # Of the words of a prefix only the prefix itself may stand before the left term.
        reversible = after if right.prefix is None else right.postings(with_prefix=False)
        found = [self._by_proximity(before, after, reversible)]
        # A phrase is near by its last or first word, and only in the order of the query.
        ends = [(context.postings(p[-1]), context.phrase(p)) for p in left.phrases if p[-1]]
        starts = [(context.postings(p[0]), context.phrase(p)) for p in right.phrases if p[0]]
        for last, documents in ends:
            for others, of_phrase in [(after, None), *starts]:
                within = documents if of_phrase is None else documents & of_phrase
                found.append(_intersection(within, self._by_proximity(last, others, [])))
        for first, documents in starts:
            found.append(_intersection(documents, self._by_proximity(before, first, [])))
        if len(found) == 1:
            return list(enumerate(found[0]))
        return [(n, BitMap.union(*(f[n] for f in found))) for n in range(FAR - 1)]

    def _by_proximity(self, left: PostingList, right: PostingList, reversible: PostingList) -> Proximity:
        if self.context.by_attribute:
            same_field = postings.documents_with_both_in_a_field(left, right)
            return same_field, _NO_DOCUMENTS, _NO_DOCUMENTS
        return postings.documents_by_proximity(left, right, reversible)

    def attribute(self, _: TermNode | None, right: TermNode) -> list[Choice]:
        """Return the choices of `attributeRank`: the weight of the field, for each of the term's words."""
        found = self.context.scope.once(("attribute", right.subset), lambda: self._by_weight(right.subset))
        return [Choice(cost * right.size, documents, (None, right)) for cost, documents in found]

    def _by_weight(self, subset: Subset) -> list[tuple[int, BitMap]]:
        context, weights = self.context, self.context.index.searchable.weights
        by_field = dict(postings.documents_by_field(subset.postings()))
        for phrase in subset.phrases:
            first = next((word for word in phrase if word is not None), None)
            for field, documents in postings.documents_by_field(context.postings(first)) if first else ():
                within = documents & context.phrase(phrase)
                by_field[field] = by_field.get(field, _NO_DOCUMENTS) | within
        return [
            (weights[field], documents)
            for field, documents in sorted(by_field.items())
            if context.fields is None or field in context.fields
        ]

    def max_attribute(self, _: TermNode | None, right: TermNode) -> int:
        """Return the cost of the dearest choice of `attributeRank`."""
        return (self.context.index.searchable.max_weight() or 0) * right.size

    def position(self, _: TermNode | None, right: TermNode) -> list[Choice]:
        """Return the choices of `wordPosition`: how far from its position in the query a term stands."""
        return self._once(
            ("position", right),
            lambda: [Choice(cost, documents, (None, right)) for cost, documents in self._by_position(right)],
        )

    def _by_position(self, right: TermNode) -> list[tuple[int, BitMap]]:
        context = self.context
        found: dict[int, BitMap] = {}
        sources: list[tuple[PostingList, BitMap | None]] = [(right.subset.postings(), None)]
        for phrase in right.subset.phrases:
            first = next((word for word in phrase if word is not None), None)
            if first is not None:
                sources.append((context.postings(first), context.phrase(phrase)))
        for of_source, within in sources:
            for cost, documents in postings.documents_by_position_cost(
                of_source, right.positions[0], right.size
            ):
                kept = documents if within is None else documents & within
                found[cost] = found.get(cost, _NO_DOCUMENTS) | kept
        return sorted(found.items())

    def max_position(self, _: TermNode | None, right: TermNode) -> int:
        """Return the cost of the dearest choice of `wordPosition`."""
        return MAX_POSITION_COST * right.size

    def exactness(self, _: TermNode | None, right: TermNode) -> list[Choice]:
        """Return the choices of `exactWords`: a term that is not to the letter costs its words."""
        return self._once(
            ("exactness", right),
            lambda: [
                Choice(0, self._exact_documents(right.subset), (None, right.part(right.subset.only_exact()))),
                Choice(right.size, right.subset.documents, (None, right)),
            ],
        )

    def max_exactness(self, _: TermNode | None, right: TermNode) -> int:
        """Return the cost of the dearest choice of `exactWords`."""
        return right.size

    def _exact_documents(self, subset: Subset) -> BitMap:
        exact = subset.exact
        if exact is None:
            return _NO_DOCUMENTS
        if subset.term.phrase is None and exact[0] is not None:
            return self.context.documents(exact[0])
        return self.context.phrase(exact)


def _intersection(documents: BitMap, proximity: Proximity) -> Proximity:
    one, two, three = proximity
    return one & documents, two & documents, three & documents


def _are_adjacent(left: TermNode, right: TermNode) -> bool:
    return left.positions[1] + 1 == right.positions[0]
