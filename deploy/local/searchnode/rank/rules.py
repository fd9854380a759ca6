"""The ranking rules that look at the query: what each allows between two neighbours of a reading."""

from collections.abc import Callable

from pyroaring import BitMap

from deploy.local.searchnode.rank import places
from deploy.local.searchnode.rank.context import Context
from deploy.local.searchnode.rank.graph import Node
from deploy.local.searchnode.rank.paths import Choice
from deploy.local.searchnode.rank.places import DEAREST, FAR, Some
from deploy.local.searchnode.rank.terms import Subset

_NOTHING = BitMap()
Near = tuple[BitMap, BitMap, BitMap]


class Rules:
    """The choices of one search. Each is found once for the documents looked at."""

    def __init__(self, context: Context) -> None:
        self.context = context

    def words(self, _: Node | None, right: Node) -> list[Choice]:
        """A word that is there costs nothing; skipping it is the matching strategy's affair."""
        return [Choice(0, right.subset.documents, (None, right))]

    def typo(self, _: Node | None, right: Node) -> list[Choice]:
        """Every typo costs one; words written as one cost as many as they are."""
        return self._once(("typo", right), lambda: self._typo(right))

    def _once(self, key: object, find: Callable[[], list[Choice]]) -> list[Choice]:
        found: list[Choice] = self.context.scope.once(key, find)
        return found

    def _typo(self, right: Node) -> list[Choice]:
        base = 0 if right.size == 1 else right.size
        found = []
        for count in range(right.subset.most_typos + 1):
            node = right.part(right.subset.with_typos(count))
            found.append(Choice(base + count, node.subset.documents, (None, node)))
        return found

    def dearest_typo(self, _: Node | None, right: Node) -> int:
        """What the dearest choice costs: here one that no document need allow."""
        return (0 if right.size == 1 else right.size) + right.subset.most_typos

    def proximity(self, left: Node | None, right: Node) -> list[Choice]:
        """One less than the distance of the nearest two words; from FAR - 1 on it is all the same."""
        return self._once(("proximity", left, right), lambda: self._proximity(left, right))

    def _proximity(self, left: Node | None, right: Node) -> list[Choice]:
        base = right.size - 1
        anywhere = Choice(base, right.subset.documents, (None, right))
        if not _adjacent(left, right):
            return [anywhere]
        assert left is not None  # noqa: S101 - it is adjacent
        near = self._pairs(left.subset, right.subset)
        found = [Choice(base + cost, documents, (left, right)) for cost, documents in near]
        return [*found, anywhere._replace(cost=base + FAR - 1)]

    def dearest_proximity(self, left: Node | None, right: Node) -> int:
        """The same for proximity."""
        return right.size - 1 + (FAR - 1 if _adjacent(left, right) else 0)

    def _pairs(self, left: Subset, right: Subset) -> list[tuple[int, BitMap]]:
        context = self.context
        before, after = context.places_of(left), context.places_of(right)
        # Of the words a prefix stands for, only the prefix itself may come first.
        back = after if right.prefix is None else context.places_of(right, prefix=False)
        found = [self._near(before, after, back)]
        # A phrase is near by its own last or first word, and never the other way round.
        ends = [(context.places(p[-1]), context.phrase(p)) for p in left.phrases if p[-1]]
        starts = [(context.places(p[0]), context.phrase(p)) for p in right.phrases if p[0]]
        for last, documents in ends:
            for others, these in [(after, None), *starts]:
                within = documents if these is None else documents & these
                found.append(_inside(within, self._near(last, others, [])))
        for first, documents in starts:
            found.append(_inside(documents, self._near(before, first, [])))
        if len(found) == 1:
            return list(enumerate(found[0]))
        return [(n, BitMap.union(*(f[n] for f in found))) for n in range(FAR - 1)]

    def _near(self, left: Some, right: Some, back: Some) -> Near:
        if self.context.by_attribute:
            return places.same_field(left, right), _NOTHING, _NOTHING
        return places.near(left, right, back)

    def attribute(self, _: Node | None, right: Node) -> list[Choice]:
        """The weight of the attribute a word stands in, for each of its words."""
        found = self.context.scope.once(
            ("attribute", right.subset), lambda: self._by_field(right.subset)
        )
        return [Choice(cost * right.size, docs, (None, right)) for cost, docs in found]

    def _by_field(self, subset: Subset) -> list[tuple[int, BitMap]]:
        context, weights = self.context, self.context.index.weights
        by_field = dict(places.by_field(context.places_of(subset)))
        for phrase in subset.phrases:
            first = next((word for word in phrase if word is not None), None)
            for field, documents in places.by_field(context.places(first)) if first else ():
                within = documents & context.phrase(phrase)
                by_field[field] = by_field.get(field, _NOTHING) | within
        return [
            (weights[field], documents)
            for field, documents in sorted(by_field.items())
            if context.fields is None or field in context.fields
        ]

    def dearest_attribute(self, _: Node | None, right: Node) -> int:
        """The same for attributes."""
        return (self.context.index.max_weight() or 0) * right.size

    def position(self, _: Node | None, right: Node) -> list[Choice]:
        """How far from its place in the query a word stands, in steps that grow."""
        return self._once(("position", right), lambda: [
            Choice(cost, documents, (None, right)) for cost, documents in self._by_position(right)
        ])  # fmt: skip

    def _by_position(self, right: Node) -> list[tuple[int, BitMap]]:
        context = self.context
        found: dict[int, BitMap] = {}
        sources: list[tuple[Some, BitMap | None]] = [(context.places_of(right.subset), None)]
        for phrase in right.subset.phrases:
            first = next((word for word in phrase if word is not None), None)
            if first is not None:
                sources.append((context.places(first), context.phrase(phrase)))
        for some, within in sources:
            for cost, documents in places.by_position(some, right.positions[0], right.size):
                kept = documents if within is None else documents & within
                found[cost] = found.get(cost, _NOTHING) | kept
        return sorted(found.items())

    def dearest_position(self, _: Node | None, right: Node) -> int:
        """The same for positions."""
        return DEAREST * right.size

    def exactness(self, _: Node | None, right: Node) -> list[Choice]:
        """A word that is not to the letter as the query has it costs one."""
        return self._once(("exactness", right), lambda: [
            Choice(0, self._exact_documents(right.subset),
                   (None, right.part(right.subset.only_exact()))),
            Choice(right.size, right.subset.documents, (None, right)),
        ])  # fmt: skip

    def dearest_exactness(self, _: Node | None, right: Node) -> int:
        """The same for exactness."""
        return right.size

    def _exact_documents(self, subset: Subset) -> BitMap:
        exact = subset.exact
        if exact is None:
            return _NOTHING
        if subset.term.phrase is None and exact[0] is not None:
            return self.context.documents(exact[0])
        return self.context.phrase(exact)


def _inside(documents: BitMap, near: Near) -> Near:
    one, two, three = near
    return one & documents, two & documents, three & documents


def _adjacent(left: Node | None, right: Node) -> bool:
    return left is not None and left.positions[1] + 1 == right.positions[0]
