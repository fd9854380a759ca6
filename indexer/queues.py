"""The RQ queues: JSON only, never pickle. A job carries ids; PostgreSQL keeps the truth."""

from typing import Any

from redis import Redis
from rq import Queue
from rq.exceptions import NoSuchJobError
from rq.job import Job, JobStatus
from rq.serializers import JSONSerializer

IMPORTS, REINDEX, MAINTENANCE = "imports", "reindex", "maintenance"
NAMES = (REINDEX, IMPORTS, MAINTENANCE)
_ALIVE = {JobStatus.QUEUED, JobStatus.STARTED, JobStatus.SCHEDULED, JobStatus.DEFERRED}


class JsonJob(Job):
    """A job that is JSON wherever it is made or read."""

    def __init__(
        self, id: str | None = None, connection: "Redis | None" = None, serializer: Any = None
    ) -> None:
        super().__init__(id, connection=connection, serializer=serializer or JSONSerializer)


class JsonQueue(Queue):
    """A queue of such jobs."""

    def __init__(
        self, name: str = MAINTENANCE, connection: "Redis | None" = None, **options: Any
    ) -> None:
        options["serializer"] = JSONSerializer
        options["job_class"] = JsonJob
        super().__init__(name, connection=connection, **options)


def alive(redis: "Redis", name: str) -> bool:
    """Will this job come, or is it being carried out?"""
    try:
        return JsonJob.fetch(name, connection=redis).get_status() in _ALIVE
    except NoSuchJobError:
        return False


def connect(url: str) -> "Redis":
    """The queue's Redis. Blocking reads of workers need a generous timeout."""
    return Redis.from_url(
        url, socket_connect_timeout=2, socket_timeout=60, health_check_interval=15
    )
