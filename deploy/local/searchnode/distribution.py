"""How many of the documents found have each value of a facet."""

from collections.abc import Iterable
from itertools import islice
from typing import Any

from pyroaring import BitMap

from deploy.local.searchnode.attributes import fits, inside_any
from deploy.local.searchnode.errors import ApiError
from deploy.local.searchnode.facets import Facet
from deploy.local.searchnode.fields import original
from deploy.local.searchnode.index import Index

# Up to so many documents values are told in the order of their texts, numbers too.
_FEW_DOCUMENTS = 3_000


def distribution(index: Index, candidates: BitMap, patterns: list[str]) -> dict[str, Any]:
    """`facetDistribution` and `facetStats` for these names and patterns. Raises ApiError."""
    for pattern in patterns:
        _check(index, pattern)
    settings = index.settings["faceting"]
    order, most = settings["sortFacetValuesBy"], settings["maxValuesPerFacet"]
    asked = [n for n in index.names if any(fits(p, n) for p in patterns) and index.may_filter(n)]
    counts: dict[str, dict[str, int]] = {}
    stats: dict[str, dict[str, float]] = {}
    for name in index.names:
        if not inside_any(name, asked) or not index.may_filter(name):
            continue
        facet = index.facets.get(name) or Facet(remembers=False)
        extremes = facet.extremes(candidates)
        if extremes:
            stats[name] = dict(zip(("min", "max"), extremes, strict=True))
        numbers: Iterable[tuple[float, int]]
        strings: Iterable[tuple[str, int]]
        if order.get(name, order.get("*", "alpha")) == "count":
            numbers, strings = facet.most_frequent(candidates)
            told = [(as_text(number), count) for number, count in islice(numbers, most)]
        else:
            numbers, strings = facet.counts(candidates)
            told = [(as_text(number), count) for number, count in numbers]
            if len(candidates) <= _FEW_DOCUMENTS:
                told.sort()
        counts[name] = dict(told[:most]) | _originals(
            index, name, facet, candidates, islice(strings, max(most - len(told), 0))
        )
    return {"facetDistribution": counts, "facetStats": stats}


def _check(index: Index, pattern: str) -> None:
    for rule in index.rules:
        if rule.features.filterable:
            if rule.meets(pattern):
                return
        elif rule.covers(pattern):
            break
    known = ", ".join(f"`{name}`" for name in index.filterable_names())
    raise ApiError(
        "invalid_search_facets",
        f"Invalid facet distribution: Attribute `{pattern}` is not filterable. Available filterable attributes patterns are: `{known}`.",
    )


def _originals(
    index: Index, name: str, facet: Facet, candidates: BitMap, found: Iterable[tuple[str, int]]
) -> dict[str, int]:
    return {shown(index, name, facet, key, candidates): count for key, count in found}


def shown(index: Index, name: str, facet: Facet, key: str, candidates: BitMap) -> str:
    """A text value as the first of the candidates that has it writes it."""
    if key not in facet.ambiguous:
        return facet.shown[key]
    documents = facet.strings[key] & candidates or facet.strings[key]
    return original(index.get(documents.min()), name, key) or facet.shown[key]


def as_text(number: float) -> str:
    """A number as the name of a facet's value."""
    return str(int(number)) if number.is_integer() else str(number)
