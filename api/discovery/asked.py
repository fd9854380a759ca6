"""What listeners ask often: counts searches in Redis, and knows which of them to offer while somebody types.

`searching.service` adds a query whenever it computes its first page; `searching.suggestions` looks for those that begin as was typed. Pages
are cached for less than ten minutes, so every query is computed at least once in ten minutes in which it is asked. Only
the words are kept, in the spelling of comparison, and only if the catalogue has every one of them: nothing of a listener
can be in them that is not in a published title or name. Beside each query there is a sketch (HyperLogLog) of its first
listeners, from which their number can be read but none of them. `indexer.jobs.searches` gathers the frequent queries.
"""

import asyncio
import contextlib
import time
from collections.abc import Callable
from datetime import UTC, datetime
from hashlib import blake2b
from typing import cast

from redis.asyncio import Redis as AsyncRedis

from api import metrics
from catalog.words.spelling import split
from indexer.jobs.searches import (
    DAY_SECONDS,
    DAYS,
    ENOUGH,
    MOST,
    MOST_OF_A_DAY,
    MOST_SHARED,
    day_key,
    popular_key,
    shared_key,
    window_key,
)
from indexer.stores.invalidation import REDIS_AWAY

FLUSH_SECONDS, READ_SECONDS = 1.0, 30.0
# A query counts once in so many seconds, whoever asks it.
WINDOW = 600
# Queries that a process remembers until Redis has them, and the longest of them.
MAX_BUFFERED, MAX_LETTERS = 2_000, 80

# KEYS: the queries of this window, those of this day. ARGV: how many there may be, how long each set is kept, how many
# listeners of a query are counted; then each query, the number of its listeners, and these. Adding a query or a listener
# again changes nothing, so a call whose answer was lost may be repeated. A set that is full loses the quarter that was
# asked least, with their listeners. All keys begin with the hash tag of KEYS[2]: in a cluster they lie on one node.
_COUNT = """
local room, enough = tonumber(ARGV[1]), tonumber(ARGV[4])
local at = 5
while at <= #ARGV do
  local query, count = ARGV[at], tonumber(ARGV[at + 1])
  if redis.call('SCARD', KEYS[1]) < room then
    redis.call('ZINCRBY', KEYS[2], redis.call('SADD', KEYS[1], query), query)
    local listeners = KEYS[2] .. ':' .. query
    if count > 0 and redis.call('PFCOUNT', listeners) < enough then
      redis.call('PFADD', listeners, unpack(ARGV, at + 2, at + 1 + count))
      redis.call('EXPIRE', listeners, ARGV[3])
    end
  end
  at = at + 2 + count
end
redis.call('EXPIRE', KEYS[1], ARGV[2])
redis.call('EXPIRE', KEYS[2], ARGV[3])
if redis.call('ZCARD', KEYS[2]) > room then
  local last = redis.call('ZCARD', KEYS[2]) - math.floor(room * 3 / 4) - 1
  for _, query in ipairs(redis.call('ZRANGE', KEYS[2], 0, last)) do
    redis.call('DEL', KEYS[2] .. ':' .. query)
  end
  redis.call('ZREMRANGEBYRANK', KEYS[2], 0, last)
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
        # Query -> its listeners.
        self._waiting: dict[str, set[str]] = {}
        # The most frequent one first, with a blank before each word.
        self._popular: list[str] = []
        # Those that enough different listeners asked, the most frequent one first.
        self.shared: list[str] = []
        self._read_at = -READ_SECONDS

    def add(self, q: str, listener: str = "") -> None:
        """Count a query that was answered as it was typed.

        Args:
            q: The query. It is left out if the catalogue does not have every word of it.
            listener: Who asks, as limits name a client; empty for nobody who counts.
        """
        words = split(q)
        text = " ".join(words)
        if not words or len(text) > MAX_LETTERS or len(self._waiting) >= MAX_BUFFERED:
            return
        if self._knows(text):
            listeners = self._waiting.setdefault(text, set())
            if listener and len(listeners) < ENOUGH:
                # A listener has another name in each query, so that nobody can be followed from one to another.
                listeners.add(blake2b(f"{text}\n{listener}".encode(), digest_size=8).hexdigest())

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
        taken = {text: sorted(listeners) for text, listeners in sorted(self._waiting.items())}
        if taken and self._redis is not None:
            window = window_key(self._prefix, int(time.time() // WINDOW))
            day = day_key(self._prefix, datetime.now(UTC))
            seconds = (2 * WINDOW, (DAYS + 1) * DAY_SECONDS)
            counted: list[str | int] = []
            for text, listeners in taken.items():
                counted += [text, len(listeners), *listeners]
            await self._redis.eval(_COUNT, 2, window, day, MOST_OF_A_DAY, *seconds, ENOUGH, *counted)
        for text, listeners in taken.items():
            # Those who came meanwhile wait for the next round.
            self._waiting[text].difference_update(listeners)
            if not self._waiting[text]:
                del self._waiting[text]

    async def read(self) -> None:
        """Read the frequent queries."""
        if self._redis is not None:
            raw = cast("list[bytes]", await self._redis.zrevrange(popular_key(self._prefix), 0, MOST - 1))
            self._popular = [f" {text.decode()}" for text in raw]
            raw = cast(
                "list[bytes]", await self._redis.zrevrange(shared_key(self._prefix), 0, MOST_SHARED - 1)
            )
            self.shared = [text.decode() for text in raw]

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
