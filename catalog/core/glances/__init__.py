"""Looks whether there is anything to do, in one round trip. Processes that wait for work ask again and again.

A session costs five round trips and builds its statement anew each time: begin, the timeout, the statement, the end, and
before all of that a test of the connection. That is well spent on work, but not on finding that there is none.
"""

import contextlib
from collections.abc import Callable, Sequence
from typing import Any, cast

import psycopg
from psycopg.rows import namedtuple_row
from sqlalchemy import Engine, Select, event
from sqlalchemy.dialects import postgresql
from sqlalchemy.exc import OperationalError
from sqlalchemy.ext.asyncio import AsyncEngine

Line = Callable[[], "psycopg.Connection"]


def _text(statement: Select[*tuple[Any, ...]], timeout_ms: int) -> str:
    """Return a statement with its values and its timeout: one message, which is one transaction."""
    written = statement.compile(
        dialect=postgresql.dialect(),  # type: ignore[no-untyped-call] # SQLAlchemy leaves it untyped
        compile_kwargs={"literal_binds": True},
    )
    # The dialect doubles what psycopg would take for a parameter, but without parameters psycopg reads nothing into it.
    return f"SET LOCAL statement_timeout = {timeout_ms:d}; {written}".replace("%%", "%")


class Glance:
    """One statement, asked again and again on a connection that commits by itself."""

    def __init__(self, line: Line, statement: Select[*tuple[Any, ...]], timeout_ms: int) -> None:
        """Connect nothing yet.

        Args:
            line: Returns the connection; a look that failed has closed it.
            statement: A SELECT of one row. Its values are written into its text.
            timeout_ms: Milliseconds after which PostgreSQL cancels it.
        """
        self._line, self._text = line, _text(statement, timeout_ms)

    def look(self) -> Any:
        """Return the row, or None when there is none.

        Raises:
            OperationalError: PostgreSQL is away, or the statement took too long.
        """
        connection = self._line()
        try:
            with connection.cursor() as cursor:
                cursor.execute(self._text.encode())
                cursor.nextset()
                return cursor.fetchone()
        except psycopg.Error as error:
            with contextlib.suppress(psycopg.Error):
                connection.close()
            raise OperationalError(self._text, None, error) from error


class OwnLine:
    """A connection beside those of an engine's pool, with its address and options.

    It is opened when it is needed, and closed with the engine's others.
    """

    def __init__(self, database: Engine) -> None:
        """Connect nothing yet."""
        self._database = database
        self._connection: psycopg.Connection | None = None
        event.listen(database, "engine_disposed", lambda _: self.close())

    def __call__(self) -> "psycopg.Connection":
        """Return the connection.

        Raises:
            DBAPIError: PostgreSQL is away.
        """
        if self._connection is None or self._connection.closed:
            pooled = self._database.raw_connection()
            self._connection = cast("psycopg.Connection", pooled.driver_connection)
            pooled.detach()
            self._connection.autocommit = True
        return self._connection

    def close(self) -> None:
        """Close the connection."""
        if self._connection is not None:
            self._connection.close()


class AsyncGlance:
    """The same on the event loop, on a connection of its own, for a statement of many rows."""

    def __init__(self, database: AsyncEngine, statement: Select[*tuple[Any, ...]], timeout_ms: int) -> None:
        """Connect nothing yet.

        Args:
            database: Has the address and the options of the connection.
            statement: A SELECT. Its values are written into its text.
            timeout_ms: Milliseconds after which PostgreSQL cancels it.
        """
        self._database, self._text = database, _text(statement, timeout_ms)
        self._connection: psycopg.AsyncConnection[Any] | None = None

    async def rows(self) -> Sequence[Any]:
        """Return the rows, as named tuples.

        Raises:
            OperationalError: PostgreSQL is away, or the statement took too long. The next call connects anew.
        """
        connection = self._connection = self._connection or await self._opened()
        try:
            async with connection.cursor(row_factory=namedtuple_row) as cursor:
                await cursor.execute(self._text.encode())
                cursor.nextset()
                return await cursor.fetchall()
        except psycopg.Error as error:
            await self.close()
            raise OperationalError(self._text, None, error) from error

    async def close(self) -> None:
        """Close the connection."""
        connection, self._connection = self._connection, None
        if connection is not None:
            with contextlib.suppress(psycopg.Error):
                await connection.close()

    async def _opened(self) -> "psycopg.AsyncConnection[Any]":
        pooled = await self._database.raw_connection()
        connection = cast("psycopg.AsyncConnection[Any]", pooled.driver_connection)
        pooled.detach()
        await connection.set_autocommit(True)
        return connection
