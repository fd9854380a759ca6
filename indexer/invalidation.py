"""What must be dropped from caches after a commit, told to Redis and to every API process.

One Redis hash a program (`{prefix}program:{id}`) holds the cached bytes and the oldest revision
that may still be stored, so that a slow reader cannot put back what was just replaced. Search
pages carry a generation; it starts at the clock, so a wiped Redis never repeats one.
"""

import time
from collections.abc import Iterable
from typing import Any

import msgspec
from redis import Redis
from redis.asyncio import Redis as AsyncRedis
from redis.exceptions import RedisError

from catalog.changes import ProgramChange
from indexer import metrics

# What a command says when Redis is away. On the event loop uvloop adds a RuntimeError: the connection
# was reset just before it was written to.
REDIS_AWAY = (RedisError, OSError, RuntimeError)
# How long a revision floor and a tombstone outlive the change, in seconds: far longer than any
# reader may hold a row it has read.
MEMORY = 3600

_RAISE_FLOOR = """
local floor = tonumber(redis.call('HGET', KEYS[1], 'floor') or '0')
local rev = tonumber(ARGV[1])
if rev < floor then return 0 end
redis.call('HSET', KEYS[1], 'floor', rev, 'gone', ARGV[2])
redis.call('HDEL', KEYS[1], 'body', 'rev')
redis.call('EXPIRE', KEYS[1], ARGV[3])
return 1
"""


class Keys:
    """The names of everything the cache keeps in Redis."""

    def __init__(self, prefix: str) -> None:
        self.prefix = prefix
        self.generation = f"{prefix}generation"
        self.tombstones = f"{prefix}tombstones"
        self.channel = f"{prefix}invalidate"

    def program(self, program_id: int) -> str:
        """The hash of one program."""
        return f"{self.prefix}program:{program_id}"

    def page(self, name: str) -> str:
        """One cached page."""
        return f"{self.prefix}page:{name}"


class Message(msgspec.Struct):
    """What API processes are told: changed programs as (id, rev, visible), the generation, or to
    forget everything they hold."""

    programs: list[tuple[int, int, bool]] = []
    generation: int = 0
    everything: bool = False


def _raise_floors(pipe: Any, keys: Keys, changes: list[ProgramChange]) -> None:
    for change in changes:
        arguments = (change.rev, int(not change.visible), MEMORY)
        pipe.eval(_RAISE_FLOOR, 1, keys.program(change.id), *arguments)


def _tell(pipe: Any, keys: Keys, changes: list[ProgramChange]) -> None:
    now = time.time()
    for change in changes:
        if change.visible:
            pipe.zrem(keys.tombstones, str(change.id))
        else:
            pipe.zadd(keys.tombstones, {str(change.id): now})
    pipe.zremrangebyscore(keys.tombstones, 0, now - MEMORY)
    told = Message([(c.id, c.rev, c.visible) for c in changes])
    pipe.publish(keys.channel, msgspec.json.encode(told))


def _accepted(changes: list[ProgramChange], raised: list[int]) -> list[ProgramChange]:
    # The sender tells what it sent once the engine confirms it: a newer change may be known by then.
    return [change for change, was in zip(changes, raised, strict=True) if was]


class Invalidator:
    """Tells about changes. A Redis that is away is counted, never a reason to fail a write."""

    def __init__(self, redis: "Redis", prefix: str) -> None:
        self.redis, self.keys = redis, Keys(prefix)

    def programs_changed(self, changes: Iterable[ProgramChange]) -> bool:
        """Drop these programs everywhere; False when Redis did not take it."""
        listed = list(changes)
        if not listed:
            return True
        try:
            pipe = self.redis.pipeline(transaction=False)
            _raise_floors(pipe, self.keys, listed)
            news = _accepted(listed, pipe.execute())
            if news:
                _tell(pipe, self.keys, news)
                pipe.execute()
        except REDIS_AWAY:
            metrics.INVALIDATION_FAILURES.inc()
            return False
        return True

    def index_changed(self) -> bool:
        """Searches may answer differently now: older pages are superseded."""
        try:
            pipe = self.redis.pipeline(transaction=False)
            pipe.set(self.keys.generation, int(time.time() * 1000), nx=True)
            pipe.incr(self.keys.generation)
            generation = pipe.execute()[1]
            told = Message([], generation)
            self.redis.publish(self.keys.channel, msgspec.json.encode(told))
        except REDIS_AWAY:
            metrics.INVALIDATION_FAILURES.inc()
            return False
        return True


async def forget_everything(redis: "AsyncRedis", prefix: str) -> bool:
    """Drop every answer of every process; floors, tombstones and counted views stay."""
    keys = Keys(prefix)
    try:
        for match, drop in ((f"{prefix}page:*", None), (f"{prefix}program:*", ("body", "rev"))):
            async for name in redis.scan_iter(match=match, count=1000):
                await (redis.hdel(name, *drop) if drop else redis.unlink(name))
        await redis.publish(keys.channel, msgspec.json.encode(Message(everything=True)))
    except REDIS_AWAY:
        metrics.INVALIDATION_FAILURES.inc()
        return False
    return True


async def programs_changed(
    redis: "AsyncRedis", prefix: str, changes: Iterable[ProgramChange]
) -> bool:
    """`Invalidator.programs_changed` on the event loop."""
    listed = list(changes)
    if not listed:
        return True
    try:
        keys = Keys(prefix)
        pipe = redis.pipeline(transaction=False)
        _raise_floors(pipe, keys, listed)
        news = _accepted(listed, await pipe.execute())
        if news:
            _tell(pipe, keys, news)
            await pipe.execute()
    except REDIS_AWAY:
        metrics.INVALIDATION_FAILURES.inc()
        return False
    return True
