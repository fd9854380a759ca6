"""Threads of their own for calls that may wait long, for a server or a disk: they take none of those that all other work shares."""

import asyncio
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from contextvars import copy_context
from typing import TypeVar

Found = TypeVar("Found")


class Crowded(Exception):
    """So much is at work, and so much waits, that nothing more is taken."""


class Threads:
    """So many calls at the same time, and so many that have a place: those at work and those that wait."""

    def __init__(self, name: str, most: int, places: int) -> None:
        """Begin empty; a thread starts with the first call that needs it.

        Args:
            name: Of the threads.
            most: Calls at the same time.
            places: Requests that have a place at the same time.
        """
        self._pool = ThreadPoolExecutor(most, thread_name_prefix=name)
        self._left = places

    @contextmanager
    def place(self) -> Iterator[None]:
        """Keep a place for the block.

        Raises:
            Crowded: None is left.
        """
        if not self._left:
            raise Crowded
        self._left -= 1
        try:
            yield
        finally:
            self._left += 1

    async def run(self, work: Callable[[], Found]) -> Found:
        """Return what a call returns, on one of the threads, and with the trace of who asks."""
        context = copy_context()
        return await asyncio.get_running_loop().run_in_executor(self._pool, lambda: context.run(work))
