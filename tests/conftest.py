"""Fixtures over real servers. Every test has a database, a Redis prefix and an index of its own."""

import os
import uuid
from collections.abc import Iterator, Mapping
from pathlib import Path

import psycopg
import pytest
import redis
from pydantic import SecretStr
from sqlalchemy import Engine as Database
from sqlalchemy.orm import Session

from api.settings import ApiSettings, Settings
from catalog.db import make_engine, session_factory
from catalog.settings import CatalogSettings
from indexer.settings import IndexerSettings
from tests.support.servers import TEMPLATE, Servers

SHARED = Path(__file__).parents[2] / "shared"
_servers: Servers | None = None


def pytest_configure(config: pytest.Config) -> None:
    """The process that began the run starts the servers; xdist's workers inherit their addresses."""
    global _servers  # noqa: PLW0603
    if hasattr(config, "workerinput") or config.option.collectonly:
        return
    _servers = Servers()
    try:
        os.environ.update(_servers.start())
    except BaseException:
        _servers.stop()
        raise


def pytest_unconfigure(config: pytest.Config) -> None:
    """End what was started."""
    if _servers is not None:
        _servers.stop()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """A clone without ../shared passes: what needs it is skipped, and says so."""
    if SHARED.exists():
        return
    for item in items:
        if item.get_closest_marker("shared"):
            item.add_marker(pytest.mark.skip(reason="../shared is not here"))


@pytest.fixture
def servers() -> Mapping[str, str]:
    """Where the servers are; tests that hurt them have others."""
    return os.environ


@pytest.fixture
def database_url(servers: Mapping[str, str]) -> Iterator[str]:
    """A migrated, empty database of this test's own."""
    admin = servers["TEST_POSTGRES"]
    name = f"test_{uuid.uuid4().hex}"
    # A connection for each: in between a test may have killed the server.
    with psycopg.connect(admin.replace("+psycopg", ""), autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name} TEMPLATE {TEMPLATE} STRATEGY file_copy")
    yield admin.rpartition("/")[0] + f"/{name}"
    with psycopg.connect(admin.replace("+psycopg", ""), autocommit=True) as connection:
        connection.execute(f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture
def settings(database_url: str, servers: Mapping[str, str]) -> Settings:
    """All layers, wired to this test's stores."""
    valkey = servers["TEST_VALKEY"]
    worker = os.environ.get("PYTEST_XDIST_WORKER", "gw0")
    mark = uuid.uuid4().hex[:12]
    return Settings(
        CatalogSettings(database_url=database_url, pool_min=1, pool_max=10),
        IndexerSettings(
            meili_url=servers["TEST_ENGINE"],
            meili_key=servers["TEST_ENGINE_KEY"],
            meili_index=f"programs_{mark}",
            redis_cache_url=f"{valkey}/0",
            # Queues have no prefix: every process of the run has a database of its own for them.
            redis_queue_url=f"{valkey}/{1 + int(worker[2:] or 0)}",
            redis_prefix=f"{mark}:",
            redis_timeout=5,
        ),
        ApiSettings(
            secret_key=SecretStr("a secret for tests alone, " * 3),
            rate_per_minute=0,
            login_per_minute=1000,
        ),
    )


@pytest.fixture
def database(settings: Settings) -> Iterator[Database]:
    """A pooled engine on this test's database."""
    engine = make_engine(settings.catalog)
    yield engine
    engine.dispose()


@pytest.fixture
def session(database: Database) -> Iterator[Session]:
    """A session on this test's database; commit what other connections must see."""
    with session_factory(database)() as opened:
        yield opened


@pytest.fixture
def cache_redis(settings: Settings) -> Iterator["redis.Redis"]:
    """The cache's Redis; keys begin with this test's prefix."""
    client = redis.Redis.from_url(settings.indexer.redis_cache_url)
    yield client
    client.close()
