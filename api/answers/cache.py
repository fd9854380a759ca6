"""The cache as the rest of the API sees it: this process's memory, then Redis, then one call to the source.

A stored answer knows the programs it shows, so an answer that shows an unpublished program is never given. Other
changes supersede the pages that they can touch (`following/`). A superseded page may still be shown for one second while it is made anew,
twice a second at the most. Redis may vanish at any moment: this process then trusts nothing it holds for longer
than a second, because it no longer hears what was withdrawn.
"""

import asyncio
import math
import secrets
import time
from collections.abc import Iterable
from contextvars import ContextVar
from dataclasses import replace

from redis.asyncio import Redis

from api.answers.answer import NOT_FOUND, Answer, Found, Kind, Load
from api.answers.encodings import Forms
from api.answers.flights import Flights, Landed
from api.answers.invalidations import Invalidations
from api.answers.memory import BLIND_SECONDS, Memory
from api.answers.shared import Shared, Stored, program_id
from api.http.observed import metrics
from api.http.observed.counting import cached
from catalog.core.changes import ProgramChange, TaxonomyChange
from indexer.stores.invalidation import Keys

# A page younger than this is shown without asking the engine again: while editors write, every page is
# superseded all the time.
YOUNG_SECONDS = 0.5
NEGATIVE_SECONDS = 5.0
# An answer that leaves out a withdrawn program is kept so long: the program may have been published again, and the
# message about it lost. When it was not, the engine's confirmation supersedes the answer as soon.
LEFT_OUT_SECONDS = 1.0
# Seconds between two looks of a process that waits for another one's flight: 205 ms in all.
_POLLS = (0.005, 0.01, 0.02, 0.03, 0.04, 0.05, 0.05)
# A compressed form has about a quarter of the bytes of its answer.
_FORMS_PART = 4
_sleep = asyncio.sleep
# What the load of a flight has left out so far; each flight is a task and has a context of its own.
_left_out: ContextVar[set[int] | None] = ContextVar("left_out", default=None)


class Cache:
    """One process's view of all answers."""

    def __init__(self, redis: "Redis | None", prefix: str, *, max_bytes: int) -> None:
        """Begin empty.

        Args:
            redis: A client whose commands time out; None for no second level.
            prefix: What every name in Redis begins with.
            max_bytes: The bound of answers in this process's memory; a quarter of it, besides, that of their compressed
                forms.
        """
        self.invalidations = Invalidations()
        self.memory = Memory(max_bytes, self.invalidations)
        self.forms = Forms(max_bytes // _FORMS_PART)
        self.shared = Shared(redis, Keys(prefix))
        self.flights = Flights()
        # What a hit looks up: bound once.
        self.peek = self.memory.peek

    async def get(self, key: str, kind: Kind, load: Load, *, ttl: float) -> Found:
        """The answer for a key, from the nearest place that has it.

        Args:
            key: What is asked for; a program's is `program:` and its id.
            kind: `program` or `page`: how changes concern it.
            load: Asks the source.
            ttl: Seconds to keep the answer.

        Raises:
            Exception: What `load` raises, unless a page in memory may still be shown.
        """
        found = await self._get(key, kind, load, ttl)
        cached(kind, found.level)
        return found

    async def _get(self, key: str, kind: Kind, load: Load, ttl: float) -> Found:
        in_memory = self.peek(key)
        if in_memory is not None:
            return Found(in_memory, "l1")
        if kind == "page":
            entry = self.memory.superseded(key)
            if entry is not None:
                if time.monotonic() - entry.stored_at >= YOUNG_SECONDS:
                    self.flights.begin_unattended(key, lambda: self._search(key, kind, load, ttl))
                return Found(entry.answer, "stale")
        found, removals = await self.flights.join(key, lambda: self._search(key, kind, load, ttl))
        if removals != self.invalidations.removals and self.invalidations.withdrawn(found.answer.ids):
            # Withdrawn while the answer was being made: made once more, without it.
            found, _ = await self.flights.join(key, lambda: self._search(key, kind, load, ttl))
        return found

    async def _search(self, key: str, kind: Kind, load: Load, ttl: float) -> Landed:
        """A flight: Redis, or the source under a lease."""
        token = secrets.token_bytes(8)
        try:
            stored = await self._stored(key, kind, ttl, token)
            return stored or await self._load(key, kind, load, ttl, token)
        except BaseException:
            # Also when it is not known whether the lease was given.
            await self.shared.release(key, kind, token)
            raise

    async def _stored(self, key: str, kind: Kind, ttl: float, token: bytes) -> Landed | None:
        """What Redis has, or gets from the owner of the lease; None when the source is to be asked."""
        known, leader = self.invalidations, None
        least = 0
        for pause in (0.0, *_POLLS):
            if pause:
                await _sleep(pause)
            least = max(least, known.log.floor)
            found = await self.shared.look(key, kind, token, least)
            if (
                found.answer is not None
                and kind == "page"
                and known.supersedes(found.answer, found.generation)
            ):
                # Now for the lease, or for a page that was made since.
                metrics.PAGES_COMPARED.labels("superseded").inc()
                least = found.generation + 1
                found = await self.shared.look(key, kind, token, least)
                if found.answer is not None and known.supersedes(found.answer, found.generation):
                    return None
            answer, holder, minimum, generation = found
            if minimum:
                known.learned(program_id(key), minimum)
            if answer is not None:
                if known.outdated(answer) or known.was_withdrawn(answer):
                    return None
                ttl = _kept_for(answer, ttl)
                self.memory.store(key, answer, ttl, generation=generation, removals=known.removals)
                return Landed(answer, "l2", known.removals)
            if holder is None or holder == token or leader not in (None, holder):
                # Nobody can tell who has the lease; or it was free; or its leader is done and stored nothing.
                return None
            leader = holder
        return None

    async def _load(self, key: str, kind: Kind, load: Load, ttl: float, token: bytes) -> Landed:
        """Ask the source; keep the answer and give back the lease."""
        known = self.invalidations
        generation, removals, changes = known.generation, known.removals, known.changes
        left_out: set[int] = set()
        _left_out.set(left_out)
        answer = await load()
        if left_out and answer.status == 200:
            answer = replace(answer, max_ttl=min(answer.max_ttl, LEFT_OUT_SECONDS))
        if kind == "program" and known.was_withdrawn(answer):
            # A replica that is behind still has it.
            answer = NOT_FOUND
        ttl = _kept_for(answer, ttl)
        if answer.status == 200:
            stored = await self.shared.store(key, kind, answer, ttl, generation=generation, token=token)
            if stored is Stored.WITHDRAWN:
                # The message about it was lost on its way to this process.
                return Landed(NOT_FOUND, "miss", removals)
            if stored is Stored.UNKNOWN:
                # Redis may know a newer revision: trusted no longer than everything without its messages.
                ttl = min(ttl, BLIND_SECONDS)
            if stored is not Stored.OUTDATED:
                self.memory.store(key, answer, ttl, generation=generation, removals=removals)
            return Landed(answer, "miss", removals)
        await self.shared.release(key, kind, token)
        if changes == known.changes:
            # Otherwise what was missing may have been published meanwhile.
            ttl = min(ttl, NEGATIVE_SECONDS)
            self.memory.store(key, answer, ttl, generation=generation, removals=removals)
        return Landed(answer, "miss", removals)

    def withdrawn(self, ids: Iterable[int]) -> set[int]:
        """Return the ids among `ids` that were withdrawn: an engine or a page may not know it yet.

        A load that asks is taken to leave them out: its answer is kept briefly.
        """
        found = self.invalidations.withdrawn(ids)
        left_out = _left_out.get()
        if left_out is not None:
            left_out |= found
        return found

    def changed(self, changes: Iterable[ProgramChange]) -> None:
        """Drop changed programs from this process; called after a commit here and for others'."""
        for changed_id in self.invalidations.changed(changes):
            key = f"program:{changed_id}"
            self.memory.drop(key)
            self.flights.detach(key)
        self.memory.drop_missing()

    def taxonomy_changed(self, changes: Iterable[TaxonomyChange]) -> None:
        """Names of these categories and series may be others; called after a commit here and for others'."""
        self.invalidations.taxonomy_changed(changes)

    def curation_changed(self, generation: int) -> None:
        """Pages may show other collections; called after a commit here and for others'.

        Args:
            generation: The new generation of pages; 0 when Redis is away and gave none.
        """
        self.invalidations.curation_changed()
        if generation:
            self.invalidations.superseded(generation)
        else:
            self.memory.clear()

    def clear(self) -> None:
        """Forget every answer that this process holds, and what it knows of categories, series and the curation."""
        self.memory.clear()
        self.forms.clear()
        self.invalidations.forget_taxonomy()
        self.invalidations.curation_changed()

    async def close(self) -> None:
        """End every flight; its lease is given back."""
        await self.flights.close()


def _kept_for(answer: Answer, ttl: float) -> float:
    """Return for how many seconds an answer may be kept: one that says what it depends on and when it ends, until then."""
    return math.inf if answer.depends is not None and answer.ends_at != math.inf else ttl
