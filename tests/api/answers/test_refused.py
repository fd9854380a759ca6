"""What Redis refuses and what a page leaves out is not remembered: a lost message must not count for the whole TTL."""

import os
import time
import uuid
from collections.abc import AsyncIterator

import pytest
from redis.asyncio import Redis

from api.answers import invalidations
from api.answers.answer import Answer, Load
from api.answers.cache import Cache
from api.answers.memory import BLIND_SECONDS
from catalog.core.changes import ProgramChange
from indexer.stores.invalidation import programs_changed

KEY, OLD, NEW = "program:7", Answer(b"old", rev=1, ids=(7,)), Answer(b"new", rev=2, ids=(7,))
Opened = tuple[Cache, "Redis", str]


@pytest.fixture
async def opened() -> AsyncIterator[Opened]:
    """A cache that hears no messages, though it does not know it."""
    redis = Redis.from_url(f"{os.environ['TEST_VALKEY']}/0")
    prefix = f"{uuid.uuid4().hex}:"
    cache = Cache(redis, prefix, max_bytes=2**20)
    cache.invalidations.heard_at = time.monotonic() + 3600
    yield cache, redis, prefix
    await cache.close()
    await redis.aclose()


def _during(opened: Opened, *changes: ProgramChange) -> Load:
    async def load() -> Answer:
        # Another process commits while this one reads.
        await programs_changed(opened[1], opened[2], changes)
        return OLD

    return load


async def _new() -> Answer:
    return NEW


async def test_an_old_revision_that_redis_refuses_is_not_held(opened: Opened) -> None:
    cache, _, _ = opened
    load = _during(opened, ProgramChange(7, 2, visible=True))
    assert (await cache.get(KEY, "program", load, ttl=600)).answer == OLD
    assert cache.memory.entries == {}
    # So the next one gets what is there now, and this is held.
    assert (await cache.get(KEY, "program", _new, ttl=600)).answer == NEW
    assert (await cache.get(KEY, "program", _new, ttl=600)).level == "l1"


async def test_a_program_that_redis_knows_to_be_withdrawn_is_not_given(opened: Opened) -> None:
    cache, _, _ = opened
    load = _during(opened, ProgramChange(7, 2, visible=False))
    assert (await cache.get(KEY, "program", load, ttl=600)).answer.status == 404
    assert cache.memory.entries == {}


async def test_what_redis_could_not_store_is_trusted_for_a_moment_only(opened: Opened) -> None:
    cache, redis, _ = opened
    cache.shared.redis = Redis.from_url("redis://127.0.0.1:1/0")
    await cache.get(KEY, "program", _new, ttl=600)
    entry = cache.memory.entries[KEY]
    assert entry.fresh_until - entry.stored_at == pytest.approx(BLIND_SECONDS)
    await cache.shared.redis.aclose()
    cache.shared.redis = redis


def test_of_too_many_minimum_revisions_and_tombstones_the_oldest_go(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(invalidations, "_MAX_MINIMUM", 3)
    monkeypatch.setattr(invalidations, "_MAX_TOMBSTONES", 2)
    known = invalidations.Invalidations()
    for program_id in (1, 2, 3, 1, 4, 5):
        known.changed([ProgramChange(program_id, 10 + program_id, visible=program_id == 1)])
    assert dict(known.minimum_revisions) == {1: 11, 4: 14, 5: 15}
    assert list(known.tombstones) == [4, 5]


async def test_a_page_that_left_out_a_withdrawn_program_is_kept_briefly(opened: Opened) -> None:
    cache, redis, _ = opened

    async def load() -> Answer:
        withdrawn = cache.withdrawn((7, 8))
        return Answer(b"page", ids=tuple(i for i in (7, 8) if i not in withdrawn))

    async def kept(key: str) -> tuple[float, int]:
        """Seconds in this process, and in Redis."""
        await cache.get(key, "page", load, ttl=60)
        entry = cache.memory.entries[key]
        return round(entry.fresh_until - entry.stored_at), await redis.ttl(cache.shared.names(key, "page")[0])

    assert await kept("search:before") == (60, 60)
    cache.changed([ProgramChange(7, 2, visible=False)])
    assert await kept("search:without") == (1, 1)
    # The message that it is published again is lost: the tombstone goes when Redis has none.
    cache.invalidations.tombstones[7] -= 3600
    cache.invalidations.caught_up(0, set())
    assert await kept("search:after") == (60, 60)
