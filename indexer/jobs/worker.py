"""RQ's worker, changed so that it is stopped by a request at any moment. Run by `indexer.jobs.processes`."""

import contextlib
import logging
import multiprocessing
import signal
import time
from datetime import UTC, datetime
from typing import Any

from rq import Queue, Worker
from rq.exceptions import InvalidJobOperation
from rq.job import Job, JobStatus
from structlog.contextvars import bound_contextvars

from catalog.core import tracing
from indexer import metrics
from indexer.process.stopping import Stop
from indexer.stores import queues

log = logging.getLogger(__name__)


class StoppableWorker(Worker):
    """A worker that ends after the job under way when it is asked to stop, and at once when the grace is over.

    RQ's own worker installs its signal handlers only after it has started a process of its own. They raise an
    exception wherever the main thread is, which may be in code that swallows exceptions.
    """

    # RQ's arguments are many and of many types; they are passed on as they come.
    def __init__(self, *arguments: Any, stop: Stop, **options: Any) -> None:
        """Begin to listen to `stop`; the other arguments are RQ's."""
        super().__init__(*arguments, **options)
        stop.then(self._end_after_this_job)

    def execute_job(self, job: Job, queue: Queue) -> None:
        """Run a job in a fork and count it here: what a fork counts ends with it."""
        began = time.monotonic()
        if job.enqueued_at is not None:
            waited = (datetime.now(UTC) - job.enqueued_at.replace(tzinfo=UTC)).total_seconds()
            metrics.JOB_WAIT.labels(queue.name).observe(max(0.0, waited))
        super().execute_job(job, queue)
        function = self._function(job)
        metrics.JOBS.labels(function, _outcome(job)).inc()
        exemplar = tracing.exemplar_of(queues.trace_of(job))
        metrics.JOB_SECONDS.labels(function).observe(time.monotonic() - began, exemplar)

    def _function(self, job: Job) -> str:
        """The name of its function. Names in Redis are anybody's; those of registered functions are few."""
        registered: frozenset[str] = getattr(self.job_class, "registered", frozenset())
        return job.func_name if job.func_name in registered else "unregistered"

    def perform_job(self, job: Job, queue: Queue, execution: Any) -> bool:
        """Run a job in its fork, and write one line about it; every line has its id and that of its request.

        Args:
            job: The job.
            queue: Where it came from.
            execution: RQ's record of this attempt.

        Returns:
            Whether it succeeded.
        """
        began = time.monotonic()
        span = tracing.span(
            f"job {self._function(job)}",
            {"messaging.system": "rq", "messaging.destination.name": queue.name},
            kind="consumer",
            parent=queues.trace_of(job),
        )
        with span, bound_contextvars(**queues.log_fields(job)):
            span.note({"thmanyah.job_id": queues.log_fields(job)["job_id"]})
            succeeded = bool(super().perform_job(job, queue, execution))
            if not succeeded:
                span.failed("job")
            fields = {"function": job.func_name, "duration_ms": round((time.monotonic() - began) * 1000)}
            outcome = "succeeded" if succeeded else "failed"
            log.log(logging.INFO if succeeded else logging.ERROR, "job %s", outcome, extra=fields)
        # The fork ends without the handlers of an orderly end.
        tracing.flush()
        return succeeded

    def _end_after_this_job(self) -> None:
        self._stop_requested = True

    def abandon(self) -> None:
        """End the job under way, and RQ's own process, at once. Another worker will run the job again."""
        if self.horse_pid:
            with contextlib.suppress(OSError):
                self.kill_horse(signal.SIGKILL)
        for child in multiprocessing.active_children():
            child.kill()


def _outcome(job: Job) -> str:
    """Return how an attempt ended: succeeded, failed, or retried."""
    try:
        status = job.get_status(refresh=True)
    except InvalidJobOperation:
        # RQ deletes a job that succeeded and whose result nobody keeps (`result_ttl=0`).
        return "succeeded"
    # A job that will be tried again waits in its queue or in the registry of scheduled jobs.
    return "retried" if status in queues.WAITING else "failed" if status == JobStatus.FAILED else "succeeded"
