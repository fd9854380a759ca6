"""The pace of one sender: how many documents the next batch may have, and when to look at a task again."""

import random
import time
from collections.abc import Sequence

from indexer.settings import IndexerSettings

# The most batches in flight, as long as their documents together would fit into one full batch.
_MOST_BATCHES = 32
# Seconds between two batches, times the batches in flight. Without it, changes that come one by one would use
# up all of them at once, and the next change would wait until the first batch is done.
_SPACING = 0.01
# An index that is rebuilt shares its engine with the live one: a change for the live index waits behind the tasks
# that are queued. So at most two batches of about this many seconds are queued for the other index.
_BESIDE_SECONDS = 0.9
_BESIDE_BATCHES = 2
_BESIDE_LEAST = 100
_FIRST_PER_SECOND = 1000.0
# How much the newest batch counts in the measured speed of the engine.
_WEIGHT_OF_NEWEST = 0.3
# Seconds between two looks at a task: short for a batch of one document, long for one of thousands.
_SHORTEST_PAUSE, _GROWTH = 0.004, 1.5
_LONGEST_PAUSE, _LONGEST_PAUSE_BUSY = 0.02, 0.1
# The pause may be this share of the time that the batch has waited already.
_SHARE = 0.1
# The longest pause between two requests to an engine that is away. A request costs little, and every second of
# the pause is a second more until listeners find what was published.
_LONGEST_RETRY = 3.0


def retry_seconds(failures: int) -> float:
    """Return for how long to leave an engine alone that has failed so often, one time after another."""
    longest: float = min(_LONGEST_RETRY, 0.1 * 2 ** min(failures, 8))
    return longest * random.uniform(0.5, 1)  # noqa: S311 (jitter, no secret)


class Pace:
    """What the sender has learned of the speed of its engine."""

    def __init__(self, settings: IndexerSettings, *, beside: bool) -> None:
        """Begin with a guess of the engine's speed.

        Args:
            settings: The largest batch, and how many full batches may be in flight.
            beside: Whether another index of the same engine answers listeners meanwhile.
        """
        self.settings, self.beside = settings, beside
        self.per_second = _FIRST_PER_SECOND
        self._sent_at = self._settled_at = 0.0
        self._pause = _SHORTEST_PAUSE

    def room(self, in_flight: Sequence[int]) -> int:
        """Return how many documents the next batch may have; 0 when no batch may be sent now.

        A few full batches may be in flight, or many small ones. An engine does the tasks that wait in its queue
        together, so a change that waits here instead waits for one more round.

        Args:
            in_flight: The number of documents of each batch in flight.
        """
        most = self.settings.sync_max_documents
        if self.beside:
            if len(in_flight) >= min(_BESIDE_BATCHES, self.settings.sync_in_flight):
                return 0
            return min(most, max(_BESIDE_LEAST, int(self.per_second * _BESIDE_SECONDS)))
        if len(in_flight) < self.settings.sync_in_flight:
            return most
        if len(in_flight) >= _MOST_BATCHES or time.monotonic() - self._sent_at < _SPACING * len(in_flight):
            return 0
        return max(0, most - sum(in_flight))

    def sent(self) -> None:
        """Take note that a batch was sent."""
        self._sent_at = time.monotonic()

    def settled(self, documents: int, sent_at: float) -> None:
        """Learn from a settled batch how fast the engine is.

        Args:
            documents: The number of its documents.
            sent_at: When it was sent, by the monotonic clock.
        """
        now = time.monotonic()
        seconds = now - max(sent_at, self._settled_at)
        self._settled_at = now
        if documents >= _BESIDE_LEAST and seconds > 0:
            self.per_second += (documents / seconds - self.per_second) * _WEIGHT_OF_NEWEST

    def look_soon(self) -> None:
        """Begin again with short pauses: another batch is the oldest in flight now."""
        self._pause = _SHORTEST_PAUSE

    def pause(self, waited: float) -> float:
        """Return the seconds until the next look at the oldest batch, which has waited for `waited` seconds.

        Each call returns a longer pause, up to a limit.
        """
        pause = self._pause
        longest = _LONGEST_PAUSE_BUSY if self.beside else max(_LONGEST_PAUSE, waited * _SHARE)
        self._pause = min(pause * _GROWTH, longest, _LONGEST_PAUSE_BUSY)
        return pause
