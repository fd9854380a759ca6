"""Databases of a test's own on the run's PostgreSQL server."""

import uuid
from collections.abc import Iterator
from contextlib import contextmanager
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
    # A connection each time: a test may have killed the server in between.
    with psycopg.connect(plain(admin), autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name} {copied}")
    yield admin.rpartition("/")[0] + f"/{name}"
    with psycopg.connect(plain(admin), autocommit=True) as connection:
        connection.execute(f"DROP DATABASE {name} WITH (FORCE)")


def plain(url: str) -> str:
    """Return a SQLAlchemy address as libpq reads it."""
    return url.replace("+psycopg", "")


def scalar(database: Engine, statement: str) -> Any:
    """Return the first value of a statement; its connection is given back."""
    with database.connect() as connection:
        return connection.scalar(text(statement))
