"""Who sends: one process per target holds an advisory lock, others stand by and take over."""

import logging
import threading
import time
from collections.abc import Callable

from sqlalchemy import Connection, NullPool, create_engine, text
from sqlalchemy import Engine as Database
from sqlalchemy.exc import DBAPIError

from catalog import dirty
from catalog.db import make_engine, session_factory
from catalog.settings import CatalogSettings
from indexer.engine import Engine
from indexer.invalidation import Invalidator
from indexer.settings import IndexerSettings
from indexer.sync import HEARTBEAT_SECONDS, Sender

log = logging.getLogger(__name__)
_LOCK_CLASS = 0x7379
# A sender that has been silent this long is stopped or cut off: a standby takes its place.
SILENT_SECONDS = 4 * HEARTBEAT_SECONDS


def _try_lock(connection: Connection, target_id: int) -> bool:
    locked = connection.scalar(
        text("SELECT pg_try_advisory_lock(:class, :target)"),
        {"class": _LOCK_CLASS, "target": target_id},
    )
    connection.commit()
    return bool(locked)


def _dismiss_silent(connection: Connection, target_id: int) -> None:
    """End the connection of a holder that no longer beats; its lock goes with it."""
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


def run(
    catalog: CatalogSettings,
    settings: IndexerSettings,
    invalidator: Invalidator | None,
    stop: threading.Event,
    *,
    target_id: int = 1,
    at: Callable[[str], None] = lambda point: None,
) -> None:
    """Send whenever this process holds the place, stand by otherwise, until `stop` is set."""
    database = make_engine(
        catalog.model_copy(update={"pool_min": 1, "pool_max": 4, "statement_timeout_ms": 60_000}),
        application="thmanyah-sync",
    )
    direct = create_engine(catalog.direct_url, poolclass=NullPool)
    try:
        while not stop.is_set():
            try:
                with direct.connect() as guard:
                    if not _try_lock(guard, target_id):
                        _dismiss_silent(guard, target_id)
                        stop.wait(1)
                        continue
                    _send(database, settings, invalidator, stop, target_id, at)
            except dirty.LostPlaceError:
                stop.wait(1)
            except DBAPIError as error:
                log.warning("database unavailable: %s", str(error).splitlines()[0])
                stop.wait(1)
    finally:
        database.dispose()
        direct.dispose()


def _send(
    database: Database,
    settings: IndexerSettings,
    invalidator: Invalidator | None,
    stop: threading.Event,
    target_id: int,
    at: Callable[[str], None],
) -> None:
    with session_factory(database).begin() as session:
        epoch = dirty.take_place(session, target_id)
    log.info("sending for target %s, epoch %s", target_id, epoch)
    started = time.monotonic()
    sender = Sender(database, Engine(settings), invalidator, settings, target_id, epoch, at, stop)
    try:
        sender.run()
    finally:
        log.info("stopped sending after %.0f s", time.monotonic() - started)
