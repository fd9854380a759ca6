"""API keys: what they may do, who manages them, how many there may be, and when they end."""

from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import Engine as Database
from sqlalchemy import text

from api.settings import Settings
from tests.support.accounts import PASSWORD, add_accounts, signed_in
from tests.support.client import Client
from tests.support.product import serve


def make_key(person: Client, *roles: str, **more: object) -> tuple[int, Client]:
    """Make a key of a person; return its id and a client that sends it."""
    made = person.post("/accounts/api-keys", {"name": "k", "roles": roles, **more})
    assert made.status_code == 201, made.text
    found = made.json()["data"]
    return found["id"], Client(person.base, **{"X-Api-Key": found["secret"]})


def id_of(person: Client) -> int:
    """The id of the account."""
    found: int = person.get("/accounts/me").json()["data"]["id"]
    return found


def usable(database: Database) -> int:
    """How many keys are not revoked."""
    with database.connect() as connection:
        return int(connection.scalar(text("SELECT count(*) FROM api_keys WHERE revoked_at IS NULL")) or 0)


def test_a_key_does_no_more_than_it_was_given(
    listener: Client, staff: dict[str, Client], database: Database
) -> None:
    made = staff["admin"].post("/accounts/api-keys", {"name": "import", "roles": ["editor"]})
    assert made.status_code == 201
    secret, number = made.json()["data"]["secret"], made.json()["data"]["id"]
    with database.connect() as connection:
        stored = connection.execute(text("SELECT k::text FROM api_keys k")).scalars().all()
    assert secret not in "".join(stored)
    for header in ({"X-Api-Key": secret}, {"Authorization": f"Bearer {secret}"}):
        key = Client(listener.base, **header)
        assert key.get("/catalog/programs").status_code == 200
        assert key.get("/accounts/users").status_code == 403
    stronger = staff["editor"].post("/accounts/api-keys", {"name": "more", "roles": ["admin"]})
    assert stronger.status_code == 422
    listed = staff["admin"].get("/accounts/api-keys").json()["data"]
    assert [(k["id"], k.get("secret")) for k in listed] == [(number, None)]
    assert staff["editor"].delete(f"/accounts/api-keys/{number}").status_code == 404
    assert key.get("/catalog/programs").status_code == 200
    assert staff["admin"].delete(f"/accounts/api-keys/{number}").status_code == 204
    assert key.get("/catalog/programs").status_code == 401


@pytest.mark.slow
def test_a_key_manages_neither_keys_nor_accounts(staff: dict[str, Client], database: Database) -> None:
    number, key = make_key(staff["admin"], "admin")
    account = id_of(staff["admin"])
    assert key.get("/accounts/me").status_code == 200
    for method, path, body in (
        ("POST", "/accounts/api-keys", {"name": "child", "roles": ["editor"]}),
        ("GET", "/accounts/api-keys", None),
        ("PATCH", f"/accounts/api-keys/{number}", {"quotaPerMinute": 1_000_000}),
        ("DELETE", f"/accounts/api-keys/{number}", None),
        ("GET", "/accounts/users", None),
        ("GET", f"/accounts/users/{account}/api-keys", None),
        ("POST", "/accounts/users", {"email": "n@example.com", "password": PASSWORD, "roles": ["admin"]}),
        ("PATCH", f"/accounts/users/{account}", {"password": "a brand new password"}),
    ):
        answer = key.ask(method, path, json=body)
        said = (method, path, answer.text)
        assert (answer.status_code, answer.json()["code"]) == (403, "person_required"), said
    assert usable(database) == 1
    assert staff["admin"].get("/accounts/users").json()["data"][-1]["email"] == "admin@example.com"
    assert staff["admin"].delete(f"/accounts/api-keys/{number}").status_code == 204
    assert key.get("/accounts/me").status_code == 401


@pytest.mark.slow
def test_an_account_has_so_many_keys_even_when_they_are_made_at_once(
    settings: Settings, database: Database
) -> None:
    few = Settings(
        settings.catalog, settings.indexer, settings.api.model_copy(update={"keys_per_account": 3})
    )
    with serve(few) as (client, _):
        staff = {r: signed_in(client, t) for r, t in add_accounts(few, database).items()}
        with ThreadPoolExecutor(8) as pool:
            body = {"name": "k", "roles": ["editor"]}
            answers = list(
                pool.map(
                    lambda _: Client(client.base, **signed(staff["editor"])).post("/accounts/api-keys", body),
                    range(8),
                )
            )
        assert sorted(a.status_code for a in answers) == [201] * 3 + [409] * 5
        assert {a.json()["code"] for a in answers if a.status_code == 409} == {"too_many_keys"}
        assert usable(database) == 3
        # A revoked and an expired key make room; another account has its own number.
        numbers = [k["id"] for k in staff["editor"].get("/accounts/api-keys").json()["data"]]
        assert staff["editor"].delete(f"/accounts/api-keys/{numbers[0]}").status_code == 204
        with database.begin() as connection:
            connection.execute(
                text("UPDATE api_keys SET expires_at = now() WHERE id = :id"), {"id": numbers[1]}
            )
        for _ in range(2):
            make_key(staff["editor"], "editor")
        assert staff["editor"].post("/accounts/api-keys", body).status_code == 409
        make_key(staff["reviewer"], "reviewer")


def signed(person: Client) -> dict[str, str]:
    """The header that signs a client in."""
    return {"Authorization": str(person.session.headers["Authorization"])}


@pytest.mark.slow
def test_a_key_loses_what_its_owner_loses(staff: dict[str, Client]) -> None:
    _, key = make_key(staff["reviewer"], "reviewer")
    owner = id_of(staff["reviewer"])
    assert key.get("/catalog/programs").status_code == 200
    staff["admin"].patch(f"/accounts/users/{owner}", {"roles": ["ops"]})
    assert key.get("/catalog/programs").status_code == 403
    staff["admin"].patch(f"/accounts/users/{owner}", {"isActive": False})
    assert key.get("/catalog/programs").status_code == 401


@pytest.mark.parametrize("end", ["close", "delete"])
def test_keys_end_with_the_account_for_good(end: str, staff: dict[str, Client], database: Database) -> None:
    _, key = make_key(staff["editor"], "editor")
    _, other = make_key(staff["reviewer"], "reviewer")
    owner = id_of(staff["editor"])
    if end == "delete":
        with database.begin() as connection:
            connection.execute(text("DELETE FROM accounts WHERE id = :id"), {"id": owner})
    else:
        for active in (False, True):
            answer = staff["admin"].patch(f"/accounts/users/{owner}", {"isActive": active})
            assert answer.status_code == 200
    assert key.get("/accounts/me").status_code == 401
    assert other.get("/accounts/me").status_code == 200
    assert usable(database) == 1


@pytest.mark.slow
def test_admins_alone_set_quotas(staff: dict[str, Client], database: Database) -> None:
    given = {"name": "k", "roles": ["editor"], "quotaPerMinute": 500_000}
    refused = staff["editor"].post("/accounts/api-keys", given)
    assert (refused.status_code, refused.json()["code"]) == (403, "forbidden")
    assert usable(database) == 0
    number, key = make_key(staff["editor"], "editor")
    assert staff["editor"].patch(f"/accounts/api-keys/{number}", {"quotaPerMinute": 9}).status_code == 403
    path = f"/accounts/users/{id_of(staff['editor'])}/api-keys"
    assert [k["quotaPerMinute"] for k in staff["admin"].get(path).json()["data"]] == [None]
    changed = staff["admin"].patch(f"/accounts/api-keys/{number}", {"quotaPerMinute": 5})
    assert (changed.status_code, changed.json()["data"]["quotaPerMinute"]) == (200, 5)
    codes = [key.get("/accounts/me").status_code for _ in range(15)]
    # A minute may end in between.
    assert codes.count(200) in range(5, 12)
    assert codes.count(429) == 15 - codes.count(200)
    for wrong in ({"quotaPerMinute": 0}, {"quotaPerMinute": "5"}, {}):
        assert staff["admin"].patch(f"/accounts/api-keys/{number}", wrong).status_code == 422
    cleared = staff["admin"].patch(f"/accounts/api-keys/{number}", {"quotaPerMinute": None})
    assert cleared.json()["data"]["quotaPerMinute"] is None
    unknown = staff["admin"].patch("/accounts/api-keys/999999", {"quotaPerMinute": 5})
    assert unknown.status_code == 404
