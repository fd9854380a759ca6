"""The product's real processes for journeys: two API processes and a sender over one set of stores."""

import os
import signal
import subprocess
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import requests
from sqlalchemy import Engine as Database

from api.settings import Settings
from catalog.accounts import lifecycle as accounts
from catalog.actor import SYSTEM
from catalog.db import session_factory
from deploy.local import ports
from deploy.local.stack import answers, thmanyah
from tests.support.servers import eventually, running

PASSWORD = "correct horse battery"
ROLES = ("editor", "reviewer", "ops", "admin")


def environment(settings: Settings) -> dict[str, str]:
    """These settings as the processes read them."""
    return {
        "DATABASE_URL": settings.catalog.database_url,
        "DATABASE_POOL_MIN": "1",
        "DATABASE_POOL_MAX": "10",
        "MEILI_URL": settings.indexer.meili_url,
        "MEILI_URLS": settings.indexer.meili_urls,
        "MEILI_KEY": settings.indexer.meili_key,
        "MEILI_INDEX": settings.indexer.meili_index,
        "REDIS_CACHE_URL": settings.indexer.redis_cache_url,
        "REDIS_QUEUE_URL": settings.indexer.redis_queue_url,
        "REDIS_PREFIX": settings.indexer.redis_prefix,
        "RATE_LIMIT_PER_MINUTE": "0",
        "LOGIN_LIMIT_PER_MINUTE": "1000",
    }


class Person:
    """Somebody with a browser: a base address and, once signed in, a token."""

    def __init__(self, base: str, token: str = "") -> None:
        self.base = base
        self.session = requests.Session()
        if token:
            self.session.headers["Authorization"] = f"Bearer {token}"

    def ask(self, method: str, path: str, **arguments: Any) -> requests.Response:
        return self.session.request(method, self.base + path, timeout=20, **arguments)

    def get(self, path: str, **params: Any) -> requests.Response:
        return self.ask("GET", path, params=params)

    def post(self, path: str, body: Any = None, **headers: str) -> requests.Response:
        return self.ask("POST", path, json=body, headers=headers)


@dataclass
class Product:
    """The running product."""

    settings: Settings
    addresses: list[str]
    folder: Path

    def listener(self, n: int = 0) -> Person:
        return Person(self.addresses[n])

    def sign_in(self, role: str, n: int = 0) -> Person:
        anybody = self.listener(n)
        answer = anybody.post(
            "/accounts/login", {"email": f"{role}@example.com", "password": PASSWORD}
        )
        assert answer.status_code == 200, answer.text
        return Person(self.addresses[n], answer.json()["data"]["accessToken"])


def add_accounts(database: Database) -> None:
    """One account for every role."""
    with session_factory(database).begin() as session:
        for role in ROLES:
            accounts.create(session, f"{role}@example.com", PASSWORD, [role], SYSTEM)


@pytest.fixture
def product(settings: Settings, database: Database, tmp_path: Path) -> Iterator[Product]:
    """Two API processes, a sender and the clock."""
    add_accounts(database)
    env = environment(settings)
    commands: list[tuple[str, dict[str, str]]] = [("sync", {}), ("scheduler", {})]
    addresses = []
    for n in range(2):
        port = ports.ephemeral()
        addresses.append(f"http://127.0.0.1:{port}")
        commands.append(
            (
                "api",
                {"API_PORT": str(port), "PROMETHEUS_MULTIPROC_DIR": str(tmp_path / f"metrics{n}")},
            )
        )
    children: list[subprocess.Popen[bytes]] = [
        running(thmanyah(name), env | extra, tmp_path / f"{name}.log") for name, extra in commands
    ]
    try:
        for address in addresses:
            eventually(
                lambda a=address: answers(f"{a}/health/live"),
                what=(tmp_path / "api.log").read_text(),
            )  # type: ignore[misc]
        eventually(
            lambda: (
                '"degraded":false'
                in requests.get(f"{addresses[0]}/discovery/browse", timeout=10).text
            ),
            what=(tmp_path / "sync.log").read_text(),
        )
        yield Product(settings, addresses, tmp_path)
    finally:
        for child in children:
            child.send_signal(signal.SIGTERM)
        killer = threading.Timer(15, lambda: [c.kill() for c in children])
        killer.start()
        for child in children:
            child.wait()
        killer.cancel()
        for child in children:
            try:
                os.killpg(child.pid, signal.SIGKILL)
            except ProcessLookupError:
                continue
