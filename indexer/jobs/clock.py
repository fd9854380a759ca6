"""What happens every second: programs are published and expire on time; the journal is written; views, words, searches count.

Done in the scheduler's own process: as jobs, the delay of the queue and a fork every second would cost more than
the work. Several clocks may run; a row that one of them works on is skipped by the others.
"""

import logging
import time
from collections.abc import Callable

from redis import Redis
from sqlalchemy import Engine, select
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from catalog.core import changes, tracing
from catalog.core.actor import Actor
from catalog.core.db import session_factory
from catalog.core.glances import Glance, Line, OwnLine
from catalog.journal import entries
from catalog.programs import lifecycle
from catalog.vocabulary import rollup
from indexer.jobs import insight, searches, views
from indexer.stores.invalidation import REDIS_AWAY, Invalidator

log = logging.getLogger(__name__)
VIEWS_SECONDS = 5.0
SEARCHES_SECONDS = 60.0
# After so long, what is left of the journal's or the vocabulary's marks waits for the next tick: publishing must stay on time.
ROLL_UP_SECONDS = 0.7
_ACTOR = Actor("system", name="clock")


class Clock:
    """Does what is due, whenever `tick` is called."""

    def __init__(
        self,
        database: Engine,
        cache: "Redis",
        prefix: str,
        line: Line | None = None,
        *,
        timeout_ms: int = 5_000,
    ) -> None:
        """Nothing is read before the first `tick`.

        Args:
            database: PostgreSQL, the primary.
            cache: The cache's Redis, which also gathers views and searches.
            prefix: What every key in it begins with.
            line: The connection on which to look what is due; one of its own when None.
            timeout_ms: Milliseconds that the look may take.
        """
        self.database, self.cache, self.prefix = database, cache, prefix
        self._sessions = session_factory(database)
        self._invalidator = Invalidator(cache, prefix)
        due = select(lifecycle.is_any_due(), entries.is_any_marked(), rollup.is_any_marked())
        self._glance = Glance(line or OwnLine(database), due, timeout_ms)
        self._views_at = self._searches_at = 0.0

    def tick(self) -> None:
        """Publish, expire, add views, write the journal, count words and searches; the next tick tries again what a server refused."""
        try:
            is_due, is_journal_marked, are_words_marked = self._glance.look()
            if is_due:
                self.publish_and_expire()
            if time.monotonic() - self._views_at >= VIEWS_SECONDS:
                self._views_at = time.monotonic()
                views.apply_pending(self.cache, self.prefix, self.database)
            # Publishing marks programs for both.
            if is_due or is_journal_marked:
                self.write_journal()
            if is_due or are_words_marked:
                self.count_words()
            if time.monotonic() - self._searches_at >= SEARCHES_SECONDS:
                self._searches_at = time.monotonic()
                searches.gather_popular(self.cache, self.prefix)
                insight.roll_up(self.cache, self.prefix, self.database)
        except (DBAPIError, *REDIS_AWAY) as error:
            log.warning("the clock missed a tick: %s", str(error).splitlines()[0])

    def publish_and_expire(self) -> tuple[list[int], list[int]]:
        """Publish and expire what is due by the database's clock.

        Returns:
            The ids of the programs that were published, and of those that expired.

        Raises:
            DBAPIError: PostgreSQL is away.
        """
        began = time.time_ns()
        with self._sessions() as session:
            published = lifecycle.publish_due(session, _ACTOR)
            expired = lifecycle.expire_due(session, _ACTOR)
            session.commit()
            changed = changes.take(session)
        if changed:
            counts = {"thmanyah.published": len(published), "thmanyah.expired": len(expired)}
            with tracing.span("publish and expire", counts, began=began):
                self._invalidator.programs_changed(changed)
                log.info("published %s, expired %s", published, expired)
        return published, expired

    def write_journal(self) -> int:
        """Give the changes that were committed their places in the journal, as far as a tick has time for it.

        Returns:
            How many marks were worked off.

        Raises:
            DBAPIError: PostgreSQL is away.
        """
        return self._in_parts(entries.write, entries.BATCH)

    def count_words(self) -> int:
        """Bring the vocabulary up to date as far as a tick has time for it.

        Returns:
            How many marks were worked off.

        Raises:
            DBAPIError: PostgreSQL is away.
        """
        return self._in_parts(rollup.roll_up, rollup.BATCH)

    def _in_parts(self, work: Callable[[Session], int], batch: int) -> int:
        until, done = time.monotonic() + ROLL_UP_SECONDS, 0
        while True:
            with self._sessions.begin() as session:
                worked_off = work(session)
            done += worked_off
            if worked_off < batch or time.monotonic() > until:
                return done
