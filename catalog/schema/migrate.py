"""Bring a database to the schema of this build, and say how far it is from it.

Owns how Alembic is configured; `migrations/` holds the steps. The CLI, `thmanyah up` and the tests call it.
"""

import re
from importlib.resources import files
from pathlib import Path

from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, NullPool, create_engine, text

from catalog.schema.registry import Base

# One upgrade at a time, whoever starts it: several processes may boot together.
_LOCK = 0x7468_6D6E
# What a comparison of a database with the models looks at besides tables, columns, indexes and keys.
_COMPARED = {"compare_type": True, "compare_server_default": True}
# How builds before the first release numbered their revisions.
_UNRELEASED = re.compile(r"\d{4}")


class UnknownRevisionError(Exception):
    """The database is at a revision that this build does not have; the message says what to do."""

    def __init__(self, revision: str) -> None:
        if _UNRELEASED.fullmatch(revision):
            said = (
                f"This database was made by an unreleased build (revision {revision}) and cannot be upgraded. "
                "Remove .thmanyah (make clean), or name an empty database: DATABASE_URL=…"
            )
        else:
            said = (
                f"This database is at revision {revision}, which this build does not know: a newer build "
                "upgraded it. Use that build or a newer one."
            )
        super().__init__(said)
        self.revision = revision


def configuration(connection: Connection | None = None) -> Config:
    """Return Alembic's configuration for `migrations/`; its commands run on `connection`."""
    config = Config()
    config.set_main_option("script_location", str(Path(str(files("migrations")))))
    config.attributes["connection"] = connection
    config.attributes["options"] = {"target_metadata": Base.metadata, **_COMPARED}
    return config


def upgrade(url: str, revision: str = "head") -> None:
    """Apply the migrations that are missing up to `revision`; none missing is fine.

    Safe to call from several processes at once.

    Raises:
        UnknownRevisionError: The database is at a revision of another build; nothing was changed.
        OperationalError: The server is away, or a table stayed locked for longer than `lock_timeout`.
    """
    engine = create_engine(url, poolclass=NullPool)
    with engine.connect() as guard:
        guard.execute(text("SELECT pg_advisory_lock(:key)"), {"key": _LOCK})
        guard.commit()
        try:
            with engine.connect() as connection:
                _require_known(connection)
                command.upgrade(configuration(connection), revision)
        finally:
            guard.execute(text("SELECT pg_advisory_unlock(:key)"), {"key": _LOCK})
            guard.commit()
    engine.dispose()


def _require_known(connection: Connection) -> None:
    current = MigrationContext.configure(connection).get_current_revision()
    connection.rollback()
    scripts = ScriptDirectory.from_config(configuration()).walk_revisions()
    if current is not None and current not in {script.revision for script in scripts}:
        raise UnknownRevisionError(current)


def current_and_head(url: str) -> tuple[str | None, str | None]:
    """Return the revision the database is at (None: empty), and the newest that this build knows."""
    engine = create_engine(url, poolclass=NullPool)
    with engine.connect() as connection:
        current = MigrationContext.configure(connection).get_current_revision()
    engine.dispose()
    return current, ScriptDirectory.from_config(configuration()).get_current_head()


def differences(url: str) -> list[object]:
    """Return what the models have and the database has not, or the reverse; empty when they are equal.

    Compares tables, columns with types and server defaults, indexes, unique and foreign keys, as
    `alembic check` does. See https://alembic.sqlalchemy.org/en/latest/autogenerate.html for its limits
    (checks and conditions of partial indexes): a test compares those by their definitions.
    """
    engine = create_engine(url, poolclass=NullPool)
    with engine.connect() as connection:
        context = MigrationContext.configure(connection, opts=dict(_COMPARED))
        found: list[object] = list(compare_metadata(context, Base.metadata))
    engine.dispose()
    return found
