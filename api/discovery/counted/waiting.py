"""What a process has counted and Redis does not have yet. The metrics have all of it at once, whether Redis is there or not."""

from collections import Counter
from collections.abc import Iterator
from itertools import chain, islice

import msgspec

from api.discovery.counted import calls, notes
from api.discovery.counted.calls import Entry
from api.discovery.counted.events import Events
from api.discovery.counted.hiding import Hiding
from api.http.observed import metrics
from api.http.observed import tally as tallying
from api.http.observed.tally import Tally

# Searches and events of one call of the script: Redis answers nobody else while it runs.
_CHUNK = 50


class Waiting:
    """Takes what was counted every second, and gives it away in parts."""

    def __init__(self, tally: Tally, events: Events, hiding: Hiding) -> None:
        """Begin without any.

        Args:
            tally: Has the answers that were given.
            events: Has the clicks and plays that were reported.
            hiding: Names listeners.
        """
        self._tally, self._events, self._hiding = tally, events, hiding
        self._given: Counter[str] = Counter()
        self._listeners: dict[str, set[str]] = {}

    def take(self) -> None:
        """Take what was counted since the last time; what there is no room for is lost."""
        taken = self._tally.take()
        outcomes = Counter(bot=taken.bots, lost=taken.lost)
        for raw, times in taken.given.items():
            try:
                note = notes.read(raw)
            except msgspec.DecodeError:
                # An answer in Redis that another version of the product made.
                outcomes["lost"] += times
                continue
            _measure(note, times)
            if raw not in self._given and len(self._given) >= tallying.MAX_NOTES:
                outcomes["lost"] += times
                continue
            outcomes["counted"] += times
            self._given[raw] += times
            listeners = self._listeners.setdefault(raw, set())
            room = tallying.MAX_LISTENERS - len(listeners)
            listeners.update(islice(taken.listeners.get(raw, ()), room))
        for outcome, count in outcomes.items():
            metrics.SEARCHES.labels(outcome).inc(count)

    def give(self) -> Iterator[list[Entry]]:
        """Give away all that waits, in parts of one call each."""
        given, listeners = self._given, self._listeners
        self._given, self._listeners = Counter(), {}
        found = (
            calls.of_search(notes.read(raw), times, listeners[raw], self._hiding)
            for raw, times in given.items()
        )
        # Events come behind the searches that they belong to.
        rest = chain(found, map(calls.of_event, self._events.take()))
        return iter(lambda: list(islice(rest, _CHUNK)), [])


def _measure(note: notes.Note, times: int) -> None:
    if note.rung not in (notes.PLAIN, notes.DEGRADED):
        metrics.SEARCH_REWRITES.labels(note.rung).inc(times)
    if notes.is_empty(note):
        metrics.ZERO_RESULTS.inc(times)
