"""What PostgreSQL says of its own state: indexes, tables, slow statements, replicas. Nothing here changes anything."""

from sqlalchemy import Connection, TextClause, text

# The largest index comes first. One that no statement has used since the counters began is only dead weight, unless it
# keeps values unique.
INDEXES = text(
    """
    SELECT s.relname AS table, s.indexrelname AS index, s.idx_scan AS scans, s.last_idx_scan AS last_scan,
      pg_relation_size(s.indexrelid) AS bytes, i.indisunique AS is_unique, NOT i.indisvalid AS is_invalid,
      s.idx_scan = 0 AND NOT i.indisunique AS is_unused
    FROM pg_stat_user_indexes s JOIN pg_index i ON i.indexrelid = s.indexrelid
    ORDER BY bytes DESC, index
    """
)
# Pages of a B-tree index beyond what its rows need at 90 % fill, by the widths that ANALYZE has seen. Equal keys share
# an entry, so the estimate errs towards "needs more": what it calls bloat is bloat.
INDEX_BLOAT = text(
    """
    SELECT n.nspname AS schema, t.relname AS table, c.relname AS index, pg_relation_size(c.oid) AS bytes,
      greatest(0, pg_relation_size(c.oid)
        - (ceil(greatest(c.reltuples, 0) * (20 + coalesce(w.width, 8)) / (0.9 * 8152)) + 2)::bigint * 8192) AS wasted
    FROM pg_class c
      JOIN pg_index i ON i.indexrelid = c.oid
      JOIN pg_class t ON t.oid = i.indrelid
      JOIN pg_namespace n ON n.oid = c.relnamespace
      JOIN pg_am a ON a.oid = c.relam AND a.amname = 'btree'
      LEFT JOIN LATERAL (
        SELECT sum(s.avg_width) AS width FROM pg_attribute k
          JOIN pg_stats s ON s.schemaname = n.nspname AND s.tablename IN (t.relname, c.relname)
            AND s.attname = k.attname
        WHERE k.attrelid = c.oid
      ) w ON true
    WHERE n.nspname = current_schema() AND c.relkind = 'i'
    ORDER BY wasted DESC, index
    """
)
# Sizes are those that VACUUM has seen: asking for them would wait for whoever has locked a table.
TABLES = text(
    """
    SELECT s.relname AS table, c.relpages::bigint * 8192 AS bytes, n_live_tup AS rows, n_dead_tup AS dead,
      n_mod_since_analyze AS changed, greatest(last_vacuum, last_autovacuum) AS vacuumed,
      greatest(last_analyze, last_autoanalyze) AS analyzed
    FROM pg_stat_user_tables s JOIN pg_class c ON c.oid = s.relid
    WHERE schemaname = current_schema() ORDER BY bytes DESC, s.relname
    """
)
HAS_STATEMENTS = text("SELECT count(*) FROM pg_extension WHERE extname = 'pg_stat_statements'")
# The statements that took the most time in all.
STATEMENTS = text(
    """
    SELECT calls, total_exec_time AS total_ms, mean_exec_time AS mean_ms, max_exec_time AS max_ms,
      regexp_replace(query, '\\s+', ' ', 'g') AS query
    FROM pg_stat_statements WHERE dbid = (SELECT oid FROM pg_database WHERE datname = current_database())
    ORDER BY total_exec_time DESC LIMIT 10
    """
)
REPLICAS = text(
    """
    SELECT application_name AS name, client_addr::text AS address, state,
      pg_wal_lsn_diff(pg_current_wal_lsn(), replay_lsn)::bigint AS behind_bytes,
      coalesce(extract(epoch FROM replay_lag), 0)::float AS behind_seconds
    FROM pg_stat_replication ORDER BY name, address
    """
)
# At two billion PostgreSQL refuses writes; autovacuum begins to hurry at two hundred million.
TRANSACTIONS = text("SELECT age(datfrozenxid) AS age FROM pg_database WHERE datname = current_database()")

Rows = list[dict[str, object]]


def read(connection: Connection, statement: TextClause) -> Rows:
    """Return the rows of one of the statements above."""
    return [dict(row) for row in connection.execute(statement).mappings()]


def collect(connection: Connection) -> dict[str, Rows]:
    """Return the sections of the report, by name. Without pg_stat_statements there is no section of statements."""
    found = {
        "indexes": read(connection, INDEXES),
        "bloat": [row for row in read(connection, INDEX_BLOAT) if row["wasted"]],
        "tables": read(connection, TABLES),
        "replicas": read(connection, REPLICAS),
        "transactions": read(connection, TRANSACTIONS),
    }
    if connection.scalar(HAS_STATEMENTS):
        found["statements"] = read(connection, STATEMENTS)
    return found
