"""What one process knows of changes: generations, minimum revisions, tombstones, and when it last heard.

The caches ask it whether an answer may still be shown; `listener`, and writes of this process itself, tell it.
"""

import math
import time
from collections import OrderedDict
from collections.abc import Iterable, Sequence

from sqlalchemy import RowMapping

from api.answers.answer import Answer
from api.answers.following.log import Log
from catalog.core.changes import ProgramChange, TaxonomyChange
from indexer.stores.following.described import Described

SUPERSEDED_SECONDS = 1.0
# As long as it waits for a message, in seconds.
HEARING_SECONDS = 1.0
# Seconds that a tombstone is kept: one that Redis has, too, and one that it has not: published again, or the
# message is late.
_TOMBSTONE_SECONDS = 3600
_UNCONFIRMED_SECONDS = 10
_MAX_MINIMUM = 100_000
_MAX_TOMBSTONES = 200_000


class Invalidations:
    """Attributes tell others what has changed since they looked.

    Attributes:
        generation: The generation of search pages; `log` knows which older ones are superseded.
        log: The changes of the latest generations.
        removals: Grows with every tombstone.
        changes: Grows with every message about programs.
        heard_at: When this process last heard from Redis (monotonic seconds).
        changed_at: When it last heard of a change of a program (monotonic seconds).
        minimum_revisions: Program id -> the oldest revision that may be shown; the oldest change first.
        tombstones: Id of a withdrawn program -> when this was last heard (monotonic seconds).
        taxonomy_revisions: (category or series, id) -> the oldest revision whose name may be shown.
        taxonomy_epoch: Grows when changes of names may have been missed: names read before count no more.
        curation_epoch: Grows when what editors curate may have changed: what was read before counts no more.
        curated_at: When what editors curate may have changed last (monotonic seconds).
    """

    def __init__(self) -> None:
        """Know nothing yet."""
        self.generation = self.removals = self.changes = 0
        self.heard_at = 0.0
        self.changed_at = self.curated_at = -math.inf
        self.minimum_revisions: OrderedDict[int, int] = OrderedDict()
        self.tombstones: OrderedDict[int, float] = OrderedDict()
        # Id -> the revision at which it was withdrawn, where this process was told. Redis may know a later one.
        self._withdrawn_at: dict[int, int] = {}
        self.taxonomy_revisions: dict[tuple[str, int], int] = {}
        self.taxonomy_epoch = self.curation_epoch = 0
        self.log = Log()
        # Generations that were passed over: their messages are late.
        self._passed = range(0)

    @property
    def blind(self) -> bool:
        """Has this process stopped hearing about changes?"""
        return time.monotonic() - self.heard_at > 2 * HEARING_SECONDS + 1

    def withdrawn(self, ids: Iterable[int]) -> set[int]:
        """Return the ids among `ids` that have a tombstone."""
        return {i for i in ids if i in self.tombstones}

    def outdated(self, answer: Answer) -> bool:
        """Is this a program at a revision older than what was invalidated?"""
        return bool(answer.rev) and answer.rev < self.minimum_revisions.get(answer.ids[0], 0)

    def was_withdrawn(self, answer: Answer) -> bool:
        """Does this answer show a program as it was before it was withdrawn?"""
        return any(i in self.tombstones and answer.rev <= self._buried(i, answer.rev) for i in answer.ids)

    def _buried(self, program_id: int, otherwise: int) -> int:
        """Return the revision up to which a tombstone holds; `otherwise` where nobody has said."""
        known = self._withdrawn_at.get(program_id)
        return known if known is not None else self.minimum_revisions.get(program_id, otherwise)

    def changed(self, changes: Iterable[ProgramChange]) -> list[int]:
        """Take notice of changes; returns the ids of those that were news."""
        now = time.monotonic()
        self.changes += 1
        self.changed_at = now
        news = []
        for change in changes:
            if change.rev < self.minimum_revisions.get(change.id, 0):
                continue
            news.append(change.id)
            self.minimum_revisions[change.id] = change.rev
            self.minimum_revisions.move_to_end(change.id)
            if change.visible:
                self.tombstones.pop(change.id, None)
                self._withdrawn_at.pop(change.id, None)
            else:
                self._bury(change.id, now)
                self._withdrawn_at[change.id] = change.rev
        self._bound_minimum()
        return news

    def _bound_minimum(self) -> None:
        while len(self.minimum_revisions) > _MAX_MINIMUM:
            self.minimum_revisions.popitem(last=False)

    def learned(self, program_id: int, minimum: int) -> None:
        """Take over a minimum revision that Redis has: the message about it may be lost, or older than this process."""
        if minimum > self.minimum_revisions.get(program_id, 0):
            self.minimum_revisions[program_id] = minimum
            self.minimum_revisions.move_to_end(program_id)
            self._bound_minimum()

    def is_behind(self, rows: Iterable[RowMapping], wanted: Iterable[int] = ()) -> bool:
        """Return whether a server that shows these rows misses a change that this process knows.

        Args:
            rows: Programs with `id` and `rev`.
            wanted: Ids that the server was asked for; one that it does not show may have been published since.
        """
        minimum = self.minimum_revisions
        shown = {row["id"]: row["rev"] for row in rows}
        if any(rev < minimum.get(i, 0) for i, rev in shown.items()):
            return True
        return any(
            i in minimum and not (i in self.tombstones and self._buried(i, minimum[i]) >= minimum[i])
            for i in wanted
            if i not in shown
        )

    def changed_within(self, seconds: float) -> bool:
        """Return whether a program has changed within so many seconds."""
        return time.monotonic() - self.changed_at <= seconds

    def taxonomy_changed(self, changes: Iterable[TaxonomyChange]) -> None:
        """Take notice of changed categories and series."""
        for change in changes:
            key = change.entity, change.id
            self.taxonomy_revisions[key] = max(change.rev, self.taxonomy_revisions.get(key, 0))
        if len(self.taxonomy_revisions) > _MAX_MINIMUM:
            self.forget_taxonomy()

    def forget_taxonomy(self) -> None:
        """Trust no name that was read until now."""
        self.taxonomy_revisions.clear()
        self.taxonomy_epoch += 1

    def curation_changed(self) -> None:
        """Take notice that what editors curate may have changed."""
        self.curation_epoch += 1
        self.curated_at = time.monotonic()

    def curated_within(self, seconds: float) -> bool:
        """Return whether what editors curate may have changed within so many seconds."""
        return time.monotonic() - self.curated_at <= seconds

    def supersedes(self, answer: Answer, generation: int) -> bool:
        """Return whether a page that was made in a generation may be another one by now."""
        position = self.log.position(generation)
        return position < 0 or self.log.touched_at(answer.depends, position) is not None

    def position(self, generation: int) -> int:
        """Return the number of the first change that a page of this process does not have; -1: nobody can tell."""
        return self.log.end if generation == self.generation else self.log.position(generation)

    def superseded(self, generation: int, changes: Sequence[Described] | None = None) -> None:
        """Searches may answer differently from this generation on.

        Args:
            generation: The generation.
            changes: All that it differs by from the one before it; None when nobody can tell.
        """
        if generation == self.generation or generation in self._passed:
            return
        if changes and generation == self.generation + 1:
            self.log.add(generation, changes)
        elif generation > self.generation:
            # Also when a message between them is missing.
            self._passed = range(self.generation + 1, generation) if self.generation else range(0)
            self.log.begin(generation)
        else:
            # Another Redis has taken over, which did not have the last generations: pages of theirs may still be there, and
            # their numbers are given once more.
            self._passed = range(0)
            self.log.begin(max(self.generation + 1, self.log.floor))
        self.generation = generation

    def caught_up(self, generation: int, withdrawn: set[int]) -> None:
        """Take over what Redis knows: the generation, and the ids that have a tombstone there."""
        if generation != self.generation:
            # A message was missed, and nobody knows what it said.
            self.curation_changed()
        self.superseded(generation)
        now = time.monotonic()
        for program_id in withdrawn - self.tombstones.keys():
            self._bury(program_id, now)
        for program_id, at in list(self.tombstones.items()):
            # Published again while the message was lost; or long since gone from every index.
            if now - at > (_TOMBSTONE_SECONDS if program_id in withdrawn else _UNCONFIRMED_SECONDS):
                del self.tombstones[program_id]
                self._withdrawn_at.pop(program_id, None)
        self.heard_at = now

    def _bury(self, program_id: int, now: float) -> None:
        if program_id not in self.tombstones:
            self.removals += 1
        # The oldest is dropped first: by then no engine has its program any more.
        self.tombstones[program_id] = now
        self.tombstones.move_to_end(program_id)
        if len(self.tombstones) > _MAX_TOMBSTONES:
            self._withdrawn_at.pop(self.tombstones.popitem(last=False)[0], None)
