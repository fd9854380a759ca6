"""Rebuilds and audits that wait in PostgreSQL, as sources of the sweep (`indexer.jobs.sweep`)."""

from collections.abc import Callable

from redis import Redis
from rq.job import JobStatus
from sqlalchemy import ColumnElement
from sqlalchemy import Engine as Database

from catalog.core import audit
from catalog.core.actor import on_behalf_of
from catalog.core.db import session_factory
from catalog.indexing import audits, rebuilds
from indexer.rebuild import jobs
from indexer.stores import queues

_JOB_SECONDS = 24 * 3600


def _enqueue(
    queue: "Redis", job_id: str, function: Callable[[int], str], argument: int, request: str
) -> list[str]:
    """Enqueue a job on behalf of a request unless it waits or runs; return its name if it was enqueued."""
    if queues.status(queue, job_id) in queues.WAITING | {JobStatus.STARTED}:
        return []
    reindex = queues.JsonQueue(queues.REINDEX, connection=queue)
    with on_behalf_of(request):
        reindex.enqueue(function, argument, job_id=job_id, job_timeout=_JOB_SECONDS)
    return [job_id]


class WaitingRebuilds:
    """Enqueues the one rebuild that is to be carried out now."""

    what = "rebuilds"

    def __init__(self, database: Database, queue: "Redis") -> None:
        self._queue, self._sessions = queue, session_factory(database)

    def is_any_waiting(self) -> ColumnElement[bool]:
        """See `indexer.jobs.sweep.Source`."""
        return rebuilds.is_any_waiting()

    def enqueue_waiting(self) -> list[str]:
        """See `indexer.jobs.sweep.Source`."""
        with self._sessions() as session:
            job_id = rebuilds.next_runnable(session)
            if job_id is None:
                return []
            request = audit.request_of(session, "reindex_job", job_id)
        return _enqueue(self._queue, f"reindex-{job_id}", jobs.rebuild, job_id, request)


class WaitingAudits:
    """Enqueues every audit whose report nobody is writing."""

    what = "audits"

    def __init__(self, database: Database, queue: "Redis") -> None:
        self._queue, self._sessions = queue, session_factory(database)

    def is_any_waiting(self) -> ColumnElement[bool]:
        """See `indexer.jobs.sweep.Source`."""
        return audits.is_any_waiting()

    def enqueue_waiting(self) -> list[str]:
        """See `indexer.jobs.sweep.Source`."""
        with self._sessions() as session:
            reports = [
                (report_id, audit.request_of(session, "drift_report", report_id))
                for report_id in audits.waiting_ids(session)
            ]
        enqueued = []
        for report_id, request in reports:
            enqueued += _enqueue(self._queue, f"drift-{report_id}", jobs.audit, report_id, request)
        return enqueued
