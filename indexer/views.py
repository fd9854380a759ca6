"""Adding counted views to the record, in batches that may be repeated.

A batch gets a name before it is applied, and the name is written in the transaction that adds the
counts: a flush that is repeated after a crash adds nothing twice and loses nothing.
"""

import contextlib
import uuid
from collections.abc import Callable
from typing import Any

from redis import Redis
from redis.exceptions import ResponseError
from sqlalchemy import Engine, text

# Where a test may stop the flush.
CRASH_POINTS = ("after_rename", "before_commit", "after_commit")


def pending_key(prefix: str) -> str:
    """The Redis hash in which processes gather views: program id to count."""
    return f"{prefix}views:pending"


def apply_pending(
    redis: "Redis", prefix: str, database: Engine, at: Callable[[str], None] = lambda point: None
) -> int:
    """Add what Redis gathered to `view_count`; returns how many views were added.

    Batches left by a flush that died are applied first.
    """
    batches = f"{prefix}views:batch:"
    with contextlib.suppress(ResponseError):
        # Raises when there is nothing pending.
        redis.rename(pending_key(prefix), f"{batches}{uuid.uuid4().hex}")
    at("after_rename")
    added = 0
    for raw in list(redis.scan_iter(match=f"{batches}*", count=1000)):
        name = raw.decode()
        found: dict[Any, Any] = redis.hgetall(name)
        counts = {int(key): int(value) for key, value in found.items()}
        added += _apply(database, name.removeprefix(batches), counts, at)
        at("after_commit")
        redis.delete(name)
    return added


def _apply(database: Engine, batch: str, counts: dict[int, int], at: Callable[[str], None]) -> int:
    ids = sorted(counts)
    with database.begin() as connection:
        fresh = connection.execute(
            text("INSERT INTO view_flushes (batch_id) VALUES (:batch) ON CONFLICT DO NOTHING"),
            {"batch": batch},
        )
        if not fresh.rowcount:
            return 0
        # Locked in ascending order: flushes and editors never wait for each other in a ring.
        connection.execute(
            text(
                "WITH seen AS (SELECT p.id, c.views FROM programs p "
                "JOIN unnest(CAST(:ids AS bigint[]), CAST(:views AS bigint[])) AS c(id, views) "
                "ON c.id = p.id ORDER BY p.id FOR UPDATE OF p) "
                "UPDATE programs p SET view_count = view_count + seen.views FROM seen WHERE p.id = seen.id"
            ),
            {"ids": ids, "views": [counts[i] for i in ids]},
        )
        at("before_commit")
    return sum(counts.values())
