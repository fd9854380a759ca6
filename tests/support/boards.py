"""What boards show, and which of it comes from exporters beside PostgreSQL and Redis."""

from deploy.observability.boards.contents import BOARDS

# https://github.com/prometheus-community/postgres_exporter and https://github.com/oliver006/redis_exporter.
EXPORTERS = {
    *(
        "pg_up",
        "pg_stat_database_numbackends",
        "pg_stat_database_xact_commit",
        "pg_stat_database_xact_rollback",
    ),
    *("pg_stat_database_blks_hit", "pg_stat_database_blks_read"),
    *("pg_database_size_bytes", "pg_locks_count"),
    *("redis_up", "redis_memory_used_bytes", "redis_evicted_keys_total", "redis_commands_processed_total"),
}
# Of these there is nothing without a fault: make cluster-alerts looks at them after it.
FAULTS_ALONE = {
    *("engine_failovers_total", "search_degraded_total"),
    *("search_fallback_failures_total", "database_read_failovers_total"),
}


def shown() -> set[str]:
    """Return every expression on a board."""
    return {text for board in BOARDS for panel in board.panels for text in panel.queries.values()}
