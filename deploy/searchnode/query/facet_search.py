"""Finds the values of a facet by their beginning: `POST /indexes/{uid}/facet-search`."""

import time
from collections.abc import Callable
from functools import lru_cache

from pyroaring import BitMap
from rapidfuzz.distance import OSA

from deploy.searchnode.errors import ApiError
from deploy.searchnode.index.facets import Facet
from deploy.searchnode.index.index import Index
from deploy.searchnode.query import parameters
from deploy.searchnode.query.distribution import spelling
from deploy.searchnode.query.filters import evaluation
from deploy.searchnode.query.parameters import SearchParameters
from deploy.searchnode.query.search import first_of_each_value, searchable_fields
from deploy.searchnode.rank.search import RankRequest, rank
from deploy.searchnode.text.folding import fold
from deploy.searchnode.text.language import language_of
from deploy.searchnode.values import Json

# Texts whose folded form is remembered.
_MAX_FOLDED = 100_000
# The parameters that a facet search has in common with a search.
_OF_SEARCH = ("q", "filter", "matchingStrategy", "attributesToSearchOn", "rankingScoreThreshold", "locales")


def facet_search(index: Index, body: Json) -> dict[str, object]:
    """Return the values whose text begins like `facetQuery`, typos allowed, with their counts.

    Raises:
        ApiError: A parameter is wrong, or the settings do not allow the search.
    """
    started = time.perf_counter()
    if not isinstance(body, dict):
        raise ApiError("bad_request", "Invalid value type: expected an object.")
    name, query, exhaustive = _own_parameters(
        body.get("facetName"), body.get("facetQuery"), body.get("exhaustiveFacetCount")
    )
    search = parameters.check({k: v for k, v in body.items() if k in _OF_SEARCH})
    evaluation.read(search.filter)
    if not index.settings["facetSearch"]:
        raise ApiError("facet_search_disabled", "The facet search is disabled for this index.")
    candidates = _candidates(index, search, exhaustive=exhaustive)
    rule = index.filterable.rule(name)
    if rule is None or not rule.features.facet_search:
        raise ApiError("invalid_facet_search_facet_name", f"Attribute `{name}` is not facet-searchable.")
    return {
        "facetHits": [
            {"value": value, "count": count}
            for value, count in _values(index, name, query, search.locales, candidates)
        ],
        "facetQuery": query,
        "processingTimeMs": int((time.perf_counter() - started) * 1000),
    }


def _own_parameters(name: Json, query: Json, exhaustive: Json) -> tuple[str, str | None, bool]:
    if name is None:
        raise ApiError("missing_facet_search_facet_name", "Missing field `facetName`")
    if not isinstance(name, str):
        raise ApiError("invalid_facet_search_facet_name", "Invalid value type at `.facetName`.")
    if query is not None and not isinstance(query, str):
        raise ApiError("invalid_facet_search_query", "Invalid value type at `.facetQuery`.")
    if not isinstance(exhaustive, bool | None):
        raise ApiError(
            "invalid_facet_search_exhaustive_facet_count", "Invalid value type at `.exhaustiveFacetCount`."
        )
    return name, query, bool(exhaustive)


def _values(
    index: Index, name: str, query: str | None, requested: list[str] | None, candidates: BitMap
) -> list[tuple[str, int]]:
    """Return (value, number of candidates) of the values that begin like the query, in their order."""
    facet = index.facets.get(name) or Facet(by_document=False)
    faceting = index.settings["faceting"]
    order, most = faceting["sortFacetValuesBy"], faceting["maxValuesPerFacet"]
    by_count = order.get(name, order.get("*", "alpha")) == "count"
    values, begins = facet.strings_in_order(), None
    if query is not None:
        locales = _locales(index, name, requested)
        begins = _begins_like(index, name, query, locales)
        values = sorted(values, key=lambda value: _folded(value, locales))
    found: list[tuple[str, int]] = []
    for value in values:
        if len(found) >= most and not by_count:
            break
        if begins is None or begins(value):
            count = facet.strings[value].intersection_cardinality(candidates)
            if count:
                found.append((spelling(index, name, facet, value, facet.strings[value]), count))
    if by_count:
        found = sorted(found, key=lambda pair: (pair[1], pair[0]), reverse=True)[:most]
    return found


def _candidates(index: Index, search: SearchParameters, *, exhaustive: bool) -> BitMap:
    """Return the documents of a search: of its first page's work only, or all (`exhaustive`)."""
    allowed = evaluation.evaluate(index, search.filter)
    distinct = index.settings["distinctAttribute"]
    threshold = search.ranking_score_threshold
    exact = exhaustive and threshold is not None
    _, ranked = rank(
        index,
        RankRequest(
            text=search.q or "",
            allowed=index.live if allowed is None else allowed,
            sort=[],
            strategy=search.matching_strategy,
            fields=searchable_fields(index, search.attributes_to_search_on),
            limit=0 if exhaustive else 20,
            scored=threshold is not None,
            threshold=threshold,
            distinct=distinct,
            locales=search.languages,
            evaluate=index.settings["pagination"]["maxTotalHits"] if exact else 0,
        ),
    )
    return first_of_each_value(index, ranked.candidates, distinct) if exhaustive else ranked.candidates


def _begins_like(
    index: Index, name: str, query: str, locales: tuple[str, ...] | None
) -> Callable[[str], bool]:
    """Return a function that says whether a value (in its compared form) begins like the query."""
    wanted = _folded(query, locales)
    typos = _typos(index, name, wanted)
    if typos is None:
        return lambda value: _folded(value, locales) == wanted
    sizes = range(max(len(wanted) - typos, 0), len(wanted) + typos + 1) if typos else ()

    def begins(value: str) -> bool:
        text = _folded(value, locales)
        return text.startswith(wanted) or any(
            OSA.distance(text[:size], wanted, score_cutoff=typos) <= typos for size in sizes
        )

    return begins


def _locales(index: Index, name: str, requested: list[str] | None) -> tuple[str, ...] | None:
    locales = index.tokenizer.locales(name)
    if locales is None or requested is None:
        return locales
    return tuple(locale for locale in locales if locale in requested)


def _typos(index: Index, name: str, wanted: str) -> int | None:
    """Return how many typos the settings allow in the query; None: it must be the whole value.

    Unlike in a search, Meilisearch measures the query in bytes here, not in characters.
    """
    tolerance = index.settings["typoTolerance"]
    if not tolerance["enabled"] or name in tolerance["disableOnAttributes"]:
        return 0
    if wanted in index.words_without_typos:
        return None
    sizes, length = tolerance["minWordSizeForTypos"], len(wanted.encode())
    return 0 if length < sizes["oneTypo"] else 1 if length < sizes["twoTypos"] else 2


@lru_cache(maxsize=_MAX_FOLDED)
def _folded(text: str, locales: tuple[str, ...] | None) -> str:
    """Return the text folded as a single word; its language is guessed only among several locales."""
    language = None
    if locales is not None and len(locales) == 1:
        language = locales[0]
    elif locales:
        language = language_of(text, locales)
    return fold(text, language)
