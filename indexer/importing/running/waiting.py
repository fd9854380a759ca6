"""The runs that wait in PostgreSQL, as a source of the sweep (`indexer.jobs.sweep`)."""

import logging

from redis import Redis
from sqlalchemy import ColumnElement, or_
from sqlalchemy import Engine as Database

from catalog.core import audit
from catalog.core.actor import Actor, on_behalf_of
from catalog.core.db import session_factory
from catalog.imports import leases, queries, refreshing
from indexer.importing.running.job import enqueue, job_id
from indexer.stores import queues

log = logging.getLogger(__name__)
_ACTOR = Actor("system", name="scheduler")
_MOST_AT_ONCE = 100


class WaitingRuns:
    """Starts the sources that are due, and enqueues the runs that wait without a job."""

    what = "imports"

    def __init__(self, database: Database, queue: "Redis", patience: float = 0.0) -> None:
        """Look for runs.

        Args:
            database: The record.
            queue: The queue's Redis.
            patience: How many seconds a new run is left to the job that its own request enqueues after the commit.
                A second job would do no harm, but it would not go on with the request's trace.
        """
        self._queue, self._sessions, self._patience = queue, session_factory(database), patience

    def is_any_waiting(self) -> ColumnElement[bool]:
        """See `indexer.jobs.sweep.Source`."""
        return or_(refreshing.is_any_due(), queries.waiting_runs(1, self._patience).exists())

    def enqueue_waiting(self) -> list[str]:
        """Enqueue what is due and has no job any more, because Redis was wiped or a worker was killed.

        Returns:
            The names of the jobs enqueued.

        Raises:
            DBAPIError: PostgreSQL is away.
            RedisError: The queue's Redis is away.
        """
        with self._sessions.begin() as session:
            refreshing.start_due(session, _ACTOR)
        with self._sessions() as session:
            waiting = [
                (run.id, run.dispatched, run.status)
                for run in session.scalars(queries.waiting_runs(_MOST_AT_ONCE, self._patience))
            ]
        enqueued = []
        for run_id, number, status in waiting:
            if status == "queued" and queues.status(self._queue, job_id(run_id, number)) in queues.WAITING:
                continue
            with self._sessions.begin() as session:
                following = leases.dispatch(session, run_id)
                request = audit.request_of(session, "import", run_id)
            with on_behalf_of(request):
                enqueue(self._queue, run_id, following)
            enqueued.append(job_id(run_id, following))
        if enqueued:
            log.info("enqueued %s", ", ".join(enqueued))
        return enqueued
