"""Informs Redis and every API process of what a commit changed. Every room that commits a change calls it.

Redis has one hash for each program (`Keys.program`): the cached bytes with their revision, the minimum
revision that may still be stored, and whether the program has a tombstone. So a slow reader cannot store what a
change has just replaced. Search pages carry a generation; it starts at the clock, so a wiped Redis never repeats one.
"""

import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Protocol

import msgspec
from redis import Redis
from redis.asyncio import Redis as AsyncRedis

from catalog.core.changes import ProgramChange, TaxonomyChange
from indexer import metrics
from indexer.stores import clients
from indexer.stores.following.described import Described

REDIS_AWAY = clients.REDIS_AWAY
# How long a minimum revision and a tombstone outlive the change, in seconds: far longer than any
# reader may hold a row it has read.
MEMORY = 3600
# Redis answers nobody else while a script runs: well below a millisecond for so many programs.
_PROGRAMS_IN_A_SCRIPT = 200

# In a cluster the keys of one script must lie on one server: what is in braces in their names decides it. So each program
# has a script of its own, and all tombstones have another one. The scripts of a change may run in any order: each of them
# passes over a change that is older than what it knows, because the sender informs when the engine has confirmed a
# document, and a newer change may be known by then.
# KEYS: the hash of a program. ARGV: revision, 1 if it is withdrawn, seconds to remember.
_CHANGE_PROGRAM = """
if tonumber(ARGV[1]) < tonumber(redis.call('HGET', KEYS[1], 'minimum_revision') or '0') then return end
redis.call('HSET', KEYS[1], 'minimum_revision', ARGV[1], 'tombstone', ARGV[2])
redis.call('HDEL', KEYS[1], 'body', 'rev')
redis.call('EXPIRE', KEYS[1], ARGV[3])
"""
# KEYS: the set of all tombstones, the last revision of each changed program, and when it changed. ARGV: the channel, the
# time of now, seconds to remember, then id, revision and `true` (visible) or `false` of each program.
_ANNOUNCE = """
local tombstones, revisions, times = KEYS[1], KEYS[2], KEYS[3]
local now, memory = tonumber(ARGV[2]), tonumber(ARGV[3])
local accepted = {}
for n = 4, #ARGV, 3 do
  local id, rev, visible = ARGV[n], ARGV[n + 1], ARGV[n + 2]
  if tonumber(rev) >= tonumber(redis.call('HGET', revisions, id) or '0') then
    redis.call('HSET', revisions, id, rev)
    redis.call('ZADD', times, now, id)
    if visible == 'true' then
      redis.call('ZREM', tombstones, id)
    else
      redis.call('ZADD', tombstones, now, id)
    end
    accepted[#accepted + 1] = '[' .. id .. ',' .. rev .. ',' .. visible .. ']'
  end
end
if #accepted == 0 then return end
redis.call('ZREMRANGEBYSCORE', tombstones, 0, now - memory)
local old = redis.call('ZRANGEBYSCORE', times, '-inf', now - memory, 'LIMIT', 0, 1000)
if #old > 0 then
  redis.call('HDEL', revisions, unpack(old))
  redis.call('ZREM', times, unpack(old))
end
redis.call('PUBLISH', ARGV[1], '{"programs":[' .. table.concat(accepted, ',') .. ']}')
"""

# One script, so that processes hear of generations in their order. KEYS: the generation. ARGV: where it begins, the channel,
# what follows the number in the message.
_NEW_GENERATION = """
redis.call('SET', KEYS[1], ARGV[1], 'NX')
local generation = redis.call('INCRBY', KEYS[1], 1)
redis.call('PUBLISH', ARGV[2], '{"generation":' .. string.format('%d', generation) .. ARGV[3] .. '}')
return generation
"""


class Keys:
    """The names of everything the cache stores in Redis.

    Names with the same text in braces lie on the same server of a cluster. Nothing before the braces may have any.
    """

    def __init__(self, prefix: str) -> None:
        self.prefix = prefix
        self.generation = f"{prefix}generation"
        self.tombstones = f"{prefix}{{tombstones}}"
        self.announced = self.tombstones, f"{self.tombstones}:revisions", f"{self.tombstones}:times"
        self.channel = f"{prefix}invalidate"

    def program(self, program_id: int) -> str:
        """The hash of one program."""
        return f"{self.prefix}{{program:{program_id}}}"

    def page(self, name: str) -> str:
        """One cached page."""
        return f"{self.prefix}page:{{{name}}}"

    def lease(self, name: str) -> str:
        """The lease of a page, or of `program:` and an id. It lies beside what it is for."""
        return f"{self.prefix}lease:{{{name}}}"


class Message(msgspec.Struct):
    """What API processes receive.

    Attributes:
        programs: Changed programs as (id, rev, visible).
        generation: The new generation of search pages; 0 when it has not changed.
        everything: Whether to forget every cached answer.
        taxonomy: Changed categories and series as (entity, id, rev).
        curation: Whether what editors curate has changed.
        changes: All that the new generation differs by from the one before; None when nobody can tell: then it supersedes
            every page, as it does for a process that does not know this field.
    """

    programs: list[tuple[int, int, bool]] = []
    generation: int = 0
    everything: bool = False
    taxonomy: list[tuple[str, int, int]] = []
    curation: bool = False
    changes: list[Described] | None = None


def connect(url: str) -> "Redis":
    """Return a client of the cache's Redis, for processes and jobs without an event loop. Nothing is connected yet."""
    return clients.open_sync(url, timeout=2, connect_timeout=1)


class _Commands(Protocol):
    """A pipeline, of the client that waits or of the client on the event loop."""

    def execute_command(self, *words: str | float) -> object:
        """Add a command or a script to those that `execute` sends."""


def _new_generation(keys: Keys, rest: bytes) -> tuple[str | bytes, ...]:
    """Return the keys and arguments of the script that begins a new generation of pages and tells every process.

    Args:
        keys: The names in Redis.
        rest: The other fields of the message, each behind a comma.
    """
    return keys.generation, str(int(time.time() * 1000)), keys.channel, rest


def _add_changes(pipeline: _Commands, keys: Keys, changes: Iterable[ProgramChange]) -> None:
    """Add the commands that store these changes in Redis and publish them."""
    # By the name of the command: the pipeline of a cluster has no method for it.
    listed, now = list(changes), time.time()
    for change in listed:
        withdrawn = int(not change.visible)
        pipeline.execute_command(
            "EVAL", _CHANGE_PROGRAM, 1, keys.program(change.id), change.rev, withdrawn, MEMORY
        )
    for first in range(0, len(listed), _PROGRAMS_IN_A_SCRIPT):
        arguments: list[str | float] = [keys.channel, now, MEMORY]
        for change in listed[first : first + _PROGRAMS_IN_A_SCRIPT]:
            arguments += [change.id, change.rev, "true" if change.visible else "false"]
        pipeline.execute_command("EVAL", _ANNOUNCE, len(keys.announced), *keys.announced, *arguments)


@contextmanager
def _failure_counted() -> Iterator[None]:
    """Count a Redis that is away, and end the block: it is no reason to fail a write."""
    try:
        yield
    except REDIS_AWAY:
        metrics.INVALIDATION_FAILURES.inc()


class Invalidator:
    """Informs of changes from a process without an event loop: the sender, jobs, the command line."""

    def __init__(self, redis: "Redis", prefix: str) -> None:
        self.redis, self.keys = redis, Keys(prefix)
        # Generations that were lost, one perhaps by a process before this one: the next one supersedes every page then.
        self._lost = 1

    def programs_changed(self, changes: Iterable[ProgramChange]) -> bool:
        """Drop these programs from every cache; return False when Redis was away."""
        with _failure_counted():
            pipeline = self.redis.pipeline(transaction=False)
            _add_changes(pipeline, self.keys, changes)
            pipeline.execute()
            return True
        return False

    def index_changed(self, changes: bytes = b"") -> bool:
        """Begin a new generation of search pages: searches may answer differently now. Return False when Redis was away.

        Args:
            changes: All that may be different, as `indexer.sender.sending.describing.told` writes it; empty when nobody can tell.
        """
        lost = self._lost
        rest = b"" if lost or not changes else b',"changes":' + changes
        with _failure_counted():
            self.redis.eval(_NEW_GENERATION, 1, *_new_generation(self.keys, rest))
            # Another thread may have lost one meanwhile.
            self._lost -= lost
            return True
        self._lost += 1
        return False


async def programs_changed(redis: "AsyncRedis", prefix: str, changes: Iterable[ProgramChange]) -> bool:
    """Do on the event loop what `Invalidator.programs_changed` does.

    Args:
        redis: The cache's Redis.
        prefix: What every key in it begins with.
        changes: The changed programs.

    Returns:
        False when Redis was away.
    """
    with _failure_counted():
        pipeline = redis.pipeline(transaction=False)
        _add_changes(pipeline, Keys(prefix), changes)
        await pipeline.execute()
        return True
    return False


async def taxonomy_changed(redis: "AsyncRedis", prefix: str, changes: Iterable[TaxonomyChange]) -> bool:
    """Publish that the names of these categories and series may have changed.

    Args:
        redis: The cache's Redis.
        prefix: What every key in it begins with.
        changes: The changes, committed.

    Returns:
        False when Redis was away.
    """
    message = Message(taxonomy=[(change.entity, change.id, change.rev) for change in changes])
    with _failure_counted():
        await redis.publish(Keys(prefix).channel, msgspec.json.encode(message))
        return True
    return False


async def curation_changed(redis: "AsyncRedis", prefix: str) -> int:
    """Supersede all pages because what editors curate has changed.

    Args:
        redis: The cache's Redis.
        prefix: What every key in it begins with.

    Returns:
        The new generation; 0 when Redis was away.
    """
    with _failure_counted():
        arguments = _new_generation(Keys(prefix), b',"curation":true')
        return int(await redis.eval(_NEW_GENERATION, 1, *arguments))
    return 0


async def forget_everything(redis: "AsyncRedis", prefix: str) -> bool:
    """Drop every answer of every process; minimum revisions, tombstones and counted views stay.

    Args:
        redis: The cache's Redis.
        prefix: What every key in it begins with.

    Returns:
        False when Redis was away.
    """
    keys = Keys(prefix)
    with _failure_counted():
        for match, drop in ((f"{prefix}page:*", None), (f"{prefix}{{program:*", ("body", "rev"))):
            async for name in redis.scan_iter(match=match, count=1000):
                await (redis.hdel(name, *drop) if drop else redis.unlink(name))
        await redis.publish(keys.channel, msgspec.json.encode(Message(everything=True)))
        return True
    return False
