"""The PostgreSQL servers that answer reads, and the choice among them.

Reads go to a replica that is at most `DATABASE_REPLICA_MAX_LAG` behind, and to the primary when there is none. A task
(`ReadServers.watch`) looks at every server once a second. A reader that finds a replica gone says so at once
(`ReadServer.leave`); the watch brings the replica back when it answers again.
"""

import asyncio
import contextlib
import logging
import math
import os
import socket
import time
from collections.abc import Iterator, Sequence
from typing import cast

import psycopg
from psycopg.conninfo import make_conninfo
from psycopg.pq.abc import PGconn
from psycopg.rows import class_row
from sqlalchemy.engine import make_url
from sqlalchemy.exc import DBAPIError, OperationalError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncSession, async_sessionmaker

from catalog.core.db import ALIVE, async_session_factory, make_async_read_engine, make_async_search_engine
from catalog.core.settings import CatalogSettings
from catalog.replicas.lag import POSITION, History, Position

log = logging.getLogger(__name__)

PRIMARY = "primary"
CHECK_SECONDS = 1.0
# A server that takes longer for the watch's question, or to accept its connection, counts as gone. Seconds.
CHECK_TIMEOUT = 1.0
CONNECT_TIMEOUT = 2
# SQLSTATEs that say that the server, not the statement, is the reason: it ends, starts, or accepts no connections.
_GONE = frozenset({"57P01", "57P02", "57P03", "53300"})
# A replica cancels a statement that keeps it from replaying the log.
_CONFLICT = "40001"


class ReadServer:
    """One server and its connections.

    Attributes:
        name: `primary`, or the replica's host and port.
        reads: Sessions for single statements, without a transaction.
        searches: Sessions for searches: read-only transactions of one snapshot.
        usable: Whether reads may go to it. The primary always is.
        behind: Seconds that the replica was behind at the last look; infinity when that is not known.
        reason: Why it is not usable; empty when it is.
    """

    def __init__(self, name: str, url: str, settings: CatalogSettings, searches: int) -> None:
        """Open nothing yet.

        Args:
            name: What metrics and health call the server.
            url: Its address.
            settings: Sizes and timeouts of the pools.
            searches: How many searches may run on it at once.
        """
        self.name = name
        self._engines = [
            make_async_read_engine(settings, url),
            make_async_search_engine(settings, url, searches),
        ]
        address = make_url(url)
        self._conninfo = make_conninfo(
            **{
                **address.get_dialect()().create_connect_args(address)[1],
                **ALIVE,
                "connect_timeout": CONNECT_TIMEOUT,
                "application_name": "thmanyah-watch",
            }
        )
        self.reads: async_sessionmaker[AsyncSession] = async_session_factory(self._engines[0])
        self.searches: async_sessionmaker[AsyncSession] = async_session_factory(self._engines[1])
        self.usable = name == PRIMARY
        self.behind = 0.0 if self.usable else math.inf
        self.reason = "" if self.usable else "not asked yet"
        # Bounded by the pools' sizes.
        self._attempts: set[PGconn] = set()
        # A connection for the watch alone: full pools must not look like a server that is gone.
        self._watching: psycopg.AsyncConnection[Position] | None = None

    @property
    def is_primary(self) -> bool:
        """Whether it is the server that takes all writes."""
        return self.name == PRIMARY

    @property
    def busy(self) -> int:
        """Reads that are under way."""
        return len(self._attempts)

    @contextlib.contextmanager
    def attempt(self, connection: AsyncConnection) -> Iterator[None]:
        """Let statements on the connection fail at once when the server turns out to be gone during the block."""
        pooled = cast("psycopg.AsyncConnection", _driver_connection(connection))
        self._attempts.add(pooled.pgconn)
        try:
            yield
        finally:
            self._attempts.discard(pooled.pgconn)

    def leave(self, reason: str) -> None:
        """Send no more reads to this replica until it answers the watch; end the reads under way."""
        if self.is_primary:
            return
        if self.usable:
            log.warning("replica %s gets no reads: %s", self.name, reason)
        self.usable, self.reason, self.behind = False, reason, math.inf
        for connection in self._attempts:
            _shut(connection)

    def judge(self, behind: float, most: float) -> None:
        """Decide whether reads may go to this replica.

        Args:
            behind: Seconds that it is behind.
            most: Seconds that it may be.
        """
        was_usable, self.behind = self.usable, behind
        self.usable = behind <= most
        if self.usable:
            self.reason = ""
        elif math.isinf(behind):
            self.reason = "does not follow the primary"
        else:
            self.reason = f"{behind:.1f} s behind"
        if was_usable != self.usable:
            level = logging.INFO if self.usable else logging.WARNING
            log.log(level, "replica %s %s", self.name, self.reason or "gets reads again")

    def is_lost(self, error: DBAPIError) -> bool:
        """Return whether an error of a read says that the server is gone, rather than that the statement is wrong."""
        if isinstance(error.orig, TimeoutError):
            return not self.usable
        state: str | None = getattr(error.orig, "sqlstate", None)
        if state is None:
            # A connection that could not be made has no SQLSTATE.
            return isinstance(error, OperationalError) or error.connection_invalidated
        return state in _GONE or state.startswith("08") or error.connection_invalidated

    async def position(self) -> Position:
        """Ask the server where it stands in the write-ahead log.

        Raises:
            psycopg.Error: It does not answer, or not in time.
        """
        try:
            watching = self._watching = self._watching or await psycopg.AsyncConnection[Position].connect(
                self._conninfo, autocommit=True, prepare_threshold=None, row_factory=class_row(Position)
            )
            limit = asyncio.get_running_loop().call_later(CHECK_TIMEOUT, _shut, watching.pgconn)
            try:
                return cast("Position", await (await watching.execute(POSITION)).fetchone())
            finally:
                limit.cancel()
        except BaseException:
            await self._forget_watching()
            raise

    async def _forget_watching(self) -> None:
        watching, self._watching = self._watching, None
        if watching is not None:
            await watching.close()

    async def close(self) -> None:
        """Close every connection."""
        await self._forget_watching()
        for engine in self._engines:
            await engine.dispose()


class ReadServers:
    """The primary and its replicas."""

    def __init__(self, settings: CatalogSettings, searches: int) -> None:
        """Open nothing yet. No replica is used before the watch has seen it.

        Args:
            settings: Name the servers, and the largest lag.
            searches: How many searches may run on each server at once.
        """
        self.primary = ReadServer(PRIMARY, settings.database_url, settings, searches)
        self.replicas = [
            ReadServer(_name(url), url, settings, searches) for url in settings.database_replica_urls
        ]
        self.max_lag = settings.replica_max_lag
        self._history = History()
        self._turn = 0

    def candidates(self) -> Sequence[ReadServer]:
        """Return the servers that may answer a read, in the order in which a reader asks them.

        The least busy replica comes first; replicas that are equally busy take turns. The primary comes last.
        """
        usable = [replica for replica in self.replicas if replica.usable]
        if len(usable) > 1:
            self._turn = (self._turn + 1) % len(usable)
            usable = [*usable[self._turn :], *usable[: self._turn]]
            usable.sort(key=lambda replica: replica.busy)
        return [*usable, self.primary]

    @property
    def may_be_behind(self) -> bool:
        """Whether a read may have come from a server that does not know the last commit."""
        return bool(self.replicas)

    async def watch(self) -> None:
        """Look at every server once a second until cancelled. Without replicas there is nothing to look at."""
        while self.replicas:
            await self.check()
            await asyncio.sleep(CHECK_SECONDS)

    async def check(self) -> None:
        """Look at every server now."""
        asked_at = time.monotonic()
        with contextlib.suppress(psycopg.Error, OSError):
            self._history.add(await self.primary.position(), asked_at)
        await asyncio.gather(*(self._check(replica) for replica in self.replicas))

    async def _check(self, replica: ReadServer) -> None:
        try:
            position = await replica.position()
        except (psycopg.Error, OSError) as error:
            replica.leave(f"no answer ({type(error).__name__})")
        else:
            replica.judge(self._history.behind(position), self.max_lag)

    async def close(self) -> None:
        """Close every connection."""
        for server in (self.primary, *self.replicas):
            await server.close()


def is_conflict(error: DBAPIError) -> bool:
    """Return whether a replica cancelled the statement because it was in the way of the log."""
    return bool(getattr(error.orig, "sqlstate", None) == _CONFLICT)


def _driver_connection(connection: AsyncConnection) -> object:
    pooled = connection.sync_connection
    return pooled.connection.driver_connection if pooled is not None else None


def _shut(connection: PGconn) -> None:
    """Close the line of a connection, so that whoever waits for the server sees it closed.

    Cancelling the waiting task would not do: psycopg then waits for the server to confirm the cancellation.
    """
    if connection.status == psycopg.pq.ConnStatus.OK:
        with contextlib.suppress(OSError), socket.socket(fileno=os.dup(connection.socket)) as line:
            line.shutdown(socket.SHUT_RDWR)


def _name(url: str) -> str:
    parts = make_url(url)
    return f"{parts.host or 'localhost'}:{parts.port or 5432}"
