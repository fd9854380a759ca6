"""Writing the journal in tests, as the scheduler's clock does."""

from sqlalchemy import Engine as Database

from catalog.core.db import session_factory
from catalog.journal import entries


def write_journal(database: Database) -> None:
    """Work off every mark that is committed."""
    done = 1
    while done:
        with session_factory(database).begin() as session:
            done = entries.write(session)
