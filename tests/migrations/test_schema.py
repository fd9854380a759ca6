"""The migrations and the models say the same; a database of another build is refused in one line."""

import os
import subprocess
from pathlib import Path

import psycopg
import pytest
from sqlalchemy import NullPool, create_engine, text
from sqlalchemy.exc import OperationalError

from api.settings import Settings
from catalog.schema import migrate
from catalog.schema.registry import Base
from deploy.local.stack import thmanyah
from tests.support.migrations import check, definitions, downgrade
from tests.support.processes import environment

pytestmark = pytest.mark.slow

FUNCTIONS = "20261125_01"
TRIGGERS, MERGING = "20261125_10", "20261125_09"


def test_the_migrated_database_is_what_the_models_say(database_url: str) -> None:
    check(database_url)
    assert migrate.differences(database_url) == []
    current, head = migrate.current_and_head(database_url)
    assert current == head


@pytest.mark.parametrize(
    "change",
    [
        "ALTER TABLE programs ALTER COLUMN season TYPE bigint",
        "ALTER TABLE programs ALTER COLUMN status SET DEFAULT 'published'",
        "ALTER TABLE accounts ALTER COLUMN token_version DROP DEFAULT",
        "ALTER TABLE programs ALTER COLUMN kind DROP NOT NULL",
        "DROP INDEX programs_words_idx",
        "CREATE INDEX stray ON tags (name)",
        "ALTER TABLE tags DROP CONSTRAINT tags_slug_key",
        "ALTER TABLE tags ADD COLUMN stray text",
    ],
)
def test_a_difference_is_found(change: str, database_url: str) -> None:
    with psycopg.connect(database_url.replace("+psycopg", "")) as connection:
        connection.execute(change)
    assert migrate.differences(database_url) != []


def test_the_models_would_make_the_same_tables(database_url: str, empty_url: str) -> None:
    """Alembic compares neither checks nor the conditions and operator classes of indexes."""
    migrate.upgrade(empty_url, FUNCTIONS)
    migrated = definitions(database_url)
    engine = create_engine(empty_url, poolclass=NullPool)
    with engine.begin() as making:
        # Later files have functions that indexes are computed with, too.
        for function in migrated["functions"]:
            if function.startswith("CREATE OR REPLACE FUNCTION public.catalog_"):
                making.exec_driver_sql(function.replace("%", "%%"))
        Base.metadata.create_all(making)
    engine.dispose()
    made = definitions(empty_url)
    for kind in ("columns", "constraints", "indexes", "sequences"):
        assert made[kind] == migrated[kind]


def test_upgrade_twice_and_all_the_way_back(database_url: str) -> None:
    migrate.upgrade(database_url)
    downgrade(database_url, "base")
    assert not any(definitions(database_url).values())
    migrate.upgrade(database_url)
    assert migrate.differences(database_url) == []


def test_a_migration_gives_up_rather_than_wait_for_a_lock(empty_url: str) -> None:
    migrate.upgrade(empty_url, MERGING)
    engine = create_engine(empty_url, poolclass=NullPool)
    with engine.connect() as holder:
        holder.execute(text("LOCK TABLE programs IN ACCESS EXCLUSIVE MODE"))
        with pytest.raises(OperationalError, match="lock timeout"):
            migrate.upgrade(empty_url, TRIGGERS)
    assert migrate.current_and_head(empty_url)[0] == MERGING


def test_autovacuum_is_set_as_promised(database_url: str) -> None:
    engine = create_engine(database_url, poolclass=NullPool)
    with engine.connect() as connection:
        options = connection.scalar(text("SELECT reloptions FROM pg_class WHERE relname = 'programs'"))
    assert options == ["autovacuum_vacuum_scale_factor=0.1", "autovacuum_analyze_scale_factor=0.05"]


def _at(url: str, revision: str) -> None:
    with psycopg.connect(url.replace("+psycopg", "")) as connection:
        connection.execute("UPDATE alembic_version SET version_num = %s", [revision])


@pytest.mark.parametrize(
    ("revision", "said"),
    [
        ("0050", r"made by an unreleased build \(revision 0050\).* Remove \.thmanyah \(make clean\)"),
        ("0004", r"made by an unreleased build \(revision 0004\)"),
        ("20991231_01", r"at revision 20991231_01, .*: a newer build upgraded it"),
    ],
)
def test_a_database_of_another_build_is_refused_and_left_as_it_is(
    revision: str, said: str, database_url: str
) -> None:
    _at(database_url, revision)
    before = definitions(database_url)
    with pytest.raises(migrate.UnknownRevisionError, match=said):
        migrate.upgrade(database_url)
    assert definitions(database_url) == before
    assert migrate.current_and_head(database_url)[0] == revision
    # The next one to upgrade is not kept waiting.
    _at(database_url, str(migrate.current_and_head(database_url)[1]))
    migrate.upgrade(database_url)


@pytest.mark.parametrize("command", ["migrate", "up"])
def test_commands_say_it_in_one_line(command: str, settings: Settings, tmp_path: Path) -> None:
    _at(settings.catalog.database_url, "0050")
    done = subprocess.run(
        thmanyah(command),
        env=os.environ | environment(settings) | {"THMANYAH_HOME": str(tmp_path)},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 1
    assert done.stderr.splitlines() == [
        "Error: This database was made by an unreleased build (revision 0050) and cannot be upgraded. "
        "Remove .thmanyah (make clean), or name an empty database: DATABASE_URL=…"
    ]
