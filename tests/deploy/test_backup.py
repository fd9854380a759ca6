"""`thmanyah db verify-backup`: a dump that can be restored, and ones that cannot."""

import subprocess
from collections.abc import Mapping
from pathlib import Path

import pytest
from sqlalchemy import Engine as Database
from sqlalchemy import text

from api.settings import Settings
from deploy.database import db
from deploy.local.servers import postgres
from tests.support.commands import Terminal
from tests.support.databases import plain, scalar
from tests.support.pipeline import Pipeline, publish

pytestmark = pytest.mark.slow


@pytest.fixture
def terminal(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Terminal:
    return Terminal(settings, monkeypatch)


def dumped(settings: Settings, folder: Path) -> Path:
    """A dump of the test's database, as docs/operations.md has it made."""
    path = folder / "thmanyah.dump"
    command = [str(postgres.BIN / "pg_dump"), "--format=custom", f"--file={path}"]
    subprocess.run([*command, plain(settings.catalog.database_url)], check=True, env=postgres.environment())
    return path


def test_a_whole_backup_is_restored_and_audited_and_leaves_nothing(
    settings: Settings,
    database: Database,
    pipeline: Pipeline,
    terminal: Terminal,
    servers: Mapping[str, str],
    tmp_path: Path,
) -> None:
    publish(pipeline, 5)
    dump = dumped(settings, tmp_path)
    code, said = terminal.type(db, "verify-backup", str(dump), "--server", servers["TEST_POSTGRES"])
    assert code == 0, said
    assert said.startswith("the backup is whole: 5 programs, ")
    assert said.endswith(" 5 documents\n")
    assert scalar(database, "SELECT count(*) FROM pg_database WHERE datname LIKE 'verify%'") == 0
    # Without a server of the operator's, one of this machine's own is started.
    assert terminal.type(db, "verify-backup", str(dump)) == (0, said)


def test_after_a_restore_the_feed_of_changes_has_another_name(database: Database, terminal: Terminal) -> None:
    before = scalar(database, "SELECT epoch FROM journal_state")
    code, said = terminal.type(db, "restored")
    after = scalar(database, "SELECT epoch FROM journal_state")
    assert (code, said) == (0, f"The feed of changes is {after} now: older cursors are refused.\n")
    assert before != after


@pytest.mark.parametrize(
    ("damage", "said"),
    [
        ("DROP INDEX programs_status_release_date_idx", "the schema differs from this build's"),
        ("ALTER TABLE programs ADD CONSTRAINT later CHECK (title <> 'A title') NOT VALID", "programs.later"),
    ],
)
def test_a_backup_that_lacks_something_is_named(
    damage: str,
    said: str,
    settings: Settings,
    database: Database,
    pipeline: Pipeline,
    terminal: Terminal,
    servers: Mapping[str, str],
    tmp_path: Path,
) -> None:
    publish(pipeline, 1)
    with database.begin() as connection:
        connection.execute(text(damage))
    dump = dumped(settings, tmp_path)
    found = terminal.type(db, "verify-backup", str(dump), "--server", servers["TEST_POSTGRES"])
    assert found.code == 1
    assert found.said.startswith("the backup cannot be used: ")
    assert said in found.said


def test_a_dump_that_was_cut_off_is_named(
    settings: Settings, database: Database, terminal: Terminal, servers: Mapping[str, str], tmp_path: Path
) -> None:
    dump = dumped(settings, tmp_path)
    dump.write_bytes(dump.read_bytes()[:-2000])
    found = terminal.type(db, "verify-backup", str(dump), "--server", servers["TEST_POSTGRES"])
    assert found.code == 1
    assert found.said.startswith("the backup cannot be used: pg_restore")
