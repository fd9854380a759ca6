"""Work that is finished although who awaits it is cancelled."""

import asyncio
from contextlib import suppress

import pytest

from indexer.process import uninterrupted as module
from indexer.process.uninterrupted import uninterrupted


async def test_it_returns_and_raises_what_the_work_does() -> None:
    async def answer() -> int:
        return 7

    async def refuse() -> int:
        raise ValueError("refused")

    assert await uninterrupted(answer()) == 7
    with pytest.raises(ValueError, match="refused"):
        await uninterrupted(refuse())


@pytest.mark.parametrize("fails", [False, True])
async def test_a_cancelled_task_ends_after_its_work(fails: bool) -> None:
    begun, go_on, ended = asyncio.Event(), asyncio.Event(), asyncio.Event()

    async def work() -> None:
        begun.set()
        await go_on.wait()
        ended.set()
        if fails:
            raise ValueError

    task = asyncio.create_task(uninterrupted(work()))
    await begun.wait()
    for _ in range(3):
        task.cancel()
        await asyncio.wait([task], timeout=0.01)
    assert not task.done()
    go_on.set()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert ended.is_set()


async def test_a_cancelled_task_waits_no_longer_than_its_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "SECONDS", 0.01)
    begun = asyncio.Event()

    async def work() -> None:
        begun.set()
        await asyncio.Event().wait()

    awaited = work()
    task = asyncio.create_task(uninterrupted(awaited))
    await begun.wait()
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task
    assert task.cancelled()
