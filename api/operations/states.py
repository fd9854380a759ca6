"""The job queues, and programs as caches name them. The routes of `api.operations` call it, in a thread where it blocks."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime

from redis import Redis
from rq.job import Job
from rq.registry import FailedJobRegistry, ScheduledJobRegistry, StartedJobRegistry
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from api.operations.schemas import FailedJobOut, QueueOut
from catalog.core.changes import ProgramChange
from catalog.programs import queries
from catalog.programs.models import Program
from indexer import stores
from indexer.stores.queues import NAMES, JsonJob, JsonQueue

_LONG_AGO = datetime.min.replace(tzinfo=UTC)


@contextmanager
def connected(url: str) -> "Iterator[Redis]":
    """Connect to the queue's Redis until the block ends."""
    with stores.open_sync(url, timeout=2, connect_timeout=1) as redis:
        yield redis


def of_queues(url: str) -> list[QueueOut]:
    """Return every queue with its numbers of jobs.

    Raises:
        RedisError: Redis does not answer.
    """
    with connected(url) as redis:
        queues = [JsonQueue(name, connection=redis) for name in NAMES]
        return [
            QueueOut(
                name=queue.name,
                waiting=queue.count,
                running=StartedJobRegistry(queue=queue).count,
                failed=FailedJobRegistry(queue=queue).count,
                retrying=ScheduledJobRegistry(queue=queue).count,  # type: ignore[no-untyped-call]  # RQ has no types
            )
            for queue in queues
        ]


def failed_jobs(url: str, name: str, limit: int) -> list[FailedJobOut]:
    """Return the jobs of a queue that failed for good, the latest first.

    Args:
        url: The queue's Redis.
        name: The queue.
        limit: How many at the most.

    Raises:
        RedisError: Redis does not answer.
    """
    with connected(url) as redis:
        registry = FailedJobRegistry(queue=JsonQueue(name, connection=redis))
        ids = registry.get_job_ids(-limit, -1)
        failed = [_failed(job) for job in JsonJob.fetch_many(ids, connection=redis) if job is not None]
    # The registry knows whole seconds, in which several jobs may fail.
    return sorted(failed, key=lambda job: job.failed_at or _LONG_AGO, reverse=True)


def _failed(job: Job) -> FailedJobOut:
    result = job.latest_result()
    traceback = str(result.exc_string or "") if result is not None else ""
    return FailedJobOut(
        id=str(job.id),
        function=str(job.func_name),
        arguments=[str(argument) for argument in job.args],
        reason=traceback.strip().rpartition("\n")[2],
        traceback=traceback,
        failed_at=job.ended_at.replace(tzinfo=UTC) if job.ended_at is not None else None,
    )


def retry(url: str, name: str, ids: Iterable[str]) -> int:
    """Put failed jobs back into their queue.

    Args:
        url: The queue's Redis.
        name: The queue.
        ids: The jobs; none of them means all failed jobs.

    Returns:
        How many there were.

    Raises:
        RedisError: Redis does not answer.
    """
    with connected(url) as redis:
        registry = FailedJobRegistry(queue=JsonQueue(name, connection=redis))
        known_ids = registry.get_job_ids()
        chosen = [job_id for job_id in known_ids if job_id in set(ids)] if ids else known_ids
        for job_id in chosen:
            registry.requeue(job_id)
        return len(chosen)


def cancel(url: str, name: str, ids: Iterable[str]) -> int:
    """Delete waiting, retrying and failed jobs; a job that runs goes on.

    Args:
        url: The queue's Redis.
        name: The queue.
        ids: The jobs; none of them means all that wait.

    Returns:
        How many there were.

    Raises:
        RedisError: Redis does not answer.
    """
    with connected(url) as redis:
        queue = JsonQueue(name, connection=redis)
        if not ids:
            return int(queue.empty())  # type: ignore[no-untyped-call]  # RQ has no types
        places = (queue, FailedJobRegistry(queue=queue), ScheduledJobRegistry(queue=queue))  # type: ignore[no-untyped-call]  # RQ has no types
        there = {job_id for place in places for job_id in place.get_job_ids()}
        chosen = there.intersection(ids)
        for job in JsonJob.fetch_many(sorted(chosen), connection=redis):
            if job is not None:
                job.delete()
        return len(chosen)


def current(session: Session, program_ids: list[int]) -> list[ProgramChange]:
    """Return the programs of these ids as changes for the caches."""
    rows = session.execute(
        select(Program.id, Program.rev, func.count(1).filter(*queries.VISIBLE) > 0)
        .where(Program.id.in_(program_ids))
        .group_by(Program.id)
    )
    return [ProgramChange(*row) for row in rows]
