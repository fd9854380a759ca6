"""What the boards show: for each, its panels in reading order. A panel has a title, a unit and what it asks Prometheus."""

from typing import NamedTuple


class Panel(NamedTuple):
    """A panel.

    Attributes:
        title: What a reader sees.
        unit: Grafana's name of the unit.
        queries: Legend -> expression.
        note: What to look for; empty when the title says it.
        limit: From here on the panel turns red; None without an objective.
    """

    title: str
    unit: str
    queries: dict[str, str]
    note: str = ""
    limit: float | None = None


class Board(NamedTuple):
    """A board."""

    uid: str
    title: str
    panels: list[Panel]


_LISTENERS = 'route=~"/discovery/.*"'
_READS = f'method="GET",{_LISTENERS}'
_SECONDS = "http_request_duration_seconds_bucket"


def _quantile(q: float, metric: str, labels: str = "", by: str = "le") -> str:
    return f"histogram_quantile({q}, sum by ({by}) (rate({metric}{{{labels}}}[5m])))"


_LISTENER_PANELS = [
    Panel(
        "Requests by route",
        "reqps",
        {"{{route}}": f"sum by (route) (rate(http_requests_total{{{_LISTENERS}}}[5m]))"},
    ),
    Panel(
        "Time to an answer",
        "s",
        {f"p{int(q * 100)}": _quantile(q, _SECONDS, _READS) for q in (0.5, 0.95, 0.99)},
        "Objective: 99 % within 100 ms.",
        0.1,
    ),
    Panel(
        "Errors of ours",
        "percentunit",
        {
            "errors": f'(sum(rate(http_requests_total{{{_LISTENERS},status=~"5.."}}[5m])) or vector(0)) '
            f"/ sum(rate(http_requests_total{{{_LISTENERS}}}[5m]))"
        },
        "Objective: 99.9 % without.",
        0.001,
    ),
    Panel(
        "Error budgets: how fast they burn",
        "none",
        {
            "availability": 'slo:error_ratio:rate1h{slo="availability"} / 0.001',
            "latency": 'slo:error_ratio:rate1h{slo="latency"} / 0.01',
            "freshness": 'slo:error_ratio:rate1h{slo="freshness"} / 0.01',
        },
        "1 is the rate that uses a month's budget in a month; 14.4 wakes somebody.",
        1,
    ),
    Panel("Refused by a limit", "reqps", {"{{limit}}": "sum by (limit) (rate(rate_limited_total[5m]))"}),
    Panel("Read another way", "reqps", {"{{rung}}": "sum by (rung) (rate(search_rewrites_total[5m]))"}),
    Panel(
        "Searches without an engine, or without a result",
        "reqps",
        {
            "nothing found": "sum(rate(search_zero_results_total[5m]))",
            "degraded {{route}}": "sum by (route) (rate(search_degraded_total[5m]))",
            "refused {{reason}}": "sum by (reason) (rate(search_fallback_failures_total[5m]))",
        },
    ),
    Panel("Views", "cps", {"{{outcome}}": "sum by (outcome) (rate(program_views_total[5m]))"}),
]
_PIPELINE_PANELS = [
    Panel(
        "Commit to searchable",
        "s",
        {
            f"p{int(q * 100)} {{{{engine}}}}": _quantile(q, "index_lag_seconds_bucket", by="le, engine")
            for q in (0.5, 0.99)
        },
        "Objective: 99 % within a second.",
        1,
    ),
    Panel("Changes that wait", "short", {"target {{target}}": "max by (target) (index_dirty_rows)"}),
    Panel(
        "The oldest change that waits",
        "s",
        {"target {{target}}": "max by (target) (index_oldest_dirty_seconds)"},
        limit=5,
    ),
    Panel("Documents sent", "cps", {"{{operation}}": "sum by (operation) (rate(index_documents_total[5m]))"}),
    Panel(
        "Batches by how they ended",
        "cps",
        {"{{outcome}}": "sum by (outcome) (rate(index_batches_total[5m]))"},
    ),
    Panel(
        "Parked, and wrong in the last audit",
        "short",
        {
            "parked, target {{target}}": "max by (target) (index_parked_rows)",
            "{{kind}}, target {{target}}": "max by (target, kind) (index_drift_documents)",
        },
        limit=1,
    ),
    Panel(
        "Senders",
        "short",
        {
            "{{instance}} leads target {{target}}": "index_sender_active",
            "silent for, target {{target}}": "max by (target) (index_sender_silent_seconds)",
            "crashes": "sum(increase(index_sender_crashes_total[1h]))",
        },
    ),
    Panel(
        "Invalidations that Redis did not take",
        "cps",
        {"lost": "sum(rate(cache_invalidation_failures_total[5m]))"},
    ),
]
_JOBS_PANELS = [
    Panel("Jobs that wait", "short", {"{{queue}}": "max by (queue) (rq_queue_depth)"}),
    Panel("The feed of changes is behind", "s", {"behind": "max(journal_behind_seconds)"}, limit=60),
    Panel("Webhooks", "short", {"{{state}}": "max by (state) (webhook_endpoints)"}),
    Panel("Failed within an hour", "short", {"{{kind}}": "max by (kind) (jobs_failed_last_hour)"}, limit=1),
    Panel(
        "Jobs that ran",
        "cps",
        {"{{function}} {{outcome}}": "sum by (function, outcome) (rate(jobs_total[5m]))"},
    ),
    Panel(
        "Time of a job",
        "s",
        {"p95 {{function}}": _quantile(0.95, "job_duration_seconds_bucket", by="le, function")},
    ),
    Panel(
        "Wait of a job", "s", {"p95 {{queue}}": _quantile(0.95, "job_wait_seconds_bucket", by="le, queue")}
    ),
    Panel(
        "Since the scheduler last looked",
        "s",
        {"scheduler": "time() - max(scheduler_last_tick_timestamp_seconds)"},
    ),
    Panel(
        "Ended imports",
        "short",
        {"{{source}} {{status}}": "max by (source, status) (increase(import_runs_total[1h]))"},
        "Within an hour, by source.",
    ),
    Panel(
        "Items of ended imports",
        "short",
        {"{{source}} {{outcome}}": "max by (source, outcome) (increase(import_items_total[1h]))"},
    ),
    Panel(
        "Time of an import",
        "s",
        {
            "{{source}}": "max by (source) (increase(import_run_seconds_total[1h])) "
            "/ on (source) sum by (source) (max by (source, status) (increase(import_runs_total[1h])))"
        },
    ),
]
_DATABASE_PANELS = [
    Panel("Servers", "short", {"{{instance}}": "pg_up"}, "1 is up."),
    Panel(
        "Connections",
        "short",
        {"{{instance}}": 'sum by (instance) (pg_stat_database_numbackends{datname="thmanyah"})'},
        "PgBouncer keeps 25 for each of its databases.",
    ),
    Panel(
        "Transactions",
        "ops",
        {
            "{{instance}} committed": 'rate(pg_stat_database_xact_commit{datname="thmanyah"}[5m])',
            "{{instance}} rolled back": 'rate(pg_stat_database_xact_rollback{datname="thmanyah"}[5m])',
        },
    ),
    Panel(
        "Read from memory",
        "percentunit",
        {
            "{{instance}}": 'rate(pg_stat_database_blks_hit{datname="thmanyah"}[5m]) '
            '/ (rate(pg_stat_database_blks_hit{datname="thmanyah"}[5m]) '
            '+ rate(pg_stat_database_blks_read{datname="thmanyah"}[5m]))'
        },
    ),
    Panel(
        "Replicas: how far behind, as readers see it",
        "s",
        {"{{server}}": "max by (server) (database_replica_lag_seconds)"},
        "Reads leave a replica that is DATABASE_REPLICA_MAX_LAG seconds behind.",
        5,
    ),
    Panel(
        "Replicas that get reads",
        "short",
        {"{{server}}": "min by (server) (database_replica_usable)"},
        "0: some process has left it.",
    ),
    Panel(
        "Reads by server",
        "ops",
        {
            "{{server}}": "sum by (server) (rate(database_reads_total[5m]))",
            "answered by another": "sum(rate(database_read_failovers_total[5m]))",
        },
    ),
    Panel("Size", "bytes", {"{{instance}}": 'pg_database_size_bytes{datname="thmanyah"}'}),
    Panel("Locks", "short", {"{{mode}}": 'sum by (mode) (pg_locks_count{datname="thmanyah"})'}),
]
_CACHE_PANELS = [
    Panel(
        "Answers by source",
        "reqps",
        {"{{level}}": "sum by (level) (rate(cache_requests_total[5m]))"},
        "l1 is a process's memory, l2 Redis; miss went to an engine or to PostgreSQL.",
    ),
    Panel(
        "Answered by a cache",
        "percentunit",
        {
            "{{kind}}": '1 - sum by (kind) (rate(cache_requests_total{level="miss"}[5m])) '
            "/ sum by (kind) (rate(cache_requests_total[5m]))"
        },
    ),
    Panel("Dropped from processes' memory", "Bps", {"dropped": "sum(rate(cache_evicted_bytes_total[5m]))"}),
    Panel(
        "Redis did not answer",
        "cps",
        {
            "cache": "sum(rate(cache_redis_errors_total[5m]))",
            "limits": "sum(rate(rate_limiter_errors_total[5m]))",
        },
    ),
    Panel("Servers", "short", {"{{instance}}": "redis_up"}, "1 is up."),
    Panel("Memory", "bytes", {"{{instance}}": "redis_memory_used_bytes"}),
    Panel(
        "Evicted",
        "cps",
        {"{{instance}}": "rate(redis_evicted_keys_total[5m])"},
        "The queue's server never evicts.",
    ),
    Panel("Commands", "ops", {"{{instance}}": "rate(redis_commands_processed_total[5m])"}),
]
_ENGINE_PANELS = [
    Panel(
        "Requests",
        "reqps",
        {
            "{{operation}} {{outcome}}": "sum by (operation, outcome) (rate(engine_request_duration_seconds_count[5m]))"
        },
    ),
    Panel(
        "Time of a search",
        "s",
        {
            f"p{int(q * 100)}": _quantile(q, "engine_request_duration_seconds_bucket", 'operation="search"')
            for q in (0.5, 0.95, 0.99)
        },
    ),
    Panel(
        "Not asked because they fail",
        "short",
        {"{{engine}}, {{client}}": "max by (engine, client) (engine_breaker_open)"},
        limit=1,
    ),
    Panel(
        "Answered by another engine",
        "reqps",
        {"{{engine}}": "sum by (engine) (rate(engine_failovers_total[5m]))"},
    ),
    Panel("Words for corrections", "short", {"words": "max(search_vocabulary_words)"}),
]

BOARDS = [
    Board("thmanyah-listeners", "Listeners", _LISTENER_PANELS),
    Board("thmanyah-pipeline", "Pipeline", _PIPELINE_PANELS),
    Board("thmanyah-jobs", "Jobs and imports", _JOBS_PANELS),
    Board("thmanyah-database", "Database", _DATABASE_PANELS),
    Board("thmanyah-caches", "Caches", _CACHE_PANELS),
    Board("thmanyah-engines", "Engines", _ENGINE_PANELS),
]
