"""Every change after the baseline, applied to a database with data in it, taken back and applied again."""

import psycopg
import pytest

from catalog.schema import migrate
from tests.support.migrations import BASELINE, chain, changes, check, definitions, downgrade, load, snapshot

pytestmark = pytest.mark.slow

REVISIONS = [script.revision for script in chain()]
# The baseline's last revision stands for the later ones as long as there are none.
LATER = REVISIONS[REVISIONS.index(BASELINE) :]
# What a migration changes on purpose: revision -> {"table.column" or, where it adds or removes rows, "table"}.
INTENDED: dict[str, set[str]] = {
    # A retired target has no row any more, the initial fill is a state, and no mark is due later.
    "20261126_05": {"index_targets", "index_dirty.next_at"}
}


def _with_data(url: str, until: str) -> None:
    """Upgrade to `until`; after each revision, write the rows that its code would have left."""
    for revision in REVISIONS[: REVISIONS.index(until) + 1]:
        if revision >= BASELINE:
            migrate.upgrade(url, revision)
            load(url, revision)


@pytest.mark.parametrize("revision", LATER)
def test_data_survives_a_later_change_and_its_taking_back(revision: str, empty_url: str) -> None:
    before = REVISIONS[REVISIONS.index(revision) - 1]
    if revision == BASELINE:
        _with_data(empty_url, BASELINE)
        downgrade(empty_url, before)
    else:
        _with_data(empty_url, before)
    rows = snapshot(empty_url)
    schema = definitions(empty_url)
    assert all(rows.values())
    migrate.upgrade(empty_url, revision)
    assert changes(rows, snapshot(empty_url)) <= INTENDED.get(revision, set())
    downgrade(empty_url, before)
    assert definitions(empty_url) == schema
    assert changes(rows, snapshot(empty_url)) <= INTENDED.get(revision, set())
    migrate.upgrade(empty_url)
    check(empty_url)
    assert migrate.differences(empty_url) == []


@pytest.mark.parametrize("until", sorted({BASELINE, REVISIONS[-1]}))
def test_every_table_has_rows_and_every_column_a_value(until: str, empty_url: str) -> None:
    _with_data(empty_url, until)
    found = snapshot(empty_url)
    assert [table for table, rows in found.items() if not rows] == []
    empty = [
        f"{table}.{column}"
        for table, rows in found.items()
        for column in rows[0]
        if all(row[column] is None for row in rows)
    ]
    assert empty == []


def test_what_was_lost_or_changed_is_named(empty_url: str) -> None:
    _with_data(empty_url, BASELINE)
    before = snapshot(empty_url)
    with psycopg.connect(empty_url.replace("+psycopg", "")) as connection:
        connection.execute("DELETE FROM view_flushes")
        connection.execute("UPDATE accounts SET name = upper(name || 'x') WHERE id = 2")
        connection.execute("ALTER TABLE import_quota DROP COLUMN spent")
    assert changes(before, snapshot(empty_url)) == {"view_flushes", "accounts.name"}
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
