"""Rebuilds and audits on the queue: what their jobs open, and the sweep that sees that they come.

A job carries only an id; PostgreSQL keeps the truth, so a queue that is wiped loses nothing.
"""

import logging
import time
from collections.abc import Iterator
from contextlib import contextmanager

from redis import Redis
from redis.exceptions import RedisError
from sqlalchemy import Engine as Database
from sqlalchemy import func
from sqlalchemy.exc import DBAPIError

from catalog.actor import Actor
from catalog.db import opened, session_factory
from catalog.indexing import lifecycle
from catalog.indexing.models import DriftReport
from catalog.settings import CatalogSettings
from indexer import leftovers, targets
from indexer.drift import Audit, Drift
from indexer.engine import Engine, EngineRejectedError, EngineUnavailableError
from indexer.invalidation import Invalidator
from indexer.queues import REINDEX, JsonQueue, alive
from indexer.reindex import Rebuild
from indexer.settings import IndexerSettings

log = logging.getLogger(__name__)
SWEEP_SECONDS = 2.0
_JOB_SECONDS = 24 * 3600
_SAVE_SECONDS = 1.0
_PATIENCE_SECONDS = 20.0
_SCHEDULED = Actor("system", name="schedule")


@contextmanager
def _parts() -> Iterator[tuple[Database, IndexerSettings, Invalidator]]:
    """What a job needs, opened after the fork and closed at its end."""
    settings = IndexerSettings()
    catalog = CatalogSettings().model_copy(
        update={"pool_min": 1, "pool_max": 4, "statement_timeout_ms": 120_000}
    )
    with (
        opened(catalog, application="thmanyah-upkeep") as database,
        Redis.from_url(
            settings.redis_cache_url, socket_timeout=2, socket_connect_timeout=1
        ) as cache,
    ):
        yield database, settings, Invalidator(cache, settings.redis_prefix)


def rebuild(job_id: int) -> str:
    """Carry a reindex job on for a while; returns its state, or "busy"."""
    with _parts() as (database, settings, invalidator):
        return Rebuild(database, settings, invalidator, patience=_PATIENCE_SECONDS).run(job_id)


def audit(report_id: int) -> str:
    """Carry an audit out and store what it found; returns the report's state."""
    with _parts() as (database, settings, _):
        return write_report(database, settings, report_id)


def audit_all() -> list[int]:
    """Ask for an audit of every target, repairs included; returns the reports' ids."""
    with _parts() as (database, settings, _), session_factory(database).begin() as session:
        ids = [target.id for target in targets.kept(session, settings)]
        reports = lifecycle.request_audit(session, ids, _SCHEDULED, repair=True)
        return [report.id for report in reports]


def collect() -> list[str]:
    """Delete indexes that nobody needs any more; returns their names."""
    with _parts() as (database, settings, _):
        return leftovers.collect(database, settings)


def write_report(database: Database, settings: IndexerSettings, report_id: int) -> str:
    """Audit what the report is about and write it; returns its state, or "busy" when others do."""
    sessions = session_factory(database)
    with sessions.begin() as session:
        report = lifecycle.take_report(session, report_id)
        if report is None:
            state = session.get_one(DriftReport, report_id).state
            return "busy" if state == "running" else state
        started_at, repair = report.started_at, report.repair
        target = targets.one(session, settings, report.target_id)
    saved_at = time.monotonic()

    def save(found: Drift, **values: object) -> None:
        with sessions.begin() as session:
            kept = lifecycle.save_report(
                session, report_id, started_at,
                checked=found.checked, missing=len(found.missing), stale=len(found.stale),
                ghosts=len(found.ghosts), repaired=len(found.ids) if repair else 0,
                samples=found.samples(), **values,
            )  # fmt: skip
        if not kept:
            log.warning("audit %s was taken over by somebody else", report_id)

    def progress(found: Drift) -> None:
        nonlocal saved_at
        if time.monotonic() - saved_at >= _SAVE_SECONDS:
            saved_at = time.monotonic()
            save(found)

    if target is None:
        save(Drift(), state="failed", detail="The target is gone.", finished_at=func.now())
        return "failed"
    engine = Engine(settings, target.url)
    try:
        found = Audit(database, engine, target.id, target.uid).run(repair=repair, progress=progress)
    except (EngineUnavailableError, EngineRejectedError) as error:
        save(Drift(), state="failed", detail=str(error)[:2000], finished_at=func.now())
        return "failed"
    save(found, state="done", finished_at=func.now())
    return "done"


class UpkeepSweep:
    """Enqueues what waits in PostgreSQL and has no job that will come for it."""

    def __init__(self, database: Database, redis: "Redis") -> None:
        self.redis, self._sessions = redis, session_factory(database)
        self._queue = JsonQueue(REINDEX, connection=redis)
        self._at = 0.0

    def tick(self) -> list[str]:
        """Called every second; works every two. Returns the names of the jobs enqueued."""
        if time.monotonic() - self._at < SWEEP_SECONDS:
            return []
        self._at = time.monotonic()
        try:
            return self.sweep()
        except (DBAPIError, RedisError, OSError) as error:
            log.warning("rebuilds and audits wait: %s", str(error).splitlines()[0])
            return []

    def sweep(self) -> list[str]:
        """Look now. Raises DBAPIError, RedisError."""
        with self._sessions() as session:
            job_id = lifecycle.next_runnable(session)
            reports = lifecycle.waiting_reports(session)
        waiting = [(f"drift-{n}", "indexer.jobs.audit", n) for n in reports]
        if job_id is not None:
            waiting.insert(0, (f"reindex-{job_id}", "indexer.jobs.rebuild", job_id))
        enqueued = []
        for name, function, argument in waiting:
            if not alive(self.redis, name):
                self._queue.enqueue(function, argument, job_id=name, job_timeout=_JOB_SECONDS)
                enqueued.append(name)
        return enqueued
