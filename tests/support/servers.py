"""Real servers for a test run, started once by the process that began it.

`TEST_MEILI_URL` and `TEST_MEILI_KEY` name an engine to use instead of the search node.
"""

import os
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psycopg
from sqlalchemy import Engine, text

from catalog import migrate
from deploy.local import ports, postgres, valkey
from deploy.local.process import Child
from deploy.local.stack import answers, thmanyah

MASTER_KEY = "test-master-key-0123456789"
TEMPLATE = "template_catalogue"


class Servers:
    """PostgreSQL with a migrated template, Valkey and a search node in one temporary folder.

    `durable`: what was committed survives a server that is killed.
    """

    def __init__(self, *, durable: bool = False) -> None:
        self.durable = durable
        self.folder = Path(tempfile.mkdtemp(prefix="thmanyah-tests-"))
        self.children: list[Child] = []
        self.addresses: dict[str, str] = {}

    def start(self) -> dict[str, str]:
        """Start them; returns what tests are told by the environment."""
        data = self.folder / "postgres"
        postgres.initialise(data, durable=self.durable)
        pg, vk, engine = (ports.ephemeral() for _ in range(3))
        admin = postgres.url(pg, "postgres")
        self.children = [
            Child("postgres", postgres.server_command(data, pg, durable=self.durable), lambda: _connects(admin), "",
                  popen=postgres.popen_arguments()),
            Child("valkey", valkey.server_command(self.folder / "valkey", vk, durable=self.durable),
                  lambda: not ports.is_free(vk), ""),
        ]  # fmt: skip
        url, key = os.environ.get("TEST_MEILI_URL"), os.environ.get("TEST_MEILI_KEY", MASTER_KEY)
        if not url:
            url, key = f"http://127.0.0.1:{engine}", MASTER_KEY
            self.children.append(
                Child("searchnode", thmanyah("searchnode"), lambda: answers(f"{url}/health"), "",
                      {"MEILI_HTTP_ADDR": f"127.0.0.1:{engine}", "MEILI_MASTER_KEY": key,
                       "MEILI_DB_PATH": str(self.folder / "engine")}),
            )  # fmt: skip
        for child in self.children:
            child.start(self.folder / "logs")
        for child in self.children:
            if not child.wait_ready(60, lambda: False):
                raise RuntimeError(
                    f"{child.name}: {(self.folder / 'logs' / f'{child.name}.log').read_text()}"
                )
        with psycopg.connect(admin.replace("+psycopg", ""), autocommit=True) as connection:
            connection.execute(f"CREATE DATABASE {TEMPLATE}")
        migrate.upgrade(postgres.url(pg, TEMPLATE))
        self.addresses = {
            "TEST_POSTGRES": admin,
            "TEST_VALKEY": f"redis://127.0.0.1:{vk}",
            "TEST_ENGINE": url,
            "TEST_ENGINE_KEY": key,
        }
        return self.addresses

    def kill(self, name: str) -> None:
        """SIGKILL one of them with all its processes."""
        os.killpg(self.pid(name), signal.SIGKILL)
        process = self._named(name).process
        assert process is not None
        process.wait()

    def pid(self, name: str) -> int:
        """The process of one of them."""
        process = self._named(name).process
        assert process is not None
        return process.pid

    def restart(self, name: str) -> None:
        """Start it again on what it left, and wait until it answers."""
        child = self._named(name)
        child.start(self.folder / "logs")
        assert child.wait_ready(60, lambda: False), name

    def _named(self, name: str) -> Child:
        return next(child for child in self.children if child.name == name)

    def stop(self) -> None:
        """End them and remove what they wrote."""
        for child in reversed(self.children):
            child.stop(timeout=5)
        shutil.rmtree(self.folder, ignore_errors=True)


def _connects(url: str) -> bool:
    try:
        psycopg.connect(url.replace("+psycopg", ""), connect_timeout=2).close()
    except psycopg.OperationalError:
        return False
    return True


def eventually(check: Callable[[], object], *, within: float = 20, what: str = "") -> object:
    """Poll until `check` returns something true; its value. Fails after `within` seconds."""
    deadline = time.monotonic() + within
    while True:
        found = check()
        if found:
            return found
        if time.monotonic() > deadline:
            raise AssertionError(f"not within {within} s: {what or check}")
        time.sleep(0.02)


def scalar(database: Engine, statement: str) -> Any:
    """The first value of a statement, its connection given back."""
    with database.connect() as connection:
        return connection.scalar(text(statement))


def running(
    command: list[str], environment: dict[str, str], log: Path
) -> "subprocess.Popen[bytes]":
    """One of the product's processes, its output in `log`."""
    with log.open("ab") as output:
        return subprocess.Popen(
            command, env=os.environ | environment, stdout=output, stderr=subprocess.STDOUT,
            stdin=subprocess.DEVNULL, start_new_session=True,
        )  # fmt: skip
