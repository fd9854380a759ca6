"""Makes the ranking rules that the bucket sort applies, each from what its setting says.

`search.py` calls these functions in the order of the setting `rankingRules`.
"""

from collections.abc import Iterator
from operator import itemgetter

from pyroaring import BitMap

from deploy.searchnode.index.facets import Facet, FacetValue
from deploy.searchnode.index.index import Index
from deploy.searchnode.rank.buckets import Bucket, Rule
from deploy.searchnode.rank.choices import RuleChoices
from deploy.searchnode.rank.exact import exact_attribute
from deploy.searchnode.rank.lookup.context import Context
from deploy.searchnode.rank.paths import (
    Choices,
    CostBucket,
    MaxCost,
    RuleGraph,
    Skip,
    Skips,
    buckets_of_only_reading,
    max_cost,
)
from deploy.searchnode.rank.reading.graph import Graph
from deploy.searchnode.rank.scores import Score

# With more documents the paths are walked instead: mostly only the first few documents are wanted.
_MANY = 300
# Fewer documents are sorted by their own values; for more, all values are read in order.
_FEW = 1000


def graph_rule(name: str, choices: Choices, dearest: MaxCost | None = None, *, narrows: bool = False) -> Rule:
    """Return a rule that sorts documents by the cheapest path through the graph.

    Args:
        name: The name of its scores.
        choices: The choices of the rule.
        dearest: The cost of its dearest choice, of which scores are made; None: no scores are wanted.
        narrows: The rules after it must know exactly how the terms of a bucket were read.
    """

    def buckets(universe: BitMap, graph: Graph | None) -> Iterator[Bucket]:
        if graph is None:
            raise ValueError(f"the rule {name} needs a query")
        worst = None if dearest is None else max_cost(graph, dearest, {}) + 1
        reading = None if narrows or len(universe) > _MANY else graph.only_reading()
        if reading is None:
            found = RuleGraph(graph, choices, universe).buckets(universe)
        else:
            found = buckets_of_only_reading(reading, choices, universe)
        yield from _by_cost(name, found, graph, worst)

    return buckets


def words_rule(choices: RuleChoices, strategy: str, *, scored: bool) -> Rule:
    """Return the rule `words`: documents with more of the query's words come first.

    Args:
        choices: The choices of the search.
        strategy: The matching strategy, which says in what order words are dropped.
        scored: Scores are wanted.
    """

    def buckets(universe: BitMap, graph: Graph | None) -> Iterator[Bucket]:
        if graph is None:
            raise ValueError("the rule words needs a query")
        skips: Skips = {}
        dropped_before = 0
        for group in graph.drop_order(strategy):
            for number in group:
                node = graph.nodes[number]
                # A word may be dropped only if all words are dropped that go before it.
                skips[number] = Skip(node.size if node else 0, forbids=dropped_before)
            dropped_before |= sum(1 << number for number in group)
        paths = RuleGraph(graph, choices.words, universe, skips)
        worst = None
        if scored:
            in_phrases = max(graph.words_in_phrases() - 1, 0)
            worst = max_cost(graph, lambda left, right: 0, skips) + 1 + in_phrases
        yield from _by_cost("words", paths.buckets(universe), graph, worst)

    return buckets


def _by_cost(name: str, found: Iterator[CostBucket], graph: Graph, worst: int | None) -> Iterator[Bucket]:
    """Yield costs as buckets, scored by how much better than `worst` they are; None: not scored."""
    unscored = Score(name)
    for cost, documents, paths in found:
        score = unscored if worst is None else Score(name, worst - cost, worst)
        yield Bucket(documents, graph, score, paths)


def exactness_rules(context: Context, choices: RuleChoices, *, scored: bool, narrows: bool) -> list[Rule]:
    """Return the two rules of `exactness`: first whole attributes, then words to the letter.

    Args:
        context: The search's view of the index.
        choices: The choices of the search.
        scored: Scores are wanted.
        narrows: As in `graph_rule`.
    """

    def whole(universe: BitMap, graph: Graph | None) -> Iterator[Bucket]:
        left = universe
        if graph is not None:
            for rank, documents in exact_attribute(context, universe, graph):
                if documents:
                    yield Bucket(documents, graph, Score("exactAttribute", rank, 3))
                    left = left - documents
        if left:
            yield Bucket(left, graph, Score("exactAttribute", 1, 3))

    dearest = choices.max_exactness if scored else None
    return [whole, graph_rule("exactWords", choices.exactness, dearest, narrows=narrows)]


def sort_rule(index: Index, name: str, direction: str) -> Rule:
    """Return a rule that sorts by the value of an attribute; documents without a value come last.

    Args:
        index: The index.
        name: The attribute.
        direction: `asc` or `desc`.
    """
    rule, descending = f"{name}:{direction}", direction == "desc"

    def buckets(universe: BitMap, graph: Graph | None) -> Iterator[Bucket]:
        facet, left = index.facets.get(name), universe
        groups = facet.groups(descending=descending) if facet else iter(())
        if facet and len(universe) < _FEW:
            groups = _groups_of(facet, universe, descending=descending)
        for value, documents in groups:
            own = documents & left
            if own:
                yield Bucket(own, graph, Score(rule, value=value))
                left = left - own
                if not left:
                    return
        yield Bucket(left, graph, Score(rule, value=None))

    return buckets


def _groups_of(facet: Facet, universe: BitMap, *, descending: bool) -> Iterator[tuple[FacetValue, BitMap]]:
    """Yield the values of some documents in order; numbers come before texts in both directions."""
    numbers: dict[float, BitMap] = {}
    strings: dict[str, BitMap] = {}
    for document in universe:
        for value in facet.values_of(document):
            if isinstance(value, str):
                strings.setdefault(value, BitMap()).add(document)
            else:
                numbers.setdefault(value, BitMap()).add(document)
    yield from sorted(numbers.items(), key=itemgetter(0), reverse=descending)
    yield from sorted(strings.items(), key=itemgetter(0), reverse=descending)
