"""The readings of a query as a graph: terms as nodes, what may follow what as edges.

`summer house by` also reads `summerhouse by`, `summer houseby` and `summerhouseby`; dropping words
by the matching strategy gives more readings.
"""

from collections.abc import Callable
from dataclasses import dataclass, field

from pyroaring import BitMap

from deploy.local.searchnode.rank.terms import Subset

START, END = 0, 1


class Node:
    """A term in the query: (first, last) word position and (first, last) number among terms.

    There is one object for each part of a term, so that nodes are the same or different at a glance.
    """

    __slots__ = ("_parts", "ids", "positions", "size", "subset")

    def __init__(
        self, subset: Subset, positions: tuple[int, int], ids: tuple[int, int],
        parts: "dict[Subset, Node] | None" = None,
    ) -> None:  # fmt: skip
        self.subset, self.positions, self.ids = subset, positions, ids
        # How many of the query's terms it stands for.
        self.size = ids[1] - ids[0] + 1
        self._parts = {} if parts is None else parts
        self._parts[subset] = self

    def part(self, subset: Subset) -> "Node":
        """The node for another part of the same term."""
        return self._parts.get(subset) or Node(subset, self.positions, self.ids, self._parts)

    def let_go(self) -> None:
        """Forget the other parts, which know each other."""
        self._parts.clear()


# One step of a reading: the left node as it was read (None: not looked at), the right node.
Step = tuple[Node | None, Node]


@dataclass
class Graph:
    """Nodes 0 and 1 are the start and the end."""

    nodes: list[Node | None] = field(default_factory=lambda: [None, None])
    after: list[list[int]] = field(default_factory=lambda: [[], []])

    def add(self, node: Node) -> int:
        """The number of a new node without edges."""
        self.nodes.append(node)
        self.after.append([])
        return len(self.nodes) - 1

    def terms(self) -> list[tuple[int, Node]]:
        """Every node but the start and the end."""
        return [(n, node) for n, node in enumerate(self.nodes) if node is not None]

    def join(self) -> None:
        """Draw the first edges: each node to those that begin soonest after it."""
        terms = self.terms()
        for source in [START, *(n for n, _ in terms)]:
            node = self.nodes[source]
            last = node.ids[1] if node else -1
            following = [other.ids[0] for _, other in terms if other.ids[0] > last]
            soonest = min(following, default=None)
            self.after[source] = [n for n, other in terms if other.ids[0] == soonest] or [END]

    def without(self, gone: set[int]) -> "Graph":
        """The graph with these nodes skipped."""
        result = Graph(list(self.nodes), [list(after) for after in self.after])
        for node in sorted(gone):
            for after in result.after:
                if node in after:
                    after.remove(node)
                    after += [n for n in result.after[node] if n not in after]
            result.nodes[node], result.after[node] = None, []
        return result

    def _removal_order(self, weight: Callable[[int], int]) -> list[set[int]]:
        """Sets of nodes to drop one after another; the heaviest stays unless something must."""
        groups: dict[int, set[int]] = {}
        kept = False
        for number, node in self.terms():
            if node.subset.original_phrase is not None or node.subset.mandatory:
                kept = True
                continue
            heaviest = max(weight(i) for i in range(node.ids[0], node.ids[1] + 1))
            groups.setdefault(heaviest, set()).add(number)
        ordered = [groups[weight] for weight in sorted(groups)]
        return ordered if kept else ordered[:-1]

    def _order_last(self) -> list[set[int]]:
        terms = self.terms()
        last = max((node.ids[1] for _, node in terms), default=0)
        first = min((node.ids[0] for _, node in terms), default=0)
        return [] if first >= last else self._removal_order(lambda i: 1 + last - i)

    def _order_frequency(self) -> list[set[int]]:
        found: dict[int, BitMap] = {}
        for _, node in self.terms():
            documents = node.subset.documents
            for i in range(node.ids[0], node.ids[1] + 1):
                found[i] = found.get(i, BitMap()) | documents
        # Words that nobody has go before all others.
        counts = {i: len(documents) or 1 << 62 for i, documents in found.items()}
        ranks = {count: n for n, count in enumerate(sorted(set(counts.values()), reverse=True), 1)}
        return self._removal_order(lambda i: ranks[counts[i]])

    def order(self, strategy: str) -> list[set[int]]:
        """What the matching strategy drops, in order: from the end, or the most frequent first."""
        if strategy == "all":
            return []
        return self._order_last() if strategy == "last" else self._order_frequency()

    def documents(self, universe: BitMap) -> BitMap:
        """Documents that satisfy some reading."""
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
        """The nodes before the end, each after all that may follow it."""
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

    def only_reading(self) -> list[Node] | None:
        """The nodes in order when there is but one reading."""
        found: list[Node] = []
        at = START
        while len(self.after[at]) == 1:
            at = self.after[at][0]
            node = self.nodes[at]
            if node is None:
                return found
            found.append(node)
        return None

    def words_in_phrases(self) -> int:
        """How many words the query's own phrases have."""
        phrases = (node.subset.original_phrase for _, node in self.terms())
        return sum(sum(word is not None for word in phrase) for phrase in phrases if phrase)


def from_paths(paths: list[list[Step]]) -> Graph:
    """The graph of just these readings; what ends alike is one."""
    graph = Graph()
    numbers: dict[tuple[Node, ...], int] = {}
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


def _nodes(path: list[Step]) -> list[Node]:
    nodes: list[Node] = []
    previous: Node | None = None
    for left, right in path:
        if previous is None:
            if left is not None:
                nodes.append(left)
        elif left is None:
            nodes.append(previous)
        elif left.ids == previous.ids:
            nodes.append(left.part(left.subset.meet(previous.subset)))
        else:
            nodes += [previous, left]
        previous = right
    return nodes if previous is None else [*nodes, previous]
