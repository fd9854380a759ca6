"""Finds and ranks: what a search's text, filter and sort come to. `query/` and `http/` call `rank`."""

from dataclasses import dataclass

from pyroaring import BitMap

from deploy.searchnode.index.index import Index
from deploy.searchnode.rank.buckets import BucketSorter, Ranked, Rule, SameValue
from deploy.searchnode.rank.choices import RuleChoices
from deploy.searchnode.rank.lookup.context import Context
from deploy.searchnode.rank.paths import Choices, MaxCost
from deploy.searchnode.rank.reading.graph import Graph
from deploy.searchnode.rank.reading.parse import Query, parse
from deploy.searchnode.rank.rules import exactness_rules, graph_rule, sort_rule, words_rule

# The rules that look at how the query was read. `exactness` does too, but is mostly the last rule.
_READING = {"words", "typo", "proximity", "attribute", "attributeRank", "wordPosition"}
# (attribute, `asc` or `desc`).
SortKey = tuple[str, str]


@dataclass(frozen=True)
class RankRequest:
    """What a search asks of ranking."""

    text: str
    # The documents that the filter lets through.
    allowed: BitMap
    sort: list[SortKey]
    # The matching strategy: `last`, `all` or `frequency`.
    strategy: str = "last"
    # The numbers of the fields in which words count; None: all.
    fields: set[int] | None = None
    offset: int = 0
    limit: int = 20
    scored: bool = False
    # The least overall score, 0 to 1; None: every score will do.
    threshold: float | None = None
    # The attribute by whose values results are distinct.
    distinct: str | None = None
    # The languages that the request names, as codes of three letters.
    locales: tuple[str, ...] | None = None
    # Rank at least so many documents, so that a threshold gives exact counts.
    evaluate: int = 0


def rank(index: Index, request: RankRequest, by: list[SortKey] | None = None) -> tuple[Query, Ranked]:
    """Find the documents of a search and rank them as far as its page needs.

    Args:
        index: The index. It must not change meanwhile: callers hold the node's lock.
        request: What the search asks for.
        by: Sort by these attributes and nothing else, whatever the settings say.

    Returns:
        How the text was read, and the page of documents with their scores.
    """
    context = Context(index, request.fields)
    query = parse(context, request.text, request.locales) if request.text.strip() else Query()
    universe = request.allowed & index.live
    if query.excluded:
        universe -= query.excluded
    if by is not None:
        rules = [sort_rule(index, *key) for key in by]
    elif query.empty:
        rules = _rules_without_query(index, request)
    else:
        universe = _matching(query, universe, request.strategy)
        rules = _rules(index, context, request)
    sorter = BucketSorter(
        rules,
        context,
        offset=request.offset,
        limit=request.limit,
        scored=request.scored,
        threshold=request.threshold,
        same_value=same_value(index, request.distinct) if request.distinct else None,
    )
    wanted = max(request.limit, request.evaluate)
    ranked = sorter.sort(universe, None if query.empty else query.graph, wanted)
    _release(context, query)
    return query, ranked


def _release(context: Context, query: Query) -> None:
    """Cut references in circles, so that memory is free at once and not only when Python looks for it."""
    context.release()
    for _, node in query.graph.terms():
        node.release()
    query.graph = Graph()
    for term, _ in query.terms:
        term.release()


def _matching(query: Query, universe: BitMap, strategy: str) -> BitMap:
    """Return the documents that match when every word is dropped that the strategy may drop."""
    dropped = set[int]().union(*query.graph.drop_order(strategy))
    return query.graph.without(dropped).documents(universe)


def _rules_without_query(index: Index, request: RankRequest) -> list[Rule]:
    """Return the sorts: the other ranking rules need a query."""
    return [sort_rule(index, *key) for key in _sort_keys(index.settings["rankingRules"], request)]


def _sort_keys(names: list[str], request: RankRequest) -> list[SortKey]:
    """Return the sorts of the request, where the rule `sort` stands, and of the settings."""
    found: dict[str, str] = {}
    for name in names:
        attribute, _, direction = name.rpartition(":")
        for by, how in request.sort if name == "sort" else [(attribute, direction)]:
            if by:
                found.setdefault(by, how)
    return list(found.items())


def _rules(index: Index, context: Context, request: RankRequest) -> list[Rule]:
    """Return the rules of a search with a query, in the order of the setting `rankingRules`."""
    choices, scored = RuleChoices(context), request.scored

    def by(name: str, of_rule: Choices, dearest: MaxCost, *, narrows: bool = False) -> list[Rule]:
        return [graph_rule(name, of_rule, dearest if scored else None, narrows=narrows)]

    halves: dict[str, list[Rule]] = {
        "attributeRank": by("attribute", choices.attribute, choices.max_attribute),
        "wordPosition": by("position", choices.position, choices.max_position),
    }
    available: dict[str, list[Rule]] = {
        "typo": by("typo", choices.typo, choices.max_typo, narrows=True),
        "proximity": by("proximity", choices.proximity, choices.max_proximity),
        "attribute": [*halves["attributeRank"], *halves["wordPosition"]],
        **halves,
        "exactness": exactness_rules(
            context, choices, scored=scored, narrows=_reading_matters_after(index.settings["rankingRules"])
        ),
    }
    words = [] if request.strategy == "all" else [words_rule(choices, request.strategy, scored=scored)]
    found: list[Rule] = []
    used: set[str] = set()
    directions = dict(_sort_keys(index.settings["rankingRules"], request))
    for name in index.settings["rankingRules"]:
        if name in available or name == "words":
            # `words` goes before every rule that must know which words are meant.
            found += words
            words = []
            repeated = name in used or (name in halves and "attribute" in used)
            if name in available and not repeated and not (name == "attribute" and used & set(halves)):
                found += available[name]
            used.add(name)
            continue
        attributes = [key for key, _ in request.sort] if name == "sort" else [name.rpartition(":")[0]]
        for attribute in attributes:
            if attribute in directions:
                found.append(sort_rule(index, attribute, directions.pop(attribute)))
    return found


def _reading_matters_after(names: list[str]) -> bool:
    """Return whether a rule after `exactness` must know which words `exactness` took to the letter."""
    after = names[names.index("exactness") :] if "exactness" in names else []
    return any(name in _READING for name in after)


def same_value(index: Index, name: str) -> SameValue:
    """Return a function from a document to the documents that share a value of the attribute with it."""

    def documents(number: int) -> BitMap:
        facet = index.facets.get(name)
        if facet is None:
            return BitMap()
        return BitMap.union(BitMap(), *(facet.equal_to(value) for value in facet.values_of(number)))

    return documents
