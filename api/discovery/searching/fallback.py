"""Search, browse and suggestions from PostgreSQL, for the time when no engine answers. `service` calls it.

Each request has a time limit, and only a few run at the same time. Hits have the same type as the engine's hits, so
`service` builds cards and cursors from both. When PostgreSQL fails too, the listener gets the error of the engine.
"""

import asyncio
import logging
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any, cast

from sqlalchemy import Executable, RowMapping, Select, TextClause
from sqlalchemy.exc import DBAPIError, SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncSession

from api.discovery.narrowing.orders import SORTS
from api.discovery.params import BrowseRequest, SearchRequest
from api.discovery.searching.asking import sql
from api.http.observed import metrics
from catalog.core import limits
from catalog.programs import queries
from catalog.programs.fallback import statements
from catalog.programs.fallback import words as query_words
from catalog.replicas.servers import ReadServer, ReadServers
from indexer.engines import document
from indexer.engines.document import ListedFields
from indexer.engines.errors import EngineUnavailableError
from indexer.engines.index_settings import MAX_TOTAL_HITS

log = logging.getLogger(__name__)
# Seconds for which L1 and L2 keep a degraded answer.
KEPT_SECONDS = 1.0
# Counts of all values of a facet that go on at the same time, and their time limit in seconds.
COUNTS, COUNTING_SECONDS = 2, 5.0
# PostgreSQL cancels the statement in time. After this additional time the client stops waiting for PostgreSQL.
_GRACE_SECONDS = 0.25
# Other wordings that are tried, for each of which PostgreSQL is asked once more.
_VARIANTS = 3


@dataclass(frozen=True, slots=True)
class Hits:
    """A page of hits in the engine's form. `total` counts all hits, up to MAX_TOTAL_HITS."""

    hits: Sequence[ListedFields]
    total: int


@dataclass(frozen=True, slots=True)
class Offers:
    """Candidates for suggestions: programs and series as rows with id, slug and title; people and tags as names."""

    titles: Sequence[RowMapping]
    series: Sequence[RowMapping]
    people: Sequence[str]
    tags: Sequence[str]


class _Budget:
    """The transaction of a request, and the time that it has left."""

    def __init__(self, session: AsyncSession, seconds: float) -> None:
        self.session, self.deadline = session, time.monotonic() + seconds

    async def rows(
        self, statement: Executable, limit: TextClause = limits.TIME_BY_INDEXES, **parameters: Any
    ) -> Sequence[RowMapping]:
        """Return the rows of a statement. PostgreSQL cancels it at the deadline.

        Args:
            statement: The statement.
            limit: Sets the time that is left, and how PostgreSQL may read.
            **parameters: Values of its bind parameters.
        """
        left = max(1, int((self.deadline - time.monotonic()) * 1000))
        await self.session.execute(limit, {"timeout": str(left)})
        return (await self.session.execute(statement, parameters)).mappings().all()

    async def hits(self, statement: Select[list[int], int]) -> Hits:
        """Return the documents of the programs that a statement finds; its columns are `ids` and `total`."""
        found = (await self.rows(statement))[0]
        rows = await self.rows(queries.VISIBLE_BY_IDS, ids=found["ids"]) if found["ids"] else []
        built = {row["id"]: document.build(cast("queries.ProgramRow", dict(row))) for row in rows}
        return Hits([built[i] for i in found["ids"] if i in built], found["total"])


class Fallback:
    """Answers from PostgreSQL. Each method raises EngineUnavailableError when PostgreSQL fails or is busy."""

    def __init__(self, servers: ReadServers, *, timeout: float, concurrency: int) -> None:
        self.servers, self.timeout = servers, timeout
        self._slots = asyncio.Semaphore(concurrency)
        self._counting = asyncio.Semaphore(COUNTS)

    @asynccontextmanager
    async def _budget(self, route: str | None, seconds: float | None = None) -> AsyncIterator[_Budget]:
        """Open a transaction.

        Args:
            route: What is degraded, in the metrics; None: nothing is.
            seconds: The time limit, if it is not that of searches.

        Raises:
            EngineUnavailableError: PostgreSQL fails or is busy.
        """
        if self._slots.locked():
            metrics.FALLBACK_FAILURES.labels("busy").inc()
            raise EngineUnavailableError("no engine answers, and PostgreSQL is busy with other searches")
        limit = self.timeout if seconds is None else seconds
        async with self._slots:
            try:
                async with asyncio.timeout(limit + _GRACE_SECONDS):
                    server, session = await self._connected()
                    async with session:
                        with server.attempt(await session.connection()):
                            yield _Budget(session, limit)
            except (SQLAlchemyError, TimeoutError) as error:
                state = getattr(getattr(error, "orig", None), "sqlstate", None)
                late = isinstance(error, TimeoutError) or state == "57014"
                metrics.FALLBACK_FAILURES.labels("timeout" if late else "database").inc()
                said = f"{type(error).__name__} {error}".partition("\n")[0]
                raise EngineUnavailableError(f"no engine answers, and PostgreSQL failed: {said}") from error
        if route is not None:
            metrics.SEARCH_DEGRADED.labels(route).inc()

    async def _connected(self) -> tuple[ReadServer, AsyncSession]:
        """Return the least busy replica that accepts a connection, or the primary, and a session on it.

        Raises:
            DBAPIError: A server refuses a connection for a reason of its own.
        """
        *replicas, primary = self.servers.candidates()
        for server in replicas:
            session = server.searches()
            try:
                await session.connection()
            except DBAPIError as error:
                await session.close()
                if not server.is_lost(error):
                    raise
                server.leave(type(error).__name__)
                metrics.READ_FAILOVERS.labels(server.name).inc()
            else:
                metrics.READS.labels(server.name).inc()
                return server, session
        metrics.READS.labels(primary.name).inc()
        return primary, primary.searches()

    async def search(
        self, request: SearchRequest, variants: Sequence[str] = (), after: statements.After | None = None
    ) -> Hits:
        """Return a page of results. When no program has the words as typed, search again with typos allowed.

        Args:
            request: The page. With a cursor, one program more is returned.
            variants: Other wordings by synonyms: the first that finds something answers before typos are allowed.
            after: The page begins behind this program.
        """
        words = query_words.split(request.q)
        order = SORTS[request.sort]
        page = ((request.page - 1) * request.limit, request.limit)
        if request.cursor is not None:
            page = (0, request.limit + 1)
        narrowed = sql.narrowed(request)
        async with self._budget("search") as budget:
            found = await budget.hits(
                statements.search(words, narrowed, order, page, MAX_TOTAL_HITS, after=after)
            )
            if found.total or not words:
                return found
            for variant in variants[:_VARIANTS]:
                others = query_words.split(variant)
                found = await budget.hits(
                    statements.search(others, narrowed, order, page, MAX_TOTAL_HITS, after=after)
                )
                if found.total:
                    return found
            forgiving = statements.search(
                words, narrowed, order, page, MAX_TOTAL_HITS, typos=True, after=after
            )
            return await budget.hits(forgiving)

    async def browse(self, request: BrowseRequest, after: statements.After | None) -> Hits:
        """Return the programs of a page and one more.

        Args:
            request: The page.
            after: The sort key and id of the last program of the page before; None for the first page.
        """
        statement = statements.browse(
            sql.narrowed(request), request.order, after, request.limit + 1, MAX_TOTAL_HITS
        )
        async with self._budget("browse") as budget:
            return await budget.hits(statement)

    async def documents(self, route: str, statement: Executable) -> list[document.Document]:
        """Return the documents of the programs that one statement finds, in its order.

        Args:
            route: What asks, in the metrics.
            statement: Its rows are those of `queries.detail()`.
        """
        async with self._budget(route) as budget:
            rows = await budget.rows(statement)
        return [document.build(cast("queries.ProgramRow", dict(row))) for row in rows]

    async def counts(self, route: str | None, statement: Executable) -> Sequence[RowMapping]:
        """Return the rows of a statement that counts programs, which may have to read them all.

        Args:
            route: What is degraded, in the metrics; None: an engine answers, but cannot list so many values.
            statement: One of `catalog.programs.fallback.values`.

        Raises:
            EngineUnavailableError: PostgreSQL fails, or other counts take all the time.
        """
        # Counts must not take the place of searches, and may take longer.
        try:
            await asyncio.wait_for(self._counting.acquire(), COUNTING_SECONDS)
        except TimeoutError as error:
            metrics.FALLBACK_FAILURES.labels("busy").inc()
            raise EngineUnavailableError("PostgreSQL is busy with other counts") from error
        try:
            async with self._budget(route, max(self.timeout, COUNTING_SECONDS)) as budget:
                return await budget.rows(statement, limits.TIME)
        finally:
            self._counting.release()

    async def names(self, q: str, limit: int) -> Offers:
        """Return the series and people that have the words of a query."""
        words = query_words.split(q)
        async with self._budget(None) as budget:
            if not words:
                return Offers([], [], [], [])
            series = await budget.rows(statements.suggest_series(words, limit))
            people = await budget.rows(statements.suggest_people(words, limit))
        return Offers([], series, [row["name"] for row in people], [])

    async def suggest(self, q: str, limit: int) -> Offers:
        """Return candidates whose words begin with the typed words."""
        words = query_words.split(q)
        async with self._budget("suggest") as budget:
            if not words:
                return Offers([], [], [], [])
            return Offers(
                await budget.rows(statements.suggest_titles(words, limit)),
                await budget.rows(statements.suggest_series(words, limit)),
                [row["name"] for row in await budget.rows(statements.suggest_people(words, limit))],
                [row["name"] for row in await budget.rows(statements.suggest_tags(words, limit))],
            )
