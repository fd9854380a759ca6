"""What must exist before the product's processes start: keys, the schema, an account, programs.

Every step may be repeated: it does what is missing.
"""

from collections.abc import Callable

import psycopg
from sqlalchemy import text

from catalog.accounts import lifecycle as accounts
from catalog.accounts.credentials import new_password
from catalog.core.actor import Actor
from catalog.core.db import opened, session_factory
from catalog.core.settings import CatalogSettings
from catalog.schema import migrate
from catalog.seed import demo
from deploy.local.errors import LocalStackError
from deploy.local.servers import engine, postgres
from deploy.local.stack import ADMIN, DATABASE, Stack

_ACTOR = Actor("system", name="thmanyah up")


def engine_keys(stack: Stack) -> None:
    """Make the keys of the local engine, and give them to the stack.

    Raises:
        LocalStackError: The engine does not accept the master key of this home.
    """
    if "engine" not in stack.external:
        stack.keys = engine.ensure_keys(stack.engine_url, stack.home.secrets()["masterKey"])


def database(stack: Stack, say: Callable[[str], None]) -> None:
    """Create the database, and bring it to the newest schema; `say` gets a line about each slow step."""
    if "postgres" not in stack.external:
        url = postgres.url(stack.ports["postgres"], "postgres").replace("+psycopg", "")
        with psycopg.connect(url, autocommit=True) as connection:
            if not connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", [DATABASE]).fetchone():
                say("creating the database")
                connection.execute(f'CREATE DATABASE "{DATABASE}"')
    migrate.upgrade(stack.database_url)


def contents(stack: Stack, say: Callable[[str], None], stopping: Callable[[], bool]) -> None:
    """Create the admin's account, and load the demo catalogue into a database without programs.

    Args:
        stack: The product.
        say: Gets a line about each slow step.
        stopping: Whether somebody asked the product to stop.

    Raises:
        LocalStackError: The stop was asked for during the load; nothing was written.
    """

    def go_on() -> None:
        if stopping():
            raise LocalStackError("The product was stopped while the demo catalogue was loaded.")

    with opened(_settings(stack)) as database, session_factory(database).begin() as session:
        if accounts.find_by_email(session, ADMIN) is None:
            password = stack.home.secrets()["adminPassword"]
            accounts.create(
                session, ADMIN, new_password(password), ["admin", "editor", "reviewer", "ops"], _ACTOR
            )
        if not session.scalar(text("SELECT EXISTS (SELECT FROM programs)")):
            say("loading the demo catalogue")
            say(f"{demo.load(session, go_on)} programs loaded")


def count_unsent(stack: Stack) -> int:
    """Return the number of marks: programs that an index does not have yet in their newest form."""
    with opened(_settings(stack)) as database, database.connect() as connection:
        return connection.scalar(text("SELECT count(*) FROM index_dirty WHERE NOT parked")) or 0


def _settings(stack: Stack) -> CatalogSettings:
    return CatalogSettings(database_url=stack.database_url, pool_min=1, pool_max=1)
