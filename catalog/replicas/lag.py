"""How far a replica is behind the primary, from positions in the write-ahead log.

The replica's own time of the last replayed commit says little: on an idle catalogue it grows without a delay, and a
replica that lost its primary does not notice new commits at all. So `servers` asks the primary for its position every
second, and `History` tells which of these positions a replica has replayed.
"""

import math
from collections import deque
from dataclasses import dataclass
from typing import NamedTuple

# Positions of the primary that are remembered, one a second: a longer lag counts as its replay time says.
MAX_POSITIONS = 600

# Works on a primary and on a replica; the columns are those of Position.
POSITION = (
    "SELECT pg_is_in_recovery() AS in_recovery, "
    "coalesce((CASE WHEN pg_is_in_recovery() THEN pg_last_wal_replay_lsn() ELSE pg_current_wal_lsn() END "
    "  - '0/0'::pg_lsn)::bigint, 0) AS position, "
    "CASE WHEN pg_is_in_recovery() THEN '' "
    "  ELSE left(pg_walfile_name(pg_current_wal_lsn()), 8) END AS timeline, "
    "extract(epoch FROM clock_timestamp())::float AS now, "
    "extract(epoch FROM pg_last_xact_replay_timestamp())::float AS replayed_at"
)


@dataclass(frozen=True, slots=True)
class Position:
    """Where a server stands in the write-ahead log.

    Attributes:
        in_recovery: Whether it replays another server's log.
        position: The last position that was written or, in recovery, replayed: bytes from the beginning of the log.
        timeline: The log's timeline; empty in recovery. A promotion begins a new one.
        now: The server's clock, in seconds since 1970.
        replayed_at: By the primary's clock, when the last replayed transaction was committed; None without one.
    """

    in_recovery: bool
    position: int
    timeline: str
    now: float
    replayed_at: float | None


class _Written(NamedTuple):
    position: int
    at: float


class History:
    """The positions that the primary had lately, and when."""

    def __init__(self) -> None:
        self._written: deque[_Written] = deque(maxlen=MAX_POSITIONS)
        self._last: Position | None = None

    def add(self, primary: Position, at: float) -> None:
        """Note where the primary stands.

        Args:
            primary: Its answer.
            at: When it was asked, by this process's monotonic clock.
        """
        if self._last and (primary.position < self._last.position or primary.timeline != self._last.timeline):
            # Another server is the primary now: what the old one had written last may be lost.
            self._written.clear()
        self._last = primary
        self._written.append(_Written(primary.position, at))

    def behind(self, server: Position) -> float:
        """Return at most how many seconds the server was behind when the primary answered last.

        A primary that does not answer makes no replica older: there is nothing newer to read.

        Returns:
            0 when the server has everything that the primary had; infinity when nothing can be said, or the server
            replays no log and is not the primary.
        """
        if self._last is None:
            return math.inf
        if not server.in_recovery and server.timeline != self._last.timeline:
            return math.inf
        newest = self._written[-1]
        known = next((w.at for w in reversed(self._written) if w.position <= server.position), -math.inf)
        by_position = newest.at - known
        by_commit = math.inf if server.replayed_at is None else self._last.now - server.replayed_at
        return max(0.0, min(by_position, by_commit))
