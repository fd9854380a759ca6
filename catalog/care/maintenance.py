"""VACUUM, ANALYZE and REINDEX where they are due. A scheduled job and `thmanyah db maintain` call it.

Autovacuum does most of this; what it leaves are bloated indexes and tables that a bulk load has changed.
"""

import logging
from collections.abc import Iterator

from sqlalchemy import Connection, NullPool, create_engine, text
from sqlalchemy.exc import OperationalError

from catalog.care import report
from catalog.core.db import ALIVE
from catalog.core.settings import CatalogSettings

log = logging.getLogger(__name__)

# A table is vacuumed when so much of it is dead, or analyzed when so much has changed since the last time.
DEAD_SHARE, CHANGED_SHARE, LEAST_ROWS = 0.05, 0.1, 1_000
# An index is built anew when so much of it is wasted, and it is worth it.
WASTED_SHARE, WASTED_BYTES = 0.4, 10_000_000
# Milliseconds for which a step waits for a lock before it is left for the next time.
LOCK_TIMEOUT = 2_000


def due(connection: Connection) -> Iterator[str]:
    """Give the statements that are due, in the order of their execution."""
    quote = connection.dialect.identifier_preparer.quote
    for row in report.read(connection, report.INDEXES):
        # What an interrupted REINDEX CONCURRENTLY left.
        if row["is_invalid"] and str(row["index"]).rpartition("_")[2].startswith("ccnew"):
            yield f"DROP INDEX CONCURRENTLY IF EXISTS {quote(str(row['index']))}"
    for row in report.read(connection, report.TABLES):
        rows, dead, changed = (int(str(row[name])) for name in ("rows", "dead", "changed"))
        whole = max(LEAST_ROWS, rows)
        if dead > DEAD_SHARE * whole or changed > CHANGED_SHARE * whole:
            yield f"VACUUM (ANALYZE) {quote(str(row['table']))}"
    for row in report.read(connection, report.INDEX_BLOAT):
        wasted, size = int(str(row["wasted"])), int(str(row["bytes"]))
        if wasted >= WASTED_BYTES and wasted >= WASTED_SHARE * size:
            yield f"REINDEX INDEX CONCURRENTLY {quote(str(row['index']))}"


def maintain(settings: CatalogSettings, *, dry_run: bool = False) -> list[str]:
    """Execute what is due, each statement in a transaction of its own, without locking readers or writers out.

    Args:
        settings: Name the primary; PgBouncer is bypassed.
        dry_run: Execute nothing.

    Returns:
        The statements. One that waited too long for a lock is logged and left out.

    Raises:
        OperationalError: PostgreSQL is away.
    """
    arguments = {**ALIVE, "connect_timeout": settings.connect_timeout, "application_name": "thmanyah-care"}
    engine = create_engine(
        settings.direct_url, poolclass=NullPool, isolation_level="AUTOCOMMIT", connect_args=arguments
    )
    done = []
    with engine.connect() as connection:
        connection.execute(text(f"SET lock_timeout = {LOCK_TIMEOUT:d}"))
        for statement in list(due(connection)):
            try:
                if not dry_run:
                    connection.execute(text(statement))
                done.append(statement)
            except OperationalError as error:
                if getattr(error.orig, "sqlstate", None) != "55P03":
                    raise
                log.warning("%s waits for the next time: a lock was not free", statement)
    return done


def maintain_database() -> list[str]:
    """Run `maintain` with the settings of the environment; a scheduled job."""
    return maintain(CatalogSettings())
