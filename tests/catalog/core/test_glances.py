"""Looks in one round trip: what they return, and what happens to a connection that is lost."""

import pytest
from sqlalchemy import Engine as Database
from sqlalchemy import func, literal, select, text
from sqlalchemy.exc import OperationalError

from api.settings import Settings
from catalog.core.db import make_async_engine
from catalog.core.glances import AsyncGlance, Glance, OwnLine


def test_values_are_part_of_the_text(database: Database) -> None:
    glance = Glance(OwnLine(database), select(literal("50 % of %s").label("said"), literal(3)), 5_000)
    assert glance.look() == ("50 % of %s", 3)
    assert glance.look() == ("50 % of %s", 3)


def test_a_lost_connection_is_an_error_once(database: Database) -> None:
    glance = Glance(OwnLine(database), select(func.pg_backend_pid()), 5_000)
    (pid,) = glance.look()
    with database.begin() as connection:
        connection.execute(text("SELECT pg_terminate_backend(:pid, 10000)"), {"pid": pid})
    with pytest.raises(OperationalError):
        glance.look()
    assert glance.look() != (pid,)


def test_it_takes_no_longer_than_it_may(database: Database) -> None:
    line = OwnLine(database)
    with pytest.raises(OperationalError, match="statement timeout"):
        Glance(line, select(func.pg_sleep(3600)), 50).look()
    # The timeout was that statement's own.
    assert Glance(line, select(func.current_setting("statement_timeout")), 7_000).look() == ("7s",)


def test_the_connection_ends_with_those_of_the_engine(database: Database) -> None:
    line = OwnLine(database)
    connection = line()
    database.dispose()
    assert connection.closed
    assert not line().closed


async def test_on_the_event_loop(settings: Settings) -> None:
    engine = make_async_engine(settings.catalog)
    numbers = select(func.generate_series(1, 3).label("n"), func.pg_backend_pid().label("pid"))
    glance = AsyncGlance(engine, numbers, 5_000)
    try:
        first = await glance.rows()
        assert [row.n for row in first] == [1, 2, 3]
        async with engine.begin() as connection:
            await connection.execute(text("SELECT pg_terminate_backend(:pid, 10000)"), {"pid": first[0].pid})
        with pytest.raises(OperationalError):
            await glance.rows()
        assert (await glance.rows())[0].pid != first[0].pid
    finally:
        await glance.close()
        await engine.dispose()
