"""The readings of a query as a graph: nodes are terms, edges lead to the terms that may follow.

The query `summer house by` also reads `summerhouse by`, `summer houseby` and `summerhouseby`. The
matching strategy gives more readings, without some of the words. `parse.py` makes the graph of a
query; each ranking rule gets the graph of the readings that the rules before it left.
"""

from collections.abc import Callable
from dataclasses import dataclass, field

from pyroaring import BitMap

from deploy.searchnode.rank.reading.terms import Subset

START, END = 0, 1


class TermNode:
    """A part of a term at its place in the query.

    `positions` are the (first, last) positions of its words, `ids` the (first, last) number of the
    terms of the query for which it stands. There is one object for each part of a term at a place, so
    nodes can be compared by identity.
    """

    __slots__ = ("_parts", "ids", "positions", "size", "subset")

    def __init__(
        self,
        subset: Subset,
        positions: tuple[int, int],
        ids: tuple[int, int],
        parts: "dict[Subset, TermNode] | None" = None,
    ) -> None:
        """Make the node of a part.

        Args:
            subset: The part of the term.
            positions: (first, last) position in the query, counted in words.
            ids: (first, last) number of the terms of the query.
            parts: The nodes of the other parts at this place; None for the first.
        """
        self.subset, self.positions, self.ids = subset, positions, ids
        # How many terms of the query it stands for.
        self.size = ids[1] - ids[0] + 1
        self._parts = {} if parts is None else parts
        self._parts[subset] = self

    def part(self, subset: Subset) -> "TermNode":
        """Return the node of another part of the same term."""
        return self._parts.get(subset) or TermNode(subset, self.positions, self.ids, self._parts)

    def release(self) -> None:
        """Forget the other parts after the search: they refer to each other, which keeps memory."""
        self._parts.clear()


# A step of a reading: the left node as it was read (None: the rule does not look at it), the right one.
Step = tuple[TermNode | None, TermNode]


@dataclass
class Graph:
    """The readings from node 0, the start, to node 1, the end. `after` are the edges of each node."""

    nodes: list[TermNode | None] = field(default_factory=lambda: [None, None])
    after: list[list[int]] = field(default_factory=lambda: [[], []])

    def add(self, node: TermNode) -> int:
        """Add a node without edges and return its number."""
        self.nodes.append(node)
        self.after.append([])
        return len(self.nodes) - 1

    def terms(self) -> list[tuple[int, TermNode]]:
        """Return (number, node) of every node but the start and the end."""
        return [(n, node) for n, node in enumerate(self.nodes) if node is not None]

    def connect(self) -> None:
        """Draw the edges of a new graph: from each node to those that begin soonest after it."""
        terms = self.terms()
        for source in [START, *(n for n, _ in terms)]:
            node = self.nodes[source]
            last = node.ids[1] if node else -1
            following = [other.ids[0] for _, other in terms if other.ids[0] > last]
            soonest = min(following, default=None)
            self.after[source] = [n for n, other in terms if other.ids[0] == soonest] or [END]

    def without(self, dropped: set[int]) -> "Graph":
        """Return the graph of the readings that pass over these nodes."""
        result = Graph(list(self.nodes), [list(after) for after in self.after])
        for node in sorted(dropped):
            for after in result.after:
                if node in after:
                    after.remove(node)
                    after += [n for n in result.after[node] if n not in after]
            result.nodes[node], result.after[node] = None, []
        return result

    def _drop_order(self, weight: Callable[[int], int]) -> list[set[int]]:
        """Return sets of nodes to drop one after another, the lightest first.

        Quoted phrases and mandatory terms are never dropped. The heaviest set stays unless such a term
        stays. `weight` is asked for each term of the query that a node stands for.
        """
        groups: dict[int, set[int]] = {}
        something_stays = False
        for number, node in self.terms():
            if node.subset.original_phrase is not None or node.subset.mandatory:
                something_stays = True
                continue
            heaviest = max(weight(i) for i in range(node.ids[0], node.ids[1] + 1))
            groups.setdefault(heaviest, set()).add(number)
        ordered = [groups[weight] for weight in sorted(groups)]
        return ordered if something_stays else ordered[:-1]

    def _drop_last_first(self) -> list[set[int]]:
        terms = self.terms()
        last = max((node.ids[1] for _, node in terms), default=0)
        first = min((node.ids[0] for _, node in terms), default=0)
        return [] if first >= last else self._drop_order(lambda i: 1 + last - i)

    def _drop_frequent_first(self) -> list[set[int]]:
        found: dict[int, BitMap] = {}
        for _, node in self.terms():
            documents = node.subset.documents
            for i in range(node.ids[0], node.ids[1] + 1):
                found[i] = found.get(i, BitMap()) | documents
        # Words that no document has are dropped before all others.
        counts = {i: len(documents) or 1 << 62 for i, documents in found.items()}
        ranks = {count: n for n, count in enumerate(sorted(set(counts.values()), reverse=True), 1)}
        return self._drop_order(lambda i: ranks[counts[i]])

    def drop_order(self, strategy: str) -> list[set[int]]:
        """Return the sets of nodes that a matching strategy drops one after another.

        `last` drops words from the end, `frequency` the most frequent words first, `all` none.
        """
        if strategy == "all":
            return []
        return self._drop_last_first() if strategy == "last" else self._drop_frequent_first()

    def documents(self, universe: BitMap) -> BitMap:
        """Return the documents of `universe` that satisfy at least one reading."""
        reached = {START: universe}
        for source in reversed(self.backward()):
            here, node = reached.get(source), self.nodes[source]
            if here and node:
                here = here & node.subset.documents
            if here:
                for target in self.after[source]:
                    known = reached.get(target)
                    reached[target] = here if known is None else known | here
        return reached.get(END, BitMap())

    def backward(self) -> list[int]:
        """Return the nodes before the end in an order in which each stands after all its successors."""
        order: list[int] = []
        seen = {START, END}
        stack = [(START, iter(self.after[START]))]
        while stack:
            node, rest = stack[-1]
            target = next(rest, None)
            if target is None:
                order.append(node)
                stack.pop()
            elif target not in seen:
                seen.add(target)
                stack.append((target, iter(self.after[target])))
        return order

    def only_reading(self) -> list[TermNode] | None:
        """Return the nodes in order if the graph has exactly one reading; else None."""
        found: list[TermNode] = []
        at = START
        while len(self.after[at]) == 1:
            at = self.after[at][0]
            node = self.nodes[at]
            if node is None:
                return found
            found.append(node)
        return None

    def words_in_phrases(self) -> int:
        """Return how many words the quoted phrases of the query have."""
        phrases = (node.subset.original_phrase for _, node in self.terms())
        return sum(sum(word is not None for word in phrase) for phrase in phrases if phrase)


def graph_of_paths(paths: list[list[Step]]) -> Graph:
    """Return the graph of exactly these readings; readings that end alike share their last nodes."""
    graph = Graph()
    numbers: dict[tuple[TermNode, ...], int] = {}
    for path in paths:
        nodes = _nodes(path)
        source = START
        for at in range(len(nodes)):
            suffix = tuple(nodes[at:])
            number = numbers.get(suffix)
            if number is None:
                number = numbers[suffix] = graph.add(nodes[at])
            if number not in graph.after[source]:
                graph.after[source].append(number)
            source = number
        if END not in graph.after[source]:
            graph.after[source].append(END)
    return graph


def _nodes(path: list[Step]) -> list[TermNode]:
    """Return the nodes of a path; two steps that read one term differently leave what both have."""
    nodes: list[TermNode] = []
    previous: TermNode | None = None
    for left, right in path:
        if previous is None:
            if left is not None:
                nodes.append(left)
        elif left is None:
            nodes.append(previous)
        elif left.ids == previous.ids:
            nodes.append(left.part(left.subset.intersection(previous.subset)))
        else:
            nodes += [previous, left]
        previous = right
    return nodes if previous is None else [*nodes, previous]
