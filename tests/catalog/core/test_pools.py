"""Pooled connections are looked at before they are used: as seldom as can be, and never too seldom."""

import asyncio
from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import Engine, text
from sqlalchemy.ext.asyncio import AsyncEngine

from api.settings import Settings
from catalog.core import db

# Waits until each has ended.
END_THE_OTHERS = "SELECT pg_terminate_backend(pid, 60000) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> Callable[[Engine], list[Any]]:
    """Note from now on the connections of an engine that are asked whether they live."""

    def watch(engine: Engine) -> list[Any]:
        found: list[Any] = []
        ask = engine.dialect.do_ping
        monkeypatch.setattr(engine.dialect, "do_ping", lambda one: [found.append(one), ask(one)][1])
        return found

    return watch


def backend(engine: Engine) -> int:
    with engine.connect() as connection:
        return int(connection.scalar(text("SELECT pg_backend_pid()")) or 0)


async def backend_of(engine: AsyncEngine) -> int:
    async with engine.connect() as connection:
        return int(await connection.scalar(text("SELECT pg_backend_pid()")) or 0)


def test_a_connection_that_was_just_used_is_not_asked(
    settings: Settings, asked: Callable[[Engine], list[Any]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(db, "_RECENT_SECONDS", 3600)
    with db.opened(settings.catalog) as engine:
        found = asked(engine)
        assert backend(engine) == backend(engine)
        assert found == []


def test_a_connection_that_rested_is_asked(
    settings: Settings, asked: Callable[[Engine], list[Any]], monkeypatch: pytest.MonkeyPatch
) -> None:
    with db.opened(settings.catalog) as engine:
        first = backend(engine)
        monkeypatch.setattr(db, "_RECENT_SECONDS", -1)
        found = asked(engine)
        assert backend(engine) == first
        assert len(found) == 1


@pytest.mark.parametrize("recent", [-1, 3600])
def test_a_connection_whose_server_has_gone_is_replaced_unnoticed(
    recent: int, settings: Settings, database: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(db, "_RECENT_SECONDS", recent)
    with db.opened(settings.catalog) as engine:
        first = backend(engine)
        with database.begin() as other:
            other.execute(text(END_THE_OTHERS))
        assert backend(engine) != first


async def test_so_is_an_asynchronous_one(
    settings: Settings, database: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(db, "_RECENT_SECONDS", 3600)
    engine = db.make_async_engine(settings.catalog)
    first = await backend_of(engine)
    assert await backend_of(engine) == first

    def end_the_others() -> None:
        with database.begin() as other:
            other.execute(text(END_THE_OTHERS))

    await asyncio.to_thread(end_the_others)
    assert await backend_of(engine) != first
    await engine.dispose()
