"""Access tokens, refresh tokens and API keys against those who would like to be somebody else."""

import base64
import hashlib
import hmac
import json
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import jwt
import pytest
from sqlalchemy import Engine as Database
from sqlalchemy import text
from sqlalchemy.orm import Session

from api.accounts import attempts
from api.settings import Settings
from catalog.accounts import sessions
from catalog.accounts.models import Account
from catalog.core.db import session_factory
from tests.support.accounts import PASSWORD, add_accounts
from tests.support.client import Client
from tests.support.product import serve
from tests.support.shared import SharedApi
from tests.support.waiting import eventually, waiting_for_a_lock


def sign_in(listener: Client, role: str = "editor") -> dict[str, Any]:
    answer = listener.post("/accounts/login", {"email": f"{role}@example.com", "password": PASSWORD})
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()["data"]
    return found


def me(listener: Client, token: str) -> tuple[int, str]:
    answer = listener.ask("GET", "/accounts/me", headers={"Authorization": f"Bearer {token}"})
    return answer.status_code, answer.json().get("code", "")


def forged(settings: Settings, *, key: Any = None, algorithm: str = "HS256", **changed: Any) -> str:
    now = int(time.time())
    claims = {
        "iss": "thmanyah",
        "aud": "thmanyah-api",
        "sub": "1",
        "iat": now,
        "exp": now + 900,
        "jti": "j",
        "ver": 0,
    }
    claims = {k: v for k, v in (claims | changed).items() if v is not None}
    return jwt.encode(claims, key or settings.api.secret_key.get_secret_value(), algorithm=algorithm)


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
def test_forged_tokens_are_refused(changed: dict[str, Any], code: str, shared: SharedApi) -> None:
    assert me(shared.listener, forged(shared.settings, **changed)) == (401, code)


def _part(value: dict[str, Any]) -> str:
    return base64.urlsafe_b64encode(json.dumps(value).encode()).decode().rstrip("=")


def test_alg_none_and_key_confusion_are_refused(shared: SharedApi) -> None:
    listener, settings = shared.listener, shared.settings
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
    for rubbish in ("x", "a.b.c", "..", "a" * 5000):
        assert me(listener, rubbish) == (401, "invalid_token")
    # No token has other characters than ASCII: the header is refused before anybody reads it.
    assert me(listener, "é.é.é".encode().decode("latin-1")) == (400, "bad_request")


def test_a_refresh_token_is_good_once_and_reuse_revokes_its_family(
    listener: Client, staff: dict[str, Client]
) -> None:
    first = sign_in(listener)
    second = listener.post("/accounts/refresh", {"refreshToken": first["refreshToken"]})
    assert second.status_code == 200
    replayed = listener.post("/accounts/refresh", {"refreshToken": first["refreshToken"]})
    assert (replayed.status_code, replayed.json()["code"]) == (401, "token_reused")
    # The thief's and the owner's chain end together.
    after = listener.post("/accounts/refresh", {"refreshToken": second.json()["data"]["refreshToken"]})
    assert (after.status_code, after.json()["code"]) == (401, "invalid_token")
    # And the access tokens of both; those of another sign-in stay.
    for tokens in (first, second.json()["data"]):
        assert me(listener, tokens["accessToken"]) == (401, "invalid_token")
    assert staff["editor"].get("/accounts/me").status_code == 200
    assert me(listener, sign_in(listener)["accessToken"]) == (200, "")


def test_a_rotation_at_the_same_moment_does_not_survive_the_reuse(
    settings: Settings, staff: dict[str, Client], session: Session, database: Database
) -> None:
    make_session = session_factory(database)
    account = session.get_one(Account, 1)
    first = sessions.sign_in(session, account, 7)
    session.commit()
    second = sessions.rotate(session, first.token, 7)
    session.commit()
    assert isinstance(second, sessions.Issued)
    with make_session() as owner, ThreadPoolExecutor(1) as pool:
        third = sessions.rotate(owner, second.token, 7)
        assert isinstance(third, sessions.Issued)

        def replay() -> object:
            with make_session.begin() as thief:
                return sessions.rotate(thief, first.token, 7)

        replayed = pool.submit(replay)
        eventually(lambda: waiting_for_a_lock(database), what="the replay waits for the rotation")
        owner.commit()
        assert replayed.result() == first.family
    with make_session() as after, pytest.raises(sessions.InvalidToken):
        sessions.rotate(after, third.token, 7)
    with database.connect() as connection:
        left = connection.scalar(text("SELECT count(*) FROM refresh_tokens WHERE revoked_at IS NULL"))
    assert left == 0


def test_signing_out_ends_the_chain(listener: Client, staff: dict[str, Client]) -> None:
    tokens = sign_in(listener)
    assert me(listener, tokens["accessToken"]) == (200, "")
    assert listener.post("/accounts/logout", {"refreshToken": tokens["refreshToken"]}).status_code == 204
    again = listener.post("/accounts/refresh", {"refreshToken": tokens["refreshToken"]})
    assert (again.status_code, again.json()["code"]) == (401, "invalid_token")
    assert me(listener, tokens["accessToken"]) == (401, "invalid_token")
    assert listener.post("/accounts/logout", {"refreshToken": "unknown"}).status_code == 204


def test_an_expired_refresh_token_is_refused(
    listener: Client, staff: dict[str, Client], database: Database
) -> None:
    tokens = sign_in(listener)
    with database.begin() as connection:
        connection.execute(text("UPDATE refresh_tokens SET expires_at = now() - interval '1 s'"))
    answer = listener.post("/accounts/refresh", {"refreshToken": tokens["refreshToken"]})
    assert (answer.status_code, answer.json()["code"]) == (401, "invalid_token")


@pytest.mark.parametrize(
    "change", [{"isActive": False}, {"roles": ["ops"]}, {"password": "another password"}]
)
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


def test_wrong_passwords_and_unknown_people_get_the_same_answer(shared: SharedApi) -> None:
    answers = []
    for body in (
        {"email": "editor@example.com", "password": "wrong password"},
        {"email": "nobody@example.com", "password": "wrong password"},
        {"email": "no e-mail address", "password": "wrong password"},
    ):
        answer = shared.listener.post("/accounts/login", body)
        found = answer.json()
        answers.append((answer.status_code, found["code"], found["detail"]))
    assert len(set(answers)) == 1
    assert answers[0][:2] == (401, "invalid_credentials")


@pytest.mark.slow
def test_guesses_from_everywhere_are_slow_and_do_not_lock_the_owner_out(
    settings: Settings, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    waits: list[float] = []

    async def sleep(seconds: float) -> None:
        waits.append(seconds)

    monkeypatch.setattr(attempts, "_sleep", sleep)
    slow = settings.api.model_copy(update={"login_per_minute": 3, "trusted_proxies": "127.0.0.1"})
    with serve(Settings(settings.catalog, settings.indexer, slow)) as (client, _):
        add_accounts(settings, database)

        def attempt(n: int, password: str) -> int:
            body = {"email": "editor@example.com", "password": password}
            headers = {"X-Forwarded-For": f"198.51.100.{n}"}
            return client.ask("POST", "/accounts/login", json=body, headers=headers).status_code

        assert [attempt(n, "guess") for n in range(12)] == [401] * 12
        # A minute may end in between.
        assert waits in [[attempts.SLOW_SECONDS] * n for n in range(6, 10)]
        assert attempt(200, PASSWORD) == 200
        # One address has few attempts, whatever account it tries.
        assert 429 in [attempt(7, "guess") for _ in range(8)]
        assert attempt(201, PASSWORD) == 200


@pytest.mark.slow
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
