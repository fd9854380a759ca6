"""What listeners search for: counts searches in Redis, and knows which of them to offer while somebody types.

Every answer to a search has a note (`notes`), and is counted whenever it is given, from a cache too (`api.http.observed.tally`). Once a
second the counts go to Redis, with the clicks and plays that listeners reported (`events`). Beside each query there is a
sketch (HyperLogLog) of its first listeners, from which their number can be read but none of them; answers that the edge gives
from memory add none. Nothing else of a listener is kept.

A query whose words the catalogue all has is also counted for popular searches, once in ten minutes, whoever asks it: nothing
of a listener can be in it that is not in a published title or name. `indexer.jobs.searches` gathers the frequent ones.
"""

import asyncio
import contextlib
import logging
import time
from datetime import UTC, datetime
from typing import cast

from redis.asyncio import Redis as AsyncRedis

from api.discovery.counted import calls
from api.discovery.counted.calls import Call
from api.discovery.counted.events import Events
from api.discovery.counted.hiding import Hiding
from api.discovery.counted.script import COUNT, OUTCOMES
from api.discovery.counted.waiting import Waiting
from api.http.observed import metrics
from api.http.observed.tally import Tally
from catalog.words.spelling import split
from indexer.jobs.searches import MOST, MOST_OF_A_DAY, MOST_SHARED, popular_key, shared_key
from indexer.stores.invalidation import REDIS_AWAY

FLUSH_SECONDS, READ_SECONDS = 1.0, 30.0
_log = logging.getLogger(__name__)


class Asked:
    """Sends what this process has counted to Redis, and has the frequent searches of all processes."""

    def __init__(
        self, redis: "AsyncRedis | None", prefix: str, tally: Tally, events: Events, hiding: Hiding
    ) -> None:
        """Begin without any query.

        Args:
            redis: The cache's Redis.
            prefix: What every key in it begins with.
            tally: Has the answers that were given.
            events: Has the clicks and plays that were reported.
            hiding: Names listeners.
        """
        self._redis, self._prefix = redis, prefix
        self._waiting = Waiting(tally, events, hiding)
        # What Redis has not confirmed.
        self._calls: list[Call] = []
        # The most frequent one first, with a blank before each word.
        self._popular: list[str] = []
        # Those that enough different listeners asked, the most frequent one first.
        self.shared: list[str] = []
        self._read_at = -READ_SECONDS

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
        """Tell the metrics and Redis what was counted; keep it for Redis when it does not answer.

        Raises:
            RedisError: Redis is away.
        """
        self._waiting.take()
        if not self._calls:
            now = datetime.now(UTC)
            self._calls = [
                calls.call(self._prefix, now, entries, MOST_OF_A_DAY) for entries in self._waiting.give()
            ]
        while self._calls and self._redis is not None:
            call = self._calls[0]
            *outcome, failed = await self._redis.eval(COUNT, len(call.keys), *call.keys, *call.arguments)
            del self._calls[0]
            for name, count in zip(OUTCOMES, outcome, strict=True):
                metrics.SEARCH_EVENTS.labels(name).inc(int(count))
            if failed:
                metrics.SEARCH_FAILURES.inc(int(failed))
                _log.error("searches not counted", extra={"entries": int(failed)})

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
                except Exception:
                    # Nothing that was counted may end the counting: what cannot be sent is given up.
                    _log.exception("counting searches failed")
                    metrics.SEARCH_FAILURES.inc(sum(call.entries for call in self._calls[:1]))
                    del self._calls[:1]
        finally:
            with contextlib.suppress(Exception):
                # What Redis has not confirmed, and then what was counted meanwhile.
                await self.flush()
                await self.flush()
