"""Bring a database to the schema of this build."""

from importlib.resources import files
from pathlib import Path

from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, NullPool, create_engine, text

from catalog.models import Base

# One upgrade at a time, whoever starts it: several processes may boot together.
_LOCK = 0x7468_6D6E


def _config(connection: Connection | None = None) -> Config:
    config = Config()
    config.set_main_option("script_location", str(Path(str(files("migrations")))))
    config.attributes["connection"] = connection
    return config


def upgrade(url: str, revision: str = "head") -> None:
    """Apply what is missing; nothing to do is fine. Safe to call from several processes at once."""
    engine = create_engine(url, poolclass=NullPool)
    with engine.connect() as guard:
        guard.execute(text("SELECT pg_advisory_lock(:key)"), {"key": _LOCK})
        guard.commit()
        try:
            with engine.connect() as connection:
                command.upgrade(_config(connection), revision)
        finally:
            guard.execute(text("SELECT pg_advisory_unlock(:key)"), {"key": _LOCK})
            guard.commit()
    engine.dispose()


def current_and_head(url: str) -> tuple[str | None, str | None]:
    """The revision the database is at, and the newest one this build knows."""
    engine = create_engine(url, poolclass=NullPool)
    with engine.connect() as connection:
        current = MigrationContext.configure(connection).get_current_revision()
    engine.dispose()
    return current, ScriptDirectory.from_config(_config()).get_current_head()


def differences(url: str) -> list[object]:
    """What the models say and the migrated database does not (or the reverse); empty when equal."""
    engine = create_engine(url, poolclass=NullPool)
    with engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        found: list[object] = list(compare_metadata(context, Base.metadata))
    engine.dispose()
    return found
