"""The RQ queues and the state of their jobs. Everything that enqueues or runs a job uses this module.

Jobs are written as JSON, never as pickle, and carry ids only: PostgreSQL keeps the state of the work. A job
is enqueued by its function itself; RQ stores the function's dotted name, made of its module and its name. A worker
runs only the functions that `deploy.background` registers, whatever Redis has.
"""

import logging
from collections.abc import Callable, Collection
from typing import Any, ClassVar

from redis import Redis
from redis.exceptions import NoPermissionError
from rq import Queue
from rq.exceptions import NoSuchJobError
from rq.job import Job, JobStatus
from rq.serializers import JSONSerializer

from catalog.core import tracing
from catalog.core.actor import REQUEST_ID, current_request_id
from indexer.stores import clients
from indexer.stores.advice import is_cluster, queue_advice

log = logging.getLogger(__name__)
REDIS_AWAY = clients.REDIS_AWAY
IMPORTS, REINDEX, MAINTENANCE, WEBHOOKS = "imports", "reindex", "maintenance", "webhooks"
NAMES = (REINDEX, WEBHOOKS, IMPORTS, MAINTENANCE)
_MAX_ID = 64  # characters of an id in the log
# Where a job keeps the trace of whoever enqueued it.
_TRACE = "trace"
# A worker will start these by itself.
WAITING = frozenset({JobStatus.QUEUED, JobStatus.SCHEDULED, JobStatus.DEFERRED})


class JobRefused(Exception):
    """The job names a function that is not registered. It is not even imported."""


class QueueOnClusterError(Exception):
    """The queue's server is a node of a cluster. The text is one line for whoever started the process."""


class JsonJob(Job):
    """A job stored as JSON, wherever it is made or read.

    Attributes:
        registered: Dotted names of the functions that may be run; none outside a worker.
    """

    registered: ClassVar[frozenset[str]] = frozenset()

    def __init__(
        self, id: str | None = None, connection: "Redis | None" = None, serializer: object = None
    ) -> None:
        """Make the job, or read it.

        Args:
            id: The job's id; without one, RQ makes one up.
            connection: The queue's Redis.
            serializer: RQ passes its own one on; JSON without it.
        """
        super().__init__(id, connection=connection, serializer=serializer or JSONSerializer)

    @property
    def func(self) -> Callable[..., object]:
        """The function of the job, for RQ.

        Raises:
            JobRefused: It is not registered, or is a method of an object.
        """
        is_registered = self.func_name in self.registered and self.instance is None
        found: Callable[..., object] | None = super().func if is_registered else None
        if found is None:
            raise JobRefused(f"{self.func_name} is not registered in deploy/background.py")
        return found

    # RQ would import the callbacks that a job names, and send webhooks to addresses that a job has. No job of the
    # product has any.
    success_callback = failure_callback = stopped_callback = property(lambda _: None)

    def send_webhooks(self, *_: object, **__: object) -> None:
        """Send nothing."""


def registering(functions: Collection[Callable[..., object]]) -> type[JsonJob]:
    """Return the class of jobs for a worker that runs these functions and no others."""
    names = frozenset(f"{function.__module__}.{function.__qualname__}" for function in functions)
    return type("RegisteredJob", (JsonJob,), {"registered": names})


class JsonQueue(Queue):
    """A queue of jobs stored as JSON."""

    # RQ's options are many and of many types; they are passed on as they come.
    def __init__(self, name: str = MAINTENANCE, connection: "Redis | None" = None, **options: Any) -> None:
        options["serializer"] = JSONSerializer
        options["job_class"] = JsonJob
        super().__init__(name, connection=connection, **options)

    def create_job(self, *arguments: Any, **options: Any) -> Job:
        """Make a job that knows the id of the HTTP request which asks for it; the arguments are RQ's."""
        job = super().create_job(*arguments, **options)
        if asked_by := current_request_id():
            job.meta[REQUEST_ID] = asked_by
        return job

    def enqueue_job(self, job: Job, *arguments: Any, **options: Any) -> Job:
        """Enqueue a job whose run continues the trace that it is enqueued in; the other arguments are RQ's."""
        where = {"messaging.system": "rq", "messaging.destination.name": self.name}
        with tracing.span(f"enqueue {self.name}", where, kind="producer"):
            # A periodic job has the trace of its last run.
            job.meta.pop(_TRACE, None)
            if carried := tracing.carrier():
                job.meta[_TRACE] = carried
            return super().enqueue_job(job, *arguments, **options)


def log_fields(job: Job) -> dict[str, str]:
    """Return what every line about a job says: its id, and that of the HTTP request which asked for it."""
    found = {"job_id": str(job.id)[:_MAX_ID]}
    request_id = job.meta.get(REQUEST_ID)
    return found | ({REQUEST_ID: str(request_id)[:_MAX_ID]} if request_id else {})


def trace_of(job: Job) -> tracing.Carrier:
    """Return the carrier of the trace that a job was enqueued in; nothing when there is none that can be read."""
    carried = job.meta.get(_TRACE)
    if not isinstance(carried, dict):
        return {}
    return {str(name): value for name, value in carried.items() if isinstance(value, str)}


def status(redis: "Redis", job_id: str) -> JobStatus | None:
    """Return the state of a job, or None when the queue does not know it.

    Raises:
        RedisError: Redis is away.
    """
    try:
        return JsonJob.fetch(job_id, connection=redis).get_status()
    except NoSuchJobError:
        return None


def connect(url: str) -> "Redis":
    """Return a client of the queue's Redis. Its timeout is long, because workers wait in blocking reads."""
    return clients.open_sync(url, timeout=60, connect_timeout=2, health_check_interval=15)


def check(connection: "Redis") -> None:
    """Refuse a server that cannot have the queue; log what may lose jobs.

    Raises:
        QueueOnClusterError: It is a node of a cluster.
        RedisError: Redis is away.
    """
    try:
        info = connection.info()
    except NoPermissionError:
        # The user of the ACL may not ask.
        return
    advice = queue_advice(info)
    if is_cluster(info):
        raise QueueOnClusterError(f"REDIS_QUEUE_URL: {advice}")
    if advice:
        log.warning("REDIS_QUEUE_URL: %s", advice)
