"""What must exist before the product's processes start: keys, the schema, an account, programs.

Every step may be repeated: it does what is missing.
"""

from collections.abc import Callable, Mapping

import psycopg
from psycopg import sql
from sqlalchemy import text

from catalog.accounts import lifecycle as accounts
from catalog.accounts.credentials import new_password
from catalog.core.actor import Actor
from catalog.core.db import opened, session_factory
from catalog.core.settings import CatalogSettings
from catalog.schema import migrate
from catalog.seed import demo
from deploy.local.preparing import Facts
from deploy.local.servers import engine, postgres

Say = Callable[[str], None]
_ACTOR = Actor("system", name="thmanyah up")


def engine_keys(facts: Facts, say: Say) -> dict[str, str]:
    """Make the keys of the local engine; return them by variable.

    Raises:
        LocalStackError: The engine does not accept the master key of this home.
    """
    return engine.ensure_keys(facts.engine_url, facts.master_key) if facts.engine_url else {}


def database(facts: Facts, say: Say) -> None:
    """Create the database, and bring it to the newest schema; `say` gets a line about each slow step."""
    if facts.postgres_port is not None:
        url = postgres.url(facts.postgres_port, "postgres").replace("+psycopg", "")
        with psycopg.connect(url, autocommit=True) as connection:
            known = connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", [facts.database])
            if not known.fetchone():
                say("creating the database")
                connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(facts.database)))
    migrate.upgrade(facts.database_url)


def contents(facts: Facts, say: Say) -> None:
    """Create the admin's account, and load the demo catalogue into a database without programs."""
    with opened(_settings(facts)) as database, session_factory(database).begin() as session:
        if accounts.find_by_email(session, facts.admin) is None:
            password = new_password(facts.admin_password)
            accounts.create(session, facts.admin, password, ["admin", "editor", "reviewer", "ops"], _ACTOR)
        if not session.scalar(text("SELECT EXISTS (SELECT FROM programs)")):
            say("loading the demo catalogue")
            say(f"{demo.load(session)} programs loaded")


def count_unsent(facts: Facts, say: Say) -> int:
    """Return the number of marks: programs that an index does not have yet in their newest form."""
    with opened(_settings(facts)) as database, database.connect() as connection:
        return connection.scalar(text("SELECT count(*) FROM index_dirty WHERE NOT parked")) or 0


def _settings(facts: Facts) -> CatalogSettings:
    return CatalogSettings(database_url=facts.database_url, pool_min=1, pool_max=1)


STEPS: Mapping[str, Callable[[Facts, Say], object]] = {
    "engine_keys": engine_keys,
    "database": database,
    "contents": contents,
    "count_unsent": count_unsent,
}
