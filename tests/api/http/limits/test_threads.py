"""Threads of their own: places come back whatever happens, and the trace of who asks goes along."""

import asyncio
import threading
from contextvars import ContextVar

import pytest

from api.http.limits.threads import Crowded, Threads

_WHO: ContextVar[str] = ContextVar("who", default="nobody")


def test_a_place_comes_back_when_the_work_fails() -> None:
    threads = Threads("few", 1, 1)

    async def fail() -> None:
        with threads.place():
            await threads.run(lambda: 1 // 0)

    async def crowd() -> None:
        with threads.place():
            with pytest.raises(Crowded), threads.place():
                raise AssertionError("there was a second place")
            assert await threads.run(lambda: "done") == "done"

    with pytest.raises(ZeroDivisionError):
        asyncio.run(fail())
    asyncio.run(crowd())


def test_the_work_knows_who_asks_and_runs_on_a_thread_of_its_own() -> None:
    async def ask() -> tuple[str, str]:
        _WHO.set("amal")
        return await Threads("few", 1, 1).run(lambda: (_WHO.get(), threading.current_thread().name))

    who, name = asyncio.run(ask())
    assert (who, name.partition("_")[0]) == ("amal", "few")
