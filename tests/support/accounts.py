"""Accounts of the product's staff, and clients that are signed in."""

from collections.abc import Iterable, Mapping
from functools import cache

import pytest
from argon2 import PasswordHasher
from sqlalchemy import Engine as Database
from sqlalchemy import insert

from api.http.auth import access_token
from api.settings import Settings
from catalog.accounts import credentials
from catalog.accounts.models import ROLES, Account
from catalog.core.db import session_factory
from tests.support.client import Client

PASSWORD = "correct horse battery"


# How the product hashes passwords: slowly on purpose.
PRODUCT_HASHER = credentials.HASHER
_QUICK_HASHER = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)


def hash_quickly(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the product in this process hash passwords with the least work there is.

    A hash names its costs, so whoever verifies it needs no more; another process that hashes takes its own time.
    """
    monkeypatch.setattr(credentials, "HASHER", _QUICK_HASHER)


@cache
def _password_hash() -> str:
    return _QUICK_HASHER.hash(PASSWORD)


def add_account(settings: Settings, database: Database, name: str, roles: Iterable[str]) -> str:
    """Add the account NAME@example.com with PASSWORD and these roles; return an access token of it."""
    return _add(settings, database, {name: list(roles)})[name]


def add_accounts(settings: Settings, database: Database) -> dict[str, str]:
    """Add an account ROLE@example.com with PASSWORD for every role; return an access token for each role."""
    return _add(settings, database, {role: [role] for role in ROLES})


def _add(settings: Settings, database: Database, roles: Mapping[str, list[str]]) -> dict[str, str]:
    # Name -> roles; one transaction for all, because most tests of the API begin with it.
    with session_factory(database).begin() as session:
        rows = [
            {"email": f"{name}@example.com", "roles": its_roles, "password_hash": _password_hash()}
            for name, its_roles in roles.items()
        ]
        added = session.scalars(insert(Account).returning(Account, sort_by_parameter_order=True), rows)
        return {
            name: access_token(settings.api, account)[0] for name, account in zip(roles, added, strict=True)
        }


def signed_in(client: Client, token: str) -> Client:
    """Return another client of the same API that sends this access token."""
    return Client(client.base, Authorization=f"Bearer {token}")
