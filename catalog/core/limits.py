"""Limits of one transaction's statements, and of how many rows a table may have."""

from sqlalchemy import Connection, Engine, event, func, select, text
from sqlalchemy.orm import Session

from catalog.core.base import Base
from catalog.core.errors import Conflict

# Gives the statements behind it `:timeout`, in PostgreSQL's spelling (milliseconds without a unit), until the transaction ends.
TIME = text("SELECT set_config('statement_timeout', :timeout, true)")
# The same for statements that all have a fitting index: a wrong estimate cannot make PostgreSQL read a table.
TIME_BY_INDEXES = text(
    "SELECT set_config('statement_timeout', :timeout, true), set_config('enable_seqscan', 'off', true)"
)


def limit_transactions(engine: Engine, timeout_ms: int) -> Engine:
    """Give each transaction of the engine its `statement_timeout`, in milliseconds; return the engine.

    A timeout of the session would stay on a server connection that PgBouncer hands to another client next.
    """
    statement = f"SET LOCAL statement_timeout = {timeout_ms:d}"

    def limit(connection: Connection) -> None:
        connection.exec_driver_sql(statement)

    event.listen(engine, "begin", limit)
    return engine


def require_room(session: Session, table: type[Base], most: int, what: str) -> None:
    """Check that another row may be added.

    Args:
        session: The transaction.
        table: Whose rows are counted.
        most: How many rows there may be.
        what: What the rows are called.

    Raises:
        Conflict: There are `most` already.
    """
    if (session.scalar(select(func.count()).select_from(table)) or 0) >= most:
        raise Conflict(f"There are {most} {what} already: delete one first.")
