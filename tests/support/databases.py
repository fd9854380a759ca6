"""Databases of a test's own on the run's PostgreSQL server."""

import atexit
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from typing import Any

import psycopg
from sqlalchemy import Engine, text

# The migrated, empty database that others are copied from; tests.support.servers makes it.
TEMPLATE = "template_catalogue"


@contextmanager
def new_database(admin: str, template: str | None = TEMPLATE) -> Iterator[str]:
    """Create a database for the block and drop it afterwards.

    Args:
        admin: Address of the server's `postgres` database.
        template: The database to copy; None creates an empty one.

    Yields:
        The new database's address.
    """
    name = f"test_{uuid.uuid4().hex}"
    # Copying files is four times as fast as the default, which writes every page to the log.
    copied = f"TEMPLATE {template} STRATEGY file_copy" if template else ""
    _execute(admin, f"CREATE DATABASE {name} {copied}")
    yield admin.rpartition("/")[0] + f"/{name}"
    _execute(admin, f"DROP DATABASE {name} WITH (FORCE)")


def prepared(admin: str, name: str, fill: Callable[[str], None], template: str | None = TEMPLATE) -> str:
    """Make a template out of another one, unless another process of the run has made it.

    Args:
        admin: Address of the server's `postgres` database.
        name: The template's name.
        fill: Writes into the database of the address that it is given, and closes its connections.
        template: As for `new_database`.

    Returns:
        The template's name, for `new_database`.
    """
    with psycopg.connect(plain(admin), autocommit=True) as connection:
        connection.execute("SELECT pg_advisory_lock(hashtext(%s))", [name])
        if not connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", [name]).fetchone():
            with new_database(admin, template) as url:
                fill(url)
                connection.execute(
                    f"CREATE DATABASE {name} TEMPLATE {url.rpartition('/')[2]} STRATEGY file_copy"
                )
    return name


def _execute(admin: str, statement: str) -> None:
    # A connection costs a third of what a database costs. A test may have killed the server since the last time.
    try:
        _connection(admin).execute(statement)
    except psycopg.OperationalError:
        _connection(admin).close()
        _connection.cache_clear()
        _connection(admin).execute(statement)


@cache
def _connection(admin: str) -> psycopg.Connection:
    made = psycopg.connect(plain(admin), autocommit=True)
    atexit.register(made.close)
    return made


def plain(url: str) -> str:
    """Return a SQLAlchemy address as libpq reads it."""
    return url.replace("+psycopg", "")


def scalar(database: Engine, statement: str) -> Any:
    """Return the first value of a statement; its connection is given back."""
    with database.connect() as connection:
        return connection.scalar(text(statement))
