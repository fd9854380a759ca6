"""Access tokens, refresh tokens and API keys against those who would like to be somebody else."""

import base64
import hashlib
import hmac
import json
import time
from typing import Any

import jwt
import pytest
from sqlalchemy import Engine as Database
from sqlalchemy import text

from api.settings import Settings
from tests.api.conftest import PASSWORD
from tests.support.product import Client, serve


def sign_in(listener: Client, role: str = "editor") -> dict[str, Any]:
    answer = listener.post(
        "/accounts/login", {"email": f"{role}@example.com", "password": PASSWORD}
    )
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()["data"]
    return found


def me(listener: Client, token: str) -> tuple[int, str]:
    answer = listener.ask("GET", "/accounts/me", headers={"Authorization": f"Bearer {token}"})
    return answer.status_code, answer.json().get("code", "")


def forged(settings: Settings, *, key: Any = None, algorithm: str = "HS256", **changed: Any) -> str:
    now = int(time.time())
    claims = {"iss": "thmanyah", "aud": "thmanyah-api", "sub": "1", "iat": now, "exp": now + 900,
              "jti": "j", "ver": 0}  # fmt: skip
    claims = {k: v for k, v in (claims | changed).items() if v is not None}
    return jwt.encode(
        claims, key or settings.api.secret_key.get_secret_value(), algorithm=algorithm
    )


def test_a_token_as_we_make_it_is_good(
    listener: Client, staff: dict[str, Client], settings: Settings, database: Database
) -> None:
    tokens = sign_in(listener)
    assert tokens["tokenType"] == "Bearer"
    assert tokens["expiresIn"] == 900
    assert me(listener, tokens["accessToken"]) == (200, "")
    # So that the forgeries below fail for their own reason alone.
    with database.connect() as connection:
        version = connection.scalar(text("SELECT token_version FROM accounts WHERE id = 1"))
    assert me(listener, forged(settings, ver=version))[0] == 200


@pytest.mark.parametrize(
    ("changed", "code"),
    [
        ({"exp": 1_000_000_000}, "token_expired"),
        ({"aud": "somebody-else"}, "invalid_token"),
        ({"aud": None}, "invalid_token"),
        ({"iss": "somebody-else"}, "invalid_token"),
        ({"iss": None}, "invalid_token"),
        ({"exp": None}, "invalid_token"),
        ({"ver": None}, "invalid_token"),
        ({"ver": 99}, "invalid_token"),
        ({"sub": "999999"}, "invalid_token"),
        ({"sub": "1; DROP TABLE accounts"}, "invalid_token"),
        ({"sub": "9" * 30}, "invalid_token"),
        ({"key": "another-secret-of-thirty-two-bytes-or-more"}, "invalid_token"),
        ({"algorithm": "HS512"}, "invalid_token"),
    ],
)
def test_forged_tokens_are_refused(
    changed: dict[str, Any], code: str, listener: Client, staff: dict[str, Client], settings: Settings
) -> None:  # fmt: skip
    assert me(listener, forged(settings, **changed)) == (401, code)


def _part(value: dict[str, Any]) -> str:
    return base64.urlsafe_b64encode(json.dumps(value).encode()).decode().rstrip("=")


def test_alg_none_and_key_confusion_are_refused(
    listener: Client, staff: dict[str, Client], settings: Settings
) -> None:
    payload = forged(settings).split(".")[1]
    for algorithm in ("none", "None", "NONE", "nOnE"):
        header = _part({"alg": algorithm, "typ": "JWT"})
        assert me(listener, f"{header}.{payload}.") == (401, "invalid_token")
    # Signed with our secret, but under a name that would make it a public key.
    for algorithm in ("RS256", "ES256", "EdDSA"):
        signed = f"{_part({'alg': algorithm, 'typ': 'JWT'})}.{payload}"
        secret = settings.api.secret_key.get_secret_value().encode()
        mac = hmac.new(secret, signed.encode(), hashlib.sha256).digest()
        signature = base64.urlsafe_b64encode(mac).decode().rstrip("=")
        assert me(listener, f"{signed}.{signature}") == (401, "invalid_token")
    for rubbish in ("x", "a.b.c", "..", "é.é.é", "a" * 5000):
        assert me(listener, rubbish.encode("utf-8").decode("latin-1"))[0] == 401


def test_a_refresh_token_is_good_once_and_reuse_revokes_its_family(
    listener: Client, staff: dict[str, Client]
) -> None:
    first = sign_in(listener)
    second = listener.post("/accounts/refresh", {"refreshToken": first["refreshToken"]})
    assert second.status_code == 200
    replayed = listener.post("/accounts/refresh", {"refreshToken": first["refreshToken"]})
    assert (replayed.status_code, replayed.json()["code"]) == (401, "token_reused")
    # The thief's and the owner's chain end together.
    after = listener.post(
        "/accounts/refresh", {"refreshToken": second.json()["data"]["refreshToken"]}
    )
    assert (after.status_code, after.json()["code"]) == (401, "invalid_token")
    assert sign_in(listener)


def test_signing_out_ends_the_chain(listener: Client, staff: dict[str, Client]) -> None:
    tokens = sign_in(listener)
    assert listener.post("/accounts/logout", {"refreshToken": tokens["refreshToken"]}).status_code == 204  # fmt: skip
    again = listener.post("/accounts/refresh", {"refreshToken": tokens["refreshToken"]})
    assert (again.status_code, again.json()["code"]) == (401, "invalid_token")
    assert listener.post("/accounts/logout", {"refreshToken": "unknown"}).status_code == 204


def test_an_expired_refresh_token_is_refused(
    listener: Client, staff: dict[str, Client], database: Database
) -> None:
    tokens = sign_in(listener)
    with database.begin() as connection:
        connection.execute(text("UPDATE refresh_tokens SET expires_at = now() - interval '1 s'"))
    answer = listener.post("/accounts/refresh", {"refreshToken": tokens["refreshToken"]})
    assert (answer.status_code, answer.json()["code"]) == (401, "invalid_token")


@pytest.mark.parametrize("change", [{"isActive": False}, {"roles": ["ops"]}, {"password": "another password"}])  # fmt: skip
def test_changing_an_account_ends_its_tokens_at_once(
    change: dict[str, Any], listener: Client, staff: dict[str, Client]
) -> None:
    tokens = sign_in(listener)
    account = listener.ask(
        "GET", "/accounts/me", headers={"Authorization": f"Bearer {tokens['accessToken']}"}
    ).json()["data"]
    assert staff["admin"].patch(f"/accounts/users/{account['id']}", change).status_code == 200
    assert me(listener, tokens["accessToken"]) == (401, "invalid_token")
    answer = listener.post("/accounts/refresh", {"refreshToken": tokens["refreshToken"]})
    assert answer.status_code == 401


def test_wrong_passwords_and_unknown_people_get_the_same_answer(
    listener: Client, staff: dict[str, Client]
) -> None:
    answers = []
    for body in (
        {"email": "editor@example.com", "password": "wrong password"},
        {"email": "nobody@example.com", "password": "wrong password"},
        {"email": "nobody\x00@example.com", "password": "wrong password"},
    ):
        answer = listener.post("/accounts/login", body)
        found = answer.json()
        answers.append((answer.status_code, found["code"], found["detail"]))
    assert len(set(answers)) == 1
    assert answers[0][:2] == (401, "invalid_credentials")


def test_guessing_is_slowed(settings: Settings) -> None:
    slow = settings.api.model_copy(update={"login_per_minute": 3})
    with serve(Settings(settings.catalog, settings.indexer, slow)) as (client, _):
        body = {"email": "somebody@example.com", "password": "guess"}
        statuses = [client.post("/accounts/login", body) for _ in range(8)]
    codes = [answer.status_code for answer in statuses]
    # A window may end in between: never more than two windows' worth.
    assert codes.count(401) in range(3, 7)
    assert codes.count(429) == 8 - codes.count(401)
    limited = next(answer for answer in statuses if answer.status_code == 429)
    assert limited.json()["code"] == "rate_limited"
    assert int(limited.headers["retry-after"]) > 0


def test_api_keys_do_no_more_than_they_were_given(
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
        stronger = key.post("/accounts/api-keys", {"name": "more", "roles": ["admin"]})
        assert stronger.status_code == 422
    listed = staff["admin"].get("/accounts/api-keys").json()["data"]
    assert [(k["id"], k.get("secret")) for k in listed] == [(number, None)]
    assert staff["editor"].delete(f"/accounts/api-keys/{number}").status_code == 404
    assert key.get("/catalog/programs").status_code == 200
    assert staff["admin"].delete(f"/accounts/api-keys/{number}").status_code == 204
    assert key.get("/catalog/programs").status_code == 401


def test_a_key_loses_what_its_owner_loses(
    listener: Client, staff: dict[str, Client], database: Database
) -> None:
    made = staff["reviewer"].post("/accounts/api-keys", {"name": "k", "roles": ["reviewer"]})
    key = Client(listener.base, **{"X-Api-Key": made.json()["data"]["secret"]})
    owner = staff["reviewer"].get("/accounts/me").json()["data"]["id"]
    assert key.get("/catalog/programs").status_code == 200
    staff["admin"].patch(f"/accounts/users/{owner}", {"roles": ["ops"]})
    assert key.get("/catalog/programs").status_code == 403
    staff["admin"].patch(f"/accounts/users/{owner}", {"isActive": False})
    assert key.get("/catalog/programs").status_code == 401


def test_a_key_has_its_own_quota(listener: Client, staff: dict[str, Client]) -> None:
    made = staff["editor"].post(
        "/accounts/api-keys", {"name": "k", "roles": ["editor"], "quotaPerMinute": 5}
    )
    key = Client(listener.base, **{"X-Api-Key": made.json()["data"]["secret"]})
    codes = [key.get("/accounts/me").status_code for _ in range(15)]
    assert codes.count(200) in range(5, 11)
    assert codes.count(429) == 15 - codes.count(200)
