"""Leases, call by call: no request waits for a computation that has ended."""

import asyncio
import time
from collections.abc import Callable
from typing import Any

import pytest
from redis.asyncio import Redis
from sqlalchemy import Engine as Database

from api.answers import cache as module
from api.answers import shared
from api.answers.answer import Answer, Found
from api.settings import Settings
from catalog.core.changes import ProgramChange
from catalog.core.db import session_factory
from indexer.stores import invalidation
from tests.support.caches import KINDS, PAGE, PROGRAM, SCRIPTS, processes
from tests.support.client import Client
from tests.support.product import serve
from tests.support.programs import make


@KINDS
async def test_what_was_edited_is_read_again_without_waiting(what: tuple[str, str]) -> None:
    async with processes() as (process,):
        for rev in range(1, 13):
            process.answer = Answer(b"%d" % rev, rev=rev if what is PROGRAM else 0, ids=(7,))
            found = await process.get(what)
            assert (found.answer.body, found.level) == (b"%d" % rev, "miss")
            assert process.new_calls() == ["look", "load", "store"]
            assert (await process.get(what)).level == "l1"
            assert process.new_calls() == []
            change = ProgramChange(7, rev + 1, visible=True)
            process.cache.changed([change])
            await invalidation.programs_changed(process.redis, process.cache.shared.keys.prefix, [change])
            process.cache.invalidations.superseded(rev)
            # Longer ago than a superseded page may be shown.
            process.cache.invalidations.log._times.clear()
            process.new_calls()


@KINDS
async def test_what_is_missing_is_asked_for_by_each_process_without_waiting(what: tuple[str, str]) -> None:
    async with processes(2) as (first, second):
        for process in (first, second):
            process.answer = Answer(b"", status=404)
            found = await process.get(what)
            assert (found.answer.status, found.level) == (404, "miss")
            assert process.new_calls() == ["look", "load", "release"]
        assert await first.lease(what) is None


@KINDS
async def test_after_a_failure_the_next_one_asks_at_once(what: tuple[str, str]) -> None:
    async with processes(2) as (first, second):
        first.answer = ConnectionError("away")
        with pytest.raises(ConnectionError):
            await first.get(what)
        assert first.new_calls() == ["look", "load", "release"]
        first.answer = Answer(b"fine", rev=1, ids=(7,))
        assert (await first.get(what)).answer.body == b"fine"
        assert first.new_calls() == ["look", "load", "store"]
        assert (await second.get(what)) == Found(second.cache.memory.entries[what[0]].answer, "l2")
        assert second.new_calls() == ["look"]
        assert await first.lease(what) is None


@KINDS
async def test_a_waiting_process_takes_what_the_other_stored(
    what: tuple[str, str], pauses: Callable[..., None]
) -> None:
    async with processes(2) as (leader, waiter):
        leader.gate.clear()
        (leading,) = leader.ask(what, 1)
        await leader.loading.wait()

        async def finish() -> None:
            leader.gate.set()
            await leading

        pauses(waiter, finish)
        found = await waiter.get(what)
        assert (found.answer.body, found.level) == (b"first", "l2")
        assert waiter.new_calls() == ["look", "pause", "look"]
        assert leader.new_calls() == ["look", "load", "store"]


@KINDS
async def test_a_waiting_process_notices_that_nothing_came_of_it(
    what: tuple[str, str], pauses: Callable[..., None]
) -> None:
    async with processes(2) as (leader, waiter):
        leader.gate.clear()
        leader.answer = ConnectionError("away")
        (leading,) = leader.ask(what, 1)
        await leader.loading.wait()

        async def fail() -> None:
            leader.gate.set()
            await asyncio.wait({leading})

        pauses(waiter, fail)
        assert (await waiter.get(what)).level == "miss"
        assert waiter.new_calls() == ["look", "pause", "look", "load", "store"]
        assert isinstance(leading.exception(), ConnectionError)


@KINDS
async def test_a_process_waits_for_one_leader_only(
    what: tuple[str, str], pauses: Callable[..., None]
) -> None:
    async with processes() as (process,):
        name = process.cache.shared.names(*what)[1]
        await process.redis.set(name, b"somebody", px=3000)

        async def another() -> None:
            await process.redis.set(name, b"another", px=3000)
            process.calls.pop()

        pauses(process, another)
        process.new_calls()
        assert (await process.get(what)).level == "miss"
        assert process.new_calls() == ["look", "pause", "look", "load", "store"]
        # It was not this process's to give back.
        assert await process.lease(what) == b"another"


async def test_a_leader_that_died_costs_a_fifth_of_a_second(
    pauses: Callable[..., None], monkeypatch: pytest.MonkeyPatch
) -> None:
    async with processes() as (process,):
        await process.redis.set(process.cache.shared.names(*PAGE)[1], b"the dead", px=60_000)
        process.new_calls()

        async def nothing() -> None:
            pass

        pauses(process, nothing)
        assert (await process.get(PAGE)).level == "miss"
        assert process.new_calls() == ["look", *["pause", "look"] * 7, "load", "store"]
        assert sum(module._POLLS) == pytest.approx(0.205)


@KINDS
async def test_a_lease_taken_over_by_another_is_left_alone(what: tuple[str, str]) -> None:
    async with processes() as (process,):
        process.gate.clear()
        (asking,) = process.ask(what, 1)
        await process.loading.wait()
        # It took so long that the lease ended and somebody else has it.
        await process.redis.set(process.cache.shared.names(*what)[1], b"another")
        process.gate.set()
        assert (await asking).answer.body == b"first"
        assert await process.lease(what) == b"another"


@pytest.fixture
def commands(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What the caches of the products in this process ask Redis for; pauses too."""
    done: list[str] = []
    real, sleep = Redis.execute_command, asyncio.sleep

    async def counted(self: "Redis", *args: Any, **options: Any) -> Any:
        if args[0] == "EVAL" and args[1] in SCRIPTS:
            done.append(SCRIPTS[args[1]])
        return await real(self, *args, **options)

    async def pausing(seconds: float) -> None:
        done.append("pause")
        await sleep(seconds)

    monkeypatch.setattr(Redis, "execute_command", counted)
    monkeypatch.setattr(module, "_sleep", pausing)
    return done


@pytest.mark.slow
def test_over_http_an_edit_and_a_missing_program_cost_no_pause(
    settings: Settings, database: Database, staff: dict[str, Client], commands: list[str]
) -> None:
    with session_factory(database).begin() as session:
        number = make(session, "published").id
    listener = Client(staff["editor"].base)
    path = f"/discovery/programs/{number}"
    assert listener.get(path).headers["x-cache"] == "miss"
    for n in range(12):
        answer = staff["reviewer"].patch(f"/catalog/programs/{number}", {"title": f"Title {n}"})
        assert answer.status_code == 200, answer.text
        commands.clear()
        answer = listener.get(path)
        assert (answer.json()["data"]["title"], answer.headers["x-cache"]) == (f"Title {n}", "miss")
        assert commands == ["look", "store"]
    with serve(settings) as (other, _):
        for client in (listener, other):
            commands.clear()
            assert client.get(f"/discovery/programs/{number + 1}").status_code == 404
            # The program, then the program it may have been merged into.
            assert commands == ["look", "release"] * 2


@pytest.mark.parametrize("status", [200, 404])
async def test_an_answer_is_not_kept_beyond_its_end(status: int) -> None:
    async with processes(2) as (first, second):
        for process in (first, second):
            process.answer = Answer(b"over" if status == 200 else b"", status, ends_at=time.time() - 0.01)
            assert (await process.get(PAGE)).answer.status == status
            assert "load" in process.new_calls()
            # A request a moment later asks again: what it was told has ended.
            await process.get(PAGE)
            assert "load" in process.new_calls()
        first.answer = Answer(b"still", ends_at=time.time() + 3600)
        await first.get(PAGE)
        assert (await second.get(PAGE)).answer.ends_at == first.answer.ends_at
        assert [(await process.get(PAGE)).level for process in (first, second)] == ["l1", "l1"]


async def test_formats_of_pages_have_keys_of_their_own(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    redis = Redis.from_url(settings.indexer.redis_cache_url)
    stored = shared.Shared(redis, invalidation.Keys(settings.indexer.redis_prefix))
    for number in (98, 99):
        monkeypatch.setattr(shared, "_FORMAT", number)
        answer = Answer(b"%d" % number, ids=(1,))
        await stored.store("page", "page", answer, 60, generation=1, token=b"x" * 8)
    # The page of another format is neither read nor written over.
    for number in (98, 99):
        monkeypatch.setattr(shared, "_FORMAT", number)
        found = await stored.look("page", "page", b"y" * 8, 1)
        assert found.answer is not None
        assert found.answer.body == b"%d" % number
    await redis.aclose()
