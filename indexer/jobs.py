"""What RQ runs. Each job opens what it needs after the fork, tolerates repeats and stays short."""

from sqlalchemy import text

from catalog.db import opened, session_factory
from catalog.imports import lifecycle as imports
from catalog.settings import CatalogSettings
from indexer import upkeep
from indexer.importing import queueing

# What is kept how long: answers to repeated creates, ended sessions, applied view batches.
_KEPT = {
    "idempotency_keys": "created_at < now() - interval '1 day'",
    "refresh_tokens": "expires_at < now() - interval '1 day'",
    "view_flushes": "at < now() - interval '1 day'",
    "import_quota": "day < now() - interval '90 days'",
    "drift_reports": "created_at < now() - interval '30 days'",
    "audit_events": "at < now() - interval '2 years'",
}


def prune() -> dict[str, int]:
    """Delete what nobody will ask for again; returns how many rows of each table."""
    with opened(CatalogSettings()) as database, database.begin() as connection:
        return {
            t: connection.execute(text(f"DELETE FROM {t} WHERE {rule}")).rowcount  # noqa: S608
            for t, rule in _KEPT.items()
        }


def run_import(run_id: int) -> str:
    """Carry out an import; returns its status. Raises NotYetDone for the queue's retry."""
    return queueing.carry_out(run_id)


def rebuild(job_id: int) -> str:
    """Carry a reindex job out; returns its state."""
    return upkeep.rebuild(job_id)


def audit(report_id: int) -> str:
    """Carry an audit out; returns its report's state."""
    return upkeep.audit(report_id)


def audit_all() -> list[int]:
    """Ask for an audit of every target; returns the reports' ids."""
    return upkeep.audit_all()


def collect_indexes() -> list[str]:
    """Delete indexes that nobody needs any more; returns their names."""
    return upkeep.collect()


def prune_imports() -> int:
    """Delete what was imported from long ago; returns how many documents."""
    with opened(CatalogSettings()) as database, session_factory(database).begin() as session:
        return imports.prune(session)
