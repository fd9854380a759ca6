"""Counts what an engine's page does not: facets without their own filters, and ranges. `service` and `values` call it."""

import time
from collections.abc import Sequence

from msgspec import UNSET, UnsetType

from api.discovery.narrowing import ranges
from api.discovery.narrowing.filters import DURATION, RANGES, YEAR, Filters
from api.discovery.params import BrowseRequest, SearchRequest, hides_unreleased
from indexer.engines.messages import Hit, Query, Results
from indexer.engines.search import SearchPool

# Every document has one value of it: their sum counts all documents, also beyond the engine's limit of hits.
_COUNTED = "isFeatured"
_RELEASED = "NOT releaseDate > "


def conditions(request: SearchRequest | BrowseRequest, filters: Filters) -> list[str]:
    """Return the engine's filter of a request, with these filters of it."""
    found = filters.conditions()
    if hides_unreleased(request.sort, request.filters):
        found.append(f"{_RELEASED}{int(time.time())}")
    return found


def narrowed(request: SearchRequest | BrowseRequest, query: Query) -> list[str]:
    """Return the conditions that a query has beside those of its request: a reading may look for one kind of program.

    Args:
        request: The request.
        query: What an engine was asked for it.
    """
    whole = conditions(request, request.filters)
    asked = [] if query.filter is UNSET else query.filter
    return [one for one in asked if one not in whole and not one.startswith(_RELEASED)]


def of_documents(facets: Sequence[str]) -> list[str] | UnsetType:
    """Return the facets that an engine counts beside a page; UNSET without any."""
    return [name for name in facets if name not in RANGES] or UNSET


class Counting:
    """Counts facets beside a page: in one request for all of them, and years in a second one."""

    def __init__(self, engine: SearchPool) -> None:
        """Take the search engines."""
        self._engine = engine

    async def beside(self, request: SearchRequest | BrowseRequest, query: Query) -> dict[str, dict[str, int]]:
        """Count the facets of a page that its own query cannot count.

        These are ranges, and the facets whose values the request filters by: their counts leave these filters out.

        Args:
            request: The page.
            query: What the engine was asked for the page.

        Returns:
            Facet -> value -> number of programs.

        Raises:
            EngineUnavailableError: No engine answers.
            EngineRejectedError: An engine refuses the query.
        """
        names = [
            name
            for name in request.facets
            if name in RANGES or request.filters.without(name) != request.filters
        ]
        if not names:
            return {}
        of_reading = narrowed(request, query)
        wheres = {}
        for name in names:
            others = request.filters.without(name)
            # Who chooses a year names dates, and sees what is not released yet.
            wanted = others.conditions() if name == YEAR else conditions(request, others)
            wheres[name] = [*wanted, *of_reading]
        return await self.count(wheres, request.zone, query)

    async def count(
        self, wheres: dict[str, list[str]], zone: str, query: Query | None = None
    ) -> dict[str, dict[str, int]]:
        """Count facets, each under a filter of its own.

        Args:
            wheres: Facet -> the conditions under which it is counted.
            zone: The time zone of years.
            query: Has the words that the programs must have; None: all programs are counted.

        Returns:
            Facet -> value -> number of programs. Of a facet of documents, at most as many values as the index counts.

        Raises:
            EngineUnavailableError: No engine answers.
            EngineRejectedError: An engine refuses the query.
        """
        asked: list[tuple[str, str, Query]] = []
        for name, where in wheres.items():
            if name == DURATION:
                asked += [_range(one, where, query) for one in ranges.DURATIONS]
            else:
                asked.append((name, "", _query(query, where, RANGES.get(name, name))))
        counts: dict[str, dict[str, int]] = {name: {} for name in wheres}
        answers = await self._engine.multi_search([one for *_, one in asked])
        extremes: tuple[int, int] | None = None
        for (name, value, _), found in zip(asked, answers, strict=True):
            if value:
                _add(counts[name], value, found)
            elif name == YEAR:
                extremes = found.extremes(RANGES[name])
            else:
                counts[name] = found.counts(name)
        if extremes is not None:
            asked = [_range(one, wheres[YEAR], query) for one in reversed(ranges.years(*extremes, zone))]
            answers = await self._engine.multi_search([one for *_, one in asked])
            for (name, value, _), found in zip(asked, answers, strict=True):
                _add(counts[name], value, found)
        return counts


def _range(one: ranges.Range, where: list[str], query: Query | None) -> tuple[str, str, Query]:
    return one.facet, one.value, _query(query, [*where, one.condition], _COUNTED)


def _query(query: Query | None, where: list[str], facet: str) -> Query:
    # Asked for a page, an engine counts every hit.
    found = Query(q="", page=1, hits_per_page=0, filter=where or UNSET, facets=[facet])
    if query is not None:
        found.q, found.matching_strategy = query.q, query.matching_strategy
    return found


def _add(counts: dict[str, int], value: str, found: Results[Hit]) -> None:
    count = sum(found.counts(_COUNTED).values())
    if count:
        counts[value] = count
