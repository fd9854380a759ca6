"""Stores, and an API over them, for all tests of a module: their requests are refused, or only read."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace

from sqlalchemy import Engine as Database

from api.settings import Settings
from catalog.core.db import make_engine
from indexer.engines.admin import Engine
from tests.support.accounts import add_accounts, signed_in
from tests.support.client import Client
from tests.support.databases import TEMPLATE, new_database
from tests.support.pipeline import Pipeline
from tests.support.product import serve
from tests.support.stores import new_settings


@dataclass
class SharedApi:
    """A served API, its stores, and somebody signed in for every role."""

    settings: Settings
    database: Database
    listener: Client
    staff: dict[str, Client]


def apart(settings: Settings) -> Settings:
    """Return the settings of an API over the same stores that shares no cached answer with the others."""
    prefix = f"{settings.indexer.redis_prefix}apart:"
    return replace(settings, indexer=settings.indexer.model_copy(update={"redis_prefix": prefix}))


@contextmanager
def shared_stores(template: str = TEMPLATE) -> Iterator[Pipeline]:
    """Give a copy of a database, an index and a Redis prefix until the block ends."""
    with new_database(os.environ["TEST_POSTGRES"], template) as url:
        settings = new_settings(url, os.environ)
        database = make_engine(settings.catalog)
        yield Pipeline(settings, database, Engine(settings.indexer))
        database.dispose()


@contextmanager
def shared_api() -> Iterator[SharedApi]:
    """Serve the API over stores of its own until the block ends."""
    with shared_stores() as stores:
        # Searches of PostgreSQL are late on a busy machine.
        patient = stores.settings.api.model_copy(update={"fallback_timeout_ms": 60_000})
        settings = replace(stores.settings, api=patient)
        tokens = add_accounts(settings, stores.database)
        with serve(settings) as (listener, _):
            staff = {role: signed_in(listener, token) for role, token in tokens.items()}
            yield SharedApi(settings, stores.database, listener, staff)
