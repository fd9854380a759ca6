"""What a change leaves in Redis and what API processes hear of it, from both clients."""

import asyncio
from collections.abc import Callable

import msgspec
import pytest
from prometheus_client import REGISTRY
from redis import Redis
from redis.asyncio import Redis as AsyncRedis

from api.settings import Settings
from catalog.core.changes import ProgramChange
from indexer.stores import invalidation
from indexer.stores.following.described import Described
from indexer.stores.invalidation import Invalidator, Keys, Message

Inform = Callable[[list[ProgramChange]], bool]


@pytest.fixture(params=["waiting", "event loop"])
def inform(request: pytest.FixtureRequest, settings: Settings) -> Inform:
    """Informs of changes with the one client or the other."""
    indexer = settings.indexer
    return _inform(request.param, indexer.redis_cache_url, indexer.redis_prefix)


def _inform(client: str, url: str, prefix: str) -> Inform:
    def waiting(changes: list[ProgramChange]) -> bool:
        with Redis.from_url(url) as redis:
            return Invalidator(redis, prefix).programs_changed(changes)

    async def on_the_loop(changes: list[ProgramChange]) -> bool:
        async with AsyncRedis.from_url(url) as redis:
            return await invalidation.programs_changed(redis, prefix, changes)

    return waiting if client == "waiting" else lambda changes: asyncio.run(on_the_loop(changes))


@pytest.fixture
def keys(settings: Settings) -> Keys:
    return Keys(settings.indexer.redis_prefix)


def heard(redis: "Redis", keys: Keys, act: Callable[[], object]) -> list[Message]:
    """Return the messages that are published during `act`."""
    with redis.pubsub(ignore_subscribe_messages=True) as channel:
        channel.subscribe(keys.channel)
        while channel.get_message(timeout=5) is not None:
            pass
        act()
        found = []
        while (message := channel.get_message(timeout=0.2)) is not None:
            found.append(msgspec.json.decode(message["data"], type=Message))
        return found


def test_a_change_drops_the_body_and_leaves_a_minimum_revision(
    inform: Inform, cache_redis: "Redis", keys: Keys
) -> None:
    cache_redis.hset(keys.program(7), mapping={"body": b"old", "rev": 1})
    (message,) = heard(cache_redis, keys, lambda: inform([ProgramChange(7, 2, visible=True)]))
    assert message == Message(programs=[(7, 2, True)])
    assert cache_redis.hgetall(keys.program(7)) == {b"minimum_revision": b"2", b"tombstone": b"0"}
    assert 0 < cache_redis.ttl(keys.program(7)) <= invalidation.MEMORY


def test_a_withdrawn_program_has_a_tombstone_until_it_is_visible_again(
    inform: Inform, cache_redis: "Redis", keys: Keys
) -> None:
    inform([ProgramChange(7, 2, visible=False), ProgramChange(8, 1, visible=False)])
    assert cache_redis.zrange(keys.tombstones, 0, -1) == [b"7", b"8"]
    assert cache_redis.hget(keys.program(7), "tombstone") == b"1"
    inform([ProgramChange(7, 3, visible=True)])
    assert cache_redis.zrange(keys.tombstones, 0, -1) == [b"8"]
    assert cache_redis.hget(keys.program(7), "tombstone") == b"0"


def test_an_older_change_is_passed_over(inform: Inform, cache_redis: "Redis", keys: Keys) -> None:
    inform([ProgramChange(7, 5, visible=False)])
    changes = [ProgramChange(7, 4, visible=True), ProgramChange(8, 1, visible=True)]
    (message,) = heard(cache_redis, keys, lambda: inform(changes))
    assert message.programs == [(8, 1, True)]
    assert cache_redis.hget(keys.program(7), "minimum_revision") == b"5"
    assert cache_redis.zrange(keys.tombstones, 0, -1) == [b"7"]
    assert heard(cache_redis, keys, lambda: inform(changes[:1])) == []


def test_many_changes_are_sent_in_parts(inform: Inform, cache_redis: "Redis", keys: Keys) -> None:
    changes = [ProgramChange(n, n, visible=n % 2 == 0) for n in range(1, 451)]
    messages = heard(cache_redis, keys, lambda: inform(changes))
    assert [len(message.programs) for message in messages] == [200, 200, 50]
    assert [row for m in messages for row in m.programs] == [(c.id, c.rev, c.visible) for c in changes]
    assert cache_redis.zcard(keys.tombstones) == 225


def test_no_change_sends_nothing(inform: Inform, cache_redis: "Redis", keys: Keys) -> None:
    assert heard(cache_redis, keys, lambda: inform([])) == []


@pytest.mark.parametrize("client", ["waiting", "event loop"])
def test_a_redis_that_is_away_is_counted(client: str) -> None:
    before = REGISTRY.get_sample_value("cache_invalidation_failures_total") or 0
    assert _inform(client, "redis://127.0.0.1:1/0", "x:")([ProgramChange(7, 1, visible=True)]) is False
    assert REGISTRY.get_sample_value("cache_invalidation_failures_total") == before + 1


def test_a_generation_says_what_has_changed_unless_one_before_it_was_lost(
    cache_redis: "Redis", keys: Keys, monkeypatch: pytest.MonkeyPatch
) -> None:
    invalidator, changes = Invalidator(cache_redis, keys.prefix), [Described(7), Described(8, True, ["tea"])]
    told = msgspec.json.encode(changes)

    def act() -> None:
        # The one before this process may not have told of its last batch.
        assert invalidator.index_changed(told)
        assert invalidator.index_changed(told)
        assert invalidator.index_changed()
        with monkeypatch.context() as away:
            away.setattr(invalidator, "redis", Redis.from_url("redis://127.0.0.1:1/0"))
            assert not invalidator.index_changed(told)
        assert invalidator.index_changed(told)
        assert invalidator.index_changed(told)

    messages = heard(cache_redis, keys, act)
    assert [message.changes for message in messages] == [None, changes, None, None, changes]
    first = messages[0].generation
    assert [message.generation - first for message in messages] == [0, 1, 2, 3, 4]
    assert int(cache_redis.get(keys.generation) or 0) == first + 4


def test_the_curation_supersedes_everything(settings: Settings, cache_redis: "Redis", keys: Keys) -> None:
    async def change() -> int:
        async with AsyncRedis.from_url(settings.indexer.redis_cache_url) as redis:
            return await invalidation.curation_changed(redis, keys.prefix)

    (message,) = heard(cache_redis, keys, lambda: asyncio.run(change()))
    assert message.curation
    assert message.changes is None
    assert message.generation == int(cache_redis.get(keys.generation) or 0)
