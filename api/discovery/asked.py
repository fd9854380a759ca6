"""What listeners ask often: counts searches in Redis, and knows which of them to offer while somebody types.

`searching.service` adds a query whenever it computes its first page; `searching.suggestions` looks for those that begin as was typed. Pages
are cached for less than ten minutes, so every query is computed at least once in ten minutes in which it is asked. Only
the words are kept, in the spelling of comparison, and only if the catalogue has every one of them: nothing of a listener
can be in them that is not in a published title or name. `indexer.jobs.searches` gathers the frequent ones.
"""

import asyncio
import contextlib
import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import cast

from redis.asyncio import Redis as AsyncRedis

from api import metrics
from catalog.words.spelling import split
from indexer.jobs.searches import DAY_SECONDS, DAYS, MOST, MOST_OF_A_DAY, day_key, popular_key, window_key
from indexer.stores.invalidation import REDIS_AWAY

FLUSH_SECONDS, READ_SECONDS = 1.0, 30.0
# A query counts once in so many seconds, whoever asks it.
WINDOW = 600
# Queries that a process remembers until Redis has them, and the longest of them.
MAX_BUFFERED, MAX_LETTERS = 2_000, 80

# KEYS: the queries of this window, those of this day. ARGV: how many there may be, how long each set is kept, queries.
# Adding a query again in its window changes nothing, so a call whose answer was lost may be repeated. A set that is full
# loses the quarter that was asked least.
_COUNT = """
local room = tonumber(ARGV[1])
for i = 4, #ARGV do
  if redis.call('SCARD', KEYS[1]) < room and redis.call('SADD', KEYS[1], ARGV[i]) == 1 then
    redis.call('ZINCRBY', KEYS[2], 1, ARGV[i])
  end
end
redis.call('EXPIRE', KEYS[1], ARGV[2])
redis.call('EXPIRE', KEYS[2], ARGV[3])
if redis.call('ZCARD', KEYS[2]) > room then
  redis.call('ZREMRANGEBYRANK', KEYS[2], 0, redis.call('ZCARD', KEYS[2]) - math.floor(room * 3 / 4) - 1)
end
return redis.call('ZCARD', KEYS[2])
"""


class Asked:
    """Searches that this process has counted since it last told Redis, and the frequent ones of all processes."""

    def __init__(self, redis: "AsyncRedis | None", prefix: str, knows: Callable[[str], bool]) -> None:
        """Begin without any query.

        Args:
            redis: The cache's Redis.
            prefix: What every key in it begins with.
            knows: Says whether the catalogue has every word of a query.
        """
        self._redis, self._prefix, self._knows = redis, prefix, knows
        self._waiting: set[str] = set()
        # The most frequent one first, with a blank before each word.
        self._popular: list[str] = []
        self._read_at = -READ_SECONDS

    def add(self, q: str) -> None:
        """Count a query that was answered as it was typed.

        Args:
            q: The query. It is left out if the catalogue does not have every word of it.
        """
        words = split(q)
        text = " ".join(words)
        if not words or len(text) > MAX_LETTERS or len(self._waiting) >= MAX_BUFFERED:
            return
        if self._knows(text):
            self._waiting.add(text)

    def beginning(self, typed: str, limit: int) -> list[str]:
        """Return the most frequent queries with words that begin as was typed.

        Args:
            typed: What somebody has typed so far.
            limit: How many at most.
        """
        words = split(typed)
        wanted, found = f" {' '.join(words)}", []
        for text in self._popular if words else ():
            if wanted in text and text != wanted:
                found.append(text[1:])
                if len(found) == limit:
                    break
        return found

    async def flush(self) -> None:
        """Tell Redis what was counted; keep it when Redis does not answer."""
        taken = sorted(self._waiting)
        if taken and self._redis is not None:
            window = window_key(self._prefix, int(time.time() // WINDOW))
            day = day_key(self._prefix, datetime.now(UTC))
            seconds = (2 * WINDOW, (DAYS + 1) * DAY_SECONDS)
            await self._redis.eval(_COUNT, 2, window, day, MOST_OF_A_DAY, *seconds, *taken)
        self._waiting.difference_update(taken)

    async def read(self) -> None:
        """Read the frequent queries."""
        if self._redis is not None:
            raw = cast("list[bytes]", await self._redis.zrevrange(popular_key(self._prefix), 0, MOST - 1))
            self._popular = [f" {text.decode()}" for text in raw]

    async def run(self) -> None:
        """Flush every second, and read every half minute, until cancelled; then flush once more."""
        try:
            while True:
                await asyncio.sleep(FLUSH_SECONDS)
                try:
                    await self.flush()
                    if time.monotonic() - self._read_at >= READ_SECONDS:
                        await self.read()
                        self._read_at = time.monotonic()
                except REDIS_AWAY:
                    metrics.REDIS_ERRORS.inc()
        finally:
            with contextlib.suppress(Exception):
                await self.flush()
