"""Bucket sort: each rule splits what the rules before it left equal, as far as the page needs."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from operator import itemgetter
from typing import NamedTuple

from pyroaring import BitMap

from deploy.local.searchnode.facets import Facet
from deploy.local.searchnode.index import Index
from deploy.local.searchnode.rank.context import Context
from deploy.local.searchnode.rank.exact import exact_attribute
from deploy.local.searchnode.rank.graph import Graph, Node, Step, from_paths
from deploy.local.searchnode.rank.paths import Choice, Choices, Found, Ways, along, dearest
from deploy.local.searchnode.rank.rules import Rules
from deploy.local.searchnode.rank.scores import Score, overall

# More documents than this are not all asked what they cost: mostly the first few are wanted.
_MANY = 300
# Fewer documents than this are sorted by their values, more by going through all values in order.
_FEW = 1000


class Bucket(NamedTuple):
    """Documents that a rule leaves equal, how they were read, and the rule's score."""

    documents: BitMap
    graph: Graph | None
    score: Score
    # The ways that led here: what the graph is made of when the next rule needs one.
    paths: list[list[Step]] | None = None

    def read_as(self) -> Graph | None:
        """The graph of the readings that led to these documents: all there were, or those ways."""
        return self.graph if self.paths is None else from_paths(self.paths)


# What the dearest choice between two neighbours costs.
Most = Callable[[Node | None, Node], int]
# A rule: given documents and their graph, its buckets, the best first. They cover all documents.
Rule = Callable[[BitMap, Graph | None], Iterator[Bucket]]


@dataclass
class Ranked:
    """The page asked for, with each document's scores, and all documents that were found."""

    numbers: list[int] = field(default_factory=list)
    scores: list[list[Score]] = field(default_factory=list)
    candidates: BitMap = field(default_factory=BitMap)


class _Level:
    """A rule at work: its buckets to come and the documents not yet in one."""

    def __init__(self, rule: Rule, documents: BitMap, graph: Graph | None) -> None:
        self.buckets = rule(documents, graph)
        self.left = documents


class Sorter:
    """One search's bucket sort."""

    def __init__(
        self, rules: list[Rule], *, offset: int, limit: int, scored: bool,
        threshold: float | None, same_as: Callable[[int], BitMap] | None,
        context: Context,
    ) -> None:  # fmt: skip
        """`same_as`: the documents of which only one may be shown, when results are distinct."""
        self.rules, self.offset, self.limit = rules, offset, limit
        self.scored, self.threshold, self.same_as = scored, threshold, same_as
        self.context = context
        self.excluded, self.kept = BitMap(), BitMap()
        self.passed = 0

    def sort(self, universe: BitMap, graph: Graph | None, wanted: int) -> Ranked:
        """Fill the page, or find `wanted` documents when that is more."""
        found = Ranked(candidates=BitMap(universe))
        if not self.rules:
            self._take(found, universe, [])
            return found
        self.context.enter(universe)
        levels, scores = [_Level(self.rules[0], universe, graph)], [Score("")]
        while levels and len(found.numbers) < wanted:
            level = levels[-1]
            if self.same_as:
                level.left = level.left - self.excluded
            bucket = None
            if level.left and (self.scored or len(level.left) > 1):
                bucket = next(level.buckets, None)
            elif level.left:
                # One document alone needs no more sorting.
                self._take(found, level.left, scores[:-1])
            if bucket is None:
                levels.pop()
                self.context.leave()
                scores.pop()
                continue
            documents = bucket.documents & level.left if self.same_as else bucket.documents
            level.left = level.left - documents
            scores[-1] = bucket.score
            if self.threshold is not None and overall(scores) < self.threshold:
                found.candidates -= documents
                found.candidates -= level.left
            elif (
                len(levels) == len(self.rules)
                or (not self.scored and len(documents) <= 1)
                or self.passed + len(documents) < self.offset
            ):
                self._take(found, documents, scores)
            else:
                self.context.enter(documents)
                levels.append(_Level(self.rules[len(levels)], documents, bucket.read_as()))
                scores.append(Score(""))
        return found

    def _take(self, found: Ranked, documents: BitMap, scores: list[Score]) -> None:
        """Put equal documents on the page, by number, as far as it has room."""
        if not documents:
            return
        if self.same_as:
            documents = self._distinct(found, documents)
        size, room = len(documents), self.limit - len(found.numbers)
        before = max(self.offset - self.passed, 0)
        if before < size and room > 0:
            page = documents if not before and size <= room else documents[before : before + room]
            found.numbers += page
            found.scores += [list(scores)] * len(page)
        self.passed += size

    def _distinct(self, found: Ranked, documents: BitMap) -> BitMap:
        kept = BitMap()
        assert self.same_as is not None  # noqa: S101 - the caller has looked
        for number in documents - self.excluded:
            if number not in self.excluded:
                kept.add(number)
                self.excluded |= self.same_as(number)
        self.kept |= kept
        found.candidates -= self.excluded - self.kept
        return kept


def graph_rule(
    name: str, choices: Choices, most: Most | None = None, *, narrows: bool = False
) -> Rule:
    """A rule by the cheapest ways through the graph; with scores when it is told `most`.

    `narrows`: the rules after it go on with less of what a term may stand for.
    """

    def buckets(universe: BitMap, graph: Graph | None) -> Iterator[Bucket]:
        if graph is None:
            raise ValueError(f"{name} needs a query")
        worst = None if most is None else dearest(graph, most, {}) + 1
        reading = None if narrows or len(universe) > _MANY else graph.only_reading()
        if reading is None:
            found = Ways(graph, choices, universe).buckets(universe)
        else:
            found = along(reading, choices, universe)
        yield from _by_cost(name, found, graph, worst)

    return buckets


def words_rule(rules: Rules, strategy: str, *, scored: bool) -> Rule:
    """More of the query's words first; the strategy says which may be missing."""

    def buckets(universe: BitMap, graph: Graph | None) -> Iterator[Bucket]:
        if graph is None:
            raise ValueError("words needs a query")
        skips: dict[int, Choice] = {}
        before = 0
        for group in graph.order(strategy):
            for number in group:
                node = graph.nodes[number]
                skips[number] = Choice(node.size if node else 0, None, None, before)
            before |= sum(1 << number for number in group)
        ways = Ways(graph, rules.words, universe, skips)
        worst = None
        if scored:
            in_phrases = max(graph.words_in_phrases() - 1, 0)
            worst = dearest(graph, lambda left, right: 0, skips) + 1 + in_phrases
        yield from _by_cost("words", ways.buckets(universe), graph, worst)

    return buckets


def _by_cost(
    name: str, found: Iterator[Found], graph: Graph, worst: int | None
) -> Iterator[Bucket]:  # fmt: skip
    """What was found as buckets; `worst`: what they are scored out of, None when they are not."""
    unscored = Score(name)
    for cost, documents, paths in found:
        score = unscored if worst is None else Score(name, worst - cost, worst)
        yield Bucket(documents, graph, score, paths)


def exactness_rules(
    context: Context, rules: Rules, *, scored: bool, narrows: bool
) -> list[Rule]:  # fmt: skip
    """First whole attributes, then words to the letter."""

    def whole(universe: BitMap, graph: Graph | None) -> Iterator[Bucket]:
        left = universe
        if graph is not None:
            for rank, documents in exact_attribute(context, universe, graph):
                if documents:
                    yield Bucket(documents, graph, Score("exactAttribute", rank, 3))
                    left = left - documents
        if left:
            yield Bucket(left, graph, Score("exactAttribute", 1, 3))

    most = rules.dearest_exactness if scored else None
    return [whole, graph_rule("exactWords", rules.exactness, most, narrows=narrows)]


def sort_rule(index: Index, name: str, direction: str) -> Rule:
    """By an attribute's value; documents without one come last."""
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


def _groups_of(
    facet: Facet, universe: BitMap, *, descending: bool
) -> Iterator[tuple[float | str, BitMap]]:
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
