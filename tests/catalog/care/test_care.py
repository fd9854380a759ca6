"""`thmanyah db`: the report, the plans of the product's statements, and maintenance."""

import pytest
from sqlalchemy import Engine as Database
from sqlalchemy import text

from api.settings import Settings
from catalog.care import maintenance, plans, report
from catalog.care.cli import db
from catalog.core.db import session_factory
from tests.support.commands import Terminal
from tests.support.programs import make
from tests.support.waiting import eventually


@pytest.fixture
def terminal(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Terminal:
    return Terminal(settings, monkeypatch)


def execute(database: Database, *statements: str) -> None:
    """Execute each statement in a transaction of its own."""
    with database.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        for statement in statements:
            connection.execute(text(statement))


def grow(database: Database) -> None:
    """Leave a table of a few rows behind whose index has pages for many."""
    execute(
        database,
        "CREATE TABLE grown (id bigint CONSTRAINT grown_key PRIMARY KEY) WITH (autovacuum_enabled = false)",
        "INSERT INTO grown SELECT generate_series(1, 60000)",
        "ANALYZE grown",
        "DELETE FROM grown WHERE id % 50 > 0",
    )


@pytest.mark.slow
def test_the_report_names_indexes_that_nobody_uses_and_what_grows(
    database: Database, terminal: Terminal
) -> None:
    grow(database)
    execute(database, "CREATE INDEX grown_useless ON grown ((id + 1))", "VACUUM (ANALYZE) grown")
    with database.connect() as connection:
        found = report.collect(connection)
    indexes = {row["index"]: row for row in found["indexes"]}
    assert indexes["grown_useless"]["is_unused"]
    assert not indexes["grown_key"]["is_unused"]
    assert "programs_status_release_date_idx" in indexes
    bloat = {row["index"]: int(str(row["wasted"])) for row in found["bloat"]}
    # Some 1,200 rows need some 40 KB; the pages are still those of 60,000.
    assert bloat["grown_key"] > 500_000
    assert "programs" in {row["table"] for row in found["tables"]}
    assert "statements" not in found
    code, said = terminal.type(db, "report", "--all")
    assert code == 0
    for part in ("grown_useless", "MiB", "never", "pg_stat_statements is not installed", "Replicas"):
        assert part in said, part


@pytest.mark.slow
def test_maintenance_does_what_is_due_and_nothing_else(
    settings: Settings, database: Database, terminal: Terminal, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(maintenance, "WASTED_BYTES", 500_000)
    grow(database)
    vacuum, reindex = "VACUUM (ANALYZE) grown", "REINDEX INDEX CONCURRENTLY grown_key"
    # PostgreSQL's counters follow a moment later.
    eventually(lambda: vacuum in maintenance.maintain(settings.catalog, dry_run=True), what="the counters")
    assert vacuum in maintenance.maintain(settings.catalog)
    assert maintenance.maintain(settings.catalog, dry_run=True) == [reindex]
    code, said = terminal.type(db, "maintain")
    assert (code, said) == (0, f"{reindex}\n")
    assert terminal.type(db, "maintain") == (0, "nothing is due\n")
    with database.connect() as connection:
        assert connection.scalar(text("SELECT pg_relation_size('grown_key')")) < 100_000


@pytest.mark.slow
def test_a_table_that_is_locked_waits_for_the_next_time(
    settings: Settings, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(maintenance, "LOCK_TIMEOUT", 50)
    grow(database)
    eventually(lambda: maintenance.maintain(settings.catalog, dry_run=True), what="the counters")
    with database.begin() as holder:
        holder.execute(text("LOCK TABLE grown IN ACCESS EXCLUSIVE MODE"))
        assert "VACUUM (ANALYZE) grown" not in maintenance.maintain(settings.catalog)


@pytest.mark.parametrize("name", plans.STATEMENTS)
def test_each_statement_is_explained(name: str, database: Database) -> None:
    with session_factory(database).begin() as session:
        make(session, "published", title="قهوة المساء")
    with database.connect() as connection:
        steps, took = plans.explain(connection, name)
    assert steps[0].depth == 0
    assert took > 0
    assert [mark for step in steps for mark in step.marks] == []


@pytest.mark.slow
def test_a_scan_of_many_rows_and_a_wrong_estimate_are_marked(database: Database, terminal: Terminal) -> None:
    execute(
        database,
        "ALTER TABLE programs SET (autovacuum_enabled = false)",
        "ANALYZE programs",
        "INSERT INTO programs (slug, title, language, media_type, kind, status, published_at) "
        "SELECT 'n' || n, 'Number ' || n, 'en', 'audio', 'episode', 'published', now() FROM generate_series(1, 3000) n",
        "UPDATE pg_index SET indisvalid = false WHERE indrelid = 'programs'::regclass AND NOT indisunique",
    )
    code, said = terminal.type(db, "explain", "popular")
    assert code == 1
    assert "<-- sequential scan of 3000 rows" in said
    assert terminal.type(db, "explain", "lookup").code == 0
    assert terminal.type(db, "explain", "nothing").code == 2
