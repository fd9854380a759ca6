"""Pages in both levels while programs change: kept when nothing touches them, never shown when something has."""

import asyncio
import os
import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from prometheus_client import REGISTRY
from redis import Redis as WaitingRedis
from redis.asyncio import Redis

from api.answers import memory
from api.answers.answer import Answer, Found
from api.answers.cache import Cache
from api.answers.following.depends import Depends, Need
from api.answers.listener import Listener
from indexer.stores.following.described import Described
from indexer.stores.invalidation import Invalidator
from tests.support.examples import examples

WORDS = ("coffee", "cofee", "tea", "teapot")


def _finds(q: str, word: str) -> bool:
    """Return whether a program with this word is on the page of a query, as an engine sees it."""
    return word.startswith(q) or (q, word) in {("coffee", "cofee"), ("cofee", "coffee")}


@dataclass
class World:
    """Two processes over one Redis; the truth: program -> its word."""

    caches: list[Cache]
    invalidator: Invalidator
    programs: dict[int, str] = field(default_factory=dict)
    loads: int = 0

    def page(self, q: str) -> Answer:
        self.loads += 1
        ids = tuple(sorted(one for one, word in self.programs.items() if _finds(q, word)))
        body = msgspec.json.encode({one: self.programs[one] for one in ids})
        return Answer(body, ids=ids, depends=Depends(ids, (Need(near=((q,),)),)))

    async def ask(self, n: int, q: str) -> Found:
        async def load() -> Answer:
            return self.page(q)

        return await self.caches[n].get(f"search:{q}", "page", load, ttl=600)

    async def change(self, program_id: int, word: str | None, *, described: bool = True) -> None:
        """Store or remove a program in the engine, and tell every process."""
        if word is None:
            self.programs.pop(program_id, None)
        else:
            self.programs[program_id] = word
        one = Described(program_id) if word is None else Described(program_id, True, titled=[word])
        told = msgspec.json.encode([one]) if described else b""
        assert await asyncio.to_thread(self.invalidator.index_changed, told)
        generation = int(
            await asyncio.to_thread(self.invalidator.redis.get, self.invalidator.keys.generation)
        )
        for cache in self.caches:
            while cache.invalidations.generation != generation:  # noqa: ASYNC110  # the cache has no event to wait for
                await asyncio.sleep(0.001)


@asynccontextmanager
async def _world() -> AsyncIterator[World]:
    prefix, url = f"{uuid.uuid4().hex}:", f"{os.environ['TEST_VALKEY']}/0"
    redis, line = Redis.from_url(url), Redis.from_url(url, socket_timeout=5)
    caches = [Cache(redis, prefix, max_bytes=1_000_000) for _ in range(2)]
    listeners = [asyncio.create_task(Listener(cache, line).run()) for cache in caches]
    with WaitingRedis.from_url(url) as waiting:
        world = World(caches, Invalidator(waiting, prefix))
        try:
            while any(cache.invalidations.blind for cache in caches):  # noqa: ASYNC110  # as above
                await asyncio.sleep(0.001)
            # The first generation of a process is never described: one before it may have been lost.
            await world.change(0, None)
            yield world
        finally:
            for cache in caches:
                await cache.close()
            for task in listeners:
                while not task.done():
                    task.cancel()
                    await asyncio.wait({task}, timeout=0.05)
            await redis.aclose()
            await line.aclose()


@pytest.fixture
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Show nothing that is superseded, not even for a second."""
    monkeypatch.setattr(memory, "SUPERSEDED_SECONDS", -1.0)


STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("ask"), st.integers(0, 1), st.sampled_from(("coffee", "tea", "cofee"))),
        st.tuples(st.just("store"), st.integers(1, 4), st.sampled_from(WORDS)),
        st.tuples(st.just("remove"), st.integers(1, 4), st.just("")),
        st.tuples(st.just("untold"), st.integers(1, 4), st.sampled_from(WORDS)),
        st.tuples(st.just("restart"), st.integers(0, 1), st.just("")),
    ),
    min_size=3,
    max_size=16,
)


async def _play(steps: list[tuple[str, int, str]]) -> None:
    async with _world() as world:
        for step, n, text in [*steps, *(("ask", n, q) for n in (0, 1) for q in ("coffee", "tea", "cofee"))]:
            match step:
                case "ask":
                    found = await world.ask(n, text)
                    assert found.answer.body == world.page(text).body, (step, n, text, found.level)
                case "store":
                    await world.change(n, text)
                case "remove":
                    await world.change(n, None)
                case "untold":
                    await world.change(n, text, described=False)
                case "restart":
                    world.caches[n].clear()


@pytest.mark.slow
@pytest.mark.usefixtures("at_once")
@examples(60)
@given(STEPS)
def test_no_order_of_changes_leaves_an_old_page(steps: list[tuple[str, int, str]]) -> None:
    asyncio.run(_play(steps))


def _compared(outcome: str) -> float:
    return REGISTRY.get_sample_value("cache_pages_compared_total", {"outcome": outcome}) or 0


@pytest.mark.usefixtures("at_once")
async def test_what_is_not_touched_stays_in_both_levels() -> None:
    async with _world() as world:
        assert (await world.ask(0, "coffee")).level == "miss"
        kept, superseded = _compared("kept"), _compared("superseded")
        for n in range(5):
            await world.change(n, "tea")
        # Process 1 has not held it: it compares what Redis has with the changes that it has heard of.
        assert [(await world.ask(n, "coffee")).level for n in (0, 0, 1, 1)] == ["l1", "l1", "l2", "l1"]
        assert (_compared("kept") - kept, _compared("superseded") - superseded) == (2, 0)
        await world.change(9, "coffee")
        assert [(await world.ask(n, "coffee")).level for n in (1, 0, 0)] == ["miss", "l2", "l1"]
        # In the memory of both processes, and in Redis.
        assert _compared("superseded") - superseded == 3
        assert world.loads == 2


@pytest.mark.usefixtures("at_once")
async def test_what_nobody_can_tell_supersedes_every_page() -> None:
    async with _world() as world:
        await world.ask(0, "coffee")
        await world.change(1, "tea", described=False)
        assert (await world.ask(0, "coffee")).level == "miss"
        # A generation whose message was lost.
        world.invalidator.redis.incr(world.invalidator.keys.generation)
        await world.change(1, "tea")
        assert (await world.ask(0, "coffee")).level == "miss"
        assert (await world.ask(1, "coffee")).level == "l2"


async def test_a_touched_page_may_be_shown_for_a_second_more() -> None:
    async with _world() as world:
        await world.ask(0, "coffee")
        await world.change(1, "coffee")
        assert (await world.ask(0, "coffee")).level == "stale"
        entry = world.caches[0].memory.entries["search:coffee"]
        entry.touched_at -= memory.SUPERSEDED_SECONDS
        assert (await world.ask(0, "coffee")).level == "miss"


@pytest.mark.usefixtures("at_once")
async def test_a_page_that_ends_is_kept_until_then(monkeypatch: pytest.MonkeyPatch) -> None:
    async with _world() as world:

        async def load() -> Answer:
            ends_at = memory.time.time() + 500
            return Answer(b"x", depends=Depends((), ()), ends_at=ends_at)

        await world.caches[0].get("search:x", "page", load, ttl=60)
        entry = world.caches[0].memory.entries["search:x"]
        assert 490 < entry.fresh_until - entry.stored_at <= 500
        found = await world.caches[1].get("search:x", "page", load, ttl=60)
        assert found.level == "l2"
        again = world.caches[1].memory.entries["search:x"]
        # Its end is the same for every process.
        assert again.fresh_until - entry.fresh_until < 1
