"""Who sends: one process per target holds an advisory lock, others stand by and take over."""

import logging
import threading
import time
from collections.abc import Callable
from contextlib import AbstractContextManager

from sqlalchemy import Connection, NullPool, create_engine, text
from sqlalchemy import Engine as Database
from sqlalchemy.exc import DBAPIError

from catalog import dirty
from catalog.db import ALIVE, opened, session_factory
from catalog.settings import CatalogSettings
from indexer import targets
from indexer.engine import Engine
from indexer.invalidation import Invalidator
from indexer.settings import IndexerSettings
from indexer.sync import HEARTBEAT_SECONDS, Sender

log = logging.getLogger(__name__)
_LOCK_CLASS = 0x7379
# A sender that has been silent this long is stopped or cut off: a standby takes its place.
SILENT_SECONDS = 4 * HEARTBEAT_SECONDS
# How soon a new target gets its sender.
TARGETS_SECONDS = 1.0


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
    """Send for one target whenever this process holds its place, stand by otherwise.

    Returns when `stop` is set or the target is gone.
    """
    with _opened(catalog) as database:
        _hold_or_stand_by(catalog, database, settings, invalidator, stop, target_id, at)


def supervise(
    catalog: CatalogSettings,
    settings: IndexerSettings,
    invalidator: Invalidator | None,
    stop: threading.Event,
) -> None:
    """One sender for every target, as targets come and go, until `stop` is set."""
    running: dict[int, tuple[threading.Thread, threading.Event]] = {}
    with _opened(catalog) as database:
        while not stop.is_set():
            try:
                with session_factory(database).begin() as session:
                    targets.ensure(session, settings)
                    wanted = {target.id for target in targets.kept(session, settings)}
            except DBAPIError as error:
                log.warning("database unavailable: %s", str(error).splitlines()[0])
                stop.wait(1)
                continue
            for target_id in running.keys() - wanted:
                running[target_id][1].set()
            running = {n: pair for n, pair in running.items() if pair[0].is_alive()}
            for target_id in wanted - running.keys():
                ended = threading.Event()
                arguments = (catalog, database, settings, invalidator, ended, target_id, lambda point: None)  # fmt: skip
                thread = threading.Thread(
                    target=_hold_or_stand_by, args=arguments, name=f"target-{target_id}"
                )
                thread.start()
                running[target_id] = (thread, ended)
            stop.wait(TARGETS_SECONDS)
        for _, ended in running.values():
            ended.set()
        for thread, _ in running.values():
            thread.join()


def _opened(catalog: CatalogSettings) -> AbstractContextManager[Database]:
    several = catalog.model_copy(
        update={"pool_min": 1, "pool_max": 16, "statement_timeout_ms": 60_000}
    )
    return opened(several, application="thmanyah-sync")


def _hold_or_stand_by(
    catalog: CatalogSettings,
    database: Database,
    settings: IndexerSettings,
    invalidator: Invalidator | None,
    stop: threading.Event,
    target_id: int,
    at: Callable[[str], None],
) -> None:
    arguments = ALIVE | {"connect_timeout": catalog.connect_timeout}
    direct = create_engine(catalog.direct_url, poolclass=NullPool, connect_args=arguments)
    try:
        while not stop.is_set():
            try:
                with direct.connect() as guard:
                    if not _try_lock(guard, target_id):
                        _dismiss_silent(guard, target_id)
                        stop.wait(1)
                    elif not _send(database, settings, invalidator, stop, target_id, at):
                        return
            except dirty.LostPlaceError:
                # Either somebody took over, or the indexes changed hands: look again at once.
                stop.wait(0.05)
            except DBAPIError as error:
                log.warning("database unavailable: %s", str(error).splitlines()[0])
                stop.wait(1)
    finally:
        direct.dispose()


def _send(
    database: Database,
    settings: IndexerSettings,
    invalidator: Invalidator | None,
    stop: threading.Event,
    target_id: int,
    at: Callable[[str], None],
) -> bool:
    """Send until stopped or superseded; False when the target is gone."""
    with session_factory(database).begin() as session:
        targets.ensure(session, settings)
        target = targets.one(session, settings, target_id)
        if target is None or target.state == "retired":
            return False
        epoch = dirty.take_place(session, target_id)
    log.info("sending to %s (target %s, epoch %s)", target.uid, target_id, epoch)
    started = time.monotonic()
    engine = Engine(settings, target.url)
    told = invalidator if target.state == "live" else None
    sender = Sender(database, engine, told, settings, target, epoch, at, stop)
    try:
        sender.run()
    finally:
        log.info("stopped sending to %s after %.0f s", target.uid, time.monotonic() - started)
    return True
