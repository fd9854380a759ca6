"""Fixtures over real servers. Every test has a database, a Redis prefix and an index of its own."""

import gc
import os
import re
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest
import redis
from sqlalchemy import Engine as Database
from sqlalchemy.orm import Session

from api.settings import Settings
from catalog.core.db import make_engine, session_factory
from indexer.engines.admin import Engine
from tests.support.accounts import hash_quickly
from tests.support.databases import new_database
from tests.support.dialects import share_what_engines_learn
from tests.support.paths import SHARED
from tests.support.pipeline import Pipeline
from tests.support.prepared import prepared_processes, whole_processes
from tests.support.servers import Servers
from tests.support.stores import new_settings

# Compiled code is kept, whatever the environment says: each process of the product then starts in half the time.
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
sys.dont_write_bytecode = False

# What is imported and collected stays until the run ends: Python looks for no garbage meanwhile, nor in it later.
gc.disable()

_servers: Servers | None = None
# The line of a file that says that all of its tests are slow.
_ALL_SLOW = re.compile(r"^pytestmark = \[?pytest\.mark\.slow\b", re.MULTILINE)


def pytest_configure(config: pytest.Config) -> None:
    """The process that began the run starts the servers; xdist's workers inherit their addresses."""
    global _servers  # noqa: PLW0603  # pytest hands hooks nothing of ours to keep it in
    if hasattr(config, "workerinput") or config.option.collectonly:
        return
    _servers = Servers()
    try:
        os.environ.update(_servers.start())
    except BaseException:
        _servers.stop()
        raise


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """`make test-fast` does not import files without a test for it: what they import is a seventh of its start."""
    if config.option.markexpr != "not slow" or collection_path.suffix != ".py":
        return None
    return bool(_ALL_SLOW.search(collection_path.read_text(encoding="utf-8"))) or None


def pytest_unconfigure(config: pytest.Config) -> None:
    """End what was started."""
    if _servers is not None:
        _servers.stop()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Long files go first, so that no process is still busy when the others are done.

    A clone without ../shared passes: what needs it is skipped, and says so.
    """
    # Tests that have more time than others take most of it.
    long = {item.path for item in items if item.get_closest_marker("timeout")}
    slow = {item.path for item in items if item.get_closest_marker("slow")}
    # A file with quick tests too is shorter than one whose tests are all slow.
    mixed = {item.path for item in items if not item.get_closest_marker("slow")}
    items.sort(key=lambda item: (item.path not in long, item.path in mixed, item.path not in slow))
    if SHARED.exists():
        return
    for item in items:
        if item.get_closest_marker("shared"):
            item.add_marker(pytest.mark.skip(reason="../shared is not here"))


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> Iterator[None]:
    """Collect, in xdist's workers too; from then on there is garbage to look for: that of the tests."""
    try:
        return (yield)
    finally:
        gc.freeze()
        gc.enable()


@pytest.fixture(scope="session", autouse=True)
def _passwords_hash_quickly() -> Iterator[None]:
    """Passwords cost the tests' own process nothing; tests/catalog/accounts/test_credentials.py has the real cost."""
    with pytest.MonkeyPatch.context() as patched:
        hash_quickly(patched)
        yield


@pytest.fixture(scope="session", autouse=True)
def _engines_learn_once() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patched:
        share_what_engines_learn(patched)
        yield


@pytest.fixture(scope="session", autouse=True)
def _processes_are_prepared() -> Iterator[None]:
    with prepared_processes():
        yield


@pytest.fixture
def whole_starts() -> Iterator[None]:
    """Processes of the product start as always: for tests of their start, of what they import, or of their memory."""
    with whole_processes():
        yield


@pytest.fixture
def servers() -> Mapping[str, str]:
    """Where the servers are; tests that hurt them have others."""
    return os.environ


@pytest.fixture
def database_url(servers: Mapping[str, str]) -> Iterator[str]:
    """A migrated, empty database of this test's own."""
    with new_database(servers["TEST_POSTGRES"]) as url:
        yield url


@pytest.fixture
def empty_url(servers: Mapping[str, str]) -> Iterator[str]:
    """A database of this test's own that no migration has touched."""
    with new_database(servers["TEST_POSTGRES"], template=None) as url:
        yield url


@pytest.fixture
def settings(database_url: str, servers: Mapping[str, str]) -> Settings:
    """All layers, wired to this test's stores."""
    return new_settings(database_url, servers)


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


@pytest.fixture
def pipeline(settings: Settings, database: Database) -> Pipeline:
    """A sender's surroundings: this test's database and index."""
    return Pipeline(settings, database, Engine(settings.indexer))
