"""`thmanyah sync`."""

import click
from sqlalchemy.exc import DBAPIError

from catalog.core import tracing
from catalog.core.settings import CatalogSettings
from catalog.schema import readiness
from indexer.process import logs, metrics_server, stopping, telemetry
from indexer.process.waiting import wait_for
from indexer.sender import leadership
from indexer.settings import IndexerSettings
from indexer.stores import invalidation
from indexer.stores.invalidation import Invalidator

AWAY = (DBAPIError, readiness.SchemaBehindError)


@click.command()
def sync() -> None:
    """Keep the search index equal to what is published."""
    stop = stopping.requested()
    settings = IndexerSettings()
    logs.configure(settings.log_format)
    telemetry.start("sync")
    metrics_server.serve(settings.sync_metrics_host, settings.sync_metrics_port)
    catalog = CatalogSettings()
    if not wait_for({"PostgreSQL": lambda: readiness.require(catalog)}, stop.event, AWAY):
        return
    cache = invalidation.connect(settings.redis_cache_url)
    leadership.supervise(catalog, settings, Invalidator(cache, settings.redis_prefix), stop.event)
    tracing.close()
