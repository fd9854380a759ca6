"""The schema and the models say the same; every step can be taken back."""

import pytest
from alembic import command
from sqlalchemy import NullPool, create_engine, text
from sqlalchemy.exc import OperationalError

from catalog import migrate


def test_the_migrated_database_is_what_the_models_say(database_url: str) -> None:
    assert migrate.differences(database_url) == []
    current, head = migrate.current_and_head(database_url)
    assert current == head


def test_upgrade_twice_and_all_the_way_back(database_url: str) -> None:
    migrate.upgrade(database_url)
    engine = create_engine(database_url, poolclass=NullPool)
    with engine.connect() as connection:
        command.downgrade(migrate._config(connection), "base")
    with engine.connect() as connection:
        left = connection.scalar(
            text("SELECT count(*) FROM pg_class c JOIN pg_namespace n ON n.oid = relnamespace "
                 "WHERE nspname = 'public' AND relkind = 'r' AND relname <> 'alembic_version'")
        )  # fmt: skip
        assert left == 0
    migrate.upgrade(database_url)
    assert migrate.differences(database_url) == []


def test_a_migration_gives_up_rather_than_wait_for_a_lock(database_url: str) -> None:
    engine = create_engine(database_url, poolclass=NullPool)
    with engine.connect() as connection:
        command.downgrade(migrate._config(connection), "0003")
    with engine.connect() as holder, engine.connect() as connection:
        holder.execute(text("LOCK TABLE programs IN ACCESS EXCLUSIVE MODE"))
        with pytest.raises(OperationalError, match="lock timeout"):
            command.downgrade(migrate._config(connection), "0002")
    assert migrate.current_and_head(database_url)[0] == "0003"


def test_autovacuum_is_set_as_promised(database_url: str) -> None:
    engine = create_engine(database_url, poolclass=NullPool)
    with engine.connect() as connection:
        options = connection.scalar(
            text("SELECT reloptions FROM pg_class WHERE relname = 'programs'")
        )
    assert options == ["autovacuum_vacuum_scale_factor=0.1", "autovacuum_analyze_scale_factor=0.05"]
