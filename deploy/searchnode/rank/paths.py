"""A ranking rule as the cheapest paths through the graph of a query's readings.

A rule gives every edge of the graph one or more choices: a cost, and the documents that allow it. The
cost of a document is the cost of the cheapest path on which every choice allows it. The documents of
the least cost are the rule's first bucket, and so on. A bucket comes with the paths that led to it: the
next rule looks at these readings only.

Example: the query `summer house` under the rule `typo`, over five documents:

    0  summer house    1  sumer house    2  summerhouse    3  sumer hause    4  summerhuose

The graph has two readings, because the two words may be written as one:

              +--> summer ---> house ---+
    START ----+                         +---> END
              +--> summerhouse ---------+

A choice costs one for each typo. Words written as one cost as much as the number of words, here 2:

    START  -> summer       cost 0: {0}      cost 1: {1, 3}
    summer -> house        cost 0: {0, 1}   cost 1: {3}
    START  -> summerhouse  cost 2: {2}      cost 3: {4}

The edges to END cost nothing. So a path through `summer` and `house` costs 0, 1 or 2, a path through
`summerhouse` costs 2 or 3, and the rule has these buckets:

    cost 0: {0}
    cost 1: {1}
    cost 2: {2, 3}
    cost 3: {4}

Documents 2 and 3 share a bucket by two different paths. The next rule compares them by a graph that has
both paths, with exactly the typos that the paths have. `rules.py` calls this module; Meilisearch calls
the same method a ranking rule graph.
"""

from collections.abc import Callable, Iterator
from operator import itemgetter
from typing import NamedTuple

from pyroaring import BitMap

from deploy.searchnode.rank.reading.graph import END, START, Graph, Step, TermNode


class Choice(NamedTuple):
    """One way to pass an edge: what it costs, the documents that allow it, and how the term is read."""

    cost: int
    documents: BitMap
    step: Step
    # A choice forbids no node (see `Skip`).
    forbids: int = 0


class Skip(NamedTuple):
    """Passing over a node that the matching strategy may drop. Every document allows it.

    `forbids` are the nodes, as bits, that may not stand on the path after the skip.
    """

    cost: int
    documents: None = None
    step: None = None
    forbids: int = 0


_COST = itemgetter(0)
# With at most so many documents the cost of each is found one by one.
_FEW = 12
# The node to which a choice leads, and the choice.
Edge = tuple[int, Choice | Skip]
# The choices of a rule between two neighbours of a reading; the first node of a reading has no left one.
Choices = Callable[[TermNode | None, TermNode], list[Choice]]
# What the dearest choice between two neighbours costs, whether any document allows it or not.
MaxCost = Callable[[TermNode | None, TermNode], int]
# The skip of each node that the matching strategy may drop, by the node's number.
Skips = dict[int, Skip]
# A cost, its documents, and the paths that led to them (None: every path of the graph may have).
CostBucket = tuple[int, BitMap, list[list[Step]] | None]
_FREE = Skip(0)


def buckets_of_only_reading(
    reading: list[TermNode], choices: Choices, universe: BitMap
) -> Iterator[CostBucket]:
    """Sort documents by their cost when there is one reading only: a document costs the sum of its steps.

    Args:
        reading: The nodes of the reading in order.
        choices: The choices of the rule.
        universe: The documents to sort.

    Yields:
        The buckets, the cheapest first.
    """
    reached = {0: universe}
    left: TermNode | None = None
    for right in reading:
        by_cost = sorted(choices(left, right), key=_COST)
        further: dict[int, BitMap] = {}
        for before, documents in reached.items():
            rest = documents
            for cost, allowing, _, _ in by_cost:
                here = rest & allowing
                if here:
                    total = before + cost
                    further[total] = further[total] | here if total in further else here
                    rest = rest - here
                    if not rest:
                        break
        reached, left = further, right
    for total in sorted(reached):
        yield total, reached[total], None


class RuleGraph:
    """The graph of the readings with the choices of one rule that some of the documents allow."""

    def __init__(self, graph: Graph, choices: Choices, universe: BitMap, skips: Skips | None = None) -> None:
        """Ask the rule for the choices of every edge.

        Args:
            graph: The readings.
            choices: The choices of the rule.
            universe: The documents that matter.
            skips: The nodes that may be passed over; None when none may.
        """
        nodes = graph.nodes
        self.edges: list[list[Edge]] = [[] for _ in nodes]
        self.order = order = graph.backward()
        # Skips forbid nodes. Which paths that leaves is only found by walking them.
        self.skipping = bool(skips)
        # The possible costs of the paths from each node to the end, as the bits of a number.
        self.costs = costs = [0] * len(nodes)
        costs[END] = 1
        # Where a term is in none of the documents, no choice need be looked at.
        present = [
            node if node is not None and node.subset.documents.intersect(universe) else None for node in nodes
        ]
        for source in order:
            if not (present[source] or source == START or (skips and source in skips)):
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
                right = present[target]
                if not rest or right is None:
                    continue
                for choice in choices(left, right):
                    if choice.documents.intersect(universe):
                        edges.append((target, choice))
                        bits |= rest << choice.cost
            costs[source] = bits

    def buckets(self, universe: BitMap) -> Iterator[CostBucket]:
        """Yield the documents of `universe` by their cost, the cheapest first, with their paths."""
        if not self.skipping and len(universe) <= _FEW:
            for cost, numbers in sorted(self._by_least_cost(universe).items()):
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

    def _by_least_cost(self, universe: BitMap) -> dict[int, list[int]]:
        found: dict[int, list[int]] = {}
        for document in universe:
            cost = self._least_cost(document)
            if cost is not None:
                found.setdefault(cost, []).append(document)
        return found

    def _least_cost(self, document: int) -> int | None:
        """Return the cost of the cheapest path that allows this document."""
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
        """Return the documents of `universe` with a path of exactly this cost, and those paths."""
        walk = _Walk(self)
        walk.visit(START, cost, universe, 0)
        return walk.bucket, walk.paths


def max_cost(graph: Graph, of_edge: MaxCost, skips: Skips) -> int:
    """Return the cost of the dearest path through the graph, whether any document allows it or not.

    Args:
        graph: The readings.
        of_edge: What the dearest choice between two neighbours costs.
        skips: The nodes that may be passed over.
    """
    costs = [0] * len(graph.nodes)
    for source in graph.backward():
        left = graph.nodes[source]
        for target in graph.after[source]:
            right = graph.nodes[target]
            if right is not None:
                cost = of_edge(left, right)
                if target in skips:
                    cost = max(cost, skips[target].cost)
                costs[source] = max(costs[source], cost + costs[target])
    return costs[START]


class _Walk:
    """A depth-first walk along the paths of one cost. A document is taken by the first of its paths."""

    def __init__(self, graph: RuleGraph) -> None:
        self.edges, self.costs = graph.edges, graph.costs
        self.bucket = BitMap()
        # How often documents were taken: shows whether `documents` of an outer call are out of date.
        self.taken = 0
        self.paths: list[list[Step]] = []
        self.path: list[Step] = []

    def visit(self, node: int, left: int, documents: BitMap, forbidden: int) -> None:
        """Follow every path from a node that costs exactly what is left.

        Args:
            node: The number of the node.
            left: What the rest of the path must cost.
            documents: The documents that all choices so far allow.
            forbidden: The nodes that skips on the path forbid, as bits.
        """
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
                if target == END:
                    self.paths.append(list(self.path))
                    self.bucket |= documents
                    self.taken += 1
                    return
                self.visit(target, rest, documents, forbidden | forbids)
                continue
            if forbidden >> target & 1:
                continue
            kept = documents & allowing
            if kept and step is not None:
                self.path.append(step)
                self.visit(target, rest, kept, forbidden)
                self.path.pop()
