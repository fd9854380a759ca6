"""The API as a process of its own in production mode, with one worker and small limits."""

import os
import secrets
import signal
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from sqlalchemy import Engine as Database

from api.settings import Settings
from catalog.core.db import make_engine
from deploy.local import ports
from deploy.local.stack import answers, thmanyah
from tests.support.accounts import add_accounts
from tests.support.client import Client
from tests.support.databases import new_database
from tests.support.processes import environment, running
from tests.support.stores import new_settings
from tests.support.waiting import eventually

PER_MINUTE = 5000


@dataclass
class Target:
    """A running API, its stores, and what its process writes into its log."""

    settings: Settings
    database: Database
    port: int
    tokens: dict[str, str]
    log: Path

    def listener(self, **headers: str) -> Client:
        """Return a client that is not signed in."""
        return Client(f"http://127.0.0.1:{self.port}", **headers)

    def staff(self, role: str) -> Client:
        """Return a client that has one role."""
        return self.listener(Authorization=f"Bearer {self.tokens[role]}")


@pytest.fixture(scope="module")
def target(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Target]:
    """Start the API; end it with the module."""
    folder: Path = tmp_path_factory.mktemp("attack")
    with new_database(os.environ["TEST_POSTGRES"]) as url:
        settings = new_settings(url, os.environ)
        secret = secrets.token_urlsafe(48)
        api = settings.api.model_copy(update={"secret_key": type(settings.api.secret_key)(secret)})
        settings = Settings(settings.catalog, settings.indexer, api)
        database, port = make_engine(settings.catalog), ports.ephemeral()
        tokens = add_accounts(settings, database)
        production = {
            "THMANYAH_ENV": "production",
            "THMANYAH_SECRET_KEY": secret,
            "MEILI_SEARCH_KEY": settings.indexer.meili_key,
            "MEILI_KEY": "",
            "API_PORT": str(port),
            "LOG_FORMAT": "json",
            "RATE_LIMIT_PER_MINUTE": str(PER_MINUTE),
            "LOGIN_LIMIT_PER_MINUTE": "10",
            "PROMETHEUS_MULTIPROC_DIR": str(folder / "metrics"),
        }
        log = folder / "api.log"
        child = running(thmanyah("api"), environment(settings) | production, log)
        try:
            eventually(
                lambda: answers(f"http://127.0.0.1:{port}/health/live"), within=180, what="the API answers"
            )
            yield Target(settings, database, port, tokens, log)
        finally:
            child.send_signal(signal.SIGTERM)
            child.wait(30)
            database.dispose()
