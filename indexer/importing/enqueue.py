"""Runs on their way to the workers: a job carries a run's id, nothing more."""

from redis import Redis
from rq import Retry

from indexer.queues import IMPORTS, JsonQueue

JOB_SECONDS = 4 * 3600


def enqueue(redis: "Redis", run_id: int, number: int = 0) -> None:
    """Hand the run to the workers. Raises RedisError; then the sweep does it later."""
    JsonQueue(IMPORTS, connection=redis).enqueue_call(
        "indexer.jobs.run_import",
        args=[run_id],
        job_id=job_id(run_id, number),
        retry=Retry(max=3, interval=[2, 4, 8]),
        timeout=JOB_SECONDS,
        result_ttl=600,
        failure_ttl=86_400,
    )


def job_id(run_id: int, number: int) -> str:
    """The queue's name for the n-th job of a run."""
    return f"import-{run_id}-{number}"
