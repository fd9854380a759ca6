"""Counts the documents of a search that have each value of a facet. `search.py` calls it."""

from collections.abc import Iterable
from itertools import islice

from pyroaring import BitMap

from deploy.searchnode.attributes import is_within_any, matches
from deploy.searchnode.errors import ApiError
from deploy.searchnode.index.facets import Facet
from deploy.searchnode.index.fields import original_value
from deploy.searchnode.index.index import Index

# With at most so many documents Meilisearch lists values in the order of their texts, numbers too.
_FEW_DOCUMENTS = 3_000


def distribution(index: Index, candidates: BitMap, patterns: list[str]) -> dict[str, object]:
    """Count the values of facets.

    Args:
        index: The index.
        candidates: The documents to count.
        patterns: Names and patterns of the facets, as the parameter `facets` has them.

    Returns:
        `facetDistribution` (value -> number of documents, by attribute) and `facetStats` (the least and
        the greatest number, by attribute).

    Raises:
        ApiError: A name or pattern stands for no filterable attribute.
    """
    for pattern in patterns:
        _check(index, pattern)
    settings = index.settings["faceting"]
    order, most = settings["sortFacetValuesBy"], settings["maxValuesPerFacet"]
    requested = [
        name
        for name in index.names
        if any(matches(pattern, name) for pattern in patterns) and index.filterable.allows(name)
    ]
    counts: dict[str, dict[str, int]] = {}
    stats: dict[str, dict[str, float]] = {}
    for name in index.names:
        if not is_within_any(name, requested) or not index.filterable.allows(name):
            continue
        facet = index.facets.get(name) or Facet(by_document=False)
        extremes = facet.extremes(candidates)
        if extremes:
            stats[name] = {"min": extremes[0], "max": extremes[1]}
        numbers: Iterable[tuple[float, int]]
        strings: Iterable[tuple[str, int]]
        if order.get(name, order.get("*", "alpha")) == "count":
            numbers, strings = facet.most_frequent(candidates)
            listed = [(as_text(number), count) for number, count in islice(numbers, most)]
        else:
            numbers, strings = facet.counts(candidates)
            listed = [(as_text(number), count) for number, count in numbers]
            if len(candidates) <= _FEW_DOCUMENTS:
                listed.sort()
        texts = islice(strings, max(most - len(listed), 0))
        counts[name] = dict(listed[:most]) | {
            spelling(index, name, facet, value, candidates): count for value, count in texts
        }
    return {"facetDistribution": counts, "facetStats": stats}


def _check(index: Index, pattern: str) -> None:
    for rule in index.filterable.rules:
        if rule.features.filterable:
            if rule.overlaps(pattern):
                return
        elif rule.covers(pattern):
            break
    known = ", ".join(f"`{name}`" for name in index.filterable.names())
    raise ApiError(
        "invalid_search_facets",
        f"Invalid facet distribution: Attribute `{pattern}` is not filterable. Available filterable attributes patterns are: `{known}`.",
    )


def spelling(index: Index, name: str, facet: Facet, value: str, candidates: BitMap) -> str:
    """Return a text value as the first candidate that has it writes it.

    Args:
        index: The index.
        name: The attribute.
        facet: Its facet.
        value: The compared form of the value.
        candidates: The documents that matter; when none has the value, all documents do.
    """
    if value not in facet.ambiguous:
        return facet.spellings[value]
    documents = facet.strings[value] & candidates or facet.strings[value]
    return original_value(index.get(documents.min()), name, value) or facet.spellings[value]


def as_text(number: float) -> str:
    """Return a number as `facetDistribution` names it: without a fraction when it is whole."""
    return str(int(number)) if number.is_integer() else str(number)
