"""What the product consists of on one machine: its ports, its variables, and its processes in starting order."""

import os
import shutil
import signal
import sys
import urllib.request
from dataclasses import dataclass, field
from pathlib import Path

from deploy.local import ports
from deploy.local.home import Home
from deploy.local.ports import Claims
from deploy.local.preparing import Facts
from deploy.local.process import Child
from deploy.local.servers import engine, postgres, valkey
from deploy.redis_acl import Role

DATABASE = "thmanyah"
ADMIN = "admin@thmanyah.local"
# Below the ports that systems give to outgoing connections (from 32768 on Linux): one of those could take the port of a
# server between the choice and its start.
PREFERRED = {"postgres": 25432, "valkey": 27379, "engine": 7700, "api": 8000}
# A variable that names a server of the user's own, which is then used instead of a local one.
_EXTERNAL = (
    ("postgres", "DATABASE_URL"),
    ("valkey", "REDIS_CACHE_URL"),
    ("engine", "MEILI_URL"),
    # Every process reads it from the environment, and then ignores MEILI_URL.
    ("engine", "MEILI_URLS"),
)


def answers(url: str) -> bool:
    """Return whether an HTTP GET of the address succeeds within a second."""
    try:
        with urllib.request.urlopen(url, timeout=1) as response:  # noqa: S310 (our own servers' addresses)
            return bool(response.status == 200)
    except OSError:
        return False


@dataclass
class Stack:
    """Everything that `up` supervises, and where everything else is.

    Attributes:
        home: Where data, secrets and logs are.
        ports: Ports of the local servers and the API, by the names in `PREFERRED`.
        moved: The preferred port of everything that had to take another one.
        claims: Keeps the ports until they are handed on.
        external: Addresses of servers that the environment names; they are used and not started.
        engine_name: Which engine is started.
        redis_prefix: What the keys of the cache begin with.
        environment: Variables of every process of the product.
        keys: Keys of the local engine by variable, once it is up; empty when the user named an engine and a key.
    """

    home: Home
    ports: dict[str, int]
    moved: dict[str, int]
    claims: Claims
    external: dict[str, str]
    engine_name: str
    redis_prefix: str
    environment: dict[str, str] = field(init=False)
    keys: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.environment = self._environment()

    @classmethod
    def plan(cls, home: Home, redis_prefix: str) -> "Stack":
        """Choose ports and addresses; servers that the environment names are used as they are.

        Args:
            home: Where everything is kept.
            redis_prefix: What the keys of the cache begin with.

        Raises:
            LocalStackError: No port is free, or the home cannot be written.
        """
        external = {name: os.environ[variable] for name, variable in _EXTERNAL if os.environ.get(variable)}
        last = home.ports()
        wanted = PREFERRED | {"api": int(os.environ.get("API_PORT") or PREFERRED["api"])}
        engine_name = "engine" if "engine" in external else engine.name()
        claims = Claims()
        chosen: dict[str, int] = {}
        for name, preferred in wanted.items():
            if name in external:
                continue
            candidates = list(dict.fromkeys((preferred, last.get(name, preferred))))
            host = os.environ.get("API_HOST") or ports.HOST if name == "api" else ports.HOST
            # The API and the search node accept a bound socket; servers from elsewhere do not.
            bind = name == "api" or (name, engine_name) == ("engine", engine.SEARCHNODE)
            chosen[name] = claims.choose(name, candidates, host=host, bind=bind)
        moved = {name: wanted[name] for name, port in chosen.items() if port != wanted[name]}
        home.write("ports", chosen)
        return cls(home, chosen, moved, claims, external, engine_name, redis_prefix)

    def _environment(self) -> dict[str, str]:
        secrets = self.home.secrets()
        own = os.environ
        return {
            "DATABASE_URL": self.database_url,
            **self._redis("worker"),
            "MEILI_URL": self.engine_url,
            "MEILI_KEY": own.get("MEILI_KEY")
            or own.get("MEILI_MASTER_KEY")
            or ("" if "engine" in self.external else secrets["masterKey"]),
            "THMANYAH_SECRET_KEY": own.get("THMANYAH_SECRET_KEY") or secrets["secretKey"],
            "API_PORT": str(self.ports["api"]),
            **self._pictures(),
            "PYTHONUNBUFFERED": "1",
        }

    def _pictures(self) -> dict[str, str]:
        """Return where uploaded pictures are kept, unless the environment says it."""
        if os.environ.get("PICTURES_FOLDER") or os.environ.get("PICTURES_BUCKET_URL"):
            return {}
        return {"PICTURES_FOLDER": str(self.home.path / "pictures")}

    def _redis(self, role: Role) -> dict[str, str]:
        """Return the addresses of Redis, for processes with this role."""
        cache, queue = self.external.get("valkey"), os.environ.get("REDIS_QUEUE_URL")
        if cache is not None:
            return {"REDIS_CACHE_URL": cache, "REDIS_QUEUE_URL": queue or cache}
        own = valkey.addresses(self.ports["valkey"], role, self.home.secrets())
        return own | ({"REDIS_QUEUE_URL": queue} if queue else {})

    @property
    def database_url(self) -> str:
        """Address of the catalogue's database."""
        return self.external.get("postgres") or postgres.url(self.ports["postgres"], DATABASE)

    @property
    def engine_url(self) -> str:
        """Address of the engine that answers searches."""
        return self.external.get("engine") or f"http://127.0.0.1:{self.ports['engine']}"

    @property
    def api_url(self) -> str:
        """Address of the API, as a person opens it."""
        return f"http://127.0.0.1:{self.ports['api']}"

    @property
    def facts(self) -> Facts:
        """What the steps of the preparation must know."""
        secrets = self.home.secrets()
        return Facts(
            DATABASE,
            self.database_url,
            None if "postgres" in self.external else self.ports["postgres"],
            None if "engine" in self.external else self.engine_url,
            secrets["masterKey"],
            ADMIN,
            secrets["adminPassword"],
        )

    def servers(self) -> list[Child]:
        """Return the local servers; everything else needs them first."""
        found = []
        if "postgres" not in self.external:
            found.append(self._postgres(self.ports["postgres"]))
        if "valkey" not in self.external:
            found.append(self._valkey(self.ports["valkey"]))
        if "engine" not in self.external:
            found.append(self._engine(self.ports["engine"]))
        return found

    def _postgres(self, port: int) -> Child:
        return Child(
            "postgres",
            postgres.server_command(data_folder(self.home), port),
            lambda: postgres.accepts(port),
            f"127.0.0.1:{port}",
            base_environment=postgres.environment(),
            user=postgres.user(),
            # A fast shutdown: it ends sessions instead of waiting for them.
            stop_signal=signal.SIGINT,
        )

    def _valkey(self, port: int) -> Child:
        data = self.home.path / "valkey"
        users = valkey.write_users(data, self.home.secrets(), self.redis_prefix)
        return Child(
            "valkey",
            # How often a second it looks after itself, asked or not. What has expired is gone for whoever asks, all the same.
            [*valkey.server_command(data, port, acl=users), "--hz", "2"],
            lambda: valkey.answers(port),
            f"127.0.0.1:{port}",
        )

    def _engine(self, port: int) -> Child:
        name = self.engine_name
        return Child(
            name,
            [str(shutil.which(name))] if name == engine.MEILISEARCH else thmanyah("searchnode"),
            lambda: answers(f"http://127.0.0.1:{port}/health"),
            f"127.0.0.1:{port}",
            engine.environment(name, self.home.path / name, port, self.home.secrets()["masterKey"]),
            bound=self.claims.sockets.get("engine"),
        )

    def processes(self) -> list[Child]:
        """Return the product's own processes."""
        metrics = {"PROMETHEUS_MULTIPROC_DIR": str(self.home.path / "metrics")}
        # The API is open to the world, so its key may only search.
        searching = {"MEILI_KEY": "", "MEILI_SEARCH_KEY": self.keys["MEILI_SEARCH_KEY"]} if self.keys else {}
        api = Child(
            "api",
            thmanyah("api"),
            lambda: answers(f"{self.api_url}/health/live"),
            self.api_url,
            self.environment | self._redis("api") | searching | metrics,
            bound=self.claims.sockets.get("api"),
        )
        writing = {"MEILI_KEY": self.keys["MEILI_KEY"]} if self.keys else {}
        others = [
            Child(name, thmanyah(name), lambda: True, about, self.environment | writing)
            for name, about in (
                ("sync", "keeps the index equal to the catalogue"),
                ("worker", "background jobs"),
                ("scheduler", "publishes on time, periodic jobs"),
            )
        ]
        return [api, *others]


def thmanyah(command: str) -> list[str]:
    """Return the command line of a process of the product, run by this interpreter."""
    return [sys.executable, "-m", "deploy", command]


def data_folder(home: Home) -> Path:
    """Return the folder of the local PostgreSQL's cluster."""
    return home.path / "postgres"
