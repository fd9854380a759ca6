"""The sweep: brings work back that the queue has lost.

Work waits in PostgreSQL, and a job in Redis says that a worker should do it. Redis may be wiped and a worker
killed, so the scheduler looks every two seconds for work that waits and has no job. The composition root
(`deploy.background`) says where to look: imports, rebuilds, audits.
"""

import itertools
import logging
import time
from collections.abc import Sequence
from typing import Protocol

from redis.exceptions import RedisError
from sqlalchemy import ColumnElement, select
from sqlalchemy.exc import DBAPIError

from catalog.core.glances import Glance, Line

log = logging.getLogger(__name__)
SWEEP_SECONDS = 2.0


class Source(Protocol):
    """One kind of work that waits in PostgreSQL. `what` names it in the log."""

    what: str

    def is_any_waiting(self) -> ColumnElement[bool]:
        """Return the condition without which `enqueue_waiting` would find nothing."""
        ...

    def enqueue_waiting(self) -> list[str]:
        """Enqueue the work that waits and has no job; return the names of the new jobs.

        Raises:
            DBAPIError: PostgreSQL is away.
            RedisError: The queue's Redis is away.
        """
        ...


class Sweep:
    """Asks every source again and again."""

    def __init__(self, sources: Sequence[Source], line: Line, timeout_ms: int) -> None:
        """Look for nothing yet.

        Args:
            sources: Where work may wait.
            line: The connection on which to look which of them have any.
            timeout_ms: Milliseconds that the look may take.
        """
        self._sources = sources
        self._glance = Glance(line, select(*(one.is_any_waiting() for one in sources)), timeout_ms)
        self._swept_at = 0.0

    def tick(self) -> list[str]:
        """Called every second; sweeps every two. Returns the names of the jobs enqueued."""
        if time.monotonic() - self._swept_at < SWEEP_SECONDS:
            return []
        self._swept_at = time.monotonic()
        return self.sweep()

    def sweep(self) -> list[str]:
        """Ask now. A source whose servers are away is asked again at the next sweep."""
        enqueued: list[str] = []
        try:
            waits = self._glance.look()
        except DBAPIError as error:
            log.warning("waiting work is enqueued later: %s", str(error).splitlines()[0])
            return enqueued
        for source in itertools.compress(self._sources, waits):
            try:
                enqueued += source.enqueue_waiting()
            except (DBAPIError, RedisError, OSError) as error:
                log.warning("waiting %s are enqueued later: %s", source.what, str(error).splitlines()[0])
        return enqueued
