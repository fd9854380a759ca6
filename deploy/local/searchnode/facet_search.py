"""Values of a facet by their beginning: `POST /indexes/{uid}/facet-search`."""

import time
from collections.abc import Callable
from typing import Any

from pyroaring import BitMap
from rapidfuzz.distance import OSA

from deploy.local.searchnode import filters, parameters
from deploy.local.searchnode.errors import ApiError
from deploy.local.searchnode.facets import normalise
from deploy.local.searchnode.index import Index
from deploy.local.searchnode.rank.search import Wanted, rank
from deploy.local.searchnode.search import searchable_fields
from deploy.local.searchnode.settings import filterable_patterns
from deploy.local.searchnode.text.tokens import matches

_MOST = 100
_KNOWN = ("facetName", "facetQuery", "q", "filter", "matchingStrategy", "attributesToSearchOn",
          "rankingScoreThreshold", "locales", "exhaustiveFacetCount")  # fmt: skip


def facet_search(index: Index, body: Any) -> dict[str, Any]:
    """The values whose text begins like the query, typos forgiven, with their counts."""
    started = time.perf_counter()
    name, query = _asked(index, body)
    search = {k: v for k, v in body.items() if k in ("q", "filter", "matchingStrategy",
              "attributesToSearchOn", "rankingScoreThreshold", "locales")}  # fmt: skip
    candidates = _candidates(index, parameters.check(search))
    facet = index.facets.get(name)
    by_count = index.settings["faceting"]["sortFacetValuesBy"]
    by_count = by_count.get(name, by_count.get("*", "alpha")) == "count"
    fits = _fits(index, name, normalise(query)) if query is not None else None
    found: list[tuple[str, int]] = []
    for value in facet.strings_in_order() if facet else ():
        if fits is None or fits(value):
            count = facet.strings[value].intersection_cardinality(candidates)  # type: ignore[union-attr]
            if count:
                found.append((facet.shown[value], count))  # type: ignore[union-attr]
        if len(found) == _MOST and not by_count:
            break
    if by_count:
        found = sorted(found, key=lambda pair: -pair[1])[:_MOST]
    return {
        "facetHits": [{"value": value, "count": count} for value, count in found],
        "facetQuery": query,
        "processingTimeMs": int((time.perf_counter() - started) * 1000),
    }


def _asked(index: Index, body: Any) -> tuple[str, str | None]:
    if not isinstance(body, dict):
        raise ApiError("bad_request", "Invalid value type: expected an object.")
    for field in body:
        if field not in _KNOWN:
            raise ApiError("bad_request", f"Unknown field `{field}`.")
    name, query = body.get("facetName"), body.get("facetQuery")
    if name is None:
        raise ApiError("missing_facet_search_facet_name", "Missing field `facetName`")
    if not isinstance(name, str):
        raise ApiError("invalid_facet_search_facet_name", "Invalid value type at `.facetName`.")
    if query is not None and not isinstance(query, str):
        raise ApiError("invalid_facet_search_facet_query", "Invalid value type at `.facetQuery`.")
    if not index.settings["facetSearch"]:
        raise ApiError("facet_search_disabled", "The facet search is disabled for this index.")
    if not any(matches(pattern, name) for pattern in filterable_patterns(index.settings)):
        raise ApiError(
            "invalid_facet_search_facet_name", f"Attribute `{name}` is not facet-searchable."
        )
    return name, query


def _candidates(index: Index, request: dict[str, Any]) -> BitMap:
    allowed = filters.evaluate(index, request["filter"])
    _, ranked = rank(index, Wanted(
        request["q"] or "", index.live if allowed is None else allowed, [],
        request["matchingStrategy"], searchable_fields(index, request["attributesToSearchOn"]),
        limit=0, scored=request["rankingScoreThreshold"] is not None,
        threshold=request["rankingScoreThreshold"], evaluate=len(index.live),
    ))  # fmt: skip
    return ranked.candidates


def _fits(index: Index, name: str, query: str) -> Callable[[str], bool]:
    tolerance = index.settings["typoTolerance"]
    sizes, length = tolerance["minWordSizeForTypos"], len(query.encode())
    most = (length >= sizes["oneTypo"]) + (length >= sizes["twoTypos"])
    strict = not tolerance["enabled"] or any(
        matches(pattern, name) for pattern in tolerance["disableOnAttributes"]
    )
    if strict or not most:
        return lambda value: value.startswith(query)
    if query in index.words_without_typos:
        return lambda value: value == query
    heads = range(max(len(query) - most, 0), len(query) + most + 1)
    return lambda value: (
        value.startswith(query)
        or any(OSA.distance(value[:size], query, score_cutoff=most) <= most for size in heads)
    )
