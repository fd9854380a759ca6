"""The ranking rules that look at the query: what each allows between two neighbours of a reading."""

from collections.abc import Callable

import numpy as np
from pyroaring import BitMap

from deploy.local.searchnode.postings import NO_PLACES, Numbers, Places, by_key
from deploy.local.searchnode.rank.context import FAR, Context
from deploy.local.searchnode.rank.graph import Node
from deploy.local.searchnode.rank.paths import Choice
from deploy.local.searchnode.rank.terms import Subset

_NOTHING = BitMap()
# The position rule tells distances apart up to these, each a step dearer.
_STEPS = (0, 1, 4, 7, 11, 16, 24, 64, 256, 1024)
_DEAREST = len(_STEPS)


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
            node = right._replace(subset=right.subset.with_typos(count))
            found.append(Choice(base + count, node.subset.documents, (None, node)))
        return found

    def proximity(self, left: Node | None, right: Node) -> list[Choice]:
        """One less than the distance of the nearest two words; from FAR - 1 on it is all the same."""
        return self._once(("proximity", left, right), lambda: self._proximity(left, right))

    def _proximity(self, left: Node | None, right: Node) -> list[Choice]:
        base = right.size - 1
        anywhere = Choice(base, right.subset.documents, (None, right))
        if left is None or left.positions[1] + 1 != right.positions[0]:
            return [anywhere]
        near = self._pairs(left.subset, right.subset)
        found = [Choice(base + cost, documents, (left, right)) for cost, documents in near]
        return [*found, anywhere._replace(cost=base + FAR - 1)]

    def _pairs(self, left: Subset, right: Subset) -> list[tuple[int, BitMap]]:
        context = self.context
        before, after = context.places_of(left), context.places_of(right)
        # Of the words a prefix stands for, only the prefix itself may come first.
        back = None if right.prefix is None else context.places_of(right, prefix=False)
        found = [self._near(before, after, back)]
        # A phrase is near by its own last or first word, and never the other way round.
        ends = [(context.places(p[-1]), context.phrase(p)) for p in left.phrases if p[-1]]
        starts = [(context.places(p[0]), context.phrase(p)) for p in right.phrases if p[0]]
        for places, documents in ends:
            for others, these in [(after, None), *starts]:
                within = documents if these is None else documents & these
                found.append(tuple(d & within for d in self._near(places, others, NO_PLACES)))  # type: ignore[arg-type]
        for places, documents in starts:
            found.append(tuple(d & documents for d in self._near(before, places, NO_PLACES)))  # type: ignore[arg-type]
        return [(n, BitMap.union(*(f[n] for f in found))) for n in range(FAR - 1)]

    def _near(
        self, left: Places, right: Places, back: Places | None
    ) -> tuple[BitMap, BitMap, BitMap]:
        if self.context.by_attribute:
            return self.context.same_field(left, right), _NOTHING, _NOTHING
        return self.context.near(left, right, back)

    def attribute(self, _: Node | None, right: Node) -> list[Choice]:
        """The weight of the attribute a word stands in, for each of its words."""
        found = self.context.scope.once(
            ("attribute", right.subset), lambda: self._by_field(right.subset)
        )
        return [Choice(cost * right.size, docs, (None, right)) for cost, docs in found]

    def _by_field(self, subset: Subset) -> list[tuple[int, BitMap]]:
        context, weights = self.context, self.context.index.weights
        by_field = dict(apart(context.places_of(subset), fields))
        for phrase in subset.phrases:
            first = next((word for word in phrase if word is not None), None)
            for field, documents in apart(context.places(first), fields) if first else ():
                within = documents & context.phrase(phrase)
                by_field[field] = by_field.get(field, _NOTHING) | within
        found = [
            (weights[field], documents)
            for field, documents in sorted(by_field.items())
            if context.fields is None or field in context.fields
        ]
        most = context.index.max_weight()
        if most is not None and max((weight for weight, _ in found), default=0) < most:
            found.append((most, _NOTHING))
        return found

    def position(self, _: Node | None, right: Node) -> list[Choice]:
        """How far from its place in the query a word stands, in steps that grow."""
        return self._once(("position", right), lambda: [
            Choice(cost, documents, (None, right)) for cost, documents in self._by_position(right)
        ])  # fmt: skip

    def _by_position(self, right: Node) -> list[tuple[int, BitMap]]:
        context = self.context
        found: dict[int, BitMap] = {}
        sources: list[tuple[Places, BitMap | None]] = [(context.places_of(right.subset), None)]
        for phrase in right.subset.phrases:
            first = next((word for word in phrase if word is not None), None)
            if first is not None:
                sources.append((context.places(first), context.phrase(phrase)))
        for places, within in sources:
            for cost, documents in apart(places, lambda p: position_costs(p, right)):
                kept = documents if within is None else documents & within
                found[cost] = found.get(cost, _NOTHING) | kept
        found.setdefault(_DEAREST * right.size, _NOTHING)
        return sorted(found.items())

    def exactness(self, _: Node | None, right: Node) -> list[Choice]:
        """A word that is not to the letter as the query has it costs one."""
        return self._once(("exactness", right), lambda: [
            Choice(0, self._exact_documents(right.subset),
                   (None, right._replace(subset=right.subset.only_exact()))),
            Choice(right.size, right.subset.documents, (None, right)),
        ])  # fmt: skip

    def _exact_documents(self, subset: Subset) -> BitMap:
        exact = subset.exact
        if exact is None:
            return _NOTHING
        if subset.term.phrase is None and exact[0] is not None:
            return self.context.documents(exact[0])
        return self.context.phrase(exact)


def _bucketed() -> Numbers:
    """Positions as the index remembers them: exact to 15, then 24, then powers of two."""
    exact = np.arange(1 << 16)
    far = np.exp2(np.ceil(np.log2(np.maximum(exact, 1)))).astype(np.int64)
    return np.where(exact < 16, exact, np.where(exact < 24, 24, far)).astype(np.int32)


BUCKETED = _bucketed()
_COST_OF_DISTANCE: Numbers = np.searchsorted(_STEPS, np.arange((1 << 16) + 8)).astype(np.int32)


def positions(places: Places) -> Numbers:
    """The bucketed position of each place."""
    bucketed: Numbers = BUCKETED[places.view(np.uint16)[::4]]
    return bucketed


def position_costs(places: Places, right: Node) -> Numbers:
    """What each place costs a term, by where the query has it."""
    distance = np.abs(positions(places) - right.positions[0])
    costs: Numbers = _COST_OF_DISTANCE[distance]
    for ahead in range(1, right.size):
        costs = costs + _COST_OF_DISTANCE[distance + ahead]
    return costs


def fields(places: Places) -> Numbers:
    """The number of the field of each place."""
    return places.view(np.uint16)[1::4]


def apart(places: Places, key: Callable[[Places], Numbers]) -> list[tuple[int, BitMap]]:
    """The documents of the places, apart by a small number found for each place."""
    return by_key(places, key(places)) if len(places) else []
