"""Requests nobody would think of: schemathesis over the whole OpenAPI document, 0 server errors."""

import re
from collections.abc import Iterator
from contextlib import closing, suppress
from copy import deepcopy
from functools import cache
from itertools import count
from typing import Any

import pytest
import redis
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
from tests.support.routes import ROUTES
from tests.support.shared import SharedApi
from tests.support.waiting import eventually

pytestmark = pytest.mark.slow

# The document is exact: every status, media type and body is one that it names.
_CHECKS = [not_a_server_error, status_code_conformance, content_type_conformance, response_schema_conformance]
_HTTP = examples(
    max_examples=12,
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


# The document's operations. It is not made for this list: every process of a run needs the list, few run these tests.
OPERATIONS = {
    (method.lower(), re.sub(r":\w+}", "}", path))
    for method, path in ROUTES
    if path.startswith(("/accounts/", "/catalog/", "/discovery/", "/health/", "/metrics", "/ops/"))
    # Pages, which the document does not describe.
    and not path.startswith("/ops/board")
}


def test_every_operation_of_the_document_is_tried() -> None:
    found = {(method, path) for path, operations in _document()["paths"].items() for method in operations}
    assert found == OPERATIONS


@pytest.fixture(scope="module")
def product(shared: SharedApi, tmp_path_factory: pytest.TempPathFactory) -> Iterator[SharedApi]:
    """A product with a few programs, whose published ones are found: what a request changes harms no other."""
    with session_factory(shared.database).begin() as session:
        for status in ("draft", "in_review", "scheduled", "published", "archived"):
            make(session, status, title=f"A {status} program")
    with (
        pytest.MonkeyPatch.context() as patch,
        closing(redis.Redis.from_url(shared.settings.indexer.redis_cache_url)) as cache,
        sending(shared.settings, cache),
    ):
        patch.setenv("PICTURES_FOLDER", str(tmp_path_factory.mktemp("pictures")))
        eventually(lambda: '"degraded":false' in shared.listener.get("/discovery/browse").text)
        yield shared


_numbers = count()


@pytest.fixture
def token(product: SharedApi) -> str:
    """Somebody of this test's own who may do everything: a request may end every session of an account."""
    return add_account(product.settings, product.database, f"all-{next(_numbers)}", ROLES)


def _as(token: str, client: Client) -> dict[str, Any]:
    """Return how schemathesis sends a request: as this account, over the connections of this client."""
    return {
        "base_url": client.base,
        "session": client.session,
        "headers": {"Authorization": f"Bearer {token}"},
        "timeout": 30,
    }


@pytest.mark.parametrize(("method", "path"), sorted(OPERATIONS))
def test_no_request_breaks_it(method: str, path: str, product: SharedApi, token: str) -> None:
    operation = _schema()[path][method]
    seen = 0

    @_HTTP
    @given(case=operation.as_strategy())
    def send(case: Any) -> None:
        nonlocal seen
        seen += 1
        # A made-up key is refused before anything else is looked at; tests/attack has those.
        case.headers.pop("X-API-Key", None)
        case.call_and_validate(checks=_CHECKS, **_as(token, product.listener))

    send()
    assert seen


def test_no_chain_of_requests_breaks_it(product: SharedApi, token: str) -> None:
    failures: list[BaseException] = []

    class Chain(_schema().as_state_machine()):
        def get_call_kwargs(self, case: Any) -> dict[str, Any]:
            return _as(token, product.listener)

        def validate_response(self, response: Any, case: Any, **arguments: Any) -> None:
            # Single requests are held to the whole document; a chain must not break the server.
            try:
                case.validate_response(response, checks=[not_a_server_error])
            except BaseException as failure:
                failures.append(failure)
                raise

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
