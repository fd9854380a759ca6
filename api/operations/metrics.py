"""The route /metrics: the counters of all worker processes, and gauges of the pipeline, read at each scrape."""

import logging
import os
from collections.abc import Iterable

from litestar import MediaType, Response, Router, get
from prometheus_client import REGISTRY, CollectorRegistry
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.exposition import choose_encoder
from prometheus_client.multiprocess import MultiProcessCollector
from prometheus_client.registry import Collector
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError
from sqlalchemy.ext.asyncio import AsyncSession

from api.http.observed.counting import publish
from api.http.request import ApiRequest
from catalog.indexing import queries
from catalog.journal import queries as journal
from catalog.replicas.servers import ReadServers
from indexer.process.telemetry import exemplars
from indexer.stores import REDIS_AWAY
from indexer.stores.queues import NAMES

log = logging.getLogger(__name__)

# Where the worker processes of an instance write their counters.
_MANY = "PROMETHEUS_MULTIPROC_DIR"
_TARGETS = """
SELECT t.id, count(d.*) FILTER (WHERE NOT d.parked), count(d.*) FILTER (WHERE d.parked),
  coalesce(extract(epoch FROM clock_timestamp() - min(d.marked_at) FILTER (WHERE NOT d.parked)), 0),
  extract(epoch FROM clock_timestamp() - coalesce(t.heartbeat_at, t.created_at)),
  t.state = 'live'
FROM index_targets t LEFT JOIN index_dirty d ON d.target_id = t.id GROUP BY t.id
"""
_FAILED = """
SELECT 'rebuild', count(*) FROM reindex_jobs WHERE state = 'failed' AND finished_at > now() - interval '1 hour'
UNION ALL
SELECT 'audit', count(*) FROM drift_reports WHERE state = 'failed' AND finished_at > now() - interval '1 hour'
UNION ALL
SELECT 'import', count(*) FROM import_runs WHERE status = 'failed' AND finished_at > now() - interval '1 hour'
"""
_WEBHOOKS = """
SELECT id, CASE WHEN state = 'active' AND failing_since IS NOT NULL THEN 'failing'
  WHEN disabled_reason IN ('failures', 'gone', 'missed') THEN 'given_up' ELSE state END,
  delivered, failed, CASE WHEN state = 'active'
  THEN coalesce(extract(epoch FROM clock_timestamp() - failing_since), 0) ELSE 0 END
FROM webhook_endpoints ORDER BY id
"""
_IMPORTS = "SELECT kind, name, total FROM import_totals ORDER BY kind, name"


class _Gauges(Collector):
    """Gauges of the whole system, read from PostgreSQL and Redis."""

    def __init__(self) -> None:
        self.dirty = GaugeMetricFamily(
            "index_dirty_rows", "Programs not yet confirmed by the engine", labels=["target"]
        )
        self.oldest = GaugeMetricFamily(
            "index_oldest_dirty_seconds",
            "Age of the oldest change that listeners may not see yet",
            labels=["target"],
        )
        self.parked = GaugeMetricFamily(
            "index_parked_rows", "Documents that the engine refuses", labels=["target"]
        )
        self.depth = GaugeMetricFamily("rq_queue_depth", "Jobs waiting", labels=["queue"])
        self.drift = GaugeMetricFamily(
            "index_drift_documents",
            "Documents that differ in the last audit, by kind",
            labels=["target", "kind"],
        )
        self.silent = GaugeMetricFamily(
            "index_sender_silent_seconds", "Seconds since the last heartbeat of the sender", labels=["target"]
        )
        self.failed = GaugeMetricFamily(
            "jobs_failed_last_hour", "Rebuilds, audits and imports that failed", labels=["kind"]
        )

        self.journal = GaugeMetricFamily(
            "journal_behind_seconds", "Age of the oldest change that the feed of changes does not tell yet"
        )
        self.webhooks = GaugeMetricFamily(
            "webhook_endpoints", "Webhooks: active, failing, disabled, given_up", labels=["state"]
        )
        self.failing = GaugeMetricFamily(
            "webhook_failing_seconds", "For how long a webhook has taken no message", labels=["webhook"]
        )
        self.messages = CounterMetricFamily(
            "webhook_messages", "Messages delivered, and attempts that failed", labels=["webhook", "outcome"]
        )
        self.behind = GaugeMetricFamily(
            "database_replica_lag_seconds",
            "How far a replica is behind the primary; +Inf when it does not answer",
            labels=["server"],
        )
        self.usable = GaugeMetricFamily(
            "database_replica_usable", "1 while reads may go to the replica", labels=["server"]
        )
        self.items = CounterMetricFamily(
            "import_items", "Items of ended imports, by kind of source", labels=["source", "outcome"]
        )
        self.runs = CounterMetricFamily(
            "import_runs", "Ended imports, by kind of source", labels=["source", "status"]
        )
        self.probes = CounterMetricFamily(
            "import_media_probes",
            "Files whose first bytes imports asked for, by kind of source",
            labels=["source", "result"],
        )
        self.chapters = CounterMetricFamily(
            "import_chapter_files",
            "Files of chapters that imports asked for, by kind of source",
            labels=["source", "result"],
        )
        self.durations = CounterMetricFamily(
            "import_run_seconds", "Time that ended imports took, by kind of source", labels=["source"]
        )

    def collect(self) -> list[Metric]:
        """Return all gauges, for the registry."""
        gauges = [self.dirty, self.oldest, self.parked, self.depth, self.drift, self.silent, self.failed]
        return [
            *gauges,
            self.journal,
            self.webhooks,
            self.failing,
            self.messages,
            self.behind,
            self.usable,
            self.items,
            self.runs,
            self.probes,
            self.chapters,
            self.durations,
        ]

    def read_replicas(self, servers: ReadServers) -> None:
        """Take over what this process last saw of the replicas."""
        for server in servers.replicas:
            self.behind.add_metric([server.name], server.behind)
            self.usable.add_metric([server.name], float(server.usable))

    async def _read_webhooks(self, session: AsyncSession) -> None:
        states = dict.fromkeys(("active", "failing", "disabled", "given_up"), 0)
        for webhook, state, delivered, failed, failing in await session.execute(text(_WEBHOOKS)):
            states[state] += 1
            self.failing.add_metric([str(webhook)], float(failing))
            self.messages.add_metric([str(webhook), "delivered"], delivered)
            self.messages.add_metric([str(webhook), "failed"], failed)
        for state, number in states.items():
            self.webhooks.add_metric([state], number)

    async def read_database(self, session: AsyncSession) -> None:
        """Read the gauges that come from PostgreSQL.

        Raises:
            DBAPIError: The database does not answer.
            sqlalchemy.exc.TimeoutError: No connection became free.
        """
        for target, dirty, parked, age, silent, serving in await session.execute(text(_TARGETS)):
            self.dirty.add_metric([str(target)], dirty)
            self.parked.add_metric([str(target)], parked)
            # An index in its initial fill is behind by nature, and no listener is answered from it.
            if serving:
                self.oldest.add_metric([str(target)], float(age))
            self.silent.add_metric([str(target)], float(silent))
        self.journal.add_metric([], float(await session.scalar(journal.BEHIND) or 0))
        await self._read_webhooks(session)
        for kind, count in await session.execute(text(_FAILED)):
            self.failed.add_metric([kind], count)
        families = {"run": self.runs, "probe": self.probes, "chapters": self.chapters}
        for kind, name, total in await session.execute(text(_IMPORTS)):
            what, _, result = name.partition("_")
            if name == "seconds":
                self.durations.add_metric([kind], total)
            elif family := families.get(what):
                family.add_metric([kind, result], total)
            else:
                self.items.add_metric([kind, name], total)
        for report in await session.scalars(queries.last_audits()):
            target = str(report.target_id)
            self.drift.add_metric([target, "missing"], report.missing)
            self.drift.add_metric([target, "stale"], report.stale)
            self.drift.add_metric([target, "ghosts"], report.ghosts)


class _Counters(Collector):
    """The counters of this process, or of all worker processes that `thmanyah api` has started."""

    def collect(self) -> Iterable[Metric]:
        """Return all of them, with exemplars."""
        found = counters()
        return exemplars.added(found) if _MANY in os.environ else found


def counters() -> Iterable[Metric]:
    """Return the counters of this process, or of all worker processes that `thmanyah api` has started."""
    publish()
    if _MANY not in os.environ:
        return REGISTRY.collect()
    registry = CollectorRegistry()
    MultiProcessCollector(registry)  # type: ignore[no-untyped-call]  # prometheus_client leaves it untyped
    return registry.collect()


async def _gauges(request: ApiRequest) -> _Gauges:
    gauges = _Gauges()
    gauges.read_replicas(request.shared.servers)
    try:
        async with request.shared.db() as session:
            await gauges.read_database(session)
    except (DBAPIError, PoolTimeoutError) as error:
        log.warning("metrics of the pipeline are missing: %s", type(error).__name__)
    try:
        for queue in NAMES:
            gauges.depth.add_metric([queue], await request.shared.redis_queue.llen(f"rq:queue:{queue}"))
    except REDIS_AWAY as error:
        log.warning("metrics of the queues are missing: %s", type(error).__name__)
    return gauges


@get(
    "/metrics",
    operation_id="getMetrics",
    summary="Prometheus metrics",
    tags=["operations"],
    media_type=MediaType.TEXT,
    cache=False,
    opt={"probe": True},
)
async def metrics(request: ApiRequest) -> Response[bytes]:
    """Return all metrics in Prometheus' text format, or in OpenMetrics' if `Accept` asks for it, which has exemplars.

    They are summed over the worker processes.
    """
    registry = CollectorRegistry()
    registry.register(_Counters())
    registry.register(await _gauges(request))
    encode, content_type = choose_encoder(request.headers.get("accept", ""))
    return Response(encode(registry), headers={"Content-Type": content_type, "Cache-Control": "no-store"})


router = Router("/", route_handlers=[metrics])
