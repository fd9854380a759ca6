"""`thmanyah sync`."""

import logging
import signal
import threading

import click
import redis
from prometheus_client import start_http_server

from catalog.settings import CatalogSettings
from indexer import place
from indexer.invalidation import Invalidator
from indexer.settings import IndexerSettings


@click.command()
def sync() -> None:
    """Keep the search index equal to what is published."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s %(message)s")
    logging.getLogger("urllib3").setLevel(logging.ERROR)
    settings = IndexerSettings()
    stop = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stop.set())
    if settings.sync_metrics_port:
        start_http_server(settings.sync_metrics_port, addr="127.0.0.1")
    cache = redis.Redis.from_url(
        settings.redis_cache_url, socket_timeout=1, socket_connect_timeout=1
    )
    place.supervise(CatalogSettings(), settings, Invalidator(cache, settings.redis_prefix), stop)
