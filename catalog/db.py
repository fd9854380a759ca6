"""Engines and session factories: one URL serves synchronous and asynchronous callers."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from sqlalchemy import Engine, Executable, create_engine
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import (
    AsyncEngine,
    AsyncSession,
    async_sessionmaker,
    create_async_engine,
)
from sqlalchemy.orm import Session, sessionmaker

from catalog.errors import Conflict
from catalog.settings import CatalogSettings

# A server whose machine is gone says nothing: after half a minute its connections count as lost.
ALIVE = {
    "keepalives_idle": 10,
    "keepalives_interval": 5,
    "keepalives_count": 4,
    "tcp_user_timeout": 30_000,
}


def _arguments(settings: CatalogSettings, application: str) -> dict[str, Any]:
    return {
        "pool_size": min(settings.pool_min, settings.pool_max) or 1,
        "max_overflow": max(0, settings.pool_max - max(settings.pool_min, 1)),
        "pool_timeout": settings.pool_timeout,
        "pool_pre_ping": True,
        "connect_args": {
            "connect_timeout": settings.connect_timeout,
            "application_name": application,
            **ALIVE,
            # A plan prepared on one PgBouncer server connection is unknown on the next.
            "prepare_threshold": None,
            "options": f"-c statement_timeout={settings.statement_timeout_ms} -c timezone=UTC",
        },
    }


def make_engine(
    settings: CatalogSettings, *, url: str | None = None, application: str = "thmanyah"
) -> Engine:
    """A pooled synchronous engine; `url` overrides the primary."""
    return create_engine(url or settings.database_url, **_arguments(settings, application))


@contextmanager
def opened(settings: CatalogSettings, *, application: str = "thmanyah") -> Iterator[Engine]:
    """An engine for one job or command; its connections end with the block."""
    engine = make_engine(settings, application=application)
    try:
        yield engine
    finally:
        engine.dispose()


def make_async_engine(settings: CatalogSettings) -> AsyncEngine:
    """A pooled asynchronous engine on the primary."""
    return create_async_engine(settings.database_url, **_arguments(settings, "thmanyah-api"))


def make_async_read_engine(settings: CatalogSettings) -> AsyncEngine:
    """For single statements that only read, on the replica: nothing is sent before or after them.

    A pooled connection that the server closed meanwhile fails its first statement: try it once more.
    """
    arguments = _arguments(settings, "thmanyah-api") | {"pool_pre_ping": False}
    return create_async_engine(settings.replica_url, isolation_level="AUTOCOMMIT", **arguments)


def make_async_search_engine(settings: CatalogSettings, size: int) -> AsyncEngine:
    """For searches on the replica: transactions that only read and see one moment, `size` at most.

    A pool of its own, so that searches never take the connections of lookups; opened when needed.
    """
    arguments = _arguments(settings, "thmanyah-search") | {"pool_size": size, "max_overflow": 0}
    engine = create_async_engine(
        settings.replica_url, isolation_level="REPEATABLE READ", **arguments
    )
    return engine.execution_options(postgresql_readonly=True)


def session_factory(engine: Engine) -> sessionmaker[Session]:
    """Sessions whose objects stay readable after commit."""
    return sessionmaker(engine, expire_on_commit=False)


def async_session_factory(engine: AsyncEngine) -> async_sessionmaker[AsyncSession]:
    """Asynchronous sessions whose objects stay readable after commit."""
    return async_sessionmaker(engine, expire_on_commit=False)


def plain_rows(session: Session, statement: Executable, **parameters: Any) -> list[dict[str, Any]]:
    """Thousands of rows of plain columns by name. What the ORM does to each for the sake of entities
    would cost as much as the query."""
    result = session.connection().execute(statement, parameters)
    names = list(result.keys())
    return [dict(zip(names, row, strict=True)) for row in result]


def flush(session: Session, conflict: str, fields: Mapping[str, str]) -> None:
    """Send pending changes; a broken constraint becomes a Conflict that says `conflict`.

    `fields` maps a part of a constraint's name to the JSON field it is about. The transaction (or
    the caller's savepoint) must be rolled back after it.
    """
    try:
        session.flush()
    except IntegrityError as error:
        diagnostics = getattr(error.orig, "diag", None)
        constraint = getattr(diagnostics, "constraint_name", None) or ""
        field = next((name for part, name in fields.items() if part in constraint), None)
        raise Conflict(conflict, field=field) from error
