"""The whole product over servers that may be killed and lines that may be hurt: what chaos is done to."""

import json
import os
import random
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import psutil
import psycopg
import redis
from sqlalchemy import Engine as Database

from catalog.core.db import make_engine
from catalog.core.settings import CatalogSettings
from catalog.seed import loading
from indexer.settings import IndexerSettings
from tests.support.databases import TEMPLATE, plain
from tests.support.proxy import FAULTS, Proxy
from tests.support.servers import Servers
from tests.support.stack import Product, product

SERVERS = ("postgres", "valkey", "searchnode")
PROCESSES = ("sync", "api", "worker", "scheduler")


@dataclass
class World:
    """`database` and `indexer` go past the lines: for writers, and for the judge at the end."""

    servers: Servers
    product: Product
    lines: dict[str, Proxy]
    database: Database
    indexer: IndexerSettings

    def kill(self, part: str, seconds: float) -> None:
        """SIGKILL. A server stays away for so long; processes are restarted by their supervisor."""
        if part in SERVERS:
            self.servers.kill(part)
            time.sleep(seconds)
            self.servers.restart(part)
        else:
            self._signal(part, signal.SIGKILL)

    def freeze(self, part: str, seconds: float) -> None:
        """SIGSTOP and, so long after, SIGCONT."""
        if self._signal(part, signal.SIGSTOP):
            time.sleep(seconds)
            self._signal(part, signal.SIGCONT)

    def hurt(self, line: str, fault: str, seconds: float) -> None:
        """A fault of a line for so long."""
        with self.lines[line].hurting(fault):
            time.sleep(seconds)

    def wipe(self) -> None:
        """Everything that Redis holds, caches and queues."""
        with redis.Redis.from_url(self.servers.addresses["TEST_VALKEY"]) as client:
            client.flushall()

    def _signal(self, part: str, number: signal.Signals) -> bool:
        if part in SERVERS:
            os.kill(self.servers.pid(part), number)
            return True
        known = json.loads((self.product.home / "pids.json").read_text()).get(part)
        if known is None:
            return False
        try:
            process = psutil.Process(int(known[0]))
            if abs(process.create_time() - known[1]) < 1:
                os.kill(process.pid, number)
                return True
        except (psutil.NoSuchProcess, ProcessLookupError):
            pass
        return False


def choose_line(chance: random.Random) -> tuple[str, str]:
    """A line and what happens on it. Nobody survives a lie about the record: TLS is for that."""
    line = chance.choice(("engine", "record", "redis"))
    return line, chance.choice([f for f in FAULTS if (line, f) != ("record", "corrupt")])


@contextmanager
def world(programs: int) -> Iterator[World]:
    """A running product with this many programs, on servers of its own."""
    servers = Servers(durable=True)
    try:
        at = servers.start()
        admin = at["TEST_POSTGRES"]
        with psycopg.connect(plain(admin), autocommit=True) as connection:
            connection.execute(f"CREATE DATABASE chaos TEMPLATE {TEMPLATE}")
        url = f"{admin.rpartition('/')[0]}/chaos"
        database = make_engine(
            CatalogSettings(database_url=url, pool_min=1, pool_max=20, statement_timeout_ms=0)
        )
        # Before the product starts: it loads the demo catalogue into a database without programs.
        loading.load(database, programs)
        indexer = IndexerSettings(meili_url=at["TEST_ENGINE"], meili_key=at["TEST_ENGINE_KEY"])
        with (
            Proxy(at["TEST_ENGINE"]) as engine,
            Proxy(url) as record,
            Proxy(at["TEST_VALKEY"]) as memory,
            product(
                0,
                REINDEX_KEEP_HOURS="0.002",
                DATABASE_URL=record.through(url),
                REDIS_CACHE_URL=f"{memory.through(at['TEST_VALKEY'])}/0",
                REDIS_QUEUE_URL=f"{memory.through(at['TEST_VALKEY'])}/1",
                MEILI_URL=engine.url,
                MEILI_KEY=at["TEST_ENGINE_KEY"],
            ) as running,
        ):
            lines = {"engine": engine, "record": record, "redis": memory}
            yield World(servers, running, lines, database, indexer)
        database.dispose()
    finally:
        servers.stop()
