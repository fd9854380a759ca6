"""The sweep: brings work back that the queue has lost.

Work waits in PostgreSQL, and a job in Redis says that a worker should do it. Redis may be wiped and a worker
killed, so the scheduler looks every two seconds for work that waits and has no job. The composition root
(`deploy.background`) says where to look: imports, rebuilds, audits.
"""

import logging
import time
from collections.abc import Sequence
from typing import Protocol

from redis.exceptions import RedisError
from sqlalchemy.exc import DBAPIError

log = logging.getLogger(__name__)
SWEEP_SECONDS = 2.0


class Source(Protocol):
    """One kind of work that waits in PostgreSQL. `what` names it in the log."""

    what: str

    def enqueue_waiting(self) -> list[str]:
        """Enqueue the work that waits and has no job; return the names of the new jobs.

        Raises:
            DBAPIError: PostgreSQL is away.
            RedisError: The queue's Redis is away.
        """
        ...


class Sweep:
    """Asks every source again and again."""

    def __init__(self, sources: Sequence[Source]) -> None:
        self._sources = sources
        self._swept_at = 0.0

    def tick(self) -> list[str]:
        """Called every second; sweeps every two. Returns the names of the jobs enqueued."""
        if time.monotonic() - self._swept_at < SWEEP_SECONDS:
            return []
        self._swept_at = time.monotonic()
        return self.sweep()

    def sweep(self) -> list[str]:
        """Ask now. A source whose servers are away is asked again at the next sweep."""
        enqueued = []
        for source in self._sources:
            try:
                enqueued += source.enqueue_waiting()
            except (DBAPIError, RedisError, OSError) as error:
                log.warning("waiting %s are enqueued later: %s", source.what, str(error).splitlines()[0])
        return enqueued
