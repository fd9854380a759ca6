"""Readers, writers and messages in every order: a cache never goes back behind what it heard."""

import asyncio
import contextlib
import os
import uuid
from dataclasses import dataclass, field
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from redis.asyncio import Redis

from api.answers.answer import Answer, Found
from api.answers.cache import YOUNG_SECONDS, Cache
from api.answers.invalidations import SUPERSEDED_SECONDS
from api.answers.listener import Listener
from catalog.core.changes import ProgramChange
from indexer.stores import invalidation
from tests.support.examples import examples

PROGRAM = 7
KEY = f"program:{PROGRAM}"


@dataclass
class Record:
    """The truth: a revision, and whether listeners may see it."""

    rev: int = 1
    visible: bool = True

    def answer(self) -> Answer:
        if not self.visible:
            return Answer(b"", status=404)
        return Answer(b"%d" % self.rev, rev=self.rev, ids=(PROGRAM,))


@dataclass
class World:
    """Caches over one Redis, readers held between reading the truth and storing it."""

    caches: list[Cache]
    redis: "Redis"
    prefix: str
    record: Record = field(default_factory=Record)
    readers: list[tuple[asyncio.Event, asyncio.Task[Found]]] = field(default_factory=list)
    sent: list[ProgramChange] = field(default_factory=list)

    async def begin(self, n: int) -> None:
        gate, has_read = asyncio.Event(), asyncio.Event()

        async def load() -> Answer:
            answer = self.record.answer()
            has_read.set()
            await gate.wait()
            return answer

        task = asyncio.create_task(self.caches[n].get(KEY, "program", load, ttl=600))
        reading = asyncio.create_task(has_read.wait())
        await asyncio.wait({task, reading}, return_when=asyncio.FIRST_COMPLETED, timeout=0.05)
        reading.cancel()
        self.readers.append((gate, task))

    async def finish(self, n: int) -> None:
        if self.readers:
            gate, task = self.readers.pop(n % len(self.readers))
            gate.set()
            await asyncio.wait({task}, timeout=0.05)
            if task.done():
                task.result()
            else:
                # It waits for the reader that asked first: its turn comes after that one's.
                self.readers.append((gate, task))

    async def write(self, n: int, visible: bool) -> None:
        self.record = Record(self.record.rev + 1, visible)
        change = ProgramChange(PROGRAM, self.record.rev, visible)
        self.sent.append(change)
        self.caches[n].changed([change])
        await invalidation.programs_changed(self.redis, self.prefix, [change])
        for cache in self.caches:
            while cache.invalidations.minimum_revisions.get(PROGRAM, 0) < self.record.rev:  # noqa: ASYNC110  # the cache has no event to wait for
                await asyncio.sleep(0.001)

    async def repeat(self, n: int) -> None:
        """The sender tells what it sent when the engine confirms it: late, maybe behind others."""
        if self.sent:
            change = self.sent[n % len(self.sent)]
            await invalidation.programs_changed(self.redis, self.prefix, [change])
            for cache in self.caches:
                cache.changed([change])

    async def read(self, n: int) -> Answer:
        async def load() -> Answer:
            return self.record.answer()

        asked = asyncio.create_task(self.caches[n].get(KEY, "program", load, ttl=600))
        await asyncio.wait({asked}, timeout=0.05)
        while not asked.done():
            # It may share the answer of a reader that asked since the last change.
            await self.finish(0)
            await asyncio.wait({asked}, timeout=0.05)
        return asked.result().answer


STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("begin"), st.integers(0, 1)),
        st.tuples(st.just("finish"), st.integers(0, 3)),
        st.tuples(st.just("publish"), st.integers(0, 1)),
        st.tuples(st.just("withdraw"), st.integers(0, 1)),
        st.tuples(st.just("repeat"), st.integers(0, 5)),
        st.tuples(st.just("read"), st.integers(0, 1)),
        st.tuples(st.just("restart"), st.integers(0, 1)),
    ),
    min_size=4,
    max_size=14,
)


async def _listening(cache: Cache, redis: "Redis") -> "asyncio.Task[None]":
    task = asyncio.create_task(Listener(cache, redis).run())
    while cache.invalidations.blind:  # noqa: ASYNC110  # the cache has no event to wait for
        await asyncio.sleep(0.001)
    return task


async def _end(task: "asyncio.Task[None]") -> None:
    while not task.done():
        task.cancel()
        await asyncio.wait({task}, timeout=0.05)


async def _play(steps: list[tuple[str, int]]) -> None:
    prefix = f"{uuid.uuid4().hex}:"
    redis = Redis.from_url(f"{os.environ['TEST_VALKEY']}/0")
    line = Redis.from_url(f"{os.environ['TEST_VALKEY']}/0", socket_timeout=5)
    caches = [Cache(redis, prefix, max_bytes=100_000) for _ in range(2)]
    tasks = [await _listening(cache, line) for cache in caches]
    world = World(caches, redis, prefix)
    try:
        for step, n in steps:
            match step:
                case "begin":
                    await world.begin(n)
                case "finish":
                    await world.finish(n)
                case "publish" | "withdraw":
                    await world.write(n, step == "publish")
                case "repeat":
                    await world.repeat(n)
                case "restart":
                    await _end(tasks[n])
                    world.caches[n] = Cache(redis, prefix, max_bytes=100_000)
                    tasks[n] = await _listening(world.caches[n], line)
                    # It heard nothing, but it asks Redis, which knows.
                    world.caches[n].invalidations.minimum_revisions[PROGRAM] = 0
                case "read":
                    await _check(world, n)
        for n in range(2):
            await _check(world, n)
        while world.readers:
            await world.finish(0)
        for n in range(2):
            await _check(world, n)
    finally:
        for gate, _ in world.readers:
            gate.set()
        for task in tasks:
            await _end(task)
        for _, reader in world.readers:
            with contextlib.suppress(Exception):
                await reader
        await redis.aclose()
        await line.aclose()


async def _check(world: World, n: int) -> None:
    """A new reader, when every cache has heard: the truth, and nothing older."""
    found = await world.read(n)
    if world.record.visible:
        assert (found.status, found.body) == (200, b"%d" % world.record.rev)
    else:
        assert found.status == 404


@pytest.mark.slow
@examples(80)
# A process that has just begun hears of an old withdrawal, and learns from Redis that something newer is known.
@example([("withdraw", 0), ("publish", 0), ("restart", 0), ("repeat", 0)])
@given(STEPS)
def test_no_order_of_events_brings_an_old_program_back(steps: list[tuple[str, int]]) -> None:
    asyncio.run(_play(steps))


async def test_a_page_held_back_by_a_slow_reader_is_not_stored_as_new() -> None:
    redis = Redis.from_url(f"{os.environ['TEST_VALKEY']}/0")
    cache = Cache(redis, f"{uuid.uuid4().hex}:", max_bytes=100_000)
    cache.invalidations.heard_at = asyncio.get_running_loop().time() + 3600
    cache.invalidations.superseded(5)
    gate, asked = asyncio.Event(), asyncio.Event()

    async def slow() -> Answer:
        asked.set()
        await gate.wait()
        return Answer(b"old")

    async def fast() -> Answer:
        return Answer(b"new")

    reader = asyncio.create_task(cache.get("search:x", "page", slow, ttl=60))
    await asked.wait()
    cache.invalidations.superseded(6)
    gate.set()
    assert (await reader).answer.body == b"old"
    # It was read before the index changed: shown for one second more at the most, never kept as new.
    assert cache.peek("search:x") is None
    other = Cache(redis, cache.shared.keys.prefix, max_bytes=100_000)
    other.invalidations.superseded(6)
    assert (await other.get("search:x", "page", fast, ttl=60)).answer.body == b"new"
    await redis.aclose()


async def test_however_often_it_is_superseded_a_young_page_is_not_made_anew() -> None:
    cache = Cache(None, "young:", max_bytes=100_000)
    cache.invalidations.heard_at = asyncio.get_running_loop().time() + 3600
    made = []

    async def make() -> Answer:
        made.append(None)
        return Answer(b"%d" % len(made))

    async def ask() -> tuple[str, bytes]:
        found = await cache.get("search:x", "page", make, ttl=60)
        level, body = found.level, found.answer.body
        while cache.flights.tasks:
            await asyncio.gather(*cache.flights.tasks)
        return level, body

    cache.invalidations.superseded(1)
    assert await ask() == ("miss", b"1")
    for generation in range(2, 12):
        cache.invalidations.superseded(generation)
        assert await ask() == ("stale", b"1")
    cache.memory.entries["search:x"].stored_at -= YOUNG_SECONDS
    assert await ask() == ("stale", b"1")
    assert await ask() == ("l1", b"2")
    # Superseded longer ago than a page may be shown: waited for.
    cache.invalidations.superseded(12)
    times = cache.invalidations.log._times
    times.append((times.pop()[0], times[-1][1] - SUPERSEDED_SECONDS - 1))
    assert await ask() == ("miss", b"3")


async def test_the_first_level_is_bounded_in_bytes() -> None:
    cache = Cache(None, "", max_bytes=50_000)
    cache.invalidations.heard_at = asyncio.get_running_loop().time() + 3600

    async def load() -> Answer:
        return Answer(b"x" * 1000)

    for n in range(500):
        await cache.get(f"search:{n}", "page", load, ttl=60)
        # What is asked for again and again stays.
        assert (await cache.get("search:0", "page", load, ttl=60)).level == "l1"
        assert cache.memory.bytes <= 50_000
    held = [n for n in range(500) if cache.peek(f"search:{n}") is not None]
    assert held[0] == 0
    assert held[1:] == list(range(500 - len(held) + 1, 500))


async def test_a_failing_source_fails_everybody_who_waits_and_nobody_after() -> None:
    cache = Cache(None, "", max_bytes=50_000)
    cache.invalidations.heard_at = asyncio.get_running_loop().time() + 3600
    calls = 0

    async def failing() -> Answer:
        nonlocal calls
        calls += 1
        await asyncio.sleep(0.02)
        raise ConnectionError

    async def working() -> Answer:
        return Answer(b"fine")

    found = await asyncio.gather(
        *(cache.get("search:x", "page", failing, ttl=60) for _ in range(10)), return_exceptions=True
    )
    assert [type(error) for error in found] == [ConnectionError] * 10
    assert calls == 1
    assert (await cache.get("search:x", "page", working, ttl=60)).answer.body == b"fine"


async def test_a_connection_that_was_reset_just_now_is_redis_away() -> None:
    """uvloop says RuntimeError when it is written to; the answer comes from the source."""

    class Reset:
        def __getattr__(self, name: str) -> Any:
            async def command(*arguments: Any, **named: Any) -> None:
                raise RuntimeError("unable to perform operation on <TCPTransport closed=True>")

            return command

    async def load() -> Answer:
        return Answer(b"from the source", rev=1, ids=(1,))

    cache = Cache(Reset(), "x:", max_bytes=10_000)
    for kind, key in (("page", "search:a"), ("program", "program:1")):
        cache.shared.down_until = 0
        answer, _ = await cache.get(key, kind, load, ttl=1)
        assert answer.body == b"from the source"
