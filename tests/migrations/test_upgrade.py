"""Every change after the baseline, applied to a database with data in it, taken back and applied again."""

import os
from functools import cache

import psycopg
import pytest

from catalog.schema import migrate
from tests.support.databases import new_database, plain, prepared
from tests.support.migrations import BASELINE, chain, changes, definitions, downgrade, load, snapshot

pytestmark = pytest.mark.slow

REVISIONS = [script.revision for script in chain()]
# The baseline's last revision stands for the later ones as long as there are none.
LATER = REVISIONS[REVISIONS.index(BASELINE) :]
# What a migration changes on purpose: revision -> {"table.column" or, where it adds or removes rows, "table"}.
INTENDED: dict[str, set[str]] = {
    # A retired target has no row any more, the initial fill is a state, and no mark is due later.
    "20261126_05": {"index_targets", "index_dirty.next_at"},
    # The words of programs that are not published are to be counted.
    "20261126_13": {"vocabulary_marks"},
}


def _with_data(until: str) -> str:
    """Return a template upgraded to `until`, after each revision with the rows that its code would have left."""
    before = REVISIONS[REVISIONS.index(until) - 1]

    def fill(url: str) -> None:
        migrate.upgrade(url, until)
        load(url, until)

    template = _with_data(before) if until > BASELINE else None
    return prepared(os.environ["TEST_POSTGRES"], f"template_at_{until}", fill, template)


@cache
def _newest() -> dict[str, list[str]]:
    """Return what an upgraded database without data has: tests/migrations/test_schema.py compares it with the models."""
    with new_database(os.environ["TEST_POSTGRES"]) as url:
        return definitions(url)


@pytest.mark.parametrize("revision", LATER)
def test_data_survives_a_later_change_and_its_taking_back(revision: str) -> None:
    before = REVISIONS[REVISIONS.index(revision) - 1]
    template = _with_data(BASELINE if revision == BASELINE else before)
    with new_database(os.environ["TEST_POSTGRES"], template) as url:
        if revision == BASELINE:
            downgrade(url, before)
        rows = snapshot(url)
        schema = definitions(url)
        assert all(rows.values())
        migrate.upgrade(url, revision)
        assert changes(rows, snapshot(url)) <= INTENDED.get(revision, set())
        downgrade(url, before)
        assert definitions(url) == schema
        assert changes(rows, snapshot(url)) <= INTENDED.get(revision, set())
        migrate.upgrade(url)
        assert definitions(url) == _newest()


@pytest.mark.parametrize("until", sorted({BASELINE, REVISIONS[-1]}))
def test_every_table_has_rows_and_every_column_a_value(until: str) -> None:
    with new_database(os.environ["TEST_POSTGRES"], _with_data(until)) as url:
        found = snapshot(url)
    assert [table for table, rows in found.items() if not rows] == []
    empty = [
        f"{table}.{column}"
        for table, rows in found.items()
        for column in rows[0]
        if all(row[column] is None for row in rows)
    ]
    assert empty == []


def test_what_was_lost_or_changed_is_named() -> None:
    with new_database(os.environ["TEST_POSTGRES"], _with_data(BASELINE)) as url:
        before = snapshot(url)
        with psycopg.connect(plain(url)) as connection:
            connection.execute("DELETE FROM view_flushes")
            connection.execute("UPDATE accounts SET name = upper(name || 'x') WHERE id = 2")
            connection.execute("ALTER TABLE import_quota DROP COLUMN spent")
        after = snapshot(url)
    assert changes(before, after) == {"view_flushes", "accounts.name"}
    assert changes(before, before) == set()


def test_every_revision_can_be_taken_back(empty_url: str) -> None:
    for revision in REVISIONS:
        before = definitions(empty_url)
        migrate.upgrade(empty_url, revision)
        after = definitions(empty_url)
        downgrade(empty_url, "-1")
        assert definitions(empty_url) == before
        migrate.upgrade(empty_url, revision)
        assert definitions(empty_url) == after
