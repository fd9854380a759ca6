"""The queue's job that carries out one import: its function, its name, and how it is enqueued.

A job carries the id of its run and nothing more. The API and the sweep (`waiting.py`) enqueue; a worker calls
`run_import`.
"""

from redis import Redis
from rq import Retry

from catalog.core.db import opened
from catalog.core.settings import CatalogSettings
from indexer.importing.settings import ImportSettings
from indexer.settings import IndexerSettings
from indexer.stores import invalidation
from indexer.stores.invalidation import Invalidator
from indexer.stores.queues import IMPORTS, JsonQueue

# Longest run of a job, in seconds.
TIMEOUT = 4 * 3600


class NotYetDone(Exception):
    """The run waits for another attempt, which the queue's retry makes."""


def run_import(run_id: int) -> str:
    """Carry out an import and return its status. Everything is opened here, after the worker's fork.

    Raises:
        NotYetDone: The run is queued again; the queue's own retry calls this function once more.
        DBAPIError: PostgreSQL is away; the lease runs out and the sweep enqueues the run again.
    """
    # The API enqueues this function, and needs none of the libraries that read feeds and files.
    from indexer.importing.running.runner import Runner

    settings = IndexerSettings()
    catalog = CatalogSettings().model_copy(
        update={"pool_min": 1, "pool_max": 4, "statement_timeout_ms": 120_000}
    )
    with (
        opened(catalog, application="thmanyah-import") as database,
        invalidation.connect(settings.redis_cache_url) as cache,
    ):
        invalidator = Invalidator(cache, settings.redis_prefix)
        status = Runner(database, ImportSettings(), invalidator=invalidator).run(run_id)
    if status == "queued":
        raise NotYetDone(run_id)
    return status


def enqueue(redis: "Redis", run_id: int, number: int = 0) -> None:
    """Hand the run to the workers.

    Args:
        redis: The queue's Redis.
        run_id: The run.
        number: How many jobs this run has had before.

    Raises:
        RedisError: Redis is away. The sweep will enqueue the run later.
    """
    JsonQueue(IMPORTS, connection=redis).enqueue_call(
        run_import,
        args=[run_id],
        job_id=job_id(run_id, number),
        retry=Retry(max=3, interval=[2, 4, 8]),
        timeout=TIMEOUT,
        result_ttl=600,
        failure_ttl=86_400,
    )


def job_id(run_id: int, number: int) -> str:
    """Return the queue's name for the n-th job of a run."""
    return f"import-{run_id}-{number}"
