"""Many rows at once: COPY inside the caller's transaction."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy.orm import Session


def copy_rows(
    session: Session, table: str, columns: Sequence[str], rows: Sequence[Sequence[Any]]
) -> None:
    """Stream the rows in; JSON values are wrapped in psycopg's Jsonb.

    Raises psycopg's own errors (IntegrityError, DataError): the session's savepoint has to be
    rolled back after one.
    """
    if not rows:
        return
    raw: Any = session.connection().connection
    named = ", ".join(f'"{column}"' for column in columns)
    with raw.cursor() as cursor, cursor.copy(f"COPY {table} ({named}) FROM STDIN") as copy:
        for row in rows:
            copy.write_row(row)
