"""The whole product for a measurement or a fault: `thmanyah up` in a temporary folder, generated programs."""

import json
import os
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psutil
import requests
from sqlalchemy import Engine, text

from catalog.core.db import make_engine
from catalog.core.settings import CatalogSettings
from catalog.seed import loading
from deploy.local.servers import postgres, valkey
from deploy.local.stack import ADMIN, DATABASE, answers, thmanyah
from indexer.settings import IndexerSettings


@dataclass
class Product:
    """Where the parts are."""

    home: Path
    ports: dict[str, int]
    database: Engine
    engine: str
    key: str

    @property
    def api(self) -> str:
        """The API's address."""
        return f"http://127.0.0.1:{self.ports['api']}"

    @property
    def indexer(self) -> IndexerSettings:
        """How the engine is reached, with a key that may do everything."""
        return IndexerSettings(meili_url=self.engine, meili_key=self.key)

    @property
    def environment(self) -> dict[str, str]:
        """What another process of this product is told."""
        return {
            "DATABASE_URL": self.database.url.render_as_string(hide_password=False),
            **valkey.addresses(self.ports["valkey"], "worker", self.secrets),
            "MEILI_URL": self.engine,
            "MEILI_KEY": self.key,
        }

    @property
    def secrets(self) -> dict[str, str]:
        """Those of its home."""
        found: dict[str, str] = json.loads((self.home / "secrets.json").read_text())
        return found

    def token(self) -> str:
        """The admin's access token."""
        given = {"email": ADMIN, "password": self.secrets["adminPassword"]}
        answer = requests.post(f"{self.api}/accounts/login", json=given, timeout=30)
        answer.raise_for_status()
        return str(answer.json()["data"]["accessToken"])

    def pid(self, name: str) -> int:
        """Return the process id of a part."""
        return int(json.loads((self.home / "pids.json").read_text())[name][0])

    def wait_indexed(self, timeout: float = 900) -> float:
        """Wait until every mark is gone, except those of parked documents.

        Args:
            timeout: Seconds.

        Returns:
            Seconds that it took.

        Raises:
            TimeoutError: Marks were left.
        """
        began = time.monotonic()
        while time.monotonic() - began < timeout:
            with self.database.connect() as connection:
                if not connection.scalar(text("SELECT count(*) FROM index_dirty WHERE NOT parked")):
                    return time.monotonic() - began
            time.sleep(0.2)
        raise TimeoutError("the index was not filled")

    def resident(self, name: str) -> list[int]:
        """Bytes that each of a part's processes holds, its first process first."""
        first = psutil.Process(self.pid(name))
        parts = [first, *first.children(recursive=True)]
        return [part.memory_info().rss for part in parts]


@contextmanager
def product(programs: int, *, patience: float = 900, **environment: str) -> Iterator[Product]:
    """Run a product until the block ends; begin when its programs are indexed.

    Args:
        programs: How many programs are generated.
        patience: Seconds that indexing may take.
        environment: Settings of the product, by their variables.

    Raises:
        RuntimeError: It did not start within ten minutes; the message is its log.
    """
    home = Path(tempfile.mkdtemp(prefix="thmanyah-perf-"))
    settings = {"THMANYAH_HOME": str(home), "RATE_LIMIT_PER_MINUTE": "0"} | environment
    with (home / "up.log").open("wb") as log:
        up = subprocess.Popen(thmanyah("up"), env=os.environ | settings, stdout=log, stderr=log)
    try:
        deadline = time.monotonic() + 600
        while not (home / "ports.json").exists() or b"Ctrl-C" not in (home / "up.log").read_bytes():
            if time.monotonic() > deadline or up.poll() is not None:
                raise RuntimeError((home / "up.log").read_text())
            time.sleep(0.2)
        ports = json.loads((home / "ports.json").read_text())
        given = os.environ | environment
        url = given.get("DATABASE_URL") or postgres.url(ports["postgres"], DATABASE)
        database = make_engine(
            CatalogSettings(database_url=url, pool_min=1, pool_max=20, statement_timeout_ms=0)
        )
        if programs:
            loading.load(database, programs)
        own = not given.get("MEILI_URL")
        key = json.loads((home / "secrets.json").read_text())["masterKey"]
        found = Product(
            home,
            ports,
            database,
            f"http://127.0.0.1:{ports['engine']}" if own else given["MEILI_URL"],
            key if own else given.get("MEILI_KEY", ""),
        )
        found.wait_indexed(patience)
        assert answers(f"{found.api}/health/live")
        yield found
        database.dispose()
    finally:
        up.send_signal(signal.SIGTERM)
        up.wait(60)
        shutil.rmtree(home, ignore_errors=True)
