"""Finding and ranking: what a search's text, filter and sort come to."""

from collections.abc import Callable
from dataclasses import dataclass

from pyroaring import BitMap

from deploy.local.searchnode.index import Index
from deploy.local.searchnode.rank.buckets import (
    Most,
    Ranked,
    Rule,
    Sorter,
    exactness_rules,
    graph_rule,
    sort_rule,
    words_rule,
)
from deploy.local.searchnode.rank.context import Context
from deploy.local.searchnode.rank.graph import Graph
from deploy.local.searchnode.rank.parse import Query, parse
from deploy.local.searchnode.rank.paths import Choices
from deploy.local.searchnode.rank.rules import Rules

# The rules that look at how the query was read, but for the last of them by default.
_BY_QUERY = {"words", "typo", "proximity", "attribute", "attributeRank", "wordPosition"}


@dataclass(frozen=True)
class Wanted:
    """What a search asks of ranking."""

    text: str
    allowed: BitMap
    sort: list[tuple[str, str]]
    strategy: str = "last"
    fields: set[int] | None = None
    offset: int = 0
    limit: int = 20
    scored: bool = False
    threshold: float | None = None
    distinct: str | None = None
    # The languages that the text may be in, when the request says so.
    locales: tuple[str, ...] | None = None
    # With exact counts, a threshold is applied to as many documents as this.
    evaluate: int = 0


def rank(
    index: Index, wanted: Wanted, by: list[tuple[str, str]] | None = None
) -> tuple[Query, Ranked]:
    """The page of documents, their scores, and how the text was understood.

    `by`: sort by these and nothing else, whatever the settings say.
    """
    context = Context(index, wanted.fields)
    query = parse(context, wanted.text, wanted.locales) if wanted.text.strip() else Query()
    universe = wanted.allowed & index.live
    if query.excluded:
        universe -= query.excluded
    if by is not None:
        rules = [sort_rule(index, *one) for one in by]
    elif query.empty:
        rules = _sorts(index, wanted)
    else:
        universe = _found(query, universe, wanted.strategy)
        rules = _with_query(index, context, wanted)
    sorter = Sorter(
        rules, offset=wanted.offset, limit=wanted.limit, scored=wanted.scored,
        threshold=wanted.threshold, same_as=same_value(index, wanted.distinct) if wanted.distinct else None,
        context=context,
    )  # fmt: skip
    count = max(wanted.limit, wanted.evaluate)
    ranked = sorter.sort(universe, None if query.empty else query.graph, count)
    _let_go(context, query)
    return query, ranked


def _let_go(context: Context, query: Query) -> None:
    """Untie what refers to itself, so that memory is free at once and not when it is looked for."""
    context.scopes.clear()
    for _, node in query.graph.terms():
        node.let_go()
    query.graph = Graph()
    for term, _ in query.terms:
        term.let_go()


def _found(query: Query, universe: BitMap, strategy: str) -> BitMap:
    """Documents that match with every word dropped that the strategy may drop."""
    gone = set[int]().union(*query.graph.order(strategy))
    return query.graph.without(gone).documents(universe)


def _sorts(index: Index, wanted: Wanted) -> list[Rule]:
    """Without a query only sorts are left of the ranking rules."""
    return [sort_rule(index, *by) for by in _sort_order(index.settings["rankingRules"], wanted)]


def _sort_order(names: list[str], wanted: Wanted) -> list[tuple[str, str]]:
    found: dict[str, str] = {}
    for name in names:
        attribute, _, direction = name.rpartition(":")
        for by, how in wanted.sort if name == "sort" else [(attribute, direction)]:
            if by:
                found.setdefault(by, how)
    return list(found.items())


def _with_query(index: Index, context: Context, wanted: Wanted) -> list[Rule]:
    rules, scored = Rules(context), wanted.scored

    def by(name: str, choices: Choices, most: Most, *, narrows: bool = False) -> list[Rule]:
        return [graph_rule(name, choices, most if scored else None, narrows=narrows)]

    halves: dict[str, list[Rule]] = {
        "attributeRank": by("attribute", rules.attribute, rules.dearest_attribute),
        "wordPosition": by("position", rules.position, rules.dearest_position),
    }
    made: dict[str, list[Rule]] = {
        "typo": by("typo", rules.typo, rules.dearest_typo, narrows=True),
        "proximity": by("proximity", rules.proximity, rules.dearest_proximity),
        "attribute": [*halves["attributeRank"], *halves["wordPosition"]],
        **halves,
        "exactness": exactness_rules(
            context, rules, scored=scored, narrows=_narrows(index.settings["rankingRules"])
        ),
    }
    words = [] if wanted.strategy == "all" else [words_rule(rules, wanted.strategy, scored=scored)]
    found: list[Rule] = []
    used: set[str] = set()
    by_value = dict(_sort_order(index.settings["rankingRules"], wanted))
    for name in index.settings["rankingRules"]:
        if name in made or name == "words":
            # Words goes before all rules that need to know which words are meant.
            found += words
            words = []
            repeated = name in used or (name in halves and "attribute" in used)
            if name in made and not repeated and not (name == "attribute" and used & set(halves)):
                found += made[name]
            used.add(name)
            continue
        attribute = name.rpartition(":")[0]
        for one in [a for a, _ in wanted.sort] if name == "sort" else [attribute]:
            if one in by_value:
                found.append(sort_rule(index, one, by_value.pop(one)))
    return found


def _narrows(names: list[str]) -> bool:
    """Does it matter to a later rule which words exactness took to the letter?"""
    after = names[names.index("exactness") :] if "exactness" in names else []
    return any(name in _BY_QUERY for name in after)


def same_value(index: Index, name: str) -> Callable[[int], BitMap]:
    """A function from a document to the documents that share a value of the attribute with it."""

    def same(document: int) -> BitMap:
        facet = index.facets.get(name)
        values = facet.values_of(document) if facet else ()
        return BitMap.union(BitMap(), *(facet.equal_to(v) for v in values)) if facet else BitMap()

    return same
