"""The second level: answers in Redis for every process, and leases, under which one process asks the source.

One call looks for an answer and takes the lease when there is none; one call stores an answer and gives the lease
back. A lease carries its owner's token, and only its owner gives it back; its length counts only when the owner
dies. A Redis that is away is counted and left alone for a second; nothing here fails because of it.
"""

import time
from collections.abc import Awaitable, Callable
from enum import IntEnum
from typing import NamedTuple, TypeVar

import msgspec
from redis.asyncio import Redis

from api.answers.answer import MEDIA, Answer, Kind
from api.answers.following.depends import Depends
from api.http.observed import metrics
from indexer.stores import REDIS_AWAY
from indexer.stores.invalidation import Keys

_LEASE_MS = 3000
_PAUSE_SECONDS = 1.0
Result = TypeVar("Result")

# Scripts: KEYS[1] has an answer, KEYS[2] is its lease. A look gives [answer, ...] or [nil, the lease's token]; that of a
# program also gives the minimum revision.
_LEASE = """
if redis.call('SET', KEYS[2], ARGV[1], 'NX', 'PX', ARGV[2]) then return {false, ARGV[1]} end
return {false, redis.call('GET', KEYS[2])}
"""
LOOK_PROGRAM = (
    """
local found = redis.call('HMGET', KEYS[1], 'body', 'rev', 'minimum_revision')
local rev = tonumber(found[2])
if found[1] and rev and rev >= (tonumber(found[3]) or 0) then return {found[1], found[2]} end
"""
    + """
local minimum = found[3] or '0'
if redis.call('SET', KEYS[2], ARGV[1], 'NX', 'PX', ARGV[2]) then return {false, ARGV[1], minimum} end
return {false, redis.call('GET', KEYS[2]), minimum}
"""
)
# A page begins with the generation it was made in. ARGV[3] is the oldest one that counts.
LOOK_PAGE = (
    """
local found = redis.call('GET', KEYS[1])
if found then
  local generation = tonumber(string.match(found, '^(%d+)|') or '-1')
  if generation >= tonumber(ARGV[3]) then return {found} end
end
"""
    + _LEASE
)
RELEASE = """
if KEYS[2] and redis.call('GET', KEYS[2]) == ARGV[1] then redis.call('DEL', KEYS[2]) end
"""
STORE_PAGE = RELEASE + "redis.call('SET', KEYS[1], ARGV[2], 'EX', ARGV[3])"
# The lease and its token may be left out: KEYS[2] absent, ARGV[1] anything.
STORE_PROGRAM = (
    RELEASE
    + """
local minimum = tonumber(redis.call('HGET', KEYS[1], 'minimum_revision') or '0')
local tombstone = redis.call('HGET', KEYS[1], 'tombstone')
local stored = tonumber(redis.call('HGET', KEYS[1], 'rev') or '0')
local rev = tonumber(ARGV[2])
if tombstone == '1' and rev <= minimum then return -1 end
if rev < minimum or rev < stored then return 0 end
redis.call('HSET', KEYS[1], 'rev', rev, 'body', ARGV[3], 'tombstone', 0)
redis.call('EXPIRE', KEYS[1], ARGV[4])
return 1
"""
)
# What it shows, its time, when that ends, its kind of document, its links, its note, what it depends on, its body. Another
# format, also of the note, gets another number: in a rolling upgrade old and new processes have pages of their own then.
_FORMAT = 3
_PAGE = msgspec.msgpack.Decoder(tuple[tuple[int, ...], float, float, str, bytes, str, Depends | None, bytes])


class Stored(IntEnum):
    """What became of an answer: what STORE_PROGRAM returns, and UNKNOWN when Redis did not say."""

    UNKNOWN = -2
    WITHDRAWN = -1
    OUTDATED = 0
    YES = 1


class Look(NamedTuple):
    """The stored answer, or the token of who has its lease; neither when nobody can tell.

    Attributes:
        answer: The stored answer.
        holder: The token of the lease.
        minimum: The oldest revision of a program that may be stored, when there is no answer.
        generation: The generation that a stored page was made in.
    """

    answer: Answer | None = None
    holder: bytes | None = None
    minimum: int = 0
    generation: int = 0


class Shared:
    """Answers and leases in Redis. `redis` may be None: then there is no second level."""

    def __init__(self, redis: "Redis | None", keys: Keys) -> None:
        """Take a client whose commands time out."""
        self.redis, self.keys = redis, keys
        self.down_until = 0.0

    async def _ask(self, command: "Callable[[Redis], Awaitable[Result]]") -> Result | None:
        if self.redis is None or time.monotonic() < self.down_until:
            return None
        try:
            return await command(self.redis)
        except REDIS_AWAY:
            metrics.REDIS_ERRORS.inc()
            self.down_until = time.monotonic() + _PAUSE_SECONDS
            return None

    def names(self, key: str, kind: Kind) -> tuple[str, str]:
        """Return what an answer and its lease are called.

        Args:
            key: What it answers.
            kind: `program` or `page`.
        """
        if kind == "program":
            return self.keys.program(program_id(key)), self.keys.lease(key)
        name = f"{_FORMAT}:{key}"
        return self.keys.page(name), self.keys.lease(name)

    async def look(self, key: str, kind: Kind, token: bytes, generation: int) -> Look:
        """Look for an answer, and take its lease when there is none and the lease is free.

        Args:
            key: What it answers.
            kind: `program` or `page`.
            token: What the lease is taken with.
            generation: The oldest generation of pages that counts.
        """
        names, script = self.names(key, kind), LOOK_PROGRAM if kind == "program" else LOOK_PAGE
        found = await self._ask(lambda r: r.eval(script, 2, *names, token, _LEASE_MS, generation))
        if not found:
            return Look()
        if found[0] is None:
            return Look(holder=found[1], minimum=int(found[2]) if kind == "program" else 0)
        try:
            if kind == "program":
                return Look(Answer(found[0], rev=int(found[1]), ids=(program_id(key),)))
            made_in, _, page = found[0].partition(b"|")
            ids, max_ttl, ends_at, media, link, note, depends, body = _PAGE.decode(page)
            if ends_at <= time.time():
                # Redis counts whole seconds.
                return Look()
            answer = Answer(body, 200, 0, ids, max_ttl, MEDIA[media], ends_at, link, note, depends)
            return Look(answer, generation=int(made_in))
        except (msgspec.DecodeError, ValueError, KeyError):
            # Also what another version of the product has stored.
            return Look()

    async def store(
        self, key: str, kind: Kind, answer: Answer, ttl: float, *, generation: int, token: bytes
    ) -> Stored:
        """Store an answer and give back its lease.

        Args:
            key: What it answers.
            kind: `program` or `page`.
            answer: A program is refused when an older revision than the stored or the minimum one.
            ttl: Seconds to keep it.
            generation: The generation of search pages when it was asked for.
            token: What the lease was taken with; of another's lease nothing is given back.

        Returns:
            What became of it. Without a second level, everything counts as stored.
        """
        if self.redis is None:
            return Stored.YES
        names = self.names(key, kind)
        if kind == "program":
            program = (token, answer.rev, answer.body, int(ttl))
            outcome = await self._ask(lambda r: r.eval(STORE_PROGRAM, 2, *names, *program))
            return Stored.UNKNOWN if outcome is None else Stored(int(outcome))
        times, media = (answer.max_ttl, answer.ends_at), answer.media.name
        page = (answer.ids, *times, media, answer.link, answer.note, answer.depends, answer.body)
        raw = b"%d|" % generation + msgspec.msgpack.encode(page)
        seconds = max(1, int(answer.kept(ttl)))
        await self._ask(lambda r: r.eval(STORE_PAGE, 2, *names, token, raw, seconds))
        # A page has its generation, with which every look begins.
        return Stored.YES

    async def release(self, key: str, kind: Kind, token: bytes) -> None:
        """Give back a lease.

        Args:
            key: What the lease is for.
            kind: `program` or `page`.
            token: What the lease was taken with; of another's lease nothing is given back.
        """
        names = self.names(key, kind)
        await self._ask(lambda r: r.eval(RELEASE, 2, *names, token))


def program_id(key: str) -> int:
    """Return the id of the program that a key asks for."""
    return int(key.partition(":")[2])
