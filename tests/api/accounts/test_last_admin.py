"""Somebody can always manage accounts: the last admin cannot go."""

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import Any

import pytest
from sqlalchemy import Engine as Database
from sqlalchemy import text

from api.settings import Settings
from catalog.accounts import lifecycle
from catalog.accounts.lifecycle import LastAdmin
from catalog.core.actor import Actor
from catalog.core.db import session_factory
from tests.support.accounts import add_account
from tests.support.client import Client

GONE = [{"isActive": False}, {"roles": ["ops"]}, {"roles": ["ops"], "isActive": True}]


def admins(database: Database) -> list[int]:
    """The ids of open accounts with the role admin."""
    with database.connect() as connection:
        statement = "SELECT id FROM accounts WHERE is_active AND 'admin' = ANY(roles) ORDER BY id"
        return list(connection.scalars(text(statement)))


@pytest.mark.slow
@pytest.mark.parametrize("change", GONE)
def test_the_last_admin_cannot_go(
    change: dict[str, Any], staff: dict[str, Client], settings: Settings, database: Database
) -> None:
    (only,) = admins(database)
    refused = staff["admin"].patch(f"/accounts/users/{only}", change)
    assert (refused.status_code, refused.json()["code"]) == (409, "last_admin")
    # Nothing was changed: the token is good, too.
    assert admins(database) == [only]
    assert staff["admin"].get("/accounts/users").status_code == 200
    # A closed admin does not count, an open one does.
    add_account(settings, database, "second", ["admin", "editor"])
    second = admins(database)[-1]
    assert staff["admin"].patch(f"/accounts/users/{second}", {"isActive": False}).status_code == 200
    assert staff["admin"].patch(f"/accounts/users/{only}", change).status_code == 409
    assert staff["admin"].patch(f"/accounts/users/{second}", {"isActive": True}).status_code == 200
    assert staff["admin"].patch(f"/accounts/users/{only}", change).status_code == 200
    assert admins(database) == [second]


def test_what_keeps_the_role_may_be_changed(staff: dict[str, Client], database: Database) -> None:
    (only,) = admins(database)
    answer = staff["admin"].patch(f"/accounts/users/{only}", {"roles": ["admin", "ops"], "isActive": True})
    assert answer.status_code == 200
    assert admins(database) == [only]


@pytest.mark.slow
def test_two_admins_who_demote_each_other_leave_one(settings: Settings, database: Database) -> None:
    for name in ("first", "second", "third"):
        add_account(settings, database, name, ["admin"])
    make_session = session_factory(database)
    for _ in range(5):
        barrier = Barrier(3)

        def demote(account_id: int, barrier: Barrier = barrier) -> bool:
            barrier.wait()
            try:
                with make_session.begin() as session:
                    lifecycle.change(session, account_id, Actor("system", name="test"), roles=["ops"])
            except LastAdmin:
                return False
            return True

        everybody = admins(database)
        with ThreadPoolExecutor(3) as pool:
            done = list(pool.map(demote, everybody))
        assert sorted(done) == [False, True, True]
        assert len(admins(database)) == 1
        with database.begin() as connection:
            connection.execute(text("UPDATE accounts SET roles = '{admin}'"))
