"""What workers do with a run, and the sweep that brings back what the queue has lost."""

import logging
import time

from redis import Redis
from redis.exceptions import RedisError
from rq.exceptions import NoSuchJobError
from sqlalchemy import Engine
from sqlalchemy.exc import DBAPIError

from catalog.actor import Actor
from catalog.db import opened, session_factory
from catalog.imports import lifecycle, queries, sources
from catalog.settings import CatalogSettings
from indexer.importing.enqueue import enqueue, job_id
from indexer.importing.runner import Runner
from indexer.importing.settings import ImportSettings
from indexer.invalidation import Invalidator
from indexer.queues import JsonJob
from indexer.settings import IndexerSettings

log = logging.getLogger(__name__)
SWEEP_SECONDS = 2.0
_ACTOR = Actor("system", name="scheduler")
# What the queue says of a job that will still be started by itself.
_WAITING = {"queued", "scheduled", "deferred"}


class NotYetDone(Exception):
    """The run is to be tried again later: the queue's own retry does it."""


def carry_out(run_id: int) -> str:
    """What the job does: everything is opened here, after the fork."""
    settings = IndexerSettings()
    catalog = CatalogSettings().model_copy(
        update={"pool_min": 1, "pool_max": 4, "statement_timeout_ms": 120_000}
    )
    with (
        opened(catalog, application="thmanyah-import") as database,
        Redis.from_url(
            settings.redis_cache_url, socket_timeout=2, socket_connect_timeout=1
        ) as cache,
    ):
        invalidator = Invalidator(cache, settings.redis_prefix)
        status = Runner(database, ImportSettings(), invalidator=invalidator).run(run_id)
    if status == "queued":
        raise NotYetDone(run_id)
    return status


class Sweep:
    """Starts due sources, and enqueues again what waits although no job will come for it."""

    def __init__(self, database: Engine, redis: "Redis") -> None:
        self.redis, self._sessions = redis, session_factory(database)
        self._at = 0.0

    def tick(self) -> list[int]:
        """Called every second; works every two. Returns the runs enqueued."""
        if time.monotonic() - self._at < SWEEP_SECONDS:
            return []
        self._at = time.monotonic()
        try:
            with self._sessions.begin() as session:
                sources.start_due(session, _ACTOR)
            return self.sweep()
        except (DBAPIError, RedisError, OSError) as error:
            log.warning("the sweep of imports is put off: %s", str(error).splitlines()[0])
            return []

    def sweep(self, limit: int = 100) -> list[int]:
        """Enqueue what is due and has no job any more: Redis was wiped, a worker was killed."""
        with self._sessions() as session:
            waiting = [
                (run.id, run.dispatched, run.status)
                for run in session.scalars(queries.waiting_runs(limit))
            ]
        found = []
        for run_id, number, status in waiting:
            if status == "queued" and self._comes(job_id(run_id, number)):
                continue
            with self._sessions.begin() as session:
                following = lifecycle.dispatch(session, run_id)
            enqueue(self.redis, run_id, following)
            found.append(run_id)
        if found:
            log.info("enqueued imports %s", found)
        return found

    def _comes(self, name: str) -> bool:
        try:
            job = JsonJob.fetch(name, connection=self.redis)
            return job.get_status() in _WAITING
        except NoSuchJobError:
            return False
