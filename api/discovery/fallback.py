"""Answers from PostgreSQL when no engine answers: worse ones, within a budget, a few at a time.

What is found has the shape of the engine's hits, so that cards and cursors are made as always. Where
this fails too, the engine's absence is what the listener is told.
"""

import asyncio
import logging
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import Executable, RowMapping, Select, text
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker

from api import metrics
from api.discovery.params import SORTS, BrowseRequest, Filters, SearchRequest
from catalog.programs import queries, search
from catalog.programs.models import Program
from indexer import document
from indexer.engine import EngineUnavailableError
from indexer.index_settings import MAX_TOTAL_HITS

log = logging.getLogger(__name__)
# How long an answer from here is kept, in each of the two caches.
KEPT_SECONDS = 1.0
# The server cancels at the budget; this is for a server that no longer says anything.
_GRACE_SECONDS = 0.25
# Indexes serve all that is asked here; where an estimate is wrong, a table is not read instead.
_LIMIT = text(
    "SELECT set_config('statement_timeout', :timeout, true), "
    "set_config('enable_seqscan', 'off', true)"
)


@dataclass(frozen=True, slots=True)
class Hits:
    """A page, its hits as the engine has them, and how many there are, as far as is counted."""

    hits: list[dict[str, Any]]
    total: int


@dataclass(frozen=True, slots=True)
class Offers:
    """What may be suggested: rows with id, slug and title, and names."""

    titles: Sequence[RowMapping]
    series: Sequence[RowMapping]
    people: Sequence[str]
    tags: Sequence[str]


def conditions(filters: Filters) -> list[search.Condition]:
    """The filters as PostgreSQL has them; `Filters.conditions` says the same to the engine."""
    exact = {
        Program.category_id: filters.category_id, Program.language: filters.language,
        Program.media_type: filters.media_type, Program.kind: filters.kind,
        Program.series_id: filters.series_id, Program.is_featured: filters.featured,
    }  # fmt: skip
    wanted: list[search.Condition] = [c == value for c, value in exact.items() if value is not None]
    if filters.tag is not None:
        wanted.append(search.tagged(filters.tag))
    if filters.person is not None:
        wanted.append(search.with_person(filters.person))
    if filters.duration_min is not None:
        wanted.append(Program.duration_sec >= filters.duration_min)
    if filters.duration_max is not None:
        wanted.append(Program.duration_sec <= filters.duration_max)
    if filters.released_after is not None:
        wanted.append(Program.release_date >= _moment(filters.released_after))
    if filters.released_before is not None:
        # The engine counts whole seconds: the one named belongs to it.
        wanted.append(
            Program.release_date < _moment(filters.released_before) + timedelta(seconds=1)
        )
    return wanted


def _moment(seconds: int) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)


class _Budget:
    """One request's transaction and what is left of its time."""

    def __init__(self, session: AsyncSession, seconds: float) -> None:
        self.session, self.deadline = session, time.monotonic() + seconds

    async def rows(self, statement: Executable, **parameters: Any) -> Sequence[RowMapping]:
        """What the statement finds. The server cancels it when the time is up."""
        left = max(1, int((self.deadline - time.monotonic()) * 1000))
        await self.session.execute(_LIMIT, {"timeout": str(left)})
        return (await self.session.execute(statement, parameters)).mappings().all()

    async def hits(self, statement: Select[Any]) -> Hits:
        """The documents of a statement that returns `ids` and `total`."""
        found = (await self.rows(statement))[0]
        rows = await self.rows(queries.VISIBLE_BY_IDS, ids=found["ids"]) if found["ids"] else []
        built = {row["id"]: document.build(dict(row)) for row in rows}
        return Hits([built[i] for i in found["ids"] if i in built], found["total"])


class Fallback:
    """What is asked when the engine is away. Every method raises EngineUnavailableError."""

    def __init__(
        self, transactions: async_sessionmaker[AsyncSession], *, timeout: float, concurrency: int
    ) -> None:
        self.transactions, self.timeout = transactions, timeout
        self._slots = asyncio.Semaphore(concurrency)

    @asynccontextmanager
    async def _budget(self, route: str) -> AsyncIterator[_Budget]:
        if self._slots.locked():
            metrics.FALLBACK_FAILURES.labels("busy").inc()
            raise EngineUnavailableError("no engine, and PostgreSQL answers as many as it may")
        async with self._slots:
            try:
                async with asyncio.timeout(self.timeout + _GRACE_SECONDS):
                    async with self.transactions() as session:
                        yield _Budget(session, self.timeout)
            except (SQLAlchemyError, TimeoutError) as error:
                state = getattr(getattr(error, "orig", None), "sqlstate", None)
                late = isinstance(error, TimeoutError) or state == "57014"
                metrics.FALLBACK_FAILURES.labels("timeout" if late else "database").inc()
                said = f"{type(error).__name__} {error}".partition("\n")[0]
                raise EngineUnavailableError(f"no engine, and PostgreSQL: {said}") from error
        metrics.SEARCH_DEGRADED.labels(route).inc()

    async def search(self, request: SearchRequest) -> Hits:
        """A page of results; typos are forgiven where nothing has the words as they are."""
        words = search.words(request.q)
        order = SORTS[request.sort]
        page = ((request.page - 1) * request.limit, request.limit)
        narrowed = conditions(request.filters)
        async with self._budget("search") as budget:
            found = await budget.hits(search.found(words, narrowed, order, page, MAX_TOTAL_HITS))
            if found.total or not words:
                return found
            forgiving = search.found(words, narrowed, order, page, MAX_TOTAL_HITS, typos=True)
            return await budget.hits(forgiving)

    async def browse(self, request: BrowseRequest, after: tuple[int | None, int] | None) -> Hits:
        """One program more than the page has, from behind `after`; `total` is the whole list's."""
        order = SORTS[request.sort]
        assert order is not None  # noqa: S101  (checked by browse_request)
        statement = search.listed(
            conditions(request.filters), order, after, request.limit + 1, MAX_TOTAL_HITS
        )
        async with self._budget("browse") as budget:
            return await budget.hits(statement)

    async def suggest(self, q: str, limit: int) -> Offers:
        """What begins with the words typed so far."""
        words = search.words(q)
        async with self._budget("suggest") as budget:
            if not words:
                return Offers([], [], [], [])
            return Offers(
                await budget.rows(search.suggested_titles(words, limit)),
                await budget.rows(search.suggested_series(words, limit)),
                [row["name"] for row in await budget.rows(search.suggested_people(words, limit))],
                [row["name"] for row in await budget.rows(search.suggested_tags(words, limit))],
            )
