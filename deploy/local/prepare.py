"""What must be there before the product's processes start: keys, schema, an account, programs."""

from collections.abc import Callable

import psycopg
from sqlalchemy import text

from catalog import migrate
from catalog.accounts import lifecycle as accounts
from catalog.actor import Actor
from catalog.db import opened, session_factory
from catalog.seed import demo
from catalog.settings import CatalogSettings
from deploy.local import keys, postgres
from deploy.local.stack import ADMIN, DATABASE, Stack

_ACTOR = Actor("system", name="thmanyah up")


def engine(stack: Stack) -> None:
    """Make the engine's keys, where it is ours."""
    if "engine" not in stack.external:
        stack.keys = keys.ensure(stack.engine_url, stack.home.secrets()["masterKey"])


def database(stack: Stack, say: Callable[[str], None]) -> None:
    """Create the database and bring it to the newest schema."""
    if "postgres" not in stack.external:
        url = postgres.url(stack.ports["postgres"], "postgres").replace("+psycopg", "")
        with psycopg.connect(url, autocommit=True) as connection:
            if not connection.execute(
                "SELECT 1 FROM pg_database WHERE datname = %s", [DATABASE]
            ).fetchone():
                say("creating the database")
                connection.execute(f'CREATE DATABASE "{DATABASE}"')
    migrate.upgrade(stack.database_url)


def contents(stack: Stack, say: Callable[[str], None]) -> None:
    """The admin account and the demo catalogue, once; what was deleted since stays deleted."""
    settings = CatalogSettings(database_url=stack.database_url, pool_min=1, pool_max=1)
    with opened(settings) as engine, session_factory(engine).begin() as session:
        if accounts.by_email(session, ADMIN) is None:
            password = stack.home.secrets()["adminPassword"]
            accounts.create(
                session, ADMIN, password, ["admin", "editor", "reviewer", "ops"], _ACTOR
            )
        if not session.scalar(text("SELECT EXISTS (SELECT FROM programs)")):
            say("loading the demo catalogue")
            say(f"{demo.load(session)} programs loaded")


def waiting(stack: Stack) -> int:
    """Programs the index does not have yet."""
    settings = CatalogSettings(database_url=stack.database_url, pool_min=1, pool_max=1)
    with opened(settings) as engine, engine.connect() as connection:
        return connection.scalar(text("SELECT count(*) FROM index_dirty WHERE NOT parked")) or 0
