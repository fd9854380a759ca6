"""Counting views: gathered in memory, then in Redis, then added to the record in batches.

A batch gets a name before it is applied, and the name is written in the transaction that adds the
counts: a flush that is repeated after a crash adds nothing twice and loses nothing.
"""

import asyncio
import contextlib
import logging
import uuid
from collections import Counter

from redis import Redis
from redis.asyncio import Redis as AsyncRedis
from redis.exceptions import RedisError, ResponseError
from sqlalchemy import Engine, text

from api import metrics

log = logging.getLogger(__name__)
FLUSH_SECONDS = 1.0
# Programs a process remembers while Redis is away; beyond it views are counted as lost.
MAX_BUFFERED = 100_000


class ViewBuffer:
    """Views seen by this process since it last told Redis."""

    def __init__(self, redis: "AsyncRedis | None", prefix: str) -> None:
        self.redis, self.key = redis, f"{prefix}views:pending"
        self._counts: Counter[int] = Counter()

    def add(self, program_id: int) -> None:
        """Count one view."""
        if program_id not in self._counts and len(self._counts) >= MAX_BUFFERED:
            metrics.VIEWS.labels("lost").inc()
            return
        self._counts[program_id] += 1
        metrics.VIEWS.labels("counted").inc()

    async def flush(self) -> None:
        """Hand what was counted to Redis; keep it when Redis does not answer."""
        if not self._counts or self.redis is None:
            return
        taken, self._counts = self._counts, Counter()
        try:
            pipe = self.redis.pipeline(transaction=True)
            for program_id, count in taken.items():
                pipe.hincrby(self.key, str(program_id), count)
            await pipe.execute()
        except (RedisError, OSError, TimeoutError):
            metrics.REDIS_ERRORS.inc()
            self._counts.update(taken)

    async def run(self) -> None:
        """Flush every second until cancelled, then once more."""
        try:
            while True:
                await asyncio.sleep(FLUSH_SECONDS)
                await self.flush()
        finally:
            with contextlib.suppress(Exception):
                await self.flush()


def apply_pending(redis: "Redis", prefix: str, database: Engine) -> int:
    """Add what Redis gathered to `view_count`; returns how many views were added.

    Batches left by a flush that died are applied first.
    """
    pending, batches = f"{prefix}views:pending", f"{prefix}views:batch:"
    with contextlib.suppress(ResponseError):
        # Raises when there is nothing pending.
        redis.rename(pending, f"{batches}{uuid.uuid4().hex}")
    added = 0
    for raw in list(redis.scan_iter(match=f"{batches}*", count=1000)):
        name = raw.decode()
        found: dict[bytes, bytes] = redis.hgetall(name)  # type: ignore[assignment]
        counts = {int(k): int(v) for k, v in found.items()}
        added += _apply(database, name.removeprefix(batches), counts)
        redis.delete(name)
    return added


def _apply(database: Engine, batch: str, counts: dict[int, int]) -> int:
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
    return sum(counts.values())
