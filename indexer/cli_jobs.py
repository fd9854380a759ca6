"""`thmanyah worker` and `thmanyah scheduler`."""

import logging
import os
import signal
import threading
import time

import click
import redis
from redis.exceptions import RedisError

from catalog.db import make_engine
from catalog.settings import CatalogSettings
from indexer import queues
from indexer.clock import Clock
from indexer.importing.queueing import Sweep
from indexer.schedule import Schedule
from indexer.settings import IndexerSettings
from indexer.upkeep import UpkeepSweep

log = logging.getLogger(__name__)


def _log() -> None:
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s %(message)s")


def _utc() -> None:
    # rq-scheduler and crontab read the local time: make it UTC for this process.
    os.environ["TZ"] = "UTC"
    time.tzset()


@click.command()
@click.option("--burst", is_flag=True, help="Stop when the queues are empty.")
def worker(burst: bool) -> None:
    """Run background jobs: imports, reindexing, maintenance."""
    from rq import Worker
    from rq.serializers import JSONSerializer

    _log()
    _utc()
    connection = queues.connect(IndexerSettings().redis_queue_url)
    found = [queues.JsonQueue(name, connection=connection) for name in queues.NAMES]
    # Short intervals: a worker that was killed is found, and its job run again, within seconds.
    running = Worker(
        found,
        connection=connection,
        serializer=JSONSerializer,
        job_class=queues.JsonJob,
        worker_ttl=30,
        maintenance_interval=5,
        job_monitoring_interval=5,
    )
    running.work(burst=burst, with_scheduler=not burst, logging_level="WARNING")


@click.command()
def scheduler() -> None:
    """Publish and expire on time, add counted views, enqueue periodic jobs."""
    _log()
    _utc()
    stop = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stop.set())
    settings = IndexerSettings()
    catalog = CatalogSettings()
    database = make_engine(
        catalog.model_copy(update={"pool_min": 1, "pool_max": 2}), application="thmanyah-scheduler"
    )
    cache = redis.Redis.from_url(
        settings.redis_cache_url, socket_timeout=2, socket_connect_timeout=1
    )
    clock = Clock(database, cache, settings.redis_prefix)
    queue = queues.connect(settings.redis_queue_url)
    schedule, sweeps = Schedule(queue), (Sweep(database, queue), UpkeepSweep(database, queue))
    while not stop.wait(1):
        clock.tick()
        for sweep in sweeps:
            sweep.tick()
        try:
            schedule.tick()
        except (RedisError, OSError) as error:
            log.warning("the queue is unavailable: %s", error)
    database.dispose()
