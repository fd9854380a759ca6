"""Two levels of encoded answers: bytes in this process, then Redis, then one call to the source.

A stored answer knows the programs it shows. An unpublished program is dropped from every answer at
once; other changes supersede pages by generation, and a superseded page may still be shown for one
second while it is made anew, twice a second at the most. Redis may vanish at any moment: this process
then trusts nothing it holds for longer than a second, because it no longer hears what was withdrawn.
"""

import asyncio
import contextlib
import logging
import math
import time
from collections import OrderedDict, deque
from collections.abc import Awaitable, Callable, Coroutine, Iterable
from dataclasses import dataclass, field
from hashlib import blake2b
from typing import Any

import msgspec
from redis.asyncio import Redis

from api import metrics
from catalog.changes import ProgramChange
from indexer.invalidation import REDIS_AWAY, Keys, Message

log = logging.getLogger(__name__)
SUPERSEDED_SECONDS = 1.0
# A page younger than this is shown without asking the engine again: while editors write, every page
# is superseded all the time.
YOUNG_SECONDS = 0.5
BLIND_SECONDS = 1.0
NEGATIVE_SECONDS = 5.0
_LEASE_MS = 3000
# A CDN hears of no withdrawal: it may show an answer for ten seconds at the most.
_CACHE_CONTROL = "public, max-age=5, s-maxage=5, stale-while-revalidate=5"
_BRIEF_CACHE_CONTROL = "public, max-age=1, s-maxage=1"
_REDIS_PAUSE = 1.0
_OVERHEAD = 400  # bytes of bookkeeping an entry costs beside its body

STORE_PROGRAM = """
local floor = tonumber(redis.call('HGET', KEYS[1], 'floor') or '0')
local gone = redis.call('HGET', KEYS[1], 'gone')
local held = tonumber(redis.call('HGET', KEYS[1], 'rev') or '0')
local rev = tonumber(ARGV[1])
if rev < floor or rev < held or (gone == '1' and rev <= floor) then return 0 end
redis.call('HSET', KEYS[1], 'rev', rev, 'body', ARGV[2], 'gone', 0)
redis.call('EXPIRE', KEYS[1], ARGV[3])
return 1
"""


@dataclass(slots=True)
class Answer:
    """An encoded answer. `rev` is set for a single program; `ids` are the programs it shows."""

    body: bytes
    status: int = 200
    rev: int = 0
    ids: tuple[int, ...] = ()
    etag: str = ""
    generation: int = 0
    stored_at: float = field(default_factory=time.monotonic)
    fresh_until: float = 0.0
    removals_seen: int = 0
    level: str = "miss"
    # Seconds each of the two levels may keep it, whatever others of its kind are kept.
    max_ttl: float = math.inf

    def __post_init__(self) -> None:
        if not self.etag:
            self.etag = f'"{blake2b(self.body, digest_size=8).hexdigest()}"'


Load = Callable[[], Awaitable[Answer]]


class Cache:
    """One process's view. `max_bytes` bounds the first level."""

    def __init__(self, redis: "Redis | None", prefix: str, *, max_bytes: int) -> None:
        self.redis, self.keys, self.max_bytes = redis, Keys(prefix), max_bytes
        self.generation = 0
        self._superseded: deque[tuple[int, float]] = deque(maxlen=256)
        self._held: OrderedDict[str, Answer] = OrderedDict()
        self._bytes = 0
        self._flights: dict[str, asyncio.Future[Answer]] = {}
        self._negative: set[str] = set()
        self._gone: dict[int, float] = {}
        self._floors: dict[int, int] = {}
        self._removals = 0
        self._changes = 0
        self._redis_down_until = 0.0
        self._heard_at = 0.0
        self._tasks: set[asyncio.Task[Any]] = set()

    # -- reading

    def peek(self, key: str, *, now: float | None = None) -> Answer | None:
        """The answer held in this process if it may be given now without asking anybody."""
        answer = self._held.get(key)
        if answer is None or not self._usable(answer, time.monotonic() if now is None else now):
            return None
        if answer.rev == 0 and answer.generation != self.generation and answer.status == 200:
            return None
        self._held.move_to_end(key)
        return answer

    async def get(self, key: str, kind: str, load: Load, *, ttl: float) -> Answer:
        """The answer for `key`, from the nearest place that has it. `kind` is program or page.

        Raises what `load` raises, unless a page that may still be shown is held.
        """
        found = self.peek(key)
        if found is not None:
            return self._counted(found, kind, "l1")
        held = self._held.get(key)
        if held is not None and kind == "page" and self._may_show_superseded(held):
            if time.monotonic() - held.stored_at >= YOUNG_SECONDS:
                self._spawn(self._refresh(key, kind, load, ttl))
            return self._counted(held, kind, "stale")
        answer = await self._join(key, kind, load, ttl)
        if answer.removals_seen != self._removals and self.gone(answer.ids):
            # Withdrawn while the answer was being made: made once more, without it.
            answer = await self._join(key, kind, load, ttl)
        return self._counted(answer, kind, answer.level)

    async def _join(self, key: str, kind: str, load: Load, ttl: float) -> Answer:
        """One flight per key in this process; everybody else waits for it."""
        flight = self._flights.get(key)
        if flight is not None:
            return await asyncio.shield(flight)
        flight = asyncio.get_running_loop().create_future()
        # Nobody may be waiting when it fails.
        flight.add_done_callback(lambda done: done.cancelled() or done.exception())
        self._flights[key] = flight
        try:
            answer = await self._find(key, kind, load, ttl)
        except BaseException as error:
            flight.set_exception(
                error if isinstance(error, Exception) else asyncio.CancelledError()
            )
            raise
        else:
            flight.set_result(answer)
            return answer
        finally:
            if self._flights.get(key) is flight:
                del self._flights[key]

    async def _refresh(self, key: str, kind: str, load: Load, ttl: float) -> None:
        if key in self._flights:
            return
        with contextlib.suppress(Exception):
            await self._join(key, kind, load, ttl)

    async def _find(self, key: str, kind: str, load: Load, ttl: float) -> Answer:
        stored = await self._from_redis(key, kind)
        if stored is not None:
            stored.level = "l2"
            self._hold(key, stored, ttl)
            return stored
        leased = await self._lease(key)
        if leased is False:
            for _ in range(10):
                await asyncio.sleep(0.02)
                stored = await self._from_redis(key, kind)
                if stored is not None:
                    stored.level = "l2"
                    self._hold(key, stored, ttl)
                    return stored
        generation, removals, changes = self.generation, self._removals, self._changes
        answer = await load()
        if kind == "program" and self._was_withdrawn(answer):
            # A replica that is behind still has it.
            answer = Answer(b"", status=404)
        answer.generation, answer.removals_seen, answer.level = generation, removals, "miss"
        if answer.status == 200:
            await self._to_redis(key, kind, answer, ttl)
            self._hold(key, answer, ttl)
        elif answer.status == 404 and changes == self._changes:
            # Otherwise what was missing may have been published meanwhile.
            self._hold(key, answer, min(ttl, NEGATIVE_SECONDS))
            self._negative.add(key)
        return answer

    def _was_withdrawn(self, answer: Answer) -> bool:
        return any(
            i in self._gone and answer.rev <= self._floors.get(i, answer.rev) for i in answer.ids
        )

    def _counted(self, answer: Answer, kind: str, level: str) -> Answer:
        metrics.CACHE.labels(kind, level).inc()
        answer.level = level
        return answer

    # -- what may be shown

    @property
    def blind(self) -> bool:
        """Has this process stopped hearing about changes?"""
        return time.monotonic() - self._heard_at > 2 * _REDIS_PAUSE + 1

    def gone(self, ids: Iterable[int]) -> set[int]:
        """Those of `ids` that were withdrawn lately: an engine or a page may not know it yet."""
        return {i for i in ids if i in self._gone}

    def _usable(self, answer: Answer, now: float) -> bool:
        if now >= answer.fresh_until:
            return False
        if now - answer.stored_at > BLIND_SECONDS and self.blind:
            return False
        if answer.removals_seen != self._removals:
            if any(i in self._gone for i in answer.ids):
                return False
            answer.removals_seen = self._removals
        return True

    def _may_show_superseded(self, answer: Answer) -> bool:
        now = time.monotonic()
        if answer.status != 200 or not self._usable(answer, now):
            return False
        for generation, at in self._superseded:
            if generation > answer.generation:
                return now - at <= SUPERSEDED_SECONDS
        return False

    # -- the first level

    def _hold(self, key: str, answer: Answer, ttl: float) -> None:
        if answer.rev and answer.rev < self._floors.get(answer.ids[0], 0):
            return
        if any(i in self._gone for i in answer.ids):
            return
        old = self._held.pop(key, None)
        if old is not None:
            if old.rev > answer.rev and answer.status == 200:
                self._held[key] = old
                return
            self._bytes -= len(old.body) + _OVERHEAD
        answer.stored_at = time.monotonic()
        answer.fresh_until = answer.stored_at + min(ttl, answer.max_ttl)
        self._held[key] = answer
        self._bytes += len(answer.body) + _OVERHEAD
        while self._bytes > self.max_bytes and self._held:
            dropped_key, dropped = self._held.popitem(last=False)
            self._negative.discard(dropped_key)
            self._bytes -= len(dropped.body) + _OVERHEAD
            metrics.CACHE_BYTES.inc(len(dropped.body))

    def _drop(self, key: str) -> None:
        dropped = self._held.pop(key, None)
        self._negative.discard(key)
        if dropped is not None:
            self._bytes -= len(dropped.body) + _OVERHEAD

    def clear(self) -> None:
        """Forget everything this process holds."""
        self._held.clear()
        self._negative.clear()
        self._bytes = 0

    # -- the second level

    async def _try_redis(self, command: Callable[["Redis"], Awaitable[Any]]) -> Any:
        if self.redis is None or time.monotonic() < self._redis_down_until:
            return None
        try:
            return await command(self.redis)
        except REDIS_AWAY:
            metrics.REDIS_ERRORS.inc()
            self._redis_down_until = time.monotonic() + _REDIS_PAUSE
            return None

    async def _from_redis(self, key: str, kind: str) -> Answer | None:
        if kind == "program":
            name = self.keys.program(int(key.partition(":")[2]))
            found = await self._try_redis(lambda r: r.hmget(name, ["body", "rev", "floor", "gone"]))
            try:
                body, rev, floor = found[0], int(found[1]), int(found[2] or 0)
            except (LookupError, TypeError, ValueError):
                return None
            if body is None or rev < floor:
                return None
            return Answer(body, rev=rev, ids=(int(key.partition(":")[2]),))
        raw = await self._try_redis(lambda r: r.get(self.keys.page(key)))
        if raw is None:
            return None
        try:
            generation, ids, max_ttl, body = msgspec.msgpack.decode(
                raw, type=tuple[int, tuple[int, ...], float, bytes]
            )
        except msgspec.DecodeError:
            return None
        if generation != self.generation or any(i in self._gone for i in ids):
            return None
        return Answer(
            body, ids=ids, generation=generation, removals_seen=self._removals, max_ttl=max_ttl
        )

    async def _to_redis(self, key: str, kind: str, answer: Answer, ttl: float) -> None:
        if kind == "program":
            name = self.keys.program(answer.ids[0])
            arguments = (answer.rev, answer.body, int(ttl))
            await self._try_redis(lambda r: r.eval(STORE_PROGRAM, 1, name, *arguments))
        else:
            kept = (answer.generation, answer.ids, answer.max_ttl, answer.body)
            raw, seconds = msgspec.msgpack.encode(kept), max(1, int(min(ttl, answer.max_ttl)))
            await self._try_redis(lambda r: r.set(self.keys.page(key), raw, ex=seconds))
            if answer.max_ttl < _LEASE_MS / 1000:
                # Whoever asks when it has ended must not wait for the lease to end too.
                await self._try_redis(lambda r: r.delete(self._lease_name(key)))

    def _lease_name(self, key: str) -> str:
        return f"{self.keys.prefix}lease:{key}"

    async def _lease(self, key: str) -> bool | None:
        """True: this process asks the source. False: another one does. None: nobody can tell."""
        name = self._lease_name(key)
        asked = await self._try_redis(lambda r: r.set(name, 1, nx=True, px=_LEASE_MS))
        if asked is None and time.monotonic() >= self._redis_down_until and self.redis is not None:
            return False
        return True if asked else None

    # -- hearing about changes

    def changed(self, changes: Iterable[ProgramChange]) -> None:
        """Drop changed programs from this process; called after a commit here and for others'."""
        now = time.monotonic()
        self._changes += 1
        for change in changes:
            if change.rev < self._floors.get(change.id, 0):
                continue
            key = f"program:{change.id}"
            self._drop(key)
            # Who asks from now on must not share what was read before.
            self._flights.pop(key, None)
            self._floors[change.id] = change.rev
            if change.visible:
                self._gone.pop(change.id, None)
            elif change.id not in self._gone:
                self._gone[change.id] = now
                self._removals += 1
            else:
                self._gone[change.id] = now
        for key in list(self._negative):
            self._drop(key)
        if len(self._floors) > 100_000:
            self._floors.clear()

    def superseded(self, generation: int) -> None:
        """Searches may answer differently from this generation on."""
        if generation != self.generation:
            self.generation = generation
            self._superseded.append((generation, time.monotonic()))

    async def listen(self, redis: "Redis") -> None:
        """Hear about changes until cancelled; catches up whenever it had lost the line."""
        while True:
            try:
                async with redis.pubsub() as line:
                    await line.subscribe(self.keys.channel)
                    # Messages sent while nobody listened are lost: start from what Redis knows.
                    self.clear()
                    await self._catch_up()
                    while True:
                        message = await line.get_message(
                            ignore_subscribe_messages=True, timeout=_REDIS_PAUSE
                        )
                        if message is None:
                            await self._catch_up()
                        else:
                            self._take(message["data"])
                        self._heard_at = time.monotonic()
            except (*REDIS_AWAY, LookupError, TypeError, ValueError) as error:
                # Or hearing what makes no sense: on a new line everything is asked anew.
                log.debug("not hearing about changes: %s", error)
                await asyncio.sleep(_REDIS_PAUSE)

    def _take(self, raw: bytes) -> None:
        try:
            told = msgspec.json.decode(raw, type=Message)
        except msgspec.DecodeError:
            log.warning("an invalidation could not be read")
            self.clear()
            return
        if told.everything:
            self.clear()
        if told.programs:
            self.changed(ProgramChange(*program) for program in told.programs)
        if told.generation:
            self.superseded(told.generation)

    async def _catch_up(self) -> None:
        if self.redis is None:
            return
        raw = await self.redis.get(self.keys.generation)
        self.superseded(int(raw) if raw else 0)
        found: list[Any] = await self.redis.zrange(self.keys.tombstones, 0, -1)
        withdrawn = {int(name) for name in found}
        now = time.monotonic()
        for program_id in withdrawn - self._gone.keys():
            self._gone[program_id] = now
            self._removals += 1
        for program_id, at in list(self._gone.items()):
            # Published again while the message was lost; or long since gone from every index.
            if now - at > (3600 if program_id in withdrawn else 10):
                del self._gone[program_id]
        self._heard_at = now

    def _spawn(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)


def headers(answer: Answer) -> dict[str, str]:
    """The headers of a cached answer, the same whoever sends it."""
    if answer.status != 200:
        return {"Cache-Control": "public, max-age=1, s-maxage=5", "X-Cache": answer.level}
    return {
        "ETag": answer.etag,
        "Cache-Control": _CACHE_CONTROL if answer.max_ttl == math.inf else _BRIEF_CACHE_CONTROL,
        "X-Cache": answer.level,
    }


def matches(etag: str, header: str) -> bool:
    """Does an If-None-Match header name this answer?"""
    return header.strip() == "*" or etag in {
        tag.strip().removeprefix("W/") for tag in header.split(",")
    }
