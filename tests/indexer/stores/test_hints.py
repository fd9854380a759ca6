"""Hints: who waits is woken by changes and by nothing else, and again when the line was lost."""

from collections.abc import Iterator

import pytest
from redis import ConnectionPool, Redis

from api.settings import Settings
from catalog.core.changes import ProgramChange
from indexer.stores import hints
from indexer.stores.hints import Hints
from indexer.stores.invalidation import Invalidator, Keys
from tests.support.waiting import eventually


@pytest.fixture
def invalidator(settings: Settings, cache_redis: "Redis") -> Iterator[Invalidator]:
    """Its lines have a name in Redis: tests beside this one have lines of their own there."""
    prefix = settings.indexer.redis_prefix
    with ConnectionPool(**cache_redis.get_connection_kwargs(), client_name=prefix) as pool:
        yield Invalidator(Redis(connection_pool=pool), prefix)


@pytest.fixture
def heard(invalidator: Invalidator) -> Iterator[Hints]:
    """Hints on a line that Redis has confirmed."""
    with hints.heard(invalidator) as found:
        assert found is not None
        eventually(lambda: found.hearing)
        yield found


def listeners(invalidator: Invalidator) -> int:
    (found,) = invalidator.redis.pubsub_numsub(invalidator.keys.channel)
    return int(found[1])


def test_a_change_rings_and_a_new_generation_does_not(heard: Hints, invalidator: Invalidator) -> None:
    with heard.bell() as bell, heard.bell() as other:
        invalidator.index_changed()
        invalidator.programs_changed([ProgramChange(1, 1, visible=True)])
        assert bell.wait(60)
        assert other.wait(60)
        bell.clear()
        # Messages come in their order: the bell would have rung for the first one when the second one has been taken.
        invalidator.index_changed()
        other.clear()
        heard._take({"type": "message", "data": b'{"generation":5}'})
        assert not bell.is_set()
        heard._take({"type": "message", "data": b"what no build of the product writes"})
        assert bell.is_set()


def test_a_line_that_breaks_is_told_of_and_opened_again(
    heard: Hints, invalidator: Invalidator, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hints, "_RETRY_SECONDS", 0.05)
    with heard.bell() as bell:
        for line in invalidator.redis.client_list(_type="pubsub"):
            if line["name"] == invalidator.keys.prefix:
                invalidator.redis.client_kill_filter(_id=line["id"])
        # Once for the loss, which nobody may sleep through.
        assert bell.wait(60)
        eventually(lambda: heard.hearing and listeners(invalidator) == 1, what="it hears again")
        bell.clear()
        invalidator.programs_changed([ProgramChange(2, 1, visible=True)])
        assert bell.wait(60)


def test_a_line_that_falls_silent_is_given_up(
    heard: Hints, invalidator: Invalidator, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert heard.hearing
    monkeypatch.setattr(hints, "_SILENT_SECONDS", -1.0)
    with heard.bell() as bell:
        assert bell.wait(60)


def test_who_may_not_subscribe_hears_nothing(
    settings: Settings, cache_redis: "Redis", monkeypatch: pytest.MonkeyPatch
) -> None:
    prefix = settings.indexer.redis_prefix
    cache_redis.execute_command(
        "ACL",
        "SETUSER",
        "deaf",
        "on",
        ">deaf",
        "resetchannels",
        f"&{Keys(prefix).channel}",
        "-@all",
        "+client",
        "+hello",
    )
    options = cache_redis.connection_pool.connection_kwargs
    address = {name: options[name] for name in ("host", "port", "db") if name in options}
    with Redis(**address, username="deaf", password="deaf") as redis:
        try:
            said: list[str] = []
            # Before the line is opened: it is said once.
            monkeypatch.setattr(hints.log, "warning", lambda text, *_: said.append(text))
            with hints.heard(Invalidator(redis, prefix)) as found:
                assert found is not None
                eventually(lambda: said)
                assert not found.hearing
        finally:
            cache_redis.execute_command("ACL", "DELUSER", "deaf")
