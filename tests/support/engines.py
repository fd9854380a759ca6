"""Several engines behind one API: their settings, listeners who search all the time, and the audit of each."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import Engine as Database
from sqlalchemy import text

from api.settings import Settings
from indexer.engines.admin import Engine
from indexer.rebuild.drift.audit import Audit
from tests.support.accounts import add_account, signed_in
from tests.support.client import Client
from tests.support.databases import scalar
from tests.support.nodes import Node
from tests.support.pipeline import Pipeline, bulk, change
from tests.support.product import sending, serve
from tests.support.servers import MASTER_KEY
from tests.support.threads import alongside
from tests.support.waiting import eventually

# Seconds between two searches of a listener: as many see a fault, and the engines have the processor for it.
PAUSE = 0.02


def with_engines(settings: Settings, urls: str) -> Settings:
    """Return settings with several engines, patient enough for a busy machine.

    Args:
        settings: The test's own stores.
        urls: The engines as MEILI_URLS names them: `east=http://host:1,west=http://host:2`.
    """
    more = {
        "meili_urls": urls,
        "meili_key": MASTER_KEY,
        "read_timeout": 4.0,
        "breaker_seconds": 0.5,
        "breaker_failures": 2,
    }
    # Without an engine PostgreSQL answers, and may take its time: these tests are about what is answered.
    api = settings.api.model_copy(update={"fallback_timeout_ms": 60_000})
    return replace(settings, indexer=settings.indexer.model_copy(update=more), api=api)


def stock(pipeline: Pipeline, count: int) -> list[int]:
    """Publish so many programs, released now; return their ids."""
    ids = bulk(pipeline, count)
    change(pipeline, "UPDATE programs SET release_date = now()")
    return ids


def waiting(database: Database, engine: str) -> int:
    """Return how many programs have a mark for this engine."""
    query = (
        "SELECT count(*) FROM index_dirty d JOIN index_targets t ON t.id = d.target_id "
        f"WHERE t.engine = '{engine}'"
    )
    return int(scalar(database, query))


def agrees(pipeline: Pipeline, *kept: Node) -> None:
    """Wait until no mark is left; check that these engines, and no others, equal the record."""
    eventually(lambda: pipeline.waiting() == 0, within=60, what="nothing waits")
    kept_now = "SELECT id, engine, index_uid FROM index_targets ORDER BY engine"
    with pipeline.database.connect() as connection:
        rows = connection.execute(text(kept_now)).all()
    assert [row.engine for row in rows] == sorted(node.name for node in kept)
    urls = {node.name: node.url for node in kept}
    for target_id, name, uid in rows:
        engine = Engine(pipeline.settings.indexer, urls[name])
        assert Audit(pipeline.database, engine, target_id, uid).run().ids == []
        assert engine.count(uid) == len(pipeline.wanted())


@dataclass
class Listener:
    """Searches again and again and expects `total` programs each time; keeps wrong answers in `lacking`.

    `degraded`: answers from PostgreSQL are expected too.
    """

    client: Client
    total: int
    degraded: bool = False
    answers: int = 0
    lacking: list[Any] = field(default_factory=list)

    def ask(self) -> None:
        """Search once."""
        self.answers += 1
        # A moment of its own each time, after every release: no cache answers.
        after = (datetime.now(UTC) + timedelta(days=1, seconds=self.answers)).isoformat()
        answer = self.client.get("/discovery/search", q="bulk", limit=1, releasedBefore=after)
        body = answer.json()
        whole = answer.status_code == 200 and body["meta"]["total"] == self.total
        if not whole or (body["meta"]["degraded"] and not self.degraded):
            self.lacking.append(body)

    @contextmanager
    def throughout(self) -> Iterator[None]:
        """Search until the block ends, and twenty times more; fail when an answer was wrong."""

        def go_on(stop: threading.Event) -> None:
            while not stop.wait(PAUSE):
                self.ask()

        with alongside(go_on):
            yield
            asked = self.answers
            eventually(lambda: self.answers > asked + 20 or self.lacking)
        assert not self.lacking, self.lacking[:2]


@contextmanager
def serving(pipeline: Pipeline, engines: int = 2) -> Iterator[Client]:
    """Run senders and an API until the block ends; begin when so many engines have had their initial fill."""
    with sending(pipeline.settings), serve(pipeline.settings) as (client, _):
        eventually(lambda: filled(pipeline.database) == engines, within=60)
        eventually(lambda: undegraded(client))
        yield client


def undegraded(client: Client) -> bool:
    """Return whether an engine answers searches."""
    found: dict[str, Any] = client.get("/discovery/search", q="bulk").json()
    return not found["meta"]["degraded"]


def filled(database: Database) -> int:
    """Return how many indexes have had their initial fill."""
    return int(scalar(database, "SELECT count(*) FROM index_targets WHERE state = 'live'"))


def shown(client: Client) -> dict[str, dict[str, Any]]:
    """Return the engines as /ops/engines shows them, by name."""
    return {row["name"]: row for row in client.get("/ops/engines").json()["data"]}


def as_ops(client: Client, settings: Settings, database: Database) -> Client:
    """Return a client that is signed in with the role `ops`."""
    return signed_in(client, add_account(settings, database, "ops", ["ops"]))
