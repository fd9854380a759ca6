"""What listeners search for: counts searches in Redis, and knows which of them to offer while somebody types.

Every answer to a search has a note (`notes`), and is counted whenever it is given, from a cache too (`api.http.tally`). Once a
second the counts go to Redis, with the clicks and plays that listeners reported (`events`). Beside each query there is a
sketch (HyperLogLog) of its first listeners, from which their number can be read but none of them; answers that the edge gives
from memory add none. Nothing else of a listener is kept.

A query whose words the catalogue all has is also counted for popular searches, once in ten minutes, whoever asks it: nothing
of a listener can be in it that is not in a published title or name. `indexer.jobs.searches` gathers the frequent ones.
"""

import asyncio
import contextlib
import time
import uuid
from collections import Counter
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from hashlib import blake2b
from itertools import islice
from typing import NamedTuple, cast

from redis.asyncio import Redis as AsyncRedis

from api import metrics
from api.discovery.counted import notes
from api.discovery.counted.events import Event, Events
from api.discovery.counted.script import COUNT
from api.http.tally import Tally
from catalog.insight.rollup import FILTER, RUNG
from catalog.words.spelling import split
from indexer.jobs import searches
from indexer.jobs.searches import (
    DAY_SECONDS,
    DAYS,
    ENOUGH,
    MOST,
    MOST_OF_A_DAY,
    MOST_SHARED,
    TOLD,
    popular_key,
    shared_key,
    window_key,
)
from indexer.stores.invalidation import REDIS_AWAY

FLUSH_SECONDS, READ_SECONDS = 1.0, 30.0
# A query counts once in so many seconds for popular searches, whoever asks it.
WINDOW = 600
# Searches and events of one call of the script.
_CHUNK = 200
_HOUR = 3600


class _Call(NamedTuple):
    """A call of the script. It may be repeated: a call with the same first key changes nothing."""

    keys: tuple[str, ...]
    arguments: list[str | int]


class Asked:
    """Sends what this process has counted to Redis, and has the frequent searches of all processes."""

    def __init__(self, redis: "AsyncRedis | None", prefix: str, tally: Tally, events: Events) -> None:
        """Begin without any query.

        Args:
            redis: The cache's Redis.
            prefix: What every key in it begins with.
            tally: Has the answers that were given.
            events: Has the clicks and plays that were reported.
        """
        self._redis, self._prefix = redis, prefix
        self._tally, self._events = tally, events
        # What Redis has not confirmed.
        self._calls: list[_Call] = []
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
        """Tell Redis what was counted; keep it when Redis does not answer.

        Raises:
            RedisError: Redis is away.
        """
        if not self._calls:
            self._calls = self._taken()
        while self._calls and self._redis is not None:
            call = self._calls[0]
            outcome = await self._redis.eval(COUNT, len(call.keys), *call.keys, *call.arguments)
            del self._calls[0]
            for name, count in zip(("counted", "repeated", "unknown", "lost"), outcome, strict=True):
                metrics.SEARCH_EVENTS.labels(name).inc(int(count))

    def _taken(self) -> list[_Call]:
        """Take what was counted, as calls of the script."""
        taken = self._tally.take()
        given = [(notes.read(note), note, times) for note, times in taken.given.items()]
        for note, _, times in given:
            if note.rung not in (notes.PLAIN, notes.DEGRADED):
                metrics.SEARCH_REWRITES.labels(note.rung).inc(times)
            if note.is_first and not note.hits and note.rung != notes.DEGRADED:
                metrics.ZERO_RESULTS.inc(times)
        outcomes = {"counted": sum(taken.given.values()), "bot": taken.bots, "lost": taken.lost}
        for outcome, count in outcomes.items():
            metrics.SEARCHES.labels(outcome).inc(count)
        entries = [_of_search(note, times, taken.listeners.get(raw, set())) for note, raw, times in given]
        # Events come behind the searches that they belong to.
        entries += [_of_event(event) for event in self._events.take()]
        rest = iter(entries)
        return [self._call(chunk) for chunk in iter(lambda: list(islice(rest, _CHUNK)), [])]

    def _call(self, entries: list[list[str | int]]) -> _Call:
        now = datetime.now(UTC)
        begin, moment, days = searches.room(self._prefix), int(now.timestamp()), searches.days(now)
        hour = moment // _HOUR
        keys = (
            f"{begin}call:{uuid.uuid4().hex}",
            window_key(self._prefix, moment // WINDOW),
            f"{begin}events:{hour}",
            f"{begin}events:{hour - 1}",
        )
        arguments: list[str | int] = [
            begin,
            MOST_OF_A_DAY,
            2 * WINDOW,
            (DAYS + 1) * DAY_SECONDS,
            ENOUGH,
            TOLD,
            moment,
            moment - DAYS * DAY_SECONDS,
            len(days),
            *days,
        ]
        return _Call(keys, arguments + [part for entry in entries for part in entry])

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
                # What Redis has not confirmed, and then what was counted meanwhile.
                await self.flush()
                await self.flush()


def _of_search(note: notes.Note, times: int, listeners: set[str]) -> list[str | int]:
    """Return the arguments of the script for answers with a note."""
    counted: Counter[str] = Counter()
    counted["searches" if note.is_first else "pages"] = times
    if note.is_first:
        counted["hits"] = times * note.hits
        counted["empty"] = times if not note.hits and note.rung != notes.DEGRADED else 0
        counted.update({f"{RUNG}{note.rung}": times} | {f"{FILTER}{name}": times for name in note.filters})
    # A listener has another name in each query, so that nobody can be followed from one to another.
    named = [
        blake2b(f"{note.text}\n{listener}".encode(), digest_size=8).hexdigest()
        for listener in (sorted(listeners) if note.text else ())
    ]
    whole = searches.whole(note.language)
    return [note.text, whole, "", int(note.is_named), len(named), *named, *_measures(counted)]


def _of_event(event: Event) -> list[str | int]:
    """Return the arguments of the script for a click or a play."""
    return [event.text, searches.whole(event.language), event.token, 0, 0, *_measures(event.counted)]


def _measures(counted: Mapping[str, int]) -> Iterator[str | int]:
    some = {name: count for name, count in counted.items() if count}
    yield len(some)
    for name, count in some.items():
        yield name
        yield count
