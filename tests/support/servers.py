"""Real servers for a test run, started once by the process that began it.

`TEST_MEILI_URL` and `TEST_MEILI_KEY` name an engine to use instead of the search node.
"""

import os
import shutil
import signal
import tempfile
import time
from contextlib import suppress
from pathlib import Path

import psycopg

from catalog.schema import migrate
from deploy.local import ports
from deploy.local.process import Child
from deploy.local.servers import postgres, valkey
from deploy.local.stack import answers, thmanyah
from tests.support.databases import TEMPLATE, plain

MASTER_KEY = "test-master-key-0123456789"
# A file system in memory, and the bytes that must be free there before a run uses it.
_MEMORY, _ROOM = Path("/dev/shm"), 2 * 1024**3
PREFIX = "thmanyah-tests-"
_DAY_SECONDS = 86_400


def in_memory() -> Path | None:
    """Return the file system in memory if the machine has one with room; a container's may have 64 MB.

    Each test's database is a folder of 500 files that is made and removed again: on a disk this is the largest
    part of the whole suite's processor time. What a run that was killed left there a day ago is removed.
    """
    if not os.access(_MEMORY, os.W_OK):
        return None
    for left in _MEMORY.glob(f"{PREFIX}*"):
        with suppress(OSError):
            if time.time() - left.stat().st_mtime > _DAY_SECONDS:
                shutil.rmtree(left, ignore_errors=True)
    return _MEMORY if shutil.disk_usage(_MEMORY).free > _ROOM else None


class Servers:
    """PostgreSQL with a migrated template, Valkey and a search node in one temporary folder.

    `durable`: what was committed survives a server that is killed, and lies on a disk.
    """

    def __init__(self, *, durable: bool = False) -> None:
        self.durable = durable
        self.folder = Path(tempfile.mkdtemp(prefix=PREFIX, dir=None if durable else in_memory()))
        self.children: list[Child] = []
        self.addresses: dict[str, str] = {}

    def start(self) -> dict[str, str]:
        """Start them and wait until they answer.

        Returns:
            Their addresses, by the names of the variables that tests read.

        Raises:
            RuntimeError: A server ended or did not answer within a minute; the message is its log.
        """
        data = self.folder / "postgres"
        postgres.initialise(data, durable=self.durable)
        pg, vk, engine = (ports.ephemeral() for _ in range(3))
        admin = postgres.url(pg, "postgres")
        self.children = [
            Child(
                "postgres",
                postgres.server_command(data, pg, durable=self.durable),
                lambda: connects(admin),
                "",
                base_environment=postgres.environment(),
                user=postgres.user(),
                # At SIGTERM it would wait until every client has left.
                stop_signal=signal.SIGINT,
            ),
            Child(
                "valkey",
                valkey.server_command(self.folder / "valkey", vk, durable=self.durable),
                lambda: not ports.is_free(vk),
                "",
            ),
        ]
        url, key = os.environ.get("TEST_MEILI_URL"), os.environ.get("TEST_MEILI_KEY", MASTER_KEY)
        if not url:
            url, key = f"http://127.0.0.1:{engine}", MASTER_KEY
            self.children.append(
                Child(
                    "searchnode",
                    thmanyah("searchnode"),
                    lambda: answers(f"{url}/health"),
                    "",
                    {
                        "MEILI_HTTP_ADDR": f"127.0.0.1:{engine}",
                        "MEILI_MASTER_KEY": key,
                        "MEILI_DB_PATH": str(self.folder / "engine"),
                    },
                )
            )
        for child in self.children:
            child.start(self.folder / "logs")
        for child in self.children:
            if not child.wait_ready(60, lambda: False):
                raise RuntimeError(
                    f"{child.name}: {(self.folder / 'logs' / f'{child.name}.log').read_text()}"
                )
        with psycopg.connect(plain(admin), autocommit=True) as connection:
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


def connects(url: str) -> bool:
    try:
        psycopg.connect(plain(url), connect_timeout=2).close()
    except psycopg.OperationalError:
        return False
    return True
