"""The first level: answers in this process's memory, bounded in bytes.

An answer here is given only while `invalidations` has nothing against it.
"""

import math
import sys
import time
from collections import OrderedDict
from dataclasses import dataclass

from api.answers.answer import Answer
from api.answers.invalidations import SUPERSEDED_SECONDS, Invalidations
from api.http.observed import metrics

# How long a process that has stopped hearing about changes trusts its memory, in seconds.
BLIND_SECONDS = 1.0
# Bytes that an entry costs beside its body, with headers as text for one form, and for each program it shows (measured with
# tracemalloc).
_ENTRY_BYTES, _ID_BYTES = 1150, 40


@dataclass(slots=True)
class Entry:
    """An answer in memory. Times are monotonic seconds.

    Attributes:
        answer: The answer.
        changes_seen: The number of the first change in the log that it was not compared with.
        removals_seen: `Invalidations.removals` when its programs were looked at last.
        stored_at: When it was stored.
        fresh_until: When it ends.
        touched_at: When the first change came that supersedes it; infinite while none is known.
    """

    answer: Answer
    changes_seen: int
    removals_seen: int
    stored_at: float
    fresh_until: float
    touched_at: float = math.inf


class Memory:
    """`max_bytes` is the bound; what was not asked for longest goes first."""

    def __init__(self, max_bytes: int, invalidations: Invalidations) -> None:
        """Begin empty."""
        self.max_bytes, self.bytes = max_bytes, 0
        self.entries: OrderedDict[str, Entry] = OrderedDict()
        self._known = invalidations
        self._missing: set[str] = set()

    def peek(self, key: str) -> Answer | None:
        """The answer that may be given now without asking anybody."""
        entry = self.entries.get(key)
        if entry is None or not self._usable(entry, time.monotonic()):
            return None
        answer = entry.answer
        if (
            entry.changes_seen != self._known.log.end
            and answer.rev == 0
            and answer.status == 200
            and self._is_touched(entry)
        ):
            return None
        self.entries.move_to_end(key)
        return answer

    def superseded(self, key: str) -> Entry | None:
        """The page that was superseded a moment ago and may still be shown."""
        entry, now = self.entries.get(key), time.monotonic()
        if entry is None or entry.answer.status != 200 or not self._usable(entry, now):
            return None
        # The change that `peek` has found.
        return entry if now - entry.touched_at <= SUPERSEDED_SECONDS else None

    def _is_touched(self, entry: Entry) -> bool:
        """Compare a page with the changes since it was compared last; return whether one of them supersedes it."""
        if entry.touched_at != math.inf:
            return True
        log = self._known.log
        at = log.touched_at(entry.answer.depends, entry.changes_seen)
        if at is None:
            entry.changes_seen = log.end
            metrics.PAGES_COMPARED.labels("kept").inc()
            return False
        entry.touched_at = at
        metrics.PAGES_COMPARED.labels("superseded").inc()
        return True

    def _usable(self, entry: Entry, now: float) -> bool:
        if now >= entry.fresh_until:
            return False
        known = self._known
        if now - entry.stored_at > BLIND_SECONDS and known.blind:
            return False
        if entry.removals_seen != known.removals:
            if any(i in known.tombstones for i in entry.answer.ids):
                return False
            entry.removals_seen = known.removals
        return True

    def store(self, key: str, answer: Answer, ttl: float, *, generation: int, removals: int) -> None:
        """Store an answer, unless it is older than what is known or stored.

        Args:
            key: What it answers.
            answer: An answer of status 200, or 404 to be forgotten at the next change.
            ttl: Seconds to keep it.
            generation: The generation of search pages when it was asked for.
            removals: `Invalidations.removals` when it was asked for.
        """
        known = self._known
        if known.outdated(answer) or any(i in known.tombstones for i in answer.ids):
            return
        old = self.entries.get(key)
        if old is not None and old.answer.rev > answer.rev and answer.status == 200:
            return
        self.drop(key)
        now = time.monotonic()
        ends = now + answer.kept(ttl)
        self.entries[key] = Entry(answer, known.position(generation), removals, now, ends)
        self.bytes += _size(key, answer)
        if answer.status != 200:
            self._missing.add(key)
        while self.bytes > self.max_bytes and self.entries:
            metrics.CACHE_BYTES.inc(self.drop(next(iter(self.entries))))

    def drop(self, key: str) -> int:
        """Forget the answer for a key; return the bytes of its body."""
        entry = self.entries.pop(key, None)
        self._missing.discard(key)
        if entry is None:
            return 0
        self.bytes -= _size(key, entry.answer)
        return len(entry.answer.body)

    def drop_missing(self) -> None:
        """Forget every 404: what was missing may be there now."""
        for key in list(self._missing):
            self.drop(key)

    def clear(self) -> None:
        """Forget everything."""
        self.entries.clear()
        self._missing.clear()
        self.bytes = 0


def _size(key: str, answer: Answer) -> int:
    followed = answer.depends.size() if answer.depends is not None else 0
    own = sys.getsizeof(key) + len(answer.note) + len(answer.body) + followed
    return own + _ENTRY_BYTES + _ID_BYTES * len(answer.ids)
