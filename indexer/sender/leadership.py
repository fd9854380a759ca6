"""Which process sends for a target: the one that has the target's advisory lock; others stand by and take over.

The lock is taken on a direct connection (not through PgBouncer) and ends with it. Started by `thmanyah sync`.
"""

import logging
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from typing import cast

import psycopg
from sqlalchemy import Connection, NullPool, create_engine, text
from sqlalchemy import Engine as Database
from sqlalchemy.exc import DBAPIError

from catalog.core.db import ALIVE, opened, session_factory
from catalog.core.glances import Glance, Line
from catalog.core.settings import CatalogSettings
from catalog.indexing import leadership, queries
from indexer import metrics
from indexer.engines import targets
from indexer.engines.admin import Engine
from indexer.sender.resting import Rest
from indexer.sender.sender import HEARTBEAT_SECONDS, Sender
from indexer.settings import IndexerSettings
from indexer.stores import hints
from indexer.stores.invalidation import Invalidator

log = logging.getLogger(__name__)
_LOCK_CLASS = 0x7379
# A sender that has sent no heartbeat for this long hangs, or is cut off from PostgreSQL: a standby takes over.
SILENT_SECONDS = 4 * HEARTBEAT_SECONDS
# Between two looks for targets that are new or gone.
TARGETS_SECONDS = 1.0
_STANDBY_SECONDS = 1.0
_RETRY_SECONDS = 1.0
_TAKE_AGAIN_SECONDS = 0.05
_TIMEOUT_MS = 60_000
# A sender that crashes starts again after 1, 2, 4, … seconds; one that worked for long starts again at once.
LONGEST_PAUSE, CALM_SECONDS = 60.0, 300.0


def _try_lock(connection: Connection, target_id: int) -> bool:
    locked = connection.scalar(
        text("SELECT pg_try_advisory_lock(:class, :target)"), {"class": _LOCK_CLASS, "target": target_id}
    )
    connection.commit()
    return bool(locked)


def _terminate_silent(connection: Connection, target_id: int) -> None:
    """End the connection of a leader that sends no heartbeats; its lock ends with the connection."""
    connection.execute(
        text(
            "SELECT pg_terminate_backend(l.pid) FROM pg_locks l, index_targets t "
            "WHERE l.locktype = 'advisory' AND l.classid = :class AND l.objid = :target AND l.granted "
            "AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database()) "
            "AND t.id = :target AND t.heartbeat_at < clock_timestamp() - make_interval(secs => :silent)"
        ),
        {"class": _LOCK_CLASS, "target": target_id, "silent": SILENT_SECONDS},
    )
    connection.commit()


@dataclass(frozen=True)
class _Candidate:
    """A process that sends for one target while it leads, and stands by while another process leads."""

    catalog: CatalogSettings
    database: Database
    settings: IndexerSettings
    invalidator: Invalidator | None
    target_id: int
    stop: threading.Event = field(default_factory=threading.Event)
    at: Callable[[str], None] = lambda point: None
    heard: hints.Hints | None = None

    def run(self) -> None:
        """Lead or stand by, until `stop` is set or the target is removed."""
        arguments = ALIVE | {"connect_timeout": self.catalog.connect_timeout}
        direct = create_engine(
            self.catalog.direct_url, poolclass=NullPool, isolation_level="AUTOCOMMIT", connect_args=arguments
        )
        try:
            while not self.stop.is_set():
                try:
                    with direct.connect() as guard:
                        if not _try_lock(guard, self.target_id):
                            _terminate_silent(guard, self.target_id)
                            self.stop.wait(_STANDBY_SECONDS)
                        elif not self._lead(guard):
                            return
                except leadership.LeadershipLost:
                    # Another sender took over, or the target was swapped: in both cases try at once to lead.
                    self.stop.wait(_TAKE_AGAIN_SECONDS)
                except DBAPIError as error:
                    _log_unavailable(error)
                    self.stop.wait(_RETRY_SECONDS)
        finally:
            direct.dispose()

    def _lead(self, guard: Connection) -> bool:
        """Take leadership and send, until stopped or superseded; return False when there is no such target."""
        with session_factory(self.database).begin() as session:
            targets.ensure(session, self.settings)
            target = targets.find(session, self.settings, self.target_id)
            if target is None:
                return False
            epoch = leadership.take(session, self.target_id)
        log.info("sending to %s (target %s, epoch %s)", target.uid, self.target_id, epoch)
        started = time.monotonic()
        engine = Engine(self.settings, target.url)
        # Caches are filled from the index that searches go to.
        invalidator = self.invalidator if target.is_main else None
        raw = cast("psycopg.Connection", guard.connection.driver_connection)
        if invalidator is not None:
            # The sender before this one may have ended before it told of its last batch.
            invalidator.index_changed()
        sender = Sender(
            self.database, engine, invalidator, self.settings, target, epoch, self.at, self.stop, lambda: raw
        )
        try:
            with self._resting(guard, lambda: raw, epoch) as sender.rest:
                sender.run()
        finally:
            log.info("stopped sending to %s after %.0f s", target.uid, time.monotonic() - started)
        return True

    @contextmanager
    def _resting(self, guard: Connection, line: Line, epoch: int) -> Iterator[Rest]:
        """Let a sender wait. It looks for work on the connection that has the lock, so it also sees when that is lost.

        Args:
            guard: The connection that has the lock.
            line: The same, as the driver has it.
            epoch: The sender's leadership.

        Raises:
            DBAPIError: The block's own.
        """
        glance = Glance(line, queries.sender_is_due(self.target_id, epoch), _TIMEOUT_MS)
        heard = self.heard
        try:
            if heard is None:
                yield Rest(self.settings, self.stop, glance)
            else:
                with heard.bell() as bell:
                    yield Rest(self.settings, self.stop, glance, bell=bell, hearing=lambda: heard.hearing)
        except DBAPIError:
            # The pool must not try to use what may be lost.
            guard.invalidate()
            raise


class _Crashes:
    """Counts the crashes of each target's sender, and lets it start again after growing pauses."""

    def __init__(self) -> None:
        # Target -> crashes one after another, and when the next sender may start (monotonic seconds). Bounded by
        # the number of targets.
        self._last: dict[int, tuple[int, float]] = {}

    def are_recent(self, target_id: int) -> bool:
        """Return whether the target's next sender must wait."""
        return time.monotonic() < self._last.get(target_id, (0, 0.0))[1]

    def count(self, target_id: int, work: Callable[[], None]) -> None:
        """Run a sender; log, count and remember how it failed."""
        began = time.monotonic()
        try:
            work()
        except Exception:
            now = time.monotonic()
            before = self._last.get(target_id, (0, 0.0))[0] if now - began < CALM_SECONDS else 0
            pause = min(LONGEST_PAUSE, 2.0**before)
            self._last[target_id] = before + 1, now + pause
            metrics.SENDER_CRASHES.labels(str(target_id)).inc()
            log.exception("the sender of target %s crashed; it starts again in %.0f s", target_id, pause)


def run(
    catalog: CatalogSettings,
    settings: IndexerSettings,
    invalidator: Invalidator | None,
    stop: threading.Event,
    *,
    target_id: int = 1,
    at: Callable[[str], None] = lambda point: None,
) -> None:
    """Send for one target while this process leads it, and stand by otherwise.

    Args:
        catalog: Where PostgreSQL is.
        settings: The pipeline's settings.
        invalidator: Tells caches what changed.
        stop: Ends this, when it is set. So does the end of the target.
        target_id: The target.
        at: Called with the name of each crash point of the sender, for tests.
    """
    with _opened(catalog) as database:
        _Candidate(catalog, database, settings, invalidator, target_id, stop, at).run()


def supervise(
    catalog: CatalogSettings,
    settings: IndexerSettings,
    invalidator: Invalidator | None,
    stop: threading.Event,
) -> None:
    """Lead or stand by for every target, as targets come and go. Each has a thread of its own.

    Args:
        catalog: Where PostgreSQL is.
        settings: The pipeline's settings.
        invalidator: Tells caches what changed.
        stop: Ends this, when it is set.
    """
    running: dict[int, tuple[threading.Thread, threading.Event]] = {}
    crashes = _Crashes()
    with _opened(catalog) as database, hints.heard(invalidator) as heard:
        listed = targets.Listed(database, settings, _TIMEOUT_MS)
        while not stop.is_set():
            try:
                wanted = listed.current()
            except DBAPIError as error:
                _log_unavailable(error)
                stop.wait(_RETRY_SECONDS)
                continue
            if gone := running.keys() - wanted:
                _end(heard, (running[target_id][1] for target_id in gone))
            running = {n: pair for n, pair in running.items() if pair[0].is_alive()}
            for target_id in wanted - running.keys():
                if crashes.are_recent(target_id):
                    continue
                candidate = _Candidate(catalog, database, settings, invalidator, target_id, heard=heard)
                # A counter that is first seen with the first crash shows no increase.
                metrics.SENDER_CRASHES.labels(str(target_id))
                thread = threading.Thread(
                    target=crashes.count, args=(target_id, candidate.run), name=f"target-{target_id}"
                )
                thread.start()
                running[target_id] = (thread, candidate.stop)
            stop.wait(TARGETS_SECONDS)
        _end(heard, (ended for _, ended in running.values()))
        for thread, _ in running.values():
            thread.join()


def _end(heard: hints.Hints | None, ended: Iterable[threading.Event]) -> None:
    """Ask senders to end, those that wait included."""
    for event in ended:
        event.set()
    if heard is not None:
        heard.ring()


def _opened(catalog: CatalogSettings) -> AbstractContextManager[Database]:
    pool = {"pool_min": 1, "pool_max": 16, "statement_timeout_ms": _TIMEOUT_MS}
    return opened(catalog.model_copy(update=pool), application="thmanyah-sync")


def _log_unavailable(error: DBAPIError) -> None:
    log.warning("database unavailable: %s", str(error).splitlines()[0])
