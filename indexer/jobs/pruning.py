"""The jobs that delete old rows, started by the schedule. Each table's writer decides how long rows are kept."""

from catalog.accounts import idempotency
from catalog.accounts import sessions as refresh_tokens
from catalog.core import audit as audit_log
from catalog.core.db import opened, session_factory
from catalog.core.settings import CatalogSettings
from catalog.imports import quota
from catalog.imports import runs as import_runs
from catalog.indexing import audits as drift_audits
from catalog.insight import rollup
from catalog.journal import entries as journal
from catalog.programs.around import trends
from catalog.webhooks import deliveries as webhook_deliveries
from indexer.jobs import batches

_PRUNERS = {
    "idempotency_keys": idempotency.prune,
    "refresh_tokens": refresh_tokens.prune,
    "view_flushes": batches.prune,
    "program_trends": trends.prune,
    "query_daily": rollup.prune,
    "import_quota": quota.prune,
    "drift_reports": drift_audits.prune,
    "audit_events": audit_log.prune,
    "webhook_deliveries": webhook_deliveries.prune,
}


def prune() -> dict[str, int]:
    """Delete old rows of every table that has some; return table -> number of rows."""
    settings = CatalogSettings()
    with opened(settings) as database, session_factory(database).begin() as session:
        deleted = {table: prune_table(session) for table, prune_table in _PRUNERS.items()}
        return deleted | {"journal": journal.prune(session, settings.changes_keep_days)}


def prune_imports() -> int:
    """Delete the documents of old imports, and old imports themselves; return the number of documents."""
    with opened(CatalogSettings()) as database, session_factory(database).begin() as session:
        return import_runs.prune(session)
