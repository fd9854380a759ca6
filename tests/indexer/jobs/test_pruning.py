"""What nobody will ask for again is deleted by its table's writer, and nothing else is."""

from collections.abc import Callable

import pytest
from sqlalchemy import Engine as Database
from sqlalchemy import text
from sqlalchemy.orm import Session

from api.settings import Settings
from catalog.accounts import idempotency
from catalog.accounts import sessions as refresh_tokens
from catalog.core import audit
from catalog.core.db import session_factory
from catalog.imports import quota
from catalog.indexing import audits as drift_audits
from catalog.insight import rollup
from catalog.journal import entries
from catalog.programs.around import trends
from catalog.webhooks import deliveries
from indexer.jobs import batches, pruning
from tests.support.processes import environment

# table -> a statement that writes a row named :name whose age is :age (an interval)
ROWS = {
    "idempotency_keys": (
        "INSERT INTO idempotency_keys (scope, key, request_hash, created_at) "
        "VALUES ('s', :name, 'h', now() - CAST(:age AS interval))"
    ),
    "refresh_tokens": (
        "INSERT INTO refresh_tokens (token_hash, family, account_id, expires_at) "
        "SELECT :name, 'f', id, now() - CAST(:age AS interval) FROM accounts"
    ),
    "view_flushes": "INSERT INTO view_flushes (batch_id, at) VALUES (:name, now() - CAST(:age AS interval))",
    "program_trends": (
        "WITH viewed AS (INSERT INTO programs (slug, title, language, media_type, kind) "
        "VALUES (:name, :name, 'en', 'audio', 'episode') RETURNING id) "
        "INSERT INTO program_trends SELECT id, 0, 0, now() - CAST(:age AS interval) FROM viewed"
    ),
    "query_daily": (
        "INSERT INTO query_daily (day, language, query) VALUES (now() - CAST(:age AS interval), 'en', :name)"
    ),
    "import_quota": (
        "INSERT INTO import_quota (service, day, spent) VALUES (:name, now() - CAST(:age AS interval), 1)"
    ),
    "drift_reports": (
        "INSERT INTO drift_reports (target_id, requested_by, created_at) "
        "VALUES (1, :name, now() - CAST(:age AS interval))"
    ),
    "audit_events": (
        "INSERT INTO audit_events (actor_kind, action, entity, at) "
        "VALUES ('system', :name, 'program', now() - CAST(:age AS interval))"
    ),
}
ROWS |= {
    "webhook_deliveries": (
        "INSERT INTO webhook_deliveries (endpoint_id, kind, message_id, event_type, created_at) "
        "SELECT id, 'test', :name, 'webhook.test', now() - CAST(:age AS interval) FROM webhook_endpoints"
    ),
    "journal": (
        "INSERT INTO journal SELECT nextval('journal_seq'), CASE :name WHEN 'old' THEN 1 ELSE 2 END, 'withdrawn', "
        "now() - CAST(:age AS interval)"
    ),
}
NAMES = {
    "idempotency_keys": "key",
    "refresh_tokens": "token_hash",
    "view_flushes": "batch_id",
    "program_trends": "(SELECT slug FROM programs WHERE id = program_id)",
    "query_daily": "query",
    "import_quota": "service",
    "drift_reports": "requested_by",
    "audit_events": "action",
    "webhook_deliveries": "message_id",
    "journal": "CASE program_id WHEN 1 THEN 'old' ELSE 'young' END",
}
# table -> the oldest row that is kept, and the youngest that is not
AGES = {
    "idempotency_keys": ("23 hours", "25 hours"),
    "refresh_tokens": ("23 hours", "25 hours"),
    "view_flushes": ("23 hours", "25 hours"),
    "program_trends": ("7 days 23 hours", "8 days 1 hour"),
    "query_daily": ("89 days", "92 days"),
    "import_quota": ("89 days", "92 days"),
    "drift_reports": ("29 days", "31 days"),
    "audit_events": ("2 years -1 day", "2 years 1 day"),
    "webhook_deliveries": ("29 days", "31 days"),
    "journal": ("29 days", "31 days"),
}
PRUNERS: dict[str, Callable[[Session], int]] = {
    "idempotency_keys": idempotency.prune,
    "refresh_tokens": refresh_tokens.prune,
    "view_flushes": batches.prune,
    "program_trends": trends.prune,
    "query_daily": rollup.prune,
    "import_quota": quota.prune,
    "drift_reports": drift_audits.prune,
    "audit_events": audit.prune,
    "webhook_deliveries": deliveries.prune,
    "journal": lambda session: entries.prune(session, 30),
}


@pytest.fixture
def aged(session: Session) -> Session:
    """In each table a row that is just young enough and one that is just too old."""
    session.execute(text("INSERT INTO accounts (email, password_hash) VALUES ('a@example.com', 'x')"))
    session.execute(
        text(
            "INSERT INTO webhook_endpoints (url, event_types, nonce, fingerprint, position) VALUES ('x', '{}', '', '', 0)"
        )
    )
    for table, statement in ROWS.items():
        for name, age in zip(("young", "old"), AGES[table], strict=True):
            session.execute(text(statement), {"name": name, "age": age})
    session.commit()
    return session


def left(session: Session) -> dict[str, list[str]]:
    """table -> names of the rows that are there"""
    return {
        table: sorted(session.scalars(text(f"SELECT {column} FROM {table}")))
        for table, column in NAMES.items()
    }


@pytest.mark.parametrize("table", PRUNERS)
def test_a_writer_deletes_the_old_rows_of_its_table_only(table: str, aged: Session) -> None:
    assert PRUNERS[table](aged) == 1
    assert left(aged) == {name: ["young"] if name == table else ["old", "young"] for name in NAMES}
    assert PRUNERS[table](aged) == 0


def test_the_job_prunes_every_table(
    aged: Session, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in environment(settings).items():
        monkeypatch.setenv(name, value)
    assert pruning.prune() == dict.fromkeys(PRUNERS, 1)
    aged.rollback()
    assert left(aged) == {name: ["young"] for name in NAMES}
    assert pruning.prune() == dict.fromkeys(PRUNERS, 0)


def test_a_used_or_revoked_token_is_kept_until_it_expires(session: Session, database: Database) -> None:
    session.execute(text("INSERT INTO accounts (email, password_hash) VALUES ('a@example.com', 'x')"))
    session.execute(
        text(
            "INSERT INTO refresh_tokens (token_hash, family, account_id, created_at, expires_at, used_at, revoked_at) "
            "SELECT 'used', 'f', id, now() - interval '29 days', now() + interval '1 day', "
            "now() - interval '28 days', now() - interval '28 days' FROM accounts"
        )
    )
    session.commit()
    with session_factory(database).begin() as other:
        assert refresh_tokens.prune(other) == 0
    assert session.scalars(text("SELECT token_hash FROM refresh_tokens")).all() == ["used"]
