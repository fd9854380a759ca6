"""What the product consists of on one machine, in the order in which it starts."""

import os
import shutil
import signal
import sys
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import psycopg
import redis

from deploy.local import ports, postgres, valkey
from deploy.local.home import Home
from deploy.local.process import Child

DATABASE = "thmanyah"
ADMIN = "admin@thmanyah.local"
PREFERRED = {"postgres": 55432, "valkey": 56379, "engine": 7700, "api": 8000}
# At its default on a large machine a real engine takes eight times as long for a small batch.
INDEXING_MEMORY = "1GiB"


def answers(url: str) -> bool:
    """Does an HTTP GET succeed?"""
    try:
        with urllib.request.urlopen(url, timeout=1) as response:  # noqa: S310
            return bool(response.status == 200)
    except OSError:
        return False


def _connects(url: str) -> bool:
    try:
        psycopg.connect(url.replace("+psycopg", ""), connect_timeout=2).close()
    except psycopg.OperationalError:
        return False
    return True


def _pings(url: str) -> bool:
    try:
        client = redis.Redis.from_url(url, socket_timeout=1, socket_connect_timeout=1)
        return bool(client.ping())
    except (redis.RedisError, OSError):
        return False


@dataclass
class Stack:
    """Everything `up` supervises. `external` names what runs elsewhere and is only used."""

    home: Home
    ports: dict[str, int]
    moved: dict[str, int]
    external: dict[str, str]
    environment: dict[str, str]
    engine_name: str
    # Filled once the engine is up; empty for an engine of the user's own, whose keys were given.
    keys: dict[str, str] = field(default_factory=dict)

    @classmethod
    def plan(cls, home: Home) -> "Stack":
        """Choose ports and addresses; what the environment names is used as it is."""
        external = {
            name: os.environ[variable]
            for name, variable in (
                ("postgres", "DATABASE_URL"),
                ("valkey", "REDIS_CACHE_URL"),
                ("engine", "MEILI_URL"),
                # Every process reads it from the environment, and then not MEILI_URL.
                ("engine", "MEILI_URLS"),
            )
            if os.environ.get(variable)
        }
        remembered = home.read("ports")
        wanted = PREFERRED | {"api": int(os.environ.get("API_PORT", PREFERRED["api"]))}
        chosen: dict[str, int] = {}
        moved: dict[str, int] = {}
        for name, preferred in wanted.items():
            if name in external:
                continue
            first = preferred if ports.is_free(preferred) else int(remembered.get(name, preferred))
            chosen[name] = ports.pick(first, taken=set(chosen.values()))
            if chosen[name] != preferred:
                moved[name] = preferred
        home.write("ports", chosen)
        stack = cls(home, chosen, moved, external, {}, _engine_name(external))
        stack.environment = stack._environment()
        return stack

    def _environment(self) -> dict[str, str]:
        """What every process of the product is told."""
        secrets = self.home.secrets()
        given = os.environ
        return {
            "DATABASE_URL": self.database_url,
            "REDIS_CACHE_URL": self.external.get("valkey")
            or valkey.url(self.ports["valkey"], valkey.CACHE_DB),
            "REDIS_QUEUE_URL": given.get("REDIS_QUEUE_URL")
            or self.external.get("valkey")
            or valkey.url(self.ports["valkey"], valkey.QUEUE_DB),
            "MEILI_URL": self.engine_url,
            "MEILI_KEY": given.get("MEILI_KEY")
            or given.get("MEILI_MASTER_KEY")
            or ("" if "engine" in self.external else secrets["masterKey"]),
            "THMANYAH_SECRET_KEY": given.get("THMANYAH_SECRET_KEY") or secrets["secretKey"],
            "API_PORT": str(self.ports["api"]),
            "PYTHONUNBUFFERED": "1",
        }

    @property
    def database_url(self) -> str:
        """Where the record is."""
        return self.external.get("postgres") or postgres.url(self.ports["postgres"], DATABASE)

    @property
    def engine_url(self) -> str:
        """Where searches go."""
        return self.external.get("engine") or f"http://127.0.0.1:{self.ports['engine']}"

    @property
    def api_url(self) -> str:
        """What a person opens."""
        return f"http://127.0.0.1:{self.ports['api']}"

    def servers(self) -> list[Child]:
        """The stores, which everything else needs first."""
        found = []
        if "postgres" not in self.external:
            data = self.home.path / "postgres"
            port = self.ports["postgres"]
            found.append(
                Child(
                    "postgres",
                    postgres.server_command(data, port),
                    lambda: _connects(postgres.url(port, "postgres")),
                    f"127.0.0.1:{port}",
                    popen=postgres.popen_arguments(),
                    stop_signal=signal.SIGINT,
                )
            )
        if "valkey" not in self.external:
            port_ = self.ports["valkey"]
            found.append(
                Child(
                    "valkey",
                    valkey.server_command(self.home.path / "valkey", port_),
                    lambda: _pings(valkey.url(port_, 0)),
                    f"127.0.0.1:{port_}",
                )
            )
        if "engine" not in self.external:
            found.append(self._engine())
        return found

    def _engine(self) -> Child:
        port = self.ports["engine"]
        folder = self.home.path / self.engine_name
        environment = {
            "MEILI_HTTP_ADDR": f"127.0.0.1:{port}",
            "MEILI_MASTER_KEY": self.home.secrets()["masterKey"],
            "MEILI_DB_PATH": str(folder),
            "MEILI_MAX_INDEXING_MEMORY": os.environ.get(
                "MEILI_MAX_INDEXING_MEMORY", INDEXING_MEMORY
            ),
            "MEILI_NO_ANALYTICS": "true",
            "MEILI_ENV": "development",
        }
        if self.engine_name == "meilisearch":
            folder.mkdir(parents=True, exist_ok=True)
            environment["MEILI_DUMP_DIR"] = str(folder / "dumps")
            environment["MEILI_SNAPSHOT_DIR"] = str(folder / "snapshots")
            environment["MEILI_DB_PATH"] = str(folder / "data")
        command = (
            [str(shutil.which("meilisearch"))]
            if self.engine_name == "meilisearch"
            else thmanyah("searchnode")
        )
        ready: Callable[[], bool] = lambda: answers(f"http://127.0.0.1:{port}/health")  # noqa: E731
        return Child(self.engine_name, command, ready, f"127.0.0.1:{port}", environment)

    def processes(self) -> list[Child]:
        """The product's own processes."""
        metrics = {"PROMETHEUS_MULTIPROC_DIR": str(self.home.path / "metrics")}
        # The process that strangers talk to holds no key that writes.
        searching = {"MEILI_KEY": "", "MEILI_SEARCH_KEY": self.keys["MEILI_SEARCH_KEY"]} if self.keys else {}  # fmt: skip
        api = Child(
            "api", thmanyah("api"), lambda: answers(f"{self.api_url}/health/live"), self.api_url,
            self.environment | searching | metrics,
        )  # fmt: skip
        writing = {"MEILI_KEY": self.keys["MEILI_KEY"]} if self.keys else {}
        others = [
            Child(name, thmanyah(name), lambda: True, about, self.environment | writing)
            for name, about in (
                ("sync", "keeps the index equal to the record"),
                ("worker", "background jobs"),
                ("scheduler", "publishes on time, periodic jobs"),
            )
        ]
        return [api, *others]


def thmanyah(command: str) -> list[str]:
    """The command line of one of our own processes, with this interpreter."""
    return [sys.executable, "-m", "deploy", command]


def _engine_name(external: dict[str, str]) -> str:
    if "engine" in external:
        return "engine"
    return "meilisearch" if shutil.which("meilisearch") else "searchnode"


def data_folder(home: Home) -> Path:
    """Where PostgreSQL's cluster is."""
    return home.path / "postgres"
