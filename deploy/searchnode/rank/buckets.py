"""Bucket sort: each rule splits what the rules before it left equal, only as far as the page needs.

`rules.py` makes the rules, `search.py` runs the sort.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import NamedTuple

from pyroaring import BitMap

from deploy.searchnode.rank.lookup.context import Context
from deploy.searchnode.rank.reading.graph import Graph, Step, graph_of_paths
from deploy.searchnode.rank.scores import Score, overall


class Bucket(NamedTuple):
    """Documents that a rule leaves equal, the readings they satisfy, and the rule's score."""

    documents: BitMap
    graph: Graph | None
    score: Score
    # The paths through the graph that led here; None when it may have been any path.
    paths: list[list[Step]] | None = None

    def readings(self) -> Graph | None:
        """Return the graph of the readings that led to these documents, for the next rule."""
        return self.graph if self.paths is None else graph_of_paths(self.paths)


# A rule splits documents, whose readings a graph has, into buckets, the best first. The buckets have
# all the documents.
Rule = Callable[[BitMap, Graph | None], Iterator[Bucket]]
# From a document to the documents of which only one may be shown, when results are distinct.
SameValue = Callable[[int], BitMap]


@dataclass
class Ranked:
    """A page of documents, by their numbers, with the scores of each; and all documents found."""

    numbers: list[int] = field(default_factory=list)
    scores: list[list[Score]] = field(default_factory=list)
    candidates: BitMap = field(default_factory=BitMap)


class _Level:
    """A rule at work on one bucket of the rule before it."""

    def __init__(self, rule: Rule, documents: BitMap, graph: Graph | None) -> None:
        self.buckets = rule(documents, graph)
        # The documents that are in no bucket yet.
        self.left = documents


class BucketSorter:
    """The bucket sort of one search."""

    def __init__(
        self,
        rules: list[Rule],
        context: Context,
        *,
        offset: int,
        limit: int,
        scored: bool,
        threshold: float | None,
        same_value: SameValue | None,
    ) -> None:
        """Prepare a sort.

        Args:
            rules: The ranking rules in order.
            context: The search's view of the index; the sort narrows its scope from rule to rule.
            offset: How many documents come before the page.
            limit: How many documents the page has.
            scored: Find the score of every rule, also where one document is left.
            threshold: Leave out documents with a lower overall score; None: leave out none.
            same_value: Makes results distinct; None: they need not be.
        """
        self.rules, self.context = rules, context
        self.offset, self.limit = offset, limit
        self.scored, self.threshold, self.same_value = scored, threshold, same_value
        # Documents that share a value with one that was taken, and the documents that were taken.
        self.excluded, self.taken = BitMap(), BitMap()
        self.passed = 0

    def sort(self, universe: BitMap, graph: Graph | None, wanted: int) -> Ranked:
        """Sort until the page is full.

        Args:
            universe: The documents to sort.
            graph: The readings of the query; None when there is no query.
            wanted: Go on until so many documents were found, if that is more than the page.

        Returns:
            The page, and the documents that were found as far as the sort went.
        """
        found = Ranked(candidates=BitMap(universe))
        if not self.rules:
            self._take(found, universe, [])
            return found
        self.context.enter(universe)
        levels, scores = [_Level(self.rules[0], universe, graph)], [Score("")]
        while levels and len(found.numbers) < wanted:
            level = levels[-1]
            if self.same_value:
                level.left = level.left - self.excluded
            bucket = None
            if level.left and (self.scored or len(level.left) > 1):
                bucket = next(level.buckets, None)
            elif level.left:
                # A single document needs no more sorting.
                self._take(found, level.left, scores[:-1])
            if bucket is None:
                levels.pop()
                self.context.leave()
                scores.pop()
                continue
            documents = bucket.documents & level.left if self.same_value else bucket.documents
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
                levels.append(_Level(self.rules[len(levels)], documents, bucket.readings()))
                scores.append(Score(""))
        return found

    def _take(self, found: Ranked, documents: BitMap, scores: list[Score]) -> None:
        """Put equal documents on the page in order of their numbers, as far as the page has room."""
        if not documents:
            return
        if self.same_value:
            documents = self._distinct(found, documents, self.same_value)
        size, room = len(documents), self.limit - len(found.numbers)
        before = max(self.offset - self.passed, 0)
        if before < size and room > 0:
            page = documents if not before and size <= room else documents[before : before + room]
            found.numbers += page
            found.scores += [list(scores)] * len(page)
        self.passed += size

    def _distinct(self, found: Ranked, documents: BitMap, same_value: SameValue) -> BitMap:
        """Return one document for each value; the others count as found no more."""
        kept = BitMap()
        for number in documents - self.excluded:
            if number not in self.excluded:
                kept.add(number)
                self.excluded |= same_value(number)
        self.taken |= kept
        found.candidates -= self.excluded - self.taken
        return kept
