"""All values of one facet, page by page, and those whose names begin as was typed.

An engine counts a limited number of values (`MAX_FACET_VALUES`), the most frequent ones. Where it returns fewer, it has
counted them all. A page that lies in what it has counted is a part of its list; what is behind it, names by their beginnings
in a longer list, and everything when no engine answers, PostgreSQL counts, in the same order. So a cursor of either list
continues in the other one.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import msgspec
from msgspec import UNSET

from api.answers.answer import Answer
from api.answers.cache import NEGATIVE_SECONDS
from api.discovery.facets.counting import Counting
from api.discovery.facets.labels import Facets, place
from api.discovery.lookups.vocabulary import Vocabulary
from api.discovery.narrowing import ranges, written
from api.discovery.narrowing.filters import DURATION, RANGES, YEAR, Filters
from api.discovery.params import of_limit
from api.discovery.schemas import FacetValue
from api.discovery.searching.asking.sql import conditions
from api.discovery.searching.fallback import KEPT_SECONDS, Fallback
from api.discovery.subjects.schemas import FacetAnswer, FacetMeta, ListedMeta
from api.http import cursor
from api.http.query import DEFAULT_ZONE
from api.http.schemas import Rewrite
from catalog.programs.fallback import values as statements
from catalog.programs.fallback import words as query_words
from catalog.words.readings import Reading
from indexer.engines.errors import EngineUnavailableError, unreadable_as_unavailable
from indexer.engines.index_settings import MAX_FACET_VALUES

_encode = msgspec.json.Encoder().encode
# Other readings of the typed words that are looked for when no name begins as typed.
_READINGS = 2


@dataclass(frozen=True, slots=True)
class FacetRequest:
    """A page of a facet's values, checked.

    Attributes:
        facet: The facet.
        q: What the names begin with, as it was typed.
        filters: What the counted programs have to meet; filters by the facet's own values do not count.
        limit: Values of a page.
        cursor: Where the page begins.
        zone: The time zone of years.
    """

    facet: str
    q: str
    filters: Filters
    limit: int
    cursor: str | None
    zone: str = DEFAULT_ZONE

    def key(self) -> str:
        """Return the cache key. Equal pages have equal keys and share an answer."""
        return f"facet:{self.facet}:{self.q!r}:{self.filters.key()}:{self.limit}:{self.cursor}:{self.zone}"

    def pairs(self) -> list[written.Pair]:
        """Return the parameters that lead to the pages of these values, without the place of a page."""
        pairs = [("q", self.q)] if self.q else []
        pairs += written.filters(self.filters) + of_limit(self.limit)
        return pairs if self.zone == DEFAULT_ZONE else [*pairs, ("tz", self.zone)]


class Page(NamedTuple):
    """A page of values, `total` values on all pages (`exact`: no more), and the cursor of the next page."""

    values: Sequence[FacetValue]
    total: int
    following: str | None
    degraded: bool = False
    exact: bool = True
    reading: Reading | None = None


class _Counted(NamedTuple):
    """Values with their counts; not `complete`: only the most frequent ones. `degraded`: no engine answers."""

    counts: dict[str, int]
    complete: bool = True
    degraded: bool = False


class FacetValues:
    """Lists the values of one facet."""

    def __init__(
        self, counting: Counting, facets: Facets, fallback: Fallback, vocabulary: Vocabulary, secret: str
    ) -> None:
        """Keep the collaborators.

        Args:
            counting: Asks an engine.
            facets: Names the values.
            fallback: Asks PostgreSQL.
            vocabulary: Knows what unknown words may have been meant as.
            secret: Signs cursors.
        """
        self._counting, self._facets, self._fallback = counting, facets, fallback
        self._vocabulary, self._secret = vocabulary, secret

    async def answer(self, request: FacetRequest) -> Answer:
        """Return a page of the values of a facet.

        Raises:
            Problem: The cursor belongs to another list.
            EngineUnavailableError: Neither an engine nor PostgreSQL answers.
            EngineRejectedError: The engine refuses the query.
        """
        page = await self.page(request)
        meta = FacetMeta(facet=request.facet, **msgspec.structs.asdict(listed_meta(request, page)))
        max_ttl = math.inf if page.values else NEGATIVE_SECONDS
        body = _encode(FacetAnswer(data=list(page.values), meta=meta))
        return Answer(body, max_ttl=KEPT_SECONDS if page.degraded else max_ttl)

    async def page(self, request: FacetRequest) -> Page:
        """Return a page of values, for callers that show more of each value than its count.

        Raises:
            Problem: The cursor belongs to another list.
            EngineUnavailableError: Neither an engine nor PostgreSQL answers.
            EngineRejectedError: The engine refuses the query.
        """
        after = self._after(request)
        counted = await self._counted(request)
        listed = (await self._facets.named({request.facet: counted.counts}))[request.facet]
        if not counted.complete and not query_words.split(request.q):
            beginning = self._beginning(request, listed, after)
            if beginning is not None:
                return beginning
        for reading in (None, *self._readings(request)):
            words = query_words.split(request.q if reading is None else reading.text)
            if counted.complete:
                page = self._part(request, [value for value in listed if _has(value, words)], after)
            else:
                page = await self._selected(request, words, after, degraded=counted.degraded)
            if page.total:
                break
        else:
            reading = None
        return page._replace(degraded=counted.degraded, reading=reading)

    def _beginning(
        self, request: FacetRequest, listed: Sequence[FacetValue], after: FacetValue | None
    ) -> Page | None:
        """Return a page from the beginning of a long list, which an engine has; None if it goes on behind it.

        Of the values that are as frequent as the last one, an engine has any: they are behind its beginning.
        """
        least = min((value.count for value in listed), default=0)
        certain = self._behind(request, [value for value in listed if value.count > least], after)
        if len(certain) < request.limit:
            return None
        shown = certain[: request.limit]
        return Page(shown, len(listed), self._cursor(request, shown[-1]), exact=False)

    def _readings(self, request: FacetRequest) -> Sequence[Reading]:
        """What the typed words may have been meant as. The catalogue's words are those of titles, tags, people and series."""
        reader = self._vocabulary.reader
        if (
            not query_words.split(request.q)
            or not reader.lexicon.size
            or request.facet not in statements.NAMED
        ):
            return ()
        return [reading for reading in reader.read(request.q, _READINGS) if not reading.dropped]

    async def _counted(self, request: FacetRequest) -> _Counted:
        """Count all values, or as many as an engine counts. Without an engine, a long list is not counted here."""
        facet, filters = request.facet, request.filters
        try:
            with unreadable_as_unavailable():
                found = await self._counting.count({facet: filters.conditions()}, request.zone)
        except EngineUnavailableError:
            if facet in statements.NAMED:
                return _Counted({}, complete=False, degraded=True)
            return _Counted(await self._few(request, "facets"), degraded=True)
        counts = found[facet]
        if len(counts) < MAX_FACET_VALUES or facet in RANGES:
            return _Counted(counts)
        if facet in statements.NAMED:
            return _Counted(counts, complete=False)
        return _Counted(await self._few(request, None))

    async def _few(self, request: FacetRequest, route: str | None) -> dict[str, int]:
        """Count the values of a facet that has few, in PostgreSQL. `route` is what is degraded, if anything is."""
        facet, wanted = request.facet, conditions(request.filters)
        if facet == DURATION:
            rows = await self._fallback.counts(route, statements.by_duration(ranges.BEGINNINGS, wanted))
            return {ranges.DURATIONS[row["value"] - 1].value: row["count"] for row in rows}
        if facet == YEAR:
            rows = await self._fallback.counts(route, statements.by_year(request.zone, wanted))
            shown = ranges.shown_years(max((row["value"] for row in rows), default=0))
            return {str(row["value"]): row["count"] for row in rows if row["value"] in shown}
        rows = await self._fallback.counts(route, statements.by_column(facet, wanted))
        return {row["value"]: row["count"] for row in rows}

    async def _selected(
        self, request: FacetRequest, words: Sequence[str], after: FacetValue | None, *, degraded: bool
    ) -> Page:
        """Return a page of a long list, from PostgreSQL."""
        behind = None if after is None else statements.Place(after.count, after.value)
        statement = statements.by_name(
            request.facet, words, conditions(request.filters), behind, request.limit + 1
        )
        rows = await self._fallback.counts("facets" if degraded else None, statement)
        counts = {row["value"]: row["count"] for row in rows if row["value"] is not None}
        values = (await self._facets.named({request.facet: counts}))[request.facet]
        return self._cut(request, values, rows[0]["total"])

    def _part(self, request: FacetRequest, values: Sequence[FacetValue], after: FacetValue | None) -> Page:
        """Return a page of a complete list."""
        return self._cut(request, self._behind(request, values, after), len(values))

    def _behind(
        self, request: FacetRequest, values: Sequence[FacetValue], after: FacetValue | None
    ) -> Sequence[FacetValue]:
        """Return the values behind one."""
        if after is None:
            return values
        begin = place(request.facet, after.value, after.count)
        return [value for value in values if place(request.facet, value.value, value.count) > begin]

    def _cut(self, request: FacetRequest, values: Sequence[FacetValue], total: int) -> Page:
        shown = values[: request.limit]
        following = self._cursor(request, shown[-1]) if len(values) > request.limit else None
        return Page(shown, total, following)

    def _cursor(self, request: FacetRequest, last: FacetValue) -> str:
        return cursor.encode(self._secret, _binding(request), [last.count, last.value])

    def _after(self, request: FacetRequest) -> FacetValue | None:
        """Return the last value of the page before.

        Raises:
            Problem: The cursor belongs to another list.
        """
        if request.cursor is None:
            return None
        count, value = cursor.decode(self._secret, _binding(request), request.cursor)
        return FacetValue(value=value, count=count)


def listed_meta(request: FacetRequest, page: Page) -> ListedMeta:
    """Return what an answer says about a page.

    Args:
        request: The page that was asked for.
        page: The page.
    """
    return ListedMeta(
        degraded=page.degraded,
        unavailable=[] if page.degraded else UNSET,
        query=request.q,
        limit=request.limit,
        total=page.total,
        total_is_exact=page.exact,
        next_cursor=page.following,
        rewrite=UNSET if page.reading is None else Rewrite(page.reading.rung, page.reading.text),
    )


def _binding(request: FacetRequest) -> str:
    return cursor.bound("facet", request.facet, request.q, request.filters.key(), request.zone)


def _has(value: FacetValue, words: Sequence[str]) -> bool:
    """Return whether the words begin words of the value's name."""
    if not words:
        return True
    names = [name for name in (value.name_ar, value.name_en, value.name) if name is not UNSET and name]
    return query_words.begins(names or [value.value], words)
