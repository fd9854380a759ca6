"""The queue's jobs of this room: rebuilds, audits, the garbage collection of indexes.

A job carries only an id; PostgreSQL keeps the state, so a queue that is wiped loses nothing.
"""

from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import Engine as Database

from catalog.core.actor import Actor
from catalog.core.db import opened, session_factory
from catalog.core.settings import CatalogSettings
from catalog.indexing import audits
from indexer.engines import targets
from indexer.rebuild import orphans
from indexer.rebuild.drift import reports
from indexer.rebuild.rebuild import Rebuild
from indexer.settings import IndexerSettings
from indexer.stores import invalidation
from indexer.stores.invalidation import Invalidator

_PATIENCE_SECONDS = 20.0
_SCHEDULED = Actor("system", name="schedule")


@contextmanager
def _opened() -> Iterator[tuple[Database, IndexerSettings, Invalidator]]:
    """What a job needs, opened after the worker's fork and closed at the end of the job."""
    settings = IndexerSettings()
    catalog = CatalogSettings().model_copy(
        update={"pool_min": 1, "pool_max": 4, "statement_timeout_ms": 120_000}
    )
    with (
        opened(catalog, application="thmanyah-upkeep") as database,
        invalidation.connect(settings.redis_cache_url) as cache,
    ):
        yield database, settings, Invalidator(cache, settings.redis_prefix)


def rebuild(job_id: int) -> str:
    """Carry a reindex job on for a while; return its state, or "busy" when another process has its lease."""
    with _opened() as (database, settings, invalidator):
        return Rebuild(database, settings, invalidator, patience=_PATIENCE_SECONDS).run(job_id)


def audit(report_id: int) -> str:
    """Carry an audit out and store what it found; return the state of its report."""
    with _opened() as (database, settings, _):
        return reports.write_report(database, settings, report_id)


def audit_all() -> list[int]:
    """Request an audit of every target, repairs included; return the ids of the reports."""
    with _opened() as (database, settings, _), session_factory(database).begin() as session:
        ids = [target.id for target in targets.list_active(session, settings)]
        requested = audits.request(session, ids, _SCHEDULED, repair=True)
        return [report.id for report in requested]


def collect_indexes() -> list[str]:
    """Delete the indexes that nothing needs any more; return their names."""
    with _opened() as (database, settings, _):
        return orphans.collect(database, settings)
