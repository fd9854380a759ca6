"""A ranking rule as the cheapest ways through a query's graph.

A rule gives every edge of the graph some choices: a cost, and the documents that allow it. The
documents of the cheapest way are the rule's first bucket, and so on. What a bucket hands on is the
graph of just the ways that led to it.
"""

from collections.abc import Callable, Iterator
from operator import itemgetter
from typing import NamedTuple

from pyroaring import BitMap

from deploy.local.searchnode.rank.graph import END, START, Graph, Node, Step


class Choice(NamedTuple):
    """One way to pass an edge. Without documents it is a skipped node: nothing is asked."""

    cost: int
    documents: BitMap | None
    step: Step | None = None
    # Nodes (as bits) that a skip forbids to have been passed, and to be passed later.
    forbids: int = 0


_COST = itemgetter(0)
# So few documents are asked one by one what they cost.
_FEW = 12
# Where a choice leads, and the choice.
Edge = tuple[int, Choice]
Choices = Callable[[Node | None, Node], list[Choice]]
Skips = dict[int, Choice]
# A cost, the documents, and the ways that led to them (None: every way there is).
Found = tuple[int, BitMap, list[list[Step]] | None]


def along(reading: list[Node], choices: Choices, universe: BitMap) -> Iterator[Found]:
    """By the only reading there is, the cheapest first: a document costs the sum of its steps."""
    reached = {0: universe}
    left: Node | None = None
    for right in reading:
        found = sorted(choices(left, right), key=_COST)
        further: dict[int, BitMap] = {}
        for before, documents in reached.items():
            rest = documents
            for cost, allowing, _, _ in found:
                here = rest & allowing  # type: ignore[operator]
                if here:
                    total = before + cost
                    further[total] = further[total] | here if total in further else here
                    rest = rest - here
                    if not rest:
                        break
        reached, left = further, right
    for total in sorted(reached):
        yield total, reached[total], None


class Ways:
    """All ways through a graph by one rule that some of the documents allow, and what each costs."""

    def __init__(
        self, graph: Graph, choices: Choices, universe: BitMap, skips: Skips | None = None
    ) -> None:
        nodes = graph.nodes
        self.edges: list[list[Edge]] = [[] for _ in nodes]
        self.order = order = graph.backward()
        # A way past skipped nodes may forbid others: it is only found by walking.
        self.skipping = bool(skips)
        # What it may cost to get from each node to the end, as the bits of a number.
        self.costs = costs = [0] * len(nodes)
        costs[END] = 1
        # No choice needs a look where a term is in none of the documents.
        there = [
            node is not None and node.subset.documents.intersect(universe) for node in nodes
        ]  # fmt: skip
        for source in order:
            if not (there[source] or source == START or (skips and source in skips)):
                continue
            left, edges, bits = nodes[source], self.edges[source], 0
            for target in graph.after[source]:
                rest = costs[target]
                if target == END:
                    edges.append((END, _FREE))
                    bits |= rest
                    continue
                if skips and target in skips:
                    edges.append((target, skips[target]))
                    bits |= rest << skips[target].cost
                if not rest or not there[target]:
                    continue
                for choice in choices(left, nodes[target]):  # type: ignore[arg-type]
                    if choice.documents.intersect(universe):  # type: ignore[union-attr]
                        edges.append((target, choice))
                        bits |= rest << choice.cost
            costs[source] = bits

    def buckets(self, universe: BitMap) -> Iterator[Found]:
        """The documents of `universe` by what they cost, the cheapest first."""
        if not self.skipping and len(universe) <= _FEW:
            for cost, numbers in sorted(self._by_cheapest(universe).items()):
                yield cost, *self._of_cost(cost, BitMap(numbers))
            return
        bits, left = self.costs[START], universe
        for cost in range(bits.bit_length()):
            if not bits >> cost & 1:
                continue
            documents, paths = self._of_cost(cost, left)
            if documents:
                yield cost, documents, paths
                left = left - documents
                if not left:
                    return

    def _by_cheapest(self, universe: BitMap) -> dict[int, list[int]]:
        found: dict[int, list[int]] = {}
        for document in universe:
            cost = self._cheapest(document)
            if cost is not None:
                found.setdefault(cost, []).append(document)
        return found

    def _cheapest(self, document: int) -> int | None:
        """What the cheapest way costs that allows this document."""
        best: list[int | None] = [None] * len(self.edges)
        best[END] = 0
        for source in self.order:
            least: int | None = None
            for target, choice in self.edges[source]:
                rest = best[target]
                if rest is None or (least is not None and choice.cost + rest >= least):
                    continue
                if choice.documents is None or document in choice.documents:
                    least = choice.cost + rest
            best[source] = least
        return best[START]

    def _of_cost(self, cost: int, universe: BitMap) -> tuple[BitMap, list[list[Step]]]:
        """The documents of `universe` on a way of exactly this cost, and those ways."""
        walk = _Walk(self)
        walk.visit(START, cost, universe, 0, 0)
        return walk.bucket, walk.paths


_FREE = Choice(0, None)


def dearest(graph: Graph, most: Callable[[Node | None, Node], int], skips: Skips) -> int:
    """The most that a way through the graph can cost, whether any document allows it or not.

    `most`: what the dearest choice between two neighbours costs.
    """
    costs = [0] * len(graph.nodes)
    for source in graph.backward():
        left = graph.nodes[source]
        for target in graph.after[source]:
            right = graph.nodes[target]
            if right is not None:
                cost = most(left, right)
                if target in skips:
                    cost = max(cost, skips[target].cost)
                costs[source] = max(costs[source], cost + costs[target])
    return costs[START]


class _Walk:
    """A depth-first walk. A document taken by one way is not looked for on the next."""

    def __init__(self, ways: Ways) -> None:
        self.edges, self.costs = ways.edges, ways.costs
        self.bucket = BitMap()
        self.taken = 0
        self.paths: list[list[Step]] = []
        self.path: list[Step] = []

    def visit(self, node: int, left: int, documents: BitMap, passed: int, forbidden: int) -> None:
        """Go on from a node with `left` to spend and these documents."""
        taken = self.taken
        for target, (cost, allowing, step, forbids) in self.edges[node]:
            rest = left - cost
            if rest < 0 or not self.costs[target] >> rest & 1:
                continue
            if taken != self.taken:
                documents = documents - self.bucket
                taken = self.taken
                if not documents:
                    return
            if allowing is None:
                # A node is skipped: it costs what it costs, and asks nothing of the documents.
                if target == END:
                    self.paths.append(list(self.path))
                    self.bucket |= documents
                    self.taken += 1
                    return
                self.visit(target, rest, documents, passed, forbidden | forbids)
                continue
            bit = 1 << target
            if forbidden & bit or forbids & passed:
                continue
            kept = documents & allowing
            if kept and step is not None:
                self.path.append(step)
                self.visit(target, rest, kept, passed | bit, forbidden)
                self.path.pop()
