"""Request metrics with the mission's names, and /metrics across worker processes."""

import logging
import os
from typing import Any

from litestar import MediaType, Request, Response, Router, get
from prometheus_client import (
    CONTENT_TYPE_LATEST,
    REGISTRY,
    CollectorRegistry,
    Counter,
    Histogram,
    generate_latest,
)
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.multiprocess import MultiProcessCollector
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

from catalog.indexing import queries
from indexer.invalidation import REDIS_AWAY

log = logging.getLogger(__name__)

HTTP_SECONDS = Histogram(
    "http_request_duration_seconds",
    "Duration of HTTP requests in seconds",
    ["method", "route", "status"],
    buckets=(0.01, 0.05, 0.1, 0.5, 1, 5),
)
HTTP_TOTAL = Counter(
    "http_requests_total", "Total number of HTTP requests", ["method", "route", "status"]
)
CACHE = Counter("cache_requests_total", "Answers by where they came from", ["kind", "level"])
CACHE_BYTES = Counter("cache_evicted_bytes_total", "Bytes dropped from process memory for room")
REDIS_ERRORS = Counter("cache_redis_errors_total", "Cache commands that Redis did not answer")
RATE_LIMITED = Counter("rate_limited_total", "Requests refused for their number", ["limit"])
LIMITER_ERRORS = Counter("rate_limiter_errors_total", "Requests let through without Redis")
VIEWS = Counter("program_views_total", "Views counted, by what became of them", ["outcome"])

SEARCH_DEGRADED = Counter(
    "search_degraded_total", "Answers from PostgreSQL because no engine answered", ["route"]
)
FALLBACK_FAILURES = Counter(
    "search_fallback_failures_total", "Searches that PostgreSQL did not answer either", ["reason"]
)

_WAITING = """
SELECT t.id, count(d.*) FILTER (WHERE NOT d.parked), count(d.*) FILTER (WHERE d.parked),
  coalesce(extract(epoch FROM clock_timestamp() - min(d.marked_at) FILTER (WHERE NOT d.parked)), 0),
  extract(epoch FROM clock_timestamp() - coalesce(t.heartbeat_at, t.created_at)),
  t.state = 'live' AND t.filled
FROM index_targets t LEFT JOIN index_dirty d ON d.target_id = t.id GROUP BY t.id
"""
_FAILED = """
SELECT 'rebuild', count(*) FROM reindex_jobs WHERE state = 'failed' AND finished_at > now() - interval '1 hour'
UNION ALL
SELECT 'audit', count(*) FROM drift_reports WHERE state = 'failed' AND finished_at > now() - interval '1 hour'
UNION ALL
SELECT 'import', count(*) FROM import_runs WHERE status = 'failed' AND finished_at > now() - interval '1 hour'
"""
_METHODS = {"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"}
_children: dict[tuple[str, str, int], tuple[Any, Any]] = {}


def observe(method: str, route: str, status: int, seconds: float) -> None:
    """Count one request. `route` is a template, never an address."""
    key = (method if method in _METHODS else "OTHER", route, status)
    pair = _children.get(key)
    if pair is None:
        labels = (key[0], key[1], str(status))
        pair = _children[key] = (HTTP_SECONDS.labels(*labels), HTTP_TOTAL.labels(*labels))
    pair[0].observe(seconds)
    pair[1].inc()


def _registry() -> CollectorRegistry:
    if "PROMETHEUS_MULTIPROC_DIR" not in os.environ:
        return REGISTRY
    registry = CollectorRegistry()
    MultiProcessCollector(registry)  # type: ignore[no-untyped-call]
    return registry


async def _pipeline_gauges(request: Request[Any, Any, Any]) -> bytes:
    """Gauges read at the scrape: they describe the system, not this process."""
    registry = CollectorRegistry()
    rows = GaugeMetricFamily(
        "index_dirty_rows", "Programs not yet confirmed by the engine", labels=["target"]
    )
    oldest = GaugeMetricFamily(
        "index_oldest_dirty_seconds",
        "Age of the oldest change that listeners may not see yet",
        labels=["target"],
    )
    parked = GaugeMetricFamily(
        "index_parked_rows", "Documents the engine refuses", labels=["target"]
    )
    depth = GaugeMetricFamily("rq_queue_depth", "Jobs waiting", labels=["queue"])
    drifted = GaugeMetricFamily(
        "index_drift_documents", "What the last audit found, by kind", labels=["target", "kind"]
    )
    silent = GaugeMetricFamily(
        "index_sender_silent_seconds", "Since a sender was last heard of", labels=["target"]
    )
    failed = GaugeMetricFamily(
        "jobs_failed_last_hour", "Rebuilds, audits and imports that failed", labels=["kind"]
    )
    families = [rows, oldest, parked, depth, drifted, silent, failed]
    try:
        async with request.app.state.db() as session:
            for target, dirty, aside, age, quiet, asked in await session.execute(text(_WAITING)):
                rows.add_metric([str(target)], dirty)
                parked.add_metric([str(target)], aside)
                # One that is being filled is behind by nature, and nobody is answered from it.
                if asked:
                    oldest.add_metric([str(target)], float(age))
                silent.add_metric([str(target)], float(quiet))
            for kind, count in await session.execute(text(_FAILED)):
                failed.add_metric([kind], count)
            for report in await session.scalars(queries.last_reports()):
                for kind in ("missing", "stale", "ghosts"):
                    drifted.add_metric([str(report.target_id), kind], getattr(report, kind))
    except (DBAPIError, PoolTimeoutError) as error:
        log.warning("metrics of the pipeline are missing: %s", type(error).__name__)
    try:
        for queue in ("imports", "reindex", "maintenance"):
            depth.add_metric([queue], await request.app.state.redis_queue.llen(f"rq:queue:{queue}"))
    except REDIS_AWAY as error:
        log.warning("metrics of the queues are missing: %s", type(error).__name__)

    class _Scrape:
        def collect(self) -> list[GaugeMetricFamily]:
            return families

    registry.register(_Scrape())
    return generate_latest(registry)


@get(
    "/metrics",
    summary="Prometheus metrics",
    tags=["operations"],
    media_type=MediaType.TEXT,
    cache=False,
)
async def metrics(request: Request[Any, Any, Any]) -> Response[bytes]:
    """Everything measured, in Prometheus' text format, summed over the worker processes."""
    body = generate_latest(_registry()) + await _pipeline_gauges(request)
    return Response(
        body, headers={"Content-Type": CONTENT_TYPE_LATEST, "Cache-Control": "no-store"}
    )


router = Router("/", route_handlers=[metrics])
