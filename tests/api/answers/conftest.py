"""What the tests of the caches replace."""

from collections.abc import Awaitable, Callable

import pytest

from api.answers import cache as module
from tests.support.caches import Process


@pytest.fixture
def pauses(monkeypatch: pytest.MonkeyPatch) -> Callable[[Process, Callable[[], Awaitable[object]]], None]:
    """Given a process and what happens meanwhile, its next pause is that instead of time."""

    def during(process: Process, happens: Callable[[], Awaitable[object]]) -> None:
        async def sleep(seconds: float) -> None:
            process.calls.append("pause")
            await happens()

        monkeypatch.setattr(module, "_sleep", sleep)

    return during
