"""The API over a test's own stores, and somebody signed in for every role."""

from collections.abc import Iterator
from functools import cache

import pytest
from argon2 import PasswordHasher
from sqlalchemy import Engine as Database

from api.auth import access_token
from api.edge import Edge
from api.settings import Settings
from catalog.accounts.models import ROLES, Account
from catalog.db import session_factory
from tests.support.product import Client, serve

PASSWORD = "correct horse battery"


@cache
def _hash() -> str:
    # Hashing is slow on purpose: once a run is enough.
    return PasswordHasher().hash(PASSWORD)


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
    found = {}
    with session_factory(database).begin() as session:
        for role in ROLES:
            account = Account(email=f"{role}@example.com", roles=[role], password_hash=_hash())
            session.add(account)
            session.flush()
            session.refresh(account)
            token, _ = access_token(settings.api, account)
            found[role] = Client(listener.base, Authorization=f"Bearer {token}")
    return found
