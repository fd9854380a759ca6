"""Pages of other sites read listeners' routes in a browser, and nothing else."""

from collections.abc import Iterator
from dataclasses import replace

import pytest
from sqlalchemy import Engine as Database

from api.settings import Settings
from catalog.core.db import session_factory
from tests.support.client import Client
from tests.support.product import serve
from tests.support.programs import make

ORIGIN = "https://app.example"
ALLOW = "access-control-allow-origin"
ASKS = {"Origin": ORIGIN, "Access-Control-Request-Method": "POST"}


@pytest.fixture
def named(settings: Settings) -> Iterator[Client]:
    """A listener to an API that one site may read."""
    api = settings.api.model_copy(update={"cors_origins": f"{ORIGIN}, https://other.example"})
    with serve(replace(settings, api=api)) as (client, _):
        yield client


def test_every_site_reads_what_listeners_ask_for(listener: Client, database: Database) -> None:
    with session_factory(database).begin() as session:
        program = make(session, "published").id
    # From the framework, from the edge's memory, unchanged, missing and refused.
    for path, status in (
        (f"/discovery/programs/{program}", 200),
        (f"/discovery/programs/{program}", 200),
        ("/discovery/programs/999999", 404),
        ("/discovery/browse?nonsense=1", 400),
        ("/openapi.json", 200),
    ):
        answer = listener.ask("GET", path, headers={"Origin": ORIGIN})
        assert (answer.status_code, answer.headers.get(ALLOW)) == (status, "*"), path
        exposed = answer.headers["access-control-expose-headers"].split(", ")
        assert {"ETag", "Deprecation", "Sunset"} <= set(exposed)
        assert "access-control-allow-credentials" not in answer.headers
        # The same for everybody: caches in between keep one answer.
        assert listener.get(path).headers.get(ALLOW) == "*"
        assert "Origin" not in answer.headers.get("vary", "")


@pytest.mark.parametrize("path", ["/discovery/programs/1/views", "/discovery/events"])
def test_a_browser_asks_before_it_posts(path: str, listener: Client) -> None:
    answer = listener.ask("OPTIONS", path, headers=ASKS)
    assert (answer.status_code, answer.content, answer.headers[ALLOW]) == (204, b"", "*")
    assert answer.headers["access-control-allow-methods"] == "GET, HEAD, POST"
    assert "Content-Type" in answer.headers["access-control-allow-headers"]
    assert int(answer.headers["access-control-max-age"]) > 0


@pytest.mark.parametrize(
    "path", ["/catalog/programs", "/auth/login", "/ops/queues", "/metrics", "/health/ready"]
)
def test_nothing_else_is_shared(path: str, listener: Client) -> None:
    for method in ("GET", "OPTIONS"):
        answer = listener.ask(method, path, headers=ASKS)
        assert not [name for name in answer.headers if name.lower().startswith("access-control-")], method


def test_named_sites_alone_may_read(named: Client) -> None:
    ours = named.ask("GET", "/discovery/categories", headers={"Origin": ORIGIN})
    assert (ours.headers[ALLOW], ours.headers["vary"]) == (ORIGIN, "Origin")
    for headers in ({}, {"Origin": "https://evil.example"}, {"Origin": "null"}):
        answer = named.ask("GET", "/discovery/categories", headers=headers)
        assert answer.status_code == 200
        assert (answer.headers.get(ALLOW), answer.headers["vary"]) == (None, "Origin")
    asked = named.ask("OPTIONS", "/discovery/search", headers=ASKS | {"Origin": "https://evil.example"})
    assert not [name for name in asked.headers if name.lower().startswith("access-control-")]
    assert named.ask("OPTIONS", "/discovery/search", headers=ASKS).headers[ALLOW] == ORIGIN
