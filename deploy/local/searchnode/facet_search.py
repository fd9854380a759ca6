"""Values of a facet by their beginning: `POST /indexes/{uid}/facet-search`."""

import time
from collections.abc import Callable
from functools import lru_cache
from typing import Any

from pyroaring import BitMap
from rapidfuzz.distance import OSA

from deploy.local.searchnode import filters, parameters
from deploy.local.searchnode.distribution import shown
from deploy.local.searchnode.errors import ApiError
from deploy.local.searchnode.facets import Facet
from deploy.local.searchnode.index import Index
from deploy.local.searchnode.rank.search import Wanted, rank
from deploy.local.searchnode.search import first_of_each, searchable_fields
from deploy.local.searchnode.text.language import arabic_script
from deploy.local.searchnode.text.tokens import normalise


def facet_search(index: Index, body: Any) -> dict[str, Any]:
    """The values whose text begins like the query, typos forgiven, with their counts."""
    started = time.perf_counter()
    name, query = _asked(index, body)
    search = {k: v for k, v in body.items() if k in ("q", "filter", "matchingStrategy",
              "attributesToSearchOn", "rankingScoreThreshold", "locales")}  # fmt: skip
    request = parameters.check(search)
    filters.read(request["filter"])
    if not index.settings["facetSearch"]:
        raise ApiError("facet_search_disabled", "The facet search is disabled for this index.")
    candidates = _candidates(index, request, exhaustive=bool(body.get("exhaustiveFacetCount")))
    _check_name(index, name)
    facet = index.facets.get(name) or Facet(remembers=False)
    faceting = index.settings["faceting"]
    order, most = faceting["sortFacetValuesBy"], faceting["maxValuesPerFacet"]
    by_count = order.get(name, order.get("*", "alpha")) == "count"
    fits = _fits(index, name, query, request["locales"]) if query is not None else None
    found: list[tuple[str, int]] = []
    values = facet.strings_in_order()
    if query is not None:
        locales = _locales(index, name, request["locales"])
        values = sorted(values, key=lambda value: folded(value, locales))
    for value in values:
        if len(found) >= most and not by_count:
            break
        if fits is None or fits(value):
            count = facet.strings[value].intersection_cardinality(candidates)
            if count:
                found.append((shown(index, name, facet, value, facet.strings[value]), count))
    if by_count:
        found = sorted(found, key=lambda pair: (pair[1], pair[0]), reverse=True)[:most]
    return {
        "facetHits": [{"value": value, "count": count} for value, count in found],
        "facetQuery": query,
        "processingTimeMs": int((time.perf_counter() - started) * 1000),
    }


def _asked(index: Index, body: Any) -> tuple[str, str | None]:
    if not isinstance(body, dict):
        raise ApiError("bad_request", "Invalid value type: expected an object.")
    name, query = body.get("facetName"), body.get("facetQuery")
    if name is None:
        raise ApiError("missing_facet_search_facet_name", "Missing field `facetName`")
    if not isinstance(name, str):
        raise ApiError("invalid_facet_search_facet_name", "Invalid value type at `.facetName`.")
    if query is not None and not isinstance(query, str):
        raise ApiError("invalid_facet_search_query", "Invalid value type at `.facetQuery`.")
    if not isinstance(body.get("exhaustiveFacetCount"), bool | None):
        raise ApiError(
            "invalid_facet_search_exhaustive_facet_count",
            "Invalid value type at `.exhaustiveFacetCount`.",
        )
    return name, query


def _check_name(index: Index, name: str) -> None:
    rule = index.rule(name)
    if rule is None or not rule.features.facet_search:
        raise ApiError(
            "invalid_facet_search_facet_name", f"Attribute `{name}` is not facet-searchable."
        )


def _candidates(index: Index, request: dict[str, Any], *, exhaustive: bool) -> BitMap:
    """The documents a search finds, as far as it looks for its first page."""
    allowed = filters.evaluate(index, request["filter"])
    distinct = index.settings["distinctAttribute"]
    threshold = request["rankingScoreThreshold"]
    _, ranked = rank(index, Wanted(
        request["q"] or "", index.live if allowed is None else allowed, [],
        request["matchingStrategy"], searchable_fields(index, request["attributesToSearchOn"]),
        limit=0 if exhaustive else 20, scored=threshold is not None, threshold=threshold,
        distinct=distinct, locales=request["locales"] and tuple(request["locales"]),
        evaluate=index.settings["pagination"]["maxTotalHits"] if exhaustive and threshold is not None else 0,
    ))  # fmt: skip
    return first_of_each(index, ranked.candidates, distinct) if exhaustive else ranked.candidates


def _fits(index: Index, name: str, query: str, asked: list[str] | None) -> Callable[[str], bool]:
    """Does a value's compared form begin like the query?"""
    locales = _locales(index, name, asked)
    wanted = folded(query, locales)
    most = _typos(index, name, wanted)
    if most is None:
        return lambda value: folded(value, locales) == wanted
    heads = range(max(len(wanted) - most, 0), len(wanted) + most + 1) if most else ()

    def fits(value: str) -> bool:
        text = folded(value, locales)
        return text.startswith(wanted) or any(
            OSA.distance(text[:size], wanted, score_cutoff=most) <= most for size in heads
        )

    return fits


def _locales(index: Index, name: str, asked: list[str] | None) -> tuple[str, ...] | None:
    locales = index.tokenizer.locales(name)
    if locales is None or asked is None:
        return locales
    return tuple(locale for locale in locales if locale in asked)


def _typos(index: Index, name: str, wanted: str) -> int | None:
    """How many typos the settings forgive in the query; None: it must be the whole value."""
    tolerance = index.settings["typoTolerance"]
    if not tolerance["enabled"] or name in tolerance["disableOnAttributes"]:
        return 0
    if wanted in index.words_without_typos:
        return None
    sizes, length = tolerance["minWordSizeForTypos"], len(wanted.encode())
    return 0 if length < sizes["oneTypo"] else 1 if length < sizes["twoTypos"] else 2


@lru_cache(maxsize=100_000)
def folded(text: str, locales: tuple[str, ...] | None) -> str:
    """The text as a single word of the tokenizer: its language is only guessed among several."""
    language = None
    if locales is not None and len(locales) == 1:
        language = locales[0]
    elif locales:
        language = arabic_script(text, locales)
    return normalise(text, language)
