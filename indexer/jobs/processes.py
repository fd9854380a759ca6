"""The worker's and the scheduler's process. The composition root (`deploy.background`) starts them."""

import contextlib
import logging
import os
import time
import warnings
from collections.abc import Callable, Collection, Sequence

import redis
from rq.serializers import JSONSerializer
from sqlalchemy import Engine as Database
from sqlalchemy.exc import DBAPIError

from catalog.core import tracing
from catalog.core.db import make_engine
from catalog.core.glances import OwnLine
from catalog.core.settings import CatalogSettings
from catalog.schema import readiness
from indexer import metrics
from indexer.jobs.clock import Clock
from indexer.jobs.schedule import Entry, Schedule
from indexer.jobs.sweep import Source, Sweep
from indexer.jobs.worker import StoppableWorker
from indexer.process import logs, metrics_server, stopping, telemetry
from indexer.process.waiting import wait_for
from indexer.settings import IndexerSettings
from indexer.stores import invalidation, queues

log = logging.getLogger(__name__)


def _utc() -> None:
    # rq-scheduler and crontab read the local time, so this process makes UTC its local time.
    os.environ["TZ"] = "UTC"
    time.tzset()
    # In UTC both of crontab's ways agree: eight lines of advice in the log would only hide what is worth reading.
    warnings.filterwarnings("ignore", "Version 0.22.0. of crontab", FutureWarning)


_AWAY = (DBAPIError, readiness.SchemaBehindError, *queues.REDIS_AWAY)


def work(functions: Collection[Callable[..., object]], *, burst: bool) -> None:
    """Run the jobs of every queue until the process is asked to end.

    Args:
        functions: The functions that jobs may name; jobs that name others fail without running.
        burst: End when the queues are empty.
    """
    workers: list[StoppableWorker] = []

    def abandon() -> None:
        for running in workers:
            running.abandon()

    stop = stopping.requested(abandon)
    settings = IndexerSettings()
    logs.configure(settings.log_format)
    telemetry.start("worker")
    _utc()
    connection = queues.connect(settings.redis_queue_url)
    if burst:
        queues.check(connection)
    else:
        metrics_server.serve(settings.sync_metrics_host, settings.worker_metrics_port)
        catalog = CatalogSettings()
        needed = {
            "PostgreSQL": lambda: readiness.require(catalog),
            "the queue": lambda: queues.check(connection),
        }
        if not wait_for(needed, stop.event, _AWAY):
            return
    found = [queues.JsonQueue(name, connection=connection) for name in queues.NAMES]
    # With these short intervals RQ finds a worker that was killed, and runs its job again, within seconds.
    running = StoppableWorker(
        found,
        stop=stop,
        connection=connection,
        serializer=JSONSerializer,
        job_class=queues.registering(functions),
        worker_ttl=30,
        maintenance_interval=5,
        job_monitoring_interval=5,
    )
    workers.append(running)
    # Jobs that are tried again later come from the scheduler's process (`indexer.jobs.schedule`).
    running.work(burst=burst, with_scheduler=False, logging_level="WARNING")
    tracing.close()


def schedule(table: Sequence[Entry], sources: Callable[[Database, "redis.Redis"], Sequence[Source]]) -> None:
    """Run the clock, the sweep and the schedule, once a second, until the process is asked to end.

    Args:
        table: The periodic jobs.
        sources: Returns what the sweep looks through, given the database and the queue's Redis.
    """
    stop = stopping.requested()
    settings = IndexerSettings()
    logs.configure(settings.log_format)
    telemetry.start("scheduler")
    _utc()
    catalog = CatalogSettings()
    metrics_server.serve(settings.sync_metrics_host, settings.scheduler_metrics_port)
    queue = queues.connect(settings.redis_queue_url)
    if not wait_for({"PostgreSQL": lambda: readiness.require(catalog)}, stop.event, _AWAY):
        return
    # Programs are published and expire on time without the queue, too.
    with contextlib.suppress(*queues.REDIS_AWAY):
        queues.check(queue)
    database = make_engine(
        catalog.model_copy(update={"pool_min": 1, "pool_max": 2}), application="thmanyah-scheduler"
    )
    cache = invalidation.connect(settings.redis_cache_url)
    line, timeout = OwnLine(database), catalog.statement_timeout_ms
    clock = Clock(database, cache, settings.redis_prefix, line, timeout_ms=timeout)
    periodic, sweep = Schedule(queue, table), Sweep(sources(database, queue), line, timeout)
    while not stop.event.wait(1):
        clock.tick()
        sweep.tick()
        try:
            periodic.tick()
        except queues.REDIS_AWAY as error:
            log.warning("the queue is unavailable: %s", error)
        metrics.SCHEDULER_TICK.set_to_current_time()
    database.dispose()
    tracing.close()
