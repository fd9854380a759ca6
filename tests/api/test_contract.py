"""Requests nobody would think of: schemathesis over the whole OpenAPI document, 0 server errors."""

from contextlib import nullcontext, suppress
from copy import deepcopy
from functools import cache
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given
from hypothesis import settings as examples
from hypothesis.errors import FlakyStrategyDefinition
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)
from sqlalchemy import Engine as Database

from api import openapi
from api.app import routers
from api.settings import ApiSettings, Settings
from catalog.accounts.models import ROLES
from catalog.core.db import session_factory
from catalog.core.settings import CatalogSettings
from indexer.settings import IndexerSettings
from tests.support.accounts import add_account
from tests.support.client import Client
from tests.support.product import sending
from tests.support.programs import make
from tests.support.waiting import eventually

pytestmark = pytest.mark.slow

# The document is exact: every status, media type and body is one that it names.
_CHECKS = [not_a_server_error, status_code_conformance, content_type_conformance, response_schema_conformance]
_HTTP = examples(
    max_examples=25,
    deadline=None,
    derandomize=True,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=list(HealthCheck),
)


@cache
def _document() -> dict[str, Any]:
    """Return the OpenAPI document; making it takes a second."""
    return openapi.document(routers(Settings(CatalogSettings(), IndexerSettings(), ApiSettings())))


@cache
def _schema() -> Any:
    """Return the document as schemathesis reads it: once for all tests, which takes half of a test's time."""
    return schemathesis.openapi.from_dict(deepcopy(_document()))


OPERATIONS = {(method, path) for path, operations in _document()["paths"].items() for method in operations}


@pytest.fixture
def token(settings: Settings, database: Database) -> str:
    """Somebody who may do everything, and a few programs to do it to."""
    with session_factory(database).begin() as session:
        for status in ("draft", "in_review", "scheduled", "published", "archived"):
            make(session, status, title=f"A {status} program")
    return add_account(settings, database, "all", ROLES)


def _as(token: str, client: Client) -> dict[str, Any]:
    """Return how schemathesis sends a request: as this account, over the connections of this client."""
    return {
        "base_url": client.base,
        "session": client.session,
        "headers": {"Authorization": f"Bearer {token}"},
        "timeout": 30,
    }


@pytest.mark.parametrize(("method", "path"), sorted(OPERATIONS))
def test_no_request_breaks_it(
    method: str, path: str, listener: Client, token: str, settings: Settings, cache_redis: Any
) -> None:
    operation = _schema()[path][method]
    seen = 0

    @_HTTP
    @given(case=operation.as_strategy())
    def send(case: Any) -> None:
        nonlocal seen
        seen += 1
        case.call_and_validate(checks=_CHECKS, **_as(token, listener))

    with sending(settings, cache_redis) if path.startswith("/discovery") else nullcontext():
        if path.startswith("/discovery"):
            eventually(lambda: '"degraded":false' in listener.get("/discovery/browse").text)
        send()
    assert seen


def test_no_chain_of_requests_breaks_it(
    listener: Client, token: str, settings: Settings, cache_redis: Any
) -> None:
    failures: list[BaseException] = []

    class Chain(_schema().as_state_machine()):
        def get_call_kwargs(self, case: Any) -> dict[str, Any]:
            return _as(token, listener)

        def validate_response(self, response: Any, case: Any, **arguments: Any) -> None:
            # Single requests are held to the whole document; a chain must not break the server.
            try:
                case.validate_response(response, checks=[not_a_server_error])
            except BaseException as failure:
                failures.append(failure)
                raise

    with sending(settings, cache_redis):
        eventually(lambda: '"degraded":false' in listener.get("/discovery/browse").text)
        # What can follow depends on the answers, and they depend on the clock: Hypothesis then ends the search
        # for further chains. It says nothing of the product.
        with suppress(FlakyStrategyDefinition):
            Chain.run(settings=_chain_settings())
    assert failures == []


def _chain_settings() -> Any:
    return examples(
        max_examples=15,
        stateful_step_count=8,
        deadline=None,
        derandomize=True,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
