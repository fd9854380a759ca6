"""Passwords: what they may be, and how people choose new ones."""

import uuid
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest
from sqlalchemy import Engine as Database
from sqlalchemy import text

from api.settings import Settings
from tests.support.accounts import PASSWORD, add_account, add_accounts, signed_in
from tests.support.client import Client
from tests.support.product import serve
from tests.support.shared import SharedApi

NEW = "seven purple windmills"
COMMON = (
    "password1234",
    "Password2024!",
    "qwertyuiop12",
    "iloveyou1234",
    "123456789012",
    "aaaaaaaaaaaa",
    "Thmanyah2024",
)


def login(listener: Client, password: str, name: str = "editor") -> tuple[int, str]:
    """Sign in as NAME@example.com; return the status, and the access token or the code."""
    answer = listener.post("/accounts/login", {"email": f"{name}@example.com", "password": password})
    found = answer.json()
    return answer.status_code, found["data"]["accessToken"] if answer.status_code == 200 else found["code"]


def key_of(person: Client) -> Client:
    """A new API key of an editor."""
    made = person.post("/accounts/api-keys", {"name": "k", "roles": ["editor"]}).json()["data"]
    return Client(person.base, **{"X-Api-Key": made["secret"]})


def link_for(admin: Client, person: Client) -> str:
    """The token of a new link for a person."""
    number = person.get("/accounts/me").json()["data"]["id"]
    made = admin.post(f"/accounts/users/{number}/password-reset")
    assert made.status_code == 201, made.text
    found: str = made.json()["data"]["token"]
    return found


@pytest.fixture
def editor(shared: SharedApi) -> tuple[str, Client]:
    """An editor on the shared API whom no other test knows: the name in the address, and the person signed in."""
    name = f"editor-{uuid.uuid4().hex}"
    token = add_account(shared.settings, shared.database, name, ["editor"])
    return name, signed_in(shared.listener, token)


@pytest.mark.slow
@pytest.mark.parametrize("password", [*COMMON, "eleven char", "x" * 201, ""])
def test_short_and_common_passwords_are_refused_wherever_one_is_chosen(
    password: str, shared: SharedApi, editor: tuple[str, Client]
) -> None:
    (name, person), admin, listener = editor, shared.staff["admin"], shared.listener
    number = person.get("/accounts/me").json()["data"]["id"]
    token = link_for(admin, person)
    new = {"email": "editor2@example.com", "password": password, "roles": ["editor"]}
    refused = [
        admin.post("/accounts/users", new),
        admin.patch(f"/accounts/users/{number}", {"password": password}),
        person.post("/accounts/password", {"currentPassword": PASSWORD, "password": password}),
        listener.post("/accounts/password-reset", {"token": token, "password": password}),
    ]
    for answer in refused:
        assert (answer.status_code, answer.json()["code"]) == (422, "validation_failed"), answer.text
        assert [error["field"] for error in answer.json()["errors"]] == ["password"]
        assert not password or password not in answer.text
    assert login(listener, PASSWORD, name)[0] == 200
    # The link is not used up.
    used = listener.post("/accounts/password-reset", {"token": token, "password": NEW})
    assert used.status_code == 204


@pytest.mark.parametrize("password", ["editor@example.com", "EDITOR-example-1", "editor editor"])
def test_a_password_is_not_made_of_the_e_mail_address(password: str, shared: SharedApi) -> None:
    body = {"currentPassword": PASSWORD, "password": password}
    refused = shared.staff["editor"].post("/accounts/password", body)
    assert refused.status_code == 422
    assert refused.json()["errors"][0]["code"] == "too_common"


@pytest.mark.parametrize("password", [NEW, "kjd7B4q05i3I", "كلمة السر الخاصة بي", "one two seventeen four"])
def test_long_and_rare_passwords_pass_in_any_script(
    password: str, shared: SharedApi, editor: tuple[str, Client]
) -> None:
    name, person = editor
    body = {"currentPassword": PASSWORD, "password": password}
    assert person.post("/accounts/password", body).status_code == 200
    assert login(shared.listener, password, name)[0] == 200


@pytest.mark.slow
@pytest.mark.parametrize("revoke_keys", [False, True])
def test_a_person_changes_the_own_password(
    revoke_keys: bool, listener: Client, staff: dict[str, Client]
) -> None:
    key = key_of(staff["editor"])
    _, other_device = login(listener, PASSWORD)
    wrong = staff["editor"].post("/accounts/password", {"currentPassword": "wrong", "password": NEW})
    assert (wrong.status_code, wrong.json()["code"]) == (401, "invalid_credentials")
    assert staff["editor"].get("/accounts/me").status_code == 200
    by_key = key.post("/accounts/password", {"currentPassword": PASSWORD, "password": NEW})
    assert by_key.json()["code"] == "person_required"
    body = {"currentPassword": PASSWORD, "password": NEW, "revokeKeys": revoke_keys}
    changed = staff["editor"].post("/accounts/password", body)
    assert changed.status_code == 200
    # Every token from before is dead, the answer's are good.
    assert staff["editor"].get("/accounts/me").status_code == 401
    assert signed_in(listener, other_device).get("/accounts/me").status_code == 401
    tokens = changed.json()["data"]
    assert signed_in(listener, tokens["accessToken"]).get("/accounts/me").status_code == 200
    assert listener.post("/accounts/refresh", {"refreshToken": tokens["refreshToken"]}).status_code == 200
    assert key.get("/accounts/me").status_code == (401 if revoke_keys else 200)
    assert login(listener, PASSWORD) == (401, "invalid_credentials")
    assert login(listener, NEW)[0] == 200


@pytest.mark.slow
def test_a_link_is_good_once(listener: Client, staff: dict[str, Client], database: Database) -> None:
    key = key_of(staff["editor"])
    old, token = (link_for(staff["admin"], staff["editor"]) for _ in range(2))
    # Until it is used, nothing changes.
    assert staff["editor"].get("/accounts/me").status_code == 200
    with database.connect() as connection:
        stored = str(connection.execute(text("SELECT a::text FROM accounts a")).scalars().all())
    assert token.partition(".")[2] not in stored
    number = token.partition(".")[0]
    for wrong in (old, f"{number}.x", f"{number}.", number, "", ".", "999999.x", "x.y", f"{'9' * 30}.x"):
        refused = listener.post("/accounts/password-reset", {"token": wrong, "password": NEW})
        assert (refused.status_code, refused.json()["code"]) == (401, "invalid_token"), wrong
    with ThreadPoolExecutor(4) as pool:
        bodies = [{"token": token, "password": f"{NEW} {n}", "revokeKeys": True} for n in range(4)]
        answers = list(
            pool.map(lambda body: Client(listener.base).post("/accounts/password-reset", body), bodies)
        )
    assert sorted(answer.status_code for answer in answers) == [204, 401, 401, 401]
    chosen = next(
        body["password"] for body, answer in zip(bodies, answers, strict=True) if answer.status_code == 204
    )
    assert login(listener, str(chosen))[0] == 200
    assert staff["editor"].get("/accounts/me").status_code == 401
    assert key.get("/accounts/me").status_code == 401


@pytest.mark.parametrize("end", ["expires", "closed", "changed"])
def test_a_link_ends(end: str, listener: Client, staff: dict[str, Client], database: Database) -> None:
    token = link_for(staff["admin"], staff["editor"])
    number = token.partition(".")[0]
    if end == "expires":
        with database.begin() as connection:
            connection.execute(text("UPDATE accounts SET reset_expires_at = now()"))
    elif end == "closed":
        for active in (False, True):
            staff["admin"].patch(f"/accounts/users/{number}", {"isActive": active})
    else:
        staff["editor"].post("/accounts/password", {"currentPassword": PASSWORD, "password": NEW + " too"})
    refused = listener.post("/accounts/password-reset", {"token": token, "password": NEW})
    assert (refused.status_code, refused.json()["code"]) == (401, "invalid_token")
    assert login(listener, NEW)[0] == 401


@pytest.mark.slow
def test_a_link_leads_to_the_front_end(settings: Settings, database: Database) -> None:
    api = settings.api.model_copy(update={"password_reset_url": "https://example.com/new-password"})
    with serve(replace(settings, api=api)) as (client, _):
        tokens = add_accounts(settings, database)
        admin, editor = (signed_in(client, tokens[role]) for role in ("admin", "editor"))
        number = editor.get("/accounts/me").json()["data"]["id"]
        made = admin.post(f"/accounts/users/{number}/password-reset").json()["data"]
        assert made["link"] == f"https://example.com/new-password#token={made['token']}"
        assert editor.post(f"/accounts/users/{number}/password-reset").status_code == 403
        assert admin.post("/accounts/users/999999/password-reset").status_code == 404
        admin.patch(f"/accounts/users/{number}", {"isActive": False})
        assert admin.post(f"/accounts/users/{number}/password-reset").status_code == 404
