"""Counting views: gathered in memory, then in Redis; `indexer.views` adds them to the record."""

import asyncio
import contextlib
import logging
from collections import Counter

from redis.asyncio import Redis as AsyncRedis

from api import metrics
from indexer.invalidation import REDIS_AWAY
from indexer.views import pending_key

log = logging.getLogger(__name__)
FLUSH_SECONDS = 1.0
# Programs a process remembers while Redis is away; beyond it views are counted as lost.
MAX_BUFFERED = 100_000


class ViewBuffer:
    """Views seen by this process since it last told Redis."""

    def __init__(self, redis: "AsyncRedis | None", prefix: str) -> None:
        self.redis, self.key = redis, pending_key(prefix)
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
        except REDIS_AWAY:
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
