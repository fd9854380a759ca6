"""Flights: in one process all who ask for the same key share one search for it.

A flight is a task of its own: an asker who hangs up leaves it to the others. When all have hung up, it goes on
and its answer is kept; the number of such flights is bounded.
"""

import asyncio
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from typing import NamedTuple

from api.answers.answer import Answer, Found, Level

# Flights that nobody waits for, at the most: pages made anew, and those whose askers all hung up.
MAX_UNATTENDED = 200
_CLOSE_SECONDS = 1.0


class Landed(NamedTuple):
    """What a flight found, where, and `Invalidations.removals` when it was asked for."""

    answer: Answer
    level: Level
    removals: int


# Makes the search for a key, to be run as a task.
Search = Callable[[], Coroutine[None, None, Landed]]


@dataclass(slots=True, eq=False)
class _Flight:
    """A search, how many wait for it, and whether one of them counted it."""

    task: "asyncio.Task[Landed]"
    askers: int = 0
    counted: bool = False


class Flights:
    """The flights under way: as many as there are requests, and MAX_UNATTENDED more."""

    def __init__(self) -> None:
        """None are under way."""
        # Those that new askers may join.
        self._joinable: dict[str, _Flight] = {}
        self._unattended: set[_Flight] = set()
        self.tasks: set[asyncio.Task[Landed]] = set()

    async def join(self, key: str, search: Search) -> tuple[Found, int]:
        """Wait for the flight of a key, or begin one.

        Returns:
            What it found, and `Landed.removals`. One of those who wait gets the flight's level, the others
            "coalesced".

        Raises:
            Exception: What the search raises.
        """
        flight = self._joinable.get(key) or self._begin(key, search)
        flight.askers += 1
        self._unattended.discard(flight)
        try:
            answer, level, removals = await asyncio.shield(flight.task)
        finally:
            flight.askers -= 1
            if not flight.askers and not flight.task.done():
                self._leave(key, flight)
        if flight.counted:
            level = "coalesced"
        flight.counted = True
        return Found(answer, level), removals

    def begin_unattended(self, key: str, search: Search) -> None:
        """Begin a flight that nobody waits for, unless there is one or there are too many."""
        if key not in self._joinable and len(self._unattended) < MAX_UNATTENDED:
            self._unattended.add(self._begin(key, search))

    def detach(self, key: str) -> None:
        """Let those who ask from now on begin a flight of their own: what this one reads may be old."""
        self._joinable.pop(key, None)

    async def close(self) -> None:
        """Cancel every flight and wait until they have ended, for a second at the most."""
        tasks = set(self.tasks)
        for task in tasks:
            task.cancel()
        if tasks:
            await asyncio.wait(tasks, timeout=_CLOSE_SECONDS)

    def _begin(self, key: str, search: Search) -> _Flight:
        flight = _Flight(asyncio.create_task(search()))
        self._joinable[key] = flight
        self.tasks.add(flight.task)

        def end(task: "asyncio.Task[Landed]") -> None:
            if self._joinable.get(key) is flight:
                del self._joinable[key]
            self.tasks.discard(task)
            self._unattended.discard(flight)
            if not task.cancelled():
                # Nobody may be waiting when it fails.
                task.exception()

        flight.task.add_done_callback(end)
        return flight

    def _leave(self, key: str, flight: _Flight) -> None:
        """Nobody waits for this flight any more."""
        if len(self._unattended) < MAX_UNATTENDED:
            self._unattended.add(flight)
            return
        if self._joinable.get(key) is flight:
            del self._joinable[key]
        flight.task.cancel()
