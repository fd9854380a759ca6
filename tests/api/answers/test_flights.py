"""Flights: requests that wait for the same answer share one computation, and a client that hangs up harms no other."""

import asyncio
from collections.abc import Callable

import pytest
from prometheus_client import REGISTRY

from api.answers import flights
from api.http.observed import counting
from tests.support.caches import KINDS, PAGE, processes


def _counts() -> dict[str, float]:
    counting.publish()
    levels = ("l1", "l2", "miss", "stale", "coalesced")
    name = "cache_requests_total"
    return {x: REGISTRY.get_sample_value(name, {"kind": "page", "level": x}) or 0 for x in levels}


@pytest.mark.slow
async def test_each_asker_counts_what_it_got(pauses: Callable[..., None]) -> None:
    before = _counts()
    async with processes(2) as (first, second):
        first.gate.clear()
        leading = first.ask(PAGE, 10)
        await first.loading.wait()

        async def finish() -> None:
            first.gate.set()
            await asyncio.gather(*leading)

        pauses(second, finish)
        waiting = await asyncio.gather(*second.ask(PAGE, 10))
        answers = await asyncio.gather(*leading)
        assert [found.level for found in answers] == ["miss"] + ["coalesced"] * 9
        assert [found.level for found in waiting] == ["l2"] + ["coalesced"] * 9
        assert {found.answer.body for found in (*answers, *waiting)} == {b"first"}
        assert first.new_calls() == ["look", "load", "store"]
        # Shown to several at once: what one of them got says nothing about the others.
        assert (await first.get(PAGE)).level == "l1"
        assert answers[0].level == "miss"
    counted = {level: count - before[level] for level, count in _counts().items()}
    assert counted == {"l1": 1, "l2": 1, "miss": 1, "stale": 0, "coalesced": 18}


@KINDS
async def test_who_asked_first_and_hangs_up_does_not_harm_the_others(what: tuple[str, str]) -> None:
    async with processes() as (process,):
        process.gate.clear()
        asking = process.ask(what, 5)
        await process.loading.wait()
        asking[0].cancel()
        asking[3].cancel()
        await asyncio.wait({asking[0], asking[3]})
        process.gate.set()
        served = await asyncio.gather(asking[1], asking[2], asking[4])
        assert [found.level for found in served] == ["miss", "coalesced", "coalesced"]
        assert {found.answer.body for found in served} == {b"first"}
        assert process.new_calls() == ["look", "load", "store"]
        assert await process.lease(what) is None
        assert process.cache.flights._joinable == {}


@KINDS
async def test_when_all_hang_up_the_answer_is_kept_for_the_next(what: tuple[str, str]) -> None:
    async with processes() as (process,):
        process.gate.clear()
        asking = process.ask(what, 3)
        await process.loading.wait()
        for task in asking:
            task.cancel()
        await asyncio.wait(asking)
        process.gate.set()
        await asyncio.gather(*process.cache.flights.tasks)
        assert process.new_calls() == ["look", "load", "store"]
        assert (await process.get(what)).level == "l1"
        assert process.new_calls() == []
        assert process.cache.flights._unattended == set()


@KINDS
async def test_flights_that_nobody_waits_for_are_bounded(
    what: tuple[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(flights, "MAX_UNATTENDED", 2)
    async with processes() as (process,):
        process.gate.clear()
        for n in range(5):
            key = (f"search:{n}", "page") if what is PAGE else (f"program:{n}", "program")
            (asking,) = process.ask(key, 1)
            await process.loading.wait()
            process.loading.clear()
            asking.cancel()
            await asyncio.wait({asking})
            assert await process.lease(key) is not None or n >= 2
        await asyncio.sleep(0.05)
        assert len(process.cache.flights.tasks) == len(process.cache.flights._unattended) == 2
        # Those beyond the bound ended and gave back their leases, and who asks again is served.
        assert await process.lease(key) is None
        process.gate.set()
        await asyncio.gather(*process.cache.flights.tasks)
        process.new_calls()
        assert (await process.get(key)).level == "miss"
        assert process.new_calls() == ["look", "load", "store"]


@KINDS
async def test_closing_ends_every_flight_and_gives_back_its_lease(what: tuple[str, str]) -> None:
    async with processes() as (process,):
        process.gate.clear()
        asking = process.ask(what, 2)
        await process.loading.wait()
        assert await process.lease(what) is not None
        await process.cache.close()
        assert all(task.cancelled() for task in asking)
        assert await process.lease(what) is None
        assert process.new_calls() == ["look", "load", "release"]
        assert process.cache.flights.tasks == set()
