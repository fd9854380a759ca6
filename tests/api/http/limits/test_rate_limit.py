"""How many requests a client may make of the API, and what it is told."""

from collections.abc import Iterator

import pytest
import requests
from litestar.routes import HTTPRoute
from sqlalchemy import Engine as Database
from sqlalchemy import event

from api.answers.edge import Edge
from api.app import create_app
from api.http.auth import admit
from api.http.limits import rate_limit
from api.http.limits.rate_limit import WINDOW, Budget, Limiter, needs_credential
from api.settings import Settings
from tests.support.accounts import add_account
from tests.support.client import Client
from tests.support.product import serve


def test_a_client_over_its_budget_is_told_when_to_come_back(settings: Settings) -> None:
    limited = settings.api.model_copy(update={"rate_per_minute": 5})
    with serve(Settings(settings.catalog, settings.indexer, limited)) as (client, _):
        answers = [client.get("/discovery/browse") for _ in range(20)]
    refused = [answer for answer in answers if answer.status_code == 429]
    # A window may end in between.
    assert len(refused) >= 10
    problem = refused[0].json()
    assert problem["code"] == "rate_limited"
    assert problem["requestId"] == refused[0].headers["x-request-id"]
    assert refused[0].headers["content-type"] == "application/problem+json"
    assert 1 <= int(refused[0].headers["retry-after"]) <= WINDOW
    assert refused[0].headers["x-content-type-options"] == "nosniff"


@pytest.fixture
def five(settings: Settings, one_minute: None) -> Iterator[tuple[Client, Edge]]:
    """The API with a budget of five requests a minute, of which nothing is spent."""
    limited = settings.api.model_copy(update={"rate_per_minute": 5})
    with serve(Settings(settings.catalog, settings.indexer, limited)) as running:
        yield running


def _promised(answer: requests.Response) -> tuple[str, str]:
    return answer.headers["ratelimit-policy"], answer.headers["ratelimit"]


def test_every_answer_says_what_is_left(five: tuple[Client, Edge]) -> None:
    client, _ = five
    answers = [client.get("/discovery/categories") for _ in range(6)]
    assert [answer.headers.get("x-cache") for answer in answers] == ["miss", *["l1"] * 4, None]
    seconds = int(WINDOW - 1e9 % WINDOW)
    for left, answer in zip((4, 3, 2, 1, 0, 0), answers, strict=True):
        assert _promised(answer) == ('"client";q=5;w=60', f'"client";r={left};t={seconds}')
    assert answers[-1].headers["retry-after"] == str(seconds)
    # Probes have no limit to tell of.
    assert "ratelimit" not in client.get("/health/live").headers


def test_what_is_left_is_told_by_owner(
    five: tuple[Client, Edge], settings: Settings, database: Database
) -> None:
    client, _ = five
    editor = {"Authorization": f"Bearer {add_account(settings, database, 'editor', ['editor'])}"}
    policies = [
        _promised(client.ask("GET", "/accounts/me", headers=headers))[0].partition(";")[0]
        for headers in ({}, {"X-Api-Key": "guess"}, editor, editor)
    ]
    # The first request of a credential counts to its address, too, until it is known to be good.
    assert policies == ['"client"', '"credential"', '"credential"', '"account"']


@pytest.mark.slow
def test_attempts_to_sign_in_are_limited_without_redis(settings: Settings, one_minute: None) -> None:
    away = settings.indexer.model_copy(update={"redis_cache_url": "redis://127.0.0.1:1/0"})
    few = settings.api.model_copy(update={"login_per_minute": 3, "rate_per_minute": 8})
    with serve(Settings(settings.catalog, away, few)) as (client, _):
        answers = [
            client.post("/accounts/login", {"email": "a@example.com", "password": "x"}) for _ in range(9)
        ]
    assert [answer.status_code for answer in answers] == [401] * 3 + [429] * 6
    # The last of them was not looked at any more: its address has no requests left at all.
    assert [answer.json()["detail"] for answer in answers[-2:]] == [
        "Too many attempts.",
        "Try again in 20 s.",
    ]
    assert answers[-1].headers["retry-after"] == "20"


@pytest.mark.parametrize(
    ("path", "status"), [("/discovery/programs/1/views", 404), ("/discovery/events", 400)]
)
def test_views_and_events_are_limited_like_everything_else(
    five: tuple[Client, Edge], path: str, status: int
) -> None:
    assert _codes(five[0], path, 6, "POST") == [status] * 5 + [429]


def _codes(client: Client, path: str, times: int, method: str = "GET", **headers: str) -> list[int]:
    return [client.ask(method, path, headers=headers).status_code for _ in range(times)]


def test_public_addresses_are_counted_by_address_whatever_the_headers(
    five: tuple[Client, Edge], settings: Settings, database: Database
) -> None:
    client, _ = five
    good = add_account(settings, database, "editor", ["editor"])
    headers = [
        {},
        {"Authorization": "Bearer nonsense"},
        {"X-Api-Key": "anything"},
        {"Authorization": "Basic YTpi"},
        {"Authorization": f"Bearer {good}"},
    ]
    path = "/discovery/categories"
    assert [client.ask("GET", path, headers=each).status_code for each in headers] == [200] * 5
    assert [client.ask("GET", path, headers=each).status_code for each in headers] == [429] * 5
    # Signing in is public too, however its address is written, and so is what does not exist.
    for address in ("/accounts/login", "/accounts//login/", "/accounts/refresh", "/accounts/logout"):
        assert _codes(client, address, 1, "POST", Authorization=f"Bearer {good}") == [429], address
    assert _codes(client, "/nowhere", 1, Authorization=f"Bearer {good}") == [429]


@pytest.mark.slow
def test_health_and_metrics_are_never_limited(five: tuple[Client, Edge]) -> None:
    client, _ = five
    for path in ("/health/live", "/health/ready", "/metrics"):
        # A busy machine may be late with the database; it is not the limit that answers then.
        assert set(_codes(client, path, 20)) <= {200, 503}, path
    # They spent nothing either.
    assert _codes(client, "/discovery/categories", 6) == [200] * 5 + [429]
    for path in ("/health/live", "/health/ready", "/metrics"):
        assert _codes(client, path, 1) == [200], path


@pytest.mark.parametrize("path", ["/catalog/programs", "/ops/queues", "/accounts/me"])
def test_wrong_credentials_are_counted_by_address_before_they_cost_a_query(
    five: tuple[Client, Edge], path: str
) -> None:
    client, edge = five
    statements: list[str] = []
    engine = edge.app.state.shared.db.kw["bind"].sync_engine
    event.listen(engine, "before_cursor_execute", lambda *given: statements.append(given[2]))
    guesses = [{"X-Api-Key": f"thm_{n}"} if n % 2 else {"Authorization": f"Bearer {n}"} for n in range(9)]
    codes = [client.ask("GET", path, headers=each).status_code for each in guesses]
    assert codes == [401] * 5 + [429] * 4
    # A token is refused by its signature, a key by a query.
    assert sum("api_keys" in statement for statement in statements) == 2
    assert not any("FROM accounts " in statement for statement in statements)
    # Listeners at the same address have a budget of their own; without a credential a request is one of theirs.
    assert _codes(client, "/discovery/categories", 4) == [200] * 4
    assert _codes(client, path, 2) == [401, 429]
    assert len(edge.app.state.shared.limiter._proven) == 0


def test_what_does_not_exist_is_limited_behind_any_credential(five: tuple[Client, Edge]) -> None:
    client, _ = five
    assert _codes(client, "/catalog/nowhere", 7, Authorization="Bearer x") == [404] * 5 + [429] * 2
    assert _codes(client, "/catalog/programs", 1, "BREW", **{"X-Api-Key": "x"}) == [429]


def test_an_editor_is_not_limited_by_others_at_the_same_address(
    five: tuple[Client, Edge], settings: Settings, database: Database
) -> None:
    client, _ = five
    editor, reviewer = (add_account(settings, database, role, [role]) for role in ("editor", "reviewer"))
    assert _codes(client, "/discovery/categories", 6)[-1] == 429
    assert _codes(client, "/catalog/programs", 1, Authorization=f"Bearer {editor}") == [200]
    assert _codes(client, "/catalog/programs", 9, Authorization="Bearer guess")[-1] == 429
    # Neither listeners nor guesses cost the editor anything: five a minute, exactly.
    codes = _codes(client, "/catalog/programs", 6, Authorization=f"Bearer {editor}")
    assert codes == [200] * 4 + [429] * 2
    answer = client.ask("GET", "/catalog/programs", headers={"Authorization": f"Bearer {editor}"})
    assert (answer.status_code, answer.json()["code"]) == (429, "rate_limited")
    assert 1 <= int(answer.headers["retry-after"]) <= WINDOW
    # Nobody has seen this one checked, and the address has no guess left.
    assert _codes(client, "/catalog/programs", 1, Authorization=f"Bearer {reviewer}") == [429]


@pytest.mark.slow
def test_a_credential_that_is_no_longer_good_counts_to_its_address(
    five: tuple[Client, Edge], settings: Settings, database: Database
) -> None:
    client, _ = five
    admin = Client(client.base, Authorization=f"Bearer {add_account(settings, database, 'admin', ['admin'])}")
    made = admin.post("/accounts/api-keys", {"name": "k", "roles": ["admin"], "quotaPerMinute": 50})
    assert made.status_code == 201
    key = {"X-Api-Key": made.json()["data"]["secret"]}
    assert _codes(client, "/catalog/programs", 20, **key) == [200] * 20
    assert admin.delete(f"/accounts/api-keys/{made.json()['data']['id']}").status_code == 204
    # The admin's and the key's first request spent two of the address's five; the key still paid for the first refusal.
    assert _codes(client, "/catalog/programs", 6, **key) == [401] * 4 + [429] * 2


def test_the_edge_knows_which_routes_need_a_credential(settings: Settings) -> None:
    checked = 0
    for route in create_app(settings).routes:
        assert isinstance(route, HTTPRoute)
        for handler in route.route_handlers:
            if "OPTIONS" in handler.http_methods:
                continue
            guarded = handler.resolve_before_request() is admit
            assert needs_credential(route.path) == guarded, route.path
            checked += 1
    assert checked > 80


def test_known_credentials_are_bounded_and_kept_as_hashes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rate_limit, "MAX_CREDENTIALS", 3)
    limiter = Limiter(None, "", 5)
    secrets = [limiter.fingerprint(b"Bearer %d" % n, b"") for n in range(5)]
    for n, secret in enumerate(secrets):
        limiter.proven(secret, Budget(f"account:{n}", 5))
        limiter.budget({"path": "/catalog/programs", "client": ("::1", 1), "headers": []}, secrets[0])
    # The one in use stays, the oldest of the others go.
    assert list(limiter._proven) == [secrets[3], secrets[4], secrets[0]]
    assert not any(b"Bearer" in known for known in limiter._proven)
    assert limiter.fingerprint(b"a", b"b") != limiter.fingerprint(b"a\nb", b"")
    assert Limiter(None, "", 5).fingerprint(b"Bearer 1", b"") != secrets[1]
