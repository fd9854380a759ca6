"""How much one sender has on its way to its engine, and how often it looks."""

import time
from collections.abc import Sequence

from indexer.settings import IndexerSettings

# So many batches are on their way at once while they have together no more documents than a full one.
_MANY = 32
# Seconds between two of them, for each that is on its way: else all would be used up at once, and what
# comes then would wait for the first to be done.
_SPACING = 0.01
# An index that nobody is answered from shares its engine with one that listeners are: a change for
# that one waits behind what is queued, so two batches of about this many seconds are queued and no more.
_BESIDE_SECONDS = 0.9
_BESIDE_BATCHES = 2
_BESIDE_LEAST = 100
_FIRST_PER_SECOND = 1000.0
# How much the last batch weighs in the pace.
_NEWEST = 0.3
# Seconds between looks at a task: soon for one document, seldom for thousands.
_LEAST_PAUSE, _GROWTH = 0.004, 1.5
_MOST_PAUSE, _MOST_PAUSE_BUSY = 0.02, 0.1
# What has waited long for others may be seen a little later: by this share of its time.
_SHARE = 0.1


class Pace:
    """`beside`: another index of the same engine answers listeners meanwhile."""

    def __init__(self, settings: IndexerSettings, *, beside: bool) -> None:
        self.settings, self.beside = settings, beside
        self.per_second = _FIRST_PER_SECOND
        self._sent_at = self._settled_at = 0.0
        self._pause = _LEAST_PAUSE

    def room(self, flying: Sequence[int]) -> int:
        """Documents that the next batch may have (0: it waits), when batches of so many are on their way.

        A few full batches, or many small ones: an engine takes what waits in its queue together, so a
        change that waits here instead waits for one batch more.
        """
        most = self.settings.sync_max_documents
        if self.beside:
            if len(flying) >= min(_BESIDE_BATCHES, self.settings.sync_in_flight):
                return 0
            return min(most, max(_BESIDE_LEAST, int(self.per_second * _BESIDE_SECONDS)))
        if len(flying) < self.settings.sync_in_flight:
            return most
        if len(flying) >= _MANY or time.monotonic() - self._sent_at < _SPACING * len(flying):
            return 0
        return max(0, most - sum(flying))

    def sent(self) -> None:
        """A batch is on its way."""
        self._sent_at = time.monotonic()

    def settled(self, documents: int, sent_at: float) -> None:
        """A batch that was sent at `sent_at` (monotonic) is done: learn how fast the engine is."""
        now = time.monotonic()
        seconds = now - max(sent_at, self._settled_at)
        self._settled_at = now
        if documents >= _BESIDE_LEAST and seconds > 0:
            self.per_second += (documents / seconds - self.per_second) * _NEWEST

    def moved(self) -> None:
        """The oldest batch is another one: look again soon."""
        self._pause = _LEAST_PAUSE

    def pause(self, waited: float) -> float:
        """Seconds until the next look, longer every time; the oldest batch has waited so many."""
        pause = self._pause
        most = _MOST_PAUSE_BUSY if self.beside else max(_MOST_PAUSE, waited * _SHARE)
        self._pause = min(pause * _GROWTH, most, _MOST_PAUSE_BUSY)
        return pause
