"""Statements on the replica have a time limit, although no transaction carries a timeout."""

import asyncio

import pytest
from sqlalchemy import text
from sqlalchemy.engine import Engine as Database
from sqlalchemy.exc import OperationalError

from api.discovery.lookups.replica import Replica
from api.settings import Settings
from catalog.replicas.servers import ReadServers
from tests.support.databases import scalar
from tests.support.waiting import eventually

RUNNING = "SELECT count(*) FROM pg_stat_activity WHERE state = 'active' AND query LIKE 'SELECT pg_sleep%'"


def test_a_statement_that_takes_too_long_is_canceled_on_the_server(
    settings: Settings, database: Database
) -> None:
    async def ask() -> None:
        servers = ReadServers(settings.catalog, 1)
        replica = Replica(servers, 0.1)
        with pytest.raises(OperationalError):
            await replica.rows(text("SELECT pg_sleep(600)"))
        assert len(await replica.rows(text("SELECT 1 AS one"))) == 1
        await servers.close()

    asyncio.run(ask())
    here = RUNNING + " AND datname = current_database()"
    eventually(lambda: scalar(database, here) == 0, what="PostgreSQL ends the statement")
