"""Several engines: each kept in step by itself; listeners never notice one that is killed, frozen,
behind, added, drained or wiped."""

import os
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from redis import Redis
from sqlalchemy import Engine as Database
from sqlalchemy import text

from api.auth import access_token
from api.settings import Settings
from catalog.accounts.models import Account
from catalog.actor import SYSTEM
from catalog.db import session_factory
from catalog.indexing import engines as registry
from indexer import place, targets
from indexer.cli_engines import engine as command
from indexer.drift import Audit
from indexer.engine import Engine
from indexer.reindex import Rebuild
from indexer.settings import IndexerSettings
from tests.api.test_degraded import metric
from tests.indexer.conftest import Pipeline
from tests.indexer.test_reindex import request
from tests.indexer.test_sender import bulk, change
from tests.journeys.conftest import environment
from tests.support.nodes import Node, nodes
from tests.support.product import Client, sending, serve
from tests.support.servers import MASTER_KEY, eventually, scalar
from tests.support.threads import alongside

COUNT = 60


@pytest.fixture(autouse=True)
def soon(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(place, "TARGETS_SECONDS", 0.05)


@pytest.fixture
def pair(tmp_path: Path) -> Iterator[tuple[Node, Node]]:
    with nodes(tmp_path, "east", "west") as (east, west):
        yield east, west


@pytest.fixture
def settings(settings: Settings, pair: tuple[Node, Node]) -> Settings:
    """The test's own stores, and two engines."""
    urls = ",".join(f"{node.name}={node.url}" for node in pair)
    return with_engines(settings, urls)


def with_engines(settings: Settings, urls: str) -> Settings:
    more = {
        "meili_urls": urls, "meili_key": MASTER_KEY, "read_timeout": 4.0, "breaker_seconds": 0.5,
        "breaker_failures": 2,
    }  # fmt: skip
    return replace(settings, indexer=settings.indexer.model_copy(update=more))


def stock(pipeline: Pipeline, count: int) -> list[int]:
    ids = bulk(pipeline, count)
    change(pipeline, "UPDATE programs SET release_date = now()")
    return ids


def waiting(database: Database, engine: str) -> int:
    query = (
        "SELECT count(*) FROM index_dirty d JOIN index_targets t ON t.id = d.target_id "
        f"WHERE t.engine = '{engine}'"
    )
    return int(scalar(database, query))


def agrees(pipeline: Pipeline, *kept: Node) -> None:
    """Nothing waits, and every one of these engines equals the record."""
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
    """Searches without a pause; `lacking` is what it should not have been answered."""

    client: Client
    total: int
    degraded: bool = False
    answers: int = 0
    lacking: list[Any] = field(default_factory=list)

    def ask(self) -> None:
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
        def go_on(stop: threading.Event) -> None:
            while not stop.is_set():
                self.ask()

        with alongside(go_on):
            yield
            asked = self.answers
            eventually(lambda: self.answers > asked + 20 or self.lacking)
        assert not self.lacking, self.lacking[:2]


@contextmanager
def serving(pipeline: Pipeline, engines: int = 2) -> Iterator[Client]:
    """Senders and an API whose searches go to as many engines, all filled."""
    with sending(pipeline.settings), serve(pipeline.settings) as (client, _):
        eventually(lambda: filled(pipeline.database) == engines, within=60)
        eventually(lambda: undegraded(client))
        yield client


def undegraded(client: Client) -> bool:
    found: dict[str, Any] = client.get("/discovery/search", q="bulk").json()
    return not found["meta"]["degraded"]


def filled(database: Database) -> int:
    return int(scalar(database, "SELECT count(*) FROM index_targets WHERE filled"))


def shown(client: Client) -> dict[str, dict[str, Any]]:
    return {row["name"]: row for row in client.get("/ops/engines").json()["data"]}


def as_ops(client: Client, settings: Settings, database: Database) -> Client:
    with session_factory(database).begin() as session:
        account = Account(email="ops@example.com", roles=["ops"], password_hash="x")
        session.add(account)
        session.flush()
        session.refresh(account)
        token, _ = access_token(settings.api, account)
    return Client(client.base, Authorization=f"Bearer {token}")


def test_one_that_is_killed_lags_alone_and_nobody_notices(
    pipeline: Pipeline, pair: tuple[Node, Node], settings: Settings
) -> None:
    east, west = pair
    ids = stock(pipeline, COUNT)
    with serving(pipeline) as client:
        agrees(pipeline, east, west)
        with Listener(client, COUNT).throughout():
            west.kill()
            for n, program_id in enumerate(ids[:20]):
                change(pipeline, "UPDATE programs SET title = :t WHERE id = :id", t=f"Bulk {n} again", id=program_id)  # fmt: skip
            # The other one is told at once; this one waits.
            eventually(lambda: waiting(pipeline.database, "east") == 0, within=60)
            assert waiting(pipeline.database, "west") == 20
            eventually(lambda: metric(client, 'engine_failovers_total{engine="west"}') > 0)
        eventually(lambda: client.get("/health/ready").json()["status"] == "ok")
        with Listener(client, COUNT).throughout():
            west.start()
            agrees(pipeline, east, west)


def test_one_that_hangs_costs_half_the_time_of_a_search(
    pipeline: Pipeline, pair: tuple[Node, Node], settings: Settings
) -> None:
    east, west = pair
    stock(pipeline, COUNT)
    with serving(pipeline) as client:
        east.send(signal.SIGSTOP)
        with Listener(client, COUNT).throughout():
            eventually(lambda: metric(client, 'engine_failovers_total{engine="east"}') > 0)
        east.send(signal.SIGCONT)
        agrees(pipeline, east, west)


def test_one_that_is_behind_is_asked_only_when_no_other_answers(
    pipeline: Pipeline, pair: tuple[Node, Node], settings: Settings
) -> None:
    east, west = pair
    settings = replace(settings, indexer=settings.indexer.model_copy(update={"fresh_seconds": 0.3}))
    pipeline.settings = settings
    (first, *_) = stock(pipeline, COUNT)
    with serving(pipeline) as client:
        ops = as_ops(client, settings, pipeline.database)
        eventually(lambda: pipeline.waiting() == 0)
        change(pipeline, "UPDATE index_targets SET hold = true WHERE engine = 'west'")
        change(pipeline, "UPDATE programs SET title = 'Renamed' WHERE id = :id", id=first)
        eventually(lambda: shown(ops)["west"]["lagSec"] > 1 and shown(ops)["east"]["lagSec"] == 0)
        for n in range(30):
            found = client.get("/discovery/search", q=f"renamed {n}", limit=1).json()
            assert (found["meta"]["degraded"], found["data"][0]["title"]) == (False, "Renamed")
        east.kill()

        def stale() -> bool:
            found = client.get("/discovery/search", q="bulk 1", sort="oldest").json()
            return not found["meta"]["degraded"]

        # Poorer than fresh, better than PostgreSQL's.
        eventually(stale)
        east.start()
        change(pipeline, "UPDATE index_targets SET hold = false WHERE engine = 'west'")
        agrees(pipeline, east, west)


def test_an_empty_one_is_filled_while_the_other_serves_then_drained_and_removed(
    pipeline: Pipeline, pair: tuple[Node, Node], settings: Settings, cache_redis: "Redis",
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    east, west = pair
    settings = with_engines(settings, f"east={east.url}")
    pipeline.settings = settings
    stock(pipeline, 3000)
    for name, value in environment(settings).items():
        monkeypatch.setitem(os.environ, name, value)

    def typed(*words: str) -> str:
        done = CliRunner().invoke(command, words)
        return f"{done.exit_code}: {done.output}"

    with serving(pipeline, engines=1) as client:
        ops = as_ops(client, settings, pipeline.database)
        assert "does not let us in" in typed("add", "west", "http://127.0.0.1:1")
        with Listener(client, 3000).throughout():
            assert typed("add", "west", west.url).startswith("0: ")
            eventually(lambda: shown(ops)["west"]["filled"])
        assert "There is an engine called west." in typed("add", "west", west.url)
        agrees(pipeline, east, west)
        assert shown(ops)["west"] == {
            "name": "west", "url": west.url, "state": "serving", "filled": True, "healthy": True,
            "index": settings.indexer.meili_index, "breakerOpen": False, "lagSec": 0.0,
        }  # fmt: skip
        # A rebuild must say which.
        assert ops.post("/ops/reindex", {}).json()["code"] == "validation_failed"
        assert ops.post("/ops/engines/nobody/drain", {}).status_code == 404
        with Listener(client, 3000).throughout():
            assert ops.post("/ops/engines/east/drain", {}).json()["data"][0]["state"] == "draining"
            last = ops.post("/ops/engines/west/drain", {})
            assert (last.status_code, last.json()["code"]) == (409, "last_engine")
            assert "only engine that serves" in typed("remove", "west")
            # Drained, it may be stopped: nobody is sent there, and it is kept in step afterwards.
            before = metric(client, 'engine_failovers_total{engine="east"}')
            east.kill()
            change(pipeline, "UPDATE programs SET description = 'More' WHERE id % 100 = 0")
            east.start()
            eventually(lambda: waiting(pipeline.database, "east") == 0, within=60)
            assert metric(client, 'engine_failovers_total{engine="east"}') == before
            assert ops.post("/ops/engines/east/resume").json()["data"][0]["state"] == "serving"
            assert typed("drain", "west").startswith("0: ")
            assert typed("remove", "west").startswith("0: ")
        change(pipeline, "UPDATE programs SET description = 'Even more' WHERE id % 50 = 0")
        agrees(pipeline, east)
        assert "west" not in typed("list")
        assert list(shown(ops)) == ["east"]
        # It comes back with what it held: what changed since is sent, what went is deleted.
        change(pipeline, "DELETE FROM programs WHERE id % 100 = 1")
        assert typed("add", "west", west.url, "--no-wait").startswith("0: ")
        eventually(lambda: filled(pipeline.database) == 2, within=60)
        agrees(pipeline, east, west)


def test_a_wiped_one_is_not_asked_until_it_is_filled_again(
    pipeline: Pipeline, pair: tuple[Node, Node], settings: Settings
) -> None:
    east, west = pair
    stock(pipeline, COUNT)
    with serving(pipeline) as client:
        listener = Listener(client, COUNT, degraded=True)
        with listener.throughout():
            for node in (east, west):
                node.kill()
                node.wipe()
            # While nothing may be sent, the new indexes are empty: PostgreSQL answers in full.
            change(pipeline, "UPDATE index_targets SET hold = true")
            east.start()
            west.start()
            eventually(lambda: filled(pipeline.database) == 0, within=60)
            listener.ask()
            change(pipeline, "UPDATE index_targets SET hold = false")
            eventually(lambda: filled(pipeline.database) == 2, within=60)
        agrees(pipeline, east, west)
        eventually(lambda: not client.get("/discovery/search", q="bulk 1").json()["meta"]["degraded"])  # fmt: skip


def test_one_is_rebuilt_while_the_other_is_away(
    pipeline: Pipeline, pair: tuple[Node, Node]
) -> None:
    east, west = pair
    stock(pipeline, COUNT)
    with sending(pipeline.settings):
        eventually(lambda: filled(pipeline.database) == 2, within=60)
        west.kill()
        job_id = request(pipeline, engine="east")
        assert Rebuild(pipeline.database, pipeline.settings.indexer, pause=0.02).run(job_id) == "done"  # fmt: skip
        change(pipeline, "DELETE FROM index_targets WHERE state = 'previous'")
        change(pipeline, "DELETE FROM index_dirty WHERE target_id NOT IN (SELECT id FROM index_targets)")  # fmt: skip
        west.start()
        agrees(pipeline, east, west)


def test_names_follow_addresses(pipeline: Pipeline, settings: Settings) -> None:
    """A deployment that goes from one engine to several keeps what it has."""
    sessions = session_factory(pipeline.database)

    def register(**urls: str) -> dict[str, tuple[str | None, str]]:
        with sessions.begin() as session:
            registry.register(session, urls)
            return {e.name: (e.url, e.state) for e in registry.known(session)}

    assert register(default="http://a") == {"default": ("http://a", "serving")}
    found = register(one="http://a", two="http://b")
    assert found == {"one": ("http://a", "serving"), "two": ("http://b", "serving")}
    assert scalar(pipeline.database, "SELECT engine FROM index_targets") == "one"
    assert register(one="http://b", two="http://a")["one"] == ("http://b", "serving")
    with sessions.begin() as session:
        registry.remove(session, "two", SYSTEM)
    # What was removed stays so, until it is somewhere else.
    assert register(one="http://b", two="http://a")["two"] == ("http://a", "removed")
    assert register(one="http://b", two="http://c")["two"] == ("http://c", "serving")
    with sessions.begin() as session:
        registry.remove(session, "two", SYSTEM)
        registry.add(session, "three", "http://d", SYSTEM)
    found = register(one="http://b", four="http://c")
    assert (found["two"], found["four"]) == ((None, "removed"), ("http://c", "serving"))
    # An address that somebody else has is not taken from him, and nothing ends for it.
    found = register(one="http://d", four="http://c")
    assert (found["one"], found["three"]) == ((None, "serving"), ("http://d", "serving"))
    with sessions.begin() as session:
        one = settings.indexer.model_copy(update={"meili_urls": "one=http://d,four=http://c"})
        assert targets.engines(session, one) == {"one": "http://d", "four": "http://c"}


def test_one_that_is_removed_just_now_gets_no_new_index(
    pipeline: Pipeline, monkeypatch: pytest.MonkeyPatch
) -> None:
    sessions = session_factory(pipeline.database)
    settings = pipeline.settings.indexer
    with sessions.begin() as session:
        assert targets.ensure(session, settings)
    listed = targets.engines

    def read_before(*arguments: Any) -> dict[str, str]:
        found = listed(*arguments)
        with sessions.begin() as other:
            registry.remove(other, "west", SYSTEM)
        return found

    monkeypatch.setattr(targets, "engines", read_before)
    with sessions.begin() as session:
        assert targets.ensure(session, settings)
    assert scalar(pipeline.database, "SELECT string_agg(engine, ',') FROM index_targets") == "east"


@pytest.mark.parametrize("urls", ["ftp://x", "a=http://x,a=http://y", "http://x,http://x", "a="])
def test_addresses_that_are_none_are_refused(urls: str) -> None:
    with pytest.raises(ValueError, match="MEILI_URLS"):
        IndexerSettings(meili_urls=urls)
    named = IndexerSettings(meili_urls="http://east:7700, west=https://w.example/path")
    assert named.configured_engines == {
        "east:7700": "http://east:7700", "west": "https://w.example/path",
    }  # fmt: skip
