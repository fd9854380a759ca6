"""Batches of what API processes counted in Redis: each is added to the record once, however often a flush is repeated.

A flush gives what was counted a name of its own in Redis, and stores this name in the transaction that adds the counts
(`views`, `insight`). So a flush that is repeated after a crash adds nothing twice, and loses nothing.
"""

from collections.abc import Iterable
from datetime import timedelta

from sqlalchemy import Connection, delete, func, text
from sqlalchemy.orm import Session

from catalog.core.db import change_rows
from catalog.programs.models import ViewFlush

# For how long the names of applied batches are stored. A batch is repeated by the next flush, seconds later.
KEPT = timedelta(days=1)


def claim(connection: Connection, names: Iterable[str]) -> set[str]:
    """Return the names of the batches that were not added yet, and store them in the caller's transaction.

    Args:
        connection: The transaction that adds the batches.
        names: Names of batches; no two batches have the same one.
    """
    return set(
        connection.scalars(
            text(
                "INSERT INTO view_flushes (batch_id) SELECT unnest(CAST(:batches AS text[])) "
                "ON CONFLICT DO NOTHING RETURNING batch_id"
            ),
            {"batches": sorted(names)},
        )
    )


def prune(session: Session) -> int:
    """Delete the names of batches that were added longer than `KEPT` ago; return how many."""
    return change_rows(session, delete(ViewFlush).where(ViewFlush.at < func.now() - KEPT))
