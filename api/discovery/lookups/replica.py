"""Runs single statements on a replica of PostgreSQL, or on the primary. `api.discovery` uses it.

A replica may be behind. Callers that know the revision which a row must have ask `newest` when `rows` shows an older one.
"""

import asyncio
from collections.abc import Sequence

from sqlalchemy import Executable, RowMapping
from sqlalchemy.exc import DBAPIError, OperationalError

from api.http.observed import metrics
from catalog.replicas.servers import CHECK_SECONDS, ReadServer, ReadServers, is_conflict


class Replica:
    """Runs one statement at a time, without a transaction around it."""

    def __init__(self, servers: ReadServers, timeout: float | None) -> None:
        """Take what a statement needs.

        Args:
            servers: The primary and its replicas.
            timeout: Seconds that a statement may take; None for no limit.
        """
        self.servers, self.timeout = servers, timeout

    @property
    def may_be_behind(self) -> bool:
        """Whether what `rows` returns may be older than the last commit."""
        return self.servers.may_be_behind

    @property
    def behind_seconds(self) -> float:
        """For how many seconds after a change `rows` may not show it."""
        return self.servers.max_lag + 2 * CHECK_SECONDS

    async def rows(self, statement: Executable, **parameters: object) -> Sequence[RowMapping]:
        """Return what a statement finds on the least busy replica. A replica that is gone is left within the call.

        Args:
            statement: A SELECT.
            **parameters: Values of its bind parameters.

        Raises:
            DBAPIError: No server answers, or not in time.
            sqlalchemy.exc.TimeoutError: No connection became free.
        """
        *replicas, primary = self.servers.candidates()
        for replica in replicas:
            try:
                return await self._rows(replica, statement, parameters)
            except DBAPIError as error:
                if replica.is_lost(error):
                    replica.leave(type(error).__name__)
                elif not is_conflict(error):
                    raise
                metrics.READ_FAILOVERS.labels(replica.name).inc()
        return await self._rows(primary, statement, parameters)

    async def newest(self, statement: Executable, **parameters: object) -> Sequence[RowMapping]:
        """Return what a statement finds on the primary: everything that is committed.

        Args:
            statement: A SELECT.
            **parameters: Values of its bind parameters.

        Raises:
            DBAPIError: The primary does not answer, or not in time.
            sqlalchemy.exc.TimeoutError: No connection became free.
        """
        return await self._rows(self.servers.primary, statement, parameters)

    async def _rows(
        self, server: ReadServer, statement: Executable, parameters: dict[str, object]
    ) -> Sequence[RowMapping]:
        metrics.READS.labels(server.name).inc()
        try:
            return await self._once(server, statement, parameters)
        except DBAPIError as error:
            if not error.connection_invalidated or not server.usable:
                raise
        # The server had closed the pooled connection: try once more on a new connection.
        return await self._once(server, statement, parameters)

    async def _once(
        self, server: ReadServer, statement: Executable, parameters: dict[str, object]
    ) -> Sequence[RowMapping]:
        """Run a statement once.

        Raises:
            OperationalError: The statement took longer than the timeout.
        """
        try:
            async with server.reads() as session:
                with server.attempt(await session.connection()):
                    # PostgreSQL is told to cancel the statement when the time is over.
                    async with asyncio.timeout(self.timeout):
                        return (await session.execute(statement, parameters)).mappings().all()
        except TimeoutError as error:
            raise OperationalError(str(statement), None, error) from error
