"""Requests nobody would think of: schemathesis over the whole OpenAPI document, 0 server errors."""

from contextlib import nullcontext
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given
from hypothesis import settings as examples
from schemathesis.checks import not_a_server_error
from sqlalchemy import Engine as Database

from api.app import create_app
from api.auth import access_token
from api.settings import ApiSettings, Settings
from catalog.accounts.models import ROLES, Account
from catalog.db import session_factory
from catalog.settings import CatalogSettings
from indexer.settings import IndexerSettings
from tests.catalog.support import make
from tests.support.product import Client, sending
from tests.support.servers import eventually

_HTTP = examples(
    max_examples=25,
    deadline=None,
    derandomize=True,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=list(HealthCheck),
)


def _schema(base: str) -> Any:
    app = create_app(Settings(CatalogSettings(), IndexerSettings(), ApiSettings()))
    schema = schemathesis.openapi.from_dict(app.state.openapi())
    schema.config.update(base_url=base)
    return schema


OPERATIONS = {
    (found.ok().method, found.ok().path) for found in _schema("http://127.0.0.1").get_all_operations()
}  # fmt: skip


@pytest.fixture
def token(settings: Settings, database: Database) -> str:
    """Somebody who may do everything, and a few programs to do it to."""
    with session_factory(database).begin() as session:
        account = Account(email="all@example.com", roles=list(ROLES), password_hash="x")
        session.add(account)
        session.flush()
        session.refresh(account)
        for status in ("draft", "in_review", "scheduled", "published", "archived"):
            make(session, status, title=f"A {status} program")
        return access_token(settings.api, account)[0]


@pytest.mark.parametrize(("method", "path"), sorted(OPERATIONS))
def test_no_request_breaks_it(
    method: str, path: str, listener: Client, token: str, settings: Settings, cache_redis: Any
) -> None:
    operation = _schema(listener.base)[path][method]
    headers = {"Authorization": f"Bearer {token}"}
    seen = 0

    @_HTTP
    @given(case=operation.as_strategy())
    def send(case: Any) -> None:
        nonlocal seen
        seen += 1
        case.call_and_validate(headers=headers, checks=[not_a_server_error], timeout=30)

    with sending(settings, cache_redis) if path.startswith("/discovery") else nullcontext():
        if path.startswith("/discovery"):
            eventually(lambda: '"degraded":false' in listener.get("/discovery/browse").text)
        send()
    assert seen


def test_no_chain_of_requests_breaks_it(
    listener: Client, token: str, settings: Settings, cache_redis: Any
) -> None:
    headers = {"Authorization": f"Bearer {token}"}

    class Chain(_schema(listener.base).as_state_machine()):  # type: ignore[misc]
        def get_call_kwargs(self, case: Any) -> dict[str, Any]:
            return {"headers": headers, "timeout": 30}

        def validate_response(self, response: Any, case: Any, **arguments: Any) -> None:
            case.validate_response(response, checks=[not_a_server_error])

    with sending(settings, cache_redis):
        eventually(lambda: '"degraded":false' in listener.get("/discovery/browse").text)
        Chain.run(settings=_chain_settings())


def _chain_settings() -> Any:
    return examples(
        max_examples=15,
        stateful_step_count=8,
        deadline=None,
        derandomize=True,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
