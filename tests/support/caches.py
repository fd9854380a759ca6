"""Caches over one Redis, each as in a process of its own, that write down what they do."""

import asyncio
import os
import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any

import pytest
from redis.asyncio import Redis

from api.answers import shared
from api.answers.answer import Answer, Found
from api.answers.cache import Cache

SCRIPTS = {
    shared.LOOK_PAGE: "look",
    shared.LOOK_PROGRAM: "look",
    shared.STORE_PAGE: "store",
    shared.STORE_PROGRAM: "store",
    shared.RELEASE: "release",
}


PAGE, PROGRAM = ("search:x", "page"), ("program:7", "program")


KINDS = pytest.mark.parametrize("what", [PAGE, PROGRAM], ids=["page", "program"])


class Counted(Redis):
    """A client that writes down what it is asked for."""

    calls: list[str]

    async def execute_command(self, *args: Any, **options: Any) -> Any:
        self.calls.append(SCRIPTS.get(args[1], args[0]) if args[0] == "EVAL" else str(args[0]))
        return await super().execute_command(*args, **options)


class Process:
    """A cache, and in order: its Redis calls, its pauses, and `load` for each time the source was asked."""

    def __init__(self, prefix: str) -> None:
        self.redis = Counted.from_url(f"{os.environ['TEST_VALKEY']}/0")
        self.calls: list[str] = []
        self.redis.calls = self.calls
        self.cache = Cache(self.redis, prefix, max_bytes=100_000)
        # As if it had just heard from Redis.
        self.cache.invalidations.heard_at = asyncio.get_running_loop().time() + 3600
        self.answer: Answer | Exception = Answer(b"first", rev=1, ids=(7,))
        self.gate = asyncio.Event()
        self.gate.set()
        self.loading = asyncio.Event()

    async def load(self) -> Answer:
        self.calls.append("load")
        self.loading.set()
        await self.gate.wait()
        if isinstance(self.answer, Exception):
            raise self.answer
        return replace(self.answer)

    async def get(self, what: tuple[str, str]) -> Found:
        return await self.cache.get(*what, self.load, ttl=60)

    def ask(self, what: tuple[str, str], times: int) -> list["asyncio.Task[Found]"]:
        return [asyncio.create_task(self.get(what)) for _ in range(times)]

    def new_calls(self) -> list[str]:
        """What was done since this was asked last."""
        done = list(self.calls)
        self.calls.clear()
        return done

    async def lease(self, what: tuple[str, str]) -> bytes | None:
        found: bytes | None = await self.redis.get(self.cache.shared.names(what[0], what[1])[1])
        self.calls.pop()
        return found


@asynccontextmanager
async def processes(count: int = 1) -> AsyncIterator[list[Process]]:
    prefix = f"{uuid.uuid4().hex}:"
    found = [Process(prefix) for _ in range(count)]
    try:
        yield found
    finally:
        for each in found:
            await each.cache.close()
            await each.redis.aclose()
