"""Database engines and sessions, and the few ways of running a statement that several rooms share.

One URL serves synchronous callers (jobs, commands, the API's writes) and asynchronous callers (the API's reads).
"""

import json
import os
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from select import POLLIN, poll
from typing import Any, TypedDict, TypeVar, cast

import msgspec
import psycopg
from psycopg import sql
from psycopg.types.json import Jsonb
from sqlalchemy import (
    CursorResult,
    DateTime,
    Delete,
    Engine,
    Executable,
    Select,
    Update,
    create_engine,
    event,
    func,
    select,
)
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.exc import IntegrityError, InvalidatePoolError
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession, async_sessionmaker, create_async_engine
from sqlalchemy.orm import Session, sessionmaker
from sqlalchemy.pool import ConnectionPoolEntry

from catalog.core.base import Base, entity_of
from catalog.core.errors import Conflict, NotFound, StaleRevision
from catalog.core.limits import limit_transactions
from catalog.core.settings import CatalogSettings

# A statement whose rows have columns of several types; the function that returns it says which.
AnySelect = Select[*tuple[Any, ...]]
RowShape = TypeVar("RowShape")
Row = TypeVar("Row", bound=Base)

# libpq's keepalive parameters: a connection to a machine that vanished counts as lost after half a minute.
ALIVE = {"keepalives_idle": 10, "keepalives_interval": 5, "keepalives_count": 4, "tcp_user_timeout": 30_000}

# A pooled connection that was in use so many seconds ago is not asked whether it still is one.
_RECENT_SECONDS = 1.0


class _PoolArguments(TypedDict):
    pool_size: int
    max_overflow: int
    pool_timeout: float
    hide_parameters: bool
    connect_args: dict[str, object]


def _arguments(settings: CatalogSettings, application: str) -> _PoolArguments:
    return {
        "pool_size": min(settings.pool_min, settings.pool_max) or 1,
        "max_overflow": max(0, settings.pool_max - max(settings.pool_min, 1)),
        "pool_timeout": settings.pool_timeout,
        # Errors are logged: what people wrote is no part of them.
        "hide_parameters": True,
        "connect_args": {
            "connect_timeout": settings.connect_timeout,
            "application_name": application,
            **ALIVE,
            # PgBouncer gives each transaction another server connection; a prepared statement exists on one.
            "prepare_threshold": None,
        },
    }


# libpq sends it as the parameter `timezone` of a connection, which PgBouncer keeps for each of its clients.
# It refuses `options` (https://www.pgbouncer.org/config.html#ignore_startup_parameters).
os.environ["PGTZ"] = "UTC"


def _prepare(engine: Engine, settings: CatalogSettings) -> Engine:
    """Give each transaction of a pooled engine its timeout, and look at each connection before it is used.

    One that was in use a moment ago is asked only when its server has said something, for example that it ends. To
    ask is a round trip of its own: as long as a small query.
    """

    def note(_: object, entry: ConnectionPoolEntry) -> None:
        entry.info["used_at"] = time.monotonic()

    def check(connection: DBAPIConnection, entry: ConnectionPoolEntry, _: object) -> None:
        try:
            if time.monotonic() - entry.info["used_at"] > _RECENT_SECONDS or _has_said_something(entry):
                engine.dialect.do_ping(connection)
        except psycopg.Error as error:
            # Others that are as old are closed too; the caller gets a new one.
            raise InvalidatePoolError from error

    for happened in ("connect", "checkin"):
        event.listen(engine, happened, note)
    event.listen(engine, "checkout", check)
    return limit_transactions(engine, settings.statement_timeout_ms)


def _has_said_something(entry: ConnectionPoolEntry) -> bool:
    looking = poll()
    looking.register(cast("psycopg.Connection", entry.driver_connection).fileno(), POLLIN)
    return bool(looking.poll(0))


def make_engine(
    settings: CatalogSettings, *, url: str | None = None, application: str = "thmanyah"
) -> Engine:
    """Return a pooled synchronous engine.

    Args:
        settings: Sizes and timeouts of the pool.
        url: The database; the primary by default.
        application: The name that PostgreSQL shows for the connections.
    """
    engine = create_engine(url or settings.database_url, **_arguments(settings, application))
    return _prepare(engine, settings)


@contextmanager
def opened(settings: CatalogSettings, *, application: str = "thmanyah") -> Iterator[Engine]:
    """Give a `with` block an engine on the primary; its connections are closed at the end of the block."""
    engine = make_engine(settings, application=application)
    try:
        yield engine
    finally:
        engine.dispose()


def make_async_engine(settings: CatalogSettings) -> AsyncEngine:
    """Return a pooled asynchronous engine on the primary."""
    engine = create_async_engine(settings.database_url, **_arguments(settings, "thmanyah-api"))
    _prepare(engine.sync_engine, settings)
    return engine


def make_async_read_engine(settings: CatalogSettings, url: str) -> AsyncEngine:
    """Return an engine on a server for single reads, without a round trip before or after each of them.

    Nobody looks at a connection before its use. One that the server has closed fails its first statement: the caller
    runs it once more. There is no transaction that a timeout could be set in either: the caller ends a statement
    that takes longer than `statement_timeout_ms`.
    """
    return create_async_engine(url, isolation_level="AUTOCOMMIT", **_arguments(settings, "thmanyah-api"))


def make_async_search_engine(settings: CatalogSettings, url: str, size: int) -> AsyncEngine:
    """Return an engine on a server for searches: read-only transactions that see one snapshot.

    The pool is separate from the lookups' pool, so that searches never take their connections.

    Args:
        settings: Timeouts of the pool.
        url: The server.
        size: How many connections it opens at most, each when a search needs it.
    """
    arguments = _arguments(settings, "thmanyah-search")
    arguments["pool_size"], arguments["max_overflow"] = size, 0
    engine = create_async_engine(url, isolation_level="REPEATABLE READ", **arguments)
    _prepare(engine.sync_engine, settings)
    return engine.execution_options(postgresql_readonly=True)


def session_factory(engine: Engine) -> sessionmaker[Session]:
    """Return a factory of sessions whose objects stay readable after the commit."""
    return sessionmaker(engine, expire_on_commit=False)


def async_session_factory(engine: AsyncEngine) -> async_sessionmaker[AsyncSession]:
    """Return a factory of asynchronous sessions whose objects stay readable after the commit."""
    return async_sessionmaker(engine, expire_on_commit=False)


def database_now(session: Session) -> datetime:
    """Return the database's clock, which every rule about time uses.

    Processes on machines with wrong clocks then agree about leases, and nothing is published early. The clock
    moves on within a transaction.
    """
    return session.scalars(select(func.clock_timestamp(type_=DateTime(timezone=True)))).one()


def plain_rows(
    session: Session, statement: Executable, shape: type[RowShape], **parameters: object
) -> list[RowShape]:
    """Run a query of plain columns and return its rows as dictionaries by column name.

    Session.execute prepares each row for entities; for thousands of rows that costs as much as the query.

    Args:
        session: The transaction.
        statement: A SELECT of columns, not of entities.
        shape: The TypedDict that has the statement's columns.
        **parameters: Values of the statement's bind parameters.
    """
    result = session.connection().execute(statement, parameters)
    names = list(result.keys())
    return [cast("RowShape", dict(zip(names, row, strict=True))) for row in result]


def as_jsonb(value: object) -> Jsonb:
    """Return a value for a column of JSON, as `copy_rows` takes it."""
    return Jsonb(value, dumps=_encoded)


def _encoded(value: object) -> bytes:
    try:
        return msgspec.json.encode(value)
    except UnicodeEncodeError:
        # Half of a surrogate pair: written out, so that PostgreSQL refuses the row and not Python the batch.
        return json.dumps(value).encode()


def copy_rows(session: Session, table: str, columns: Sequence[str], rows: Sequence[Sequence[object]]) -> None:
    """Insert many rows by COPY, in the session's transaction.

    Args:
        session: The transaction.
        table: The table's name.
        columns: The columns that each row has values for.
        rows: Values in the order of `columns`; JSON values are wrapped by `as_jsonb`.

    Raises:
        psycopg.Error: Not wrapped by SQLAlchemy. Roll the session (or the caller's savepoint) back after one.
    """
    if not rows:
        return
    connection = cast("psycopg.Connection", session.connection().connection.driver_connection)
    statement = sql.SQL("COPY {} ({}) FROM STDIN").format(
        sql.Identifier(table), sql.SQL(", ").join(map(sql.Identifier, columns))
    )
    with connection.cursor() as cursor, cursor.copy(statement) as copy:
        for row in rows:
            copy.write_row(row)


def change_rows(session: Session, statement: Delete | Update) -> int:
    """Run a DELETE or an UPDATE without looking at objects that the session has loaded.

    Returns:
        How many rows were deleted or updated.
    """
    result = session.execute(statement, execution_options={"synchronize_session": False})
    return cast("CursorResult[tuple[()]]", result).rowcount


def locked(session: Session, model: type[Row], row_id: int) -> Row:
    """Return the row, locked until the transaction ends.

    Args:
        session: The transaction.
        model: The kind of row.
        row_id: The row's id.

    Raises:
        NotFound: No such row.
    """
    row = session.get(model, row_id, with_for_update=True, populate_existing=True)
    if row is None:
        raise NotFound(entity_of(model), row_id)
    return row


def require_revision(current: int, expected: int | None) -> None:
    """Check that the caller knows a row's current revision; None skips the check.

    Raises:
        StaleRevision: The row has another revision.
    """
    if expected is not None and expected != current:
        raise StaleRevision(expected, current)


def flush(session: Session, conflict: str, fields: Mapping[str, str]) -> None:
    """Send the session's pending changes; a violated constraint becomes a Conflict.

    Args:
        session: The transaction. After a Conflict, roll it (or the caller's savepoint) back.
        conflict: The message of the Conflict.
        fields: Part of a constraint's name -> the JSON field that the Conflict names.

    Raises:
        Conflict: A unique value is taken, or another constraint was violated.
    """
    try:
        session.flush()
    except IntegrityError as error:
        diagnostics = getattr(error.orig, "diag", None)
        constraint = getattr(diagnostics, "constraint_name", None) or ""
        field = next((name for part, name in fields.items() if part in constraint), None)
        raise Conflict(conflict, field=field) from error
