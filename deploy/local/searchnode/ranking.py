"""Bucket sort: each ranking rule splits what the rules before it left equal.

Works lazily: only buckets that can reach the wanted page are split further.
"""

import itertools
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from pyroaring import BitMap

from deploy.local.searchnode.index import Index
from deploy.local.searchnode.query import Query

FAR = 8


@dataclass(frozen=True)
class Ranked:
    """A document with the rank each rule gave it, as (rule, rank, best possible, extra details)."""

    number: int
    details: tuple[tuple[str, int, int, dict[str, Any]], ...]

    @property
    def score(self) -> float:
        """Meilisearch's global score: ranks as digits of one number between 0 and 1."""
        rank, best = 1, 1
        for _, own, most, extra in self.details:
            if "value" in extra:
                continue
            rank, best = (rank - 1) * most + own, best * most
        return rank / best


@dataclass
class Ranker:
    """Ranks the documents of one search."""

    index: Index
    query: Query
    sort: list[tuple[str, str]]
    strategy: str = "last"
    fields: set[int] | None = None
    _features: dict[tuple[int, int], tuple[int, int, int, int, int]] = field(default_factory=dict)

    def candidates(self) -> BitMap:
        """Every document the matching strategy lets in."""
        terms = self.query.terms
        if not terms:
            return BitMap(self.index.live)
        if self.strategy == "all":
            found = BitMap.intersection(*(t.documents for t in terms))
        else:
            found = BitMap(self._ordered()[0].documents)
        return self._within(found) - self.query.excluded

    def _within(self, found: BitMap) -> BitMap:
        if self.fields is None:
            return found
        kept = BitMap()
        for word in set().union(*(t.words for t in self.query.terms)) if self.query.terms else ():
            for number, bitmap in self.index.postings.get(word, {}).items():
                if number in self.fields:
                    kept |= bitmap
        return found & kept

    def _ordered(self) -> list[Any]:
        terms = self.query.terms
        if self.strategy == "frequency":
            return sorted(terms, key=lambda t: len(t.documents))
        return terms

    def rank(self, universe: BitMap, wanted: int) -> list[Ranked]:
        """The best `wanted` of `universe`, in order."""
        rules = list(self.index.settings["rankingRules"])
        result: list[Ranked] = []
        terms = len(self.query.terms)
        for found in self._split(universe, rules, 0, terms, ()):
            result.append(found)
            if len(result) >= wanted:
                break
        return result

    def _split(
        self, universe: BitMap, rules: list[str], at: int, kept: int, details: tuple[Any, ...]
    ) -> Iterator[Ranked]:
        if at == len(rules) or not universe:
            for number in universe:
                yield Ranked(number, details)
            return
        rule = rules[at]
        if rule == "sort":
            # One `sort` stands for all attributes the search sorts by.
            expanded = [f"{name}:{direction}" for name, direction in self.sort]
            yield from self._split(
                universe, rules[:at] + expanded + rules[at + 1 :], at, kept, details
            )
            return
        if ":" not in rule and not self.query.terms:
            yield from self._split(universe, rules, at + 1, kept, details)
            return
        for bucket, left, detail in self._buckets(rule, universe, kept):
            more = (*details, *detail)
            yield from self._split(bucket, rules, at + 1, left, more)

    def _buckets(
        self, rule: str, universe: BitMap, kept: int
    ) -> Iterator[tuple[BitMap, int, tuple[Any, ...]]]:
        if rule == "words":
            yield from self._words(universe)
        elif rule == "typo":
            for bucket, detail in self._typo(universe, kept):
                yield bucket, kept, (detail,)
        elif ":" in rule:
            name, _, direction = rule.partition(":")
            for bucket, detail in self._by_value(universe, name, direction):
                yield bucket, kept, (detail,)
        else:
            for bucket, detail in self._by_feature(rule, universe, kept):
                yield bucket, kept, detail

    def _words(self, universe: BitMap) -> Iterator[tuple[BitMap, int, tuple[Any, ...]]]:
        terms = self._ordered()
        rest = universe
        fewest = len(terms) if self.strategy == "all" else 1
        for kept in range(len(terms), fewest - 1, -1):
            matching = rest & BitMap.intersection(*(t.documents for t in terms[:kept]))
            if matching:
                extra = {"matchingWords": kept, "maxMatchingWords": len(terms)}
                yield matching, kept, (("words", kept, len(terms), extra),)
            rest = rest - matching
        if rest:
            yield (
                rest,
                0,
                (("words", 0, len(terms), {"matchingWords": 0, "maxMatchingWords": len(terms)}),),
            )

    def _typo(self, universe: BitMap, kept: int) -> Iterator[tuple[BitMap, Any]]:
        totals: dict[int, BitMap] = {0: universe}
        most = 0
        for term in self._ordered()[:kept]:
            following: dict[int, BitMap] = {}
            most += max((n for n in range(3) if term.costs[n] or term.extra[n]), default=0)
            for total, bucket in totals.items():
                for cost, documents in enumerate(term.bitmaps):
                    both = bucket & documents
                    if both:
                        following[total + cost] = following.get(total + cost, BitMap()) | both
            totals = following
        rest = universe
        for total in sorted(totals):
            bucket = totals[total] & rest
            if bucket:
                yield (
                    bucket,
                    (
                        "typo",
                        most - total + 1,
                        most + 1,
                        {"typoCount": total, "maxTypoCount": most},
                    ),
                )
            rest = rest - bucket
        if rest:
            yield rest, ("typo", 1, most + 1, {"typoCount": most, "maxTypoCount": most})

    def _by_value(
        self, universe: BitMap, name: str, direction: str
    ) -> Iterator[tuple[BitMap, Any]]:
        facet = self.index.facets.get(name)
        rest = universe
        for group in facet.sorted_values(descending=direction == "desc") if facet else ():
            bucket = rest & group
            if bucket:
                value = self.index.get(bucket[0]).get(name)
                yield bucket, (f"{name}:{direction}", 1, 1, {"value": value})
                rest = rest - bucket
                if not rest:
                    return
        if rest:
            yield rest, (f"{name}:{direction}", 1, 1, {"value": None})

    def _by_feature(
        self, rule: str, universe: BitMap, kept: int
    ) -> Iterator[tuple[BitMap, tuple[Any, ...]]]:
        terms = self._ordered()[:kept]
        if not terms or (rule == "proximity" and len(terms) == 1):
            best: tuple[Any, ...] = (("proximity", 1, 1, {}),) if rule == "proximity" else ()
            yield universe, best
            return
        groups: dict[tuple[int, ...], list[int]] = {}
        for number in universe:
            groups.setdefault(self._feature(rule, number, kept), []).append(number)
        for key in sorted(groups):
            yield BitMap(groups[key]), self._detail(rule, key, len(terms))

    def _feature(self, rule: str, number: int, kept: int) -> tuple[int, ...]:
        known = self._features.get((number, kept))
        if known is None:
            known = self._features[(number, kept)] = self._measure(number, kept)
        distance, rank, position, shape, inexact = known
        match rule:
            case "proximity":
                return (distance,)
            case "attribute":
                return (rank, position)
            case "attributeRank":
                return (rank,)
            case "wordPosition":
                return (position,)
        return (shape, inexact)

    def _detail(self, rule: str, key: tuple[int, ...], terms: int) -> tuple[Any, ...]:
        match rule:
            case "proximity":
                most = (FAR - 1) * (terms - 1)
                return (("proximity", max(1, most - key[0] + 1), most + 1, {}),)
            case "exactness":
                kinds = {0: "exactMatch", 1: "matchesStart", 2: "noExactMatch"}
                return (
                    ("exactness", 3 - key[0], 3, {"matchType": kinds[key[0]]}),
                    ("exactWords", terms - key[1] + 1, terms + 1,
                     {"matchingWords": terms - key[1], "maxMatchingWords": terms}),
                )  # fmt: skip
        most_rank = max(1, len(self._field_names()) * terms)
        most_position = 20 * terms
        details: list[Any] = []
        if rule in ("attribute", "attributeRank"):
            details.append(("attribute", max(1, most_rank - key[0]), most_rank, {}))
        if rule in ("attribute", "wordPosition"):
            details.append(
                (
                    "position",
                    max(1, most_position - min(key[-1], most_position) + 1),
                    most_position + 1,
                    {},
                )
            )
        return tuple(details)

    def _field_names(self) -> list[str]:
        wanted: list[str] = self.index.settings["searchableAttributes"]
        return self.index.fields if "*" in wanted else wanted

    def _measure(self, number: int, kept: int) -> tuple[int, int, int, int, int]:
        """(proximity cost, sum of fields, sum of positions, shape of match, inexact terms)."""
        terms = self._ordered()[:kept]
        wanted: dict[str, int] = {}
        for n, term in enumerate(terms):
            for word in term.words:
                wanted[word] = wanted.get(word, 0) | (1 << n)
        places: list[list[tuple[int, int]]] = [[] for _ in terms]
        exact = [t.text for t in self.query.terms]
        shape, found_exact = 2, set()
        for number_of_field, found, positions in self.index.tokens[number]:
            if self.fields is not None and number_of_field not in self.fields:
                continue
            if list(found[: len(exact)]) == exact:
                shape = min(shape, 0 if len(found) == len(exact) else 1)
            for word, position in zip(found, positions, strict=True):
                mask = wanted.get(word)
                if mask:
                    for n, term in enumerate(terms):
                        if mask >> n & 1:
                            places[n].append((number_of_field, position))
                            if word == term.text or word in term.phrase:
                                found_exact.add(n)
        distance = sum(_distance(a, b) for a, b in itertools.pairwise(places))
        firsts = [min(p) for p in places if p]
        missing = len(places) - len(firsts)
        rank = sum(f for f, _ in firsts) + missing * len(self._field_names())
        position = sum(min(p, 20) for _, p in firsts) + missing * 20
        return distance, rank, position, shape, len(terms) - len(found_exact)


def _distance(left: list[tuple[int, int]], right: list[tuple[int, int]]) -> int:
    best = FAR - 1
    for field_a, a in left:
        for field_b, b in right:
            if field_a == field_b and a != b:
                gap = b - a - 1 if b > a else a - b
                if gap < best:
                    best = gap
                    if not best:
                        return 0
    return best
