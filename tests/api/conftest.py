"""The API over a test's own stores, and somebody signed in for every role."""

from collections.abc import Iterator

import pytest
from redis import Redis
from sqlalchemy import Engine as Database

from api.answers.edge import Edge
from api.settings import Settings
from tests.support.accounts import add_accounts, signed_in
from tests.support.client import Client
from tests.support.discovery import SPECS, stock, total
from tests.support.product import sending, serve
from tests.support.shared import SharedApi, shared_api
from tests.support.waiting import eventually


@pytest.fixture
def served(settings: Settings) -> Iterator[tuple[Client, Edge]]:
    """The API on a port of its own."""
    with serve(settings) as running:
        yield running


@pytest.fixture
def listener(served: tuple[Client, Edge]) -> Client:
    """Somebody who is not signed in."""
    return served[0]


@pytest.fixture
def edge(served: tuple[Client, Edge]) -> Edge:
    """The application behind `listener`."""
    return served[1]


@pytest.fixture
def staff(listener: Client, settings: Settings, database: Database) -> dict[str, Client]:
    """role -> somebody who has that role alone."""
    tokens = add_accounts(settings, database)
    return {role: signed_in(listener, token) for role, token in tokens.items()}


@pytest.fixture(scope="module")
def shared() -> Iterator[SharedApi]:
    """One API for the tests of a module whose requests are refused or only read: it costs a tenth of a second."""
    with shared_api() as found:
        yield found


@pytest.fixture(scope="module")
def reading(shared: SharedApi) -> Iterator[dict[str, int]]:
    """The searchable catalogue of `shared.listener`, for tests of a module that change nothing in it."""
    found = stock(shared.database)
    with Redis.from_url(shared.settings.indexer.redis_cache_url) as redis, sending(shared.settings, redis):
        eventually(lambda: total(shared.listener) == len(SPECS), what="searchable")
        yield found
