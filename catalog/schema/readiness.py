"""Whether a database is ready for this build: it answers, and its schema is not older.

Processes ask before they begin. Alembic, which `migrate` imports, is not needed for that: revisions are numbered by date.
"""

import re
from functools import cache
from importlib.resources import files

from sqlalchemy import NullPool, create_engine, text

from catalog.core.settings import CatalogSettings

_FILE = re.compile(r"(\d{8}_\d{2})_\w+\.py")
VERSION = text("SELECT max(version_num) FROM alembic_version")


class SchemaBehindError(Exception):
    """The schema is older than this build."""


@cache
def newest() -> str:
    """Return the newest revision that this build has."""
    names = (_FILE.fullmatch(entry.name) for entry in files("migrations.versions").iterdir())
    return max(found.group(1) for found in names if found)


def require_newest(current: str | None) -> None:
    """Check the revision of a database. A newer one is fine: releases run beside the one after them.

    Raises:
        SchemaBehindError: The revision is older than `newest`.
    """
    if current is None or current < newest():
        raise SchemaBehindError(
            f"the schema is at {current}, this build needs {newest()}: run `thmanyah migrate`"
        )


def require(settings: CatalogSettings) -> None:
    """Check that the primary answers and has the schema of this build or a newer one.

    Raises:
        DBAPIError: The primary does not answer, or has no schema at all.
        SchemaBehindError: Its schema is older.
    """
    arguments = {"connect_timeout": settings.connect_timeout}
    engine = create_engine(settings.database_url, poolclass=NullPool, connect_args=arguments)
    with engine.connect() as connection:
        require_newest(connection.scalar(VERSION))
