"""Engines that are added, drained and removed while listeners search."""

import os

import pytest
from click.testing import CliRunner
from redis import Redis

from api.settings import Settings
from indexer.engines.cli import engine as command
from indexer.sender import leadership
from tests.support.engines import (
    Listener,
    agrees,
    as_ops,
    filled,
    serving,
    shown,
    stock,
    waiting,
    with_engines,
)
from tests.support.nodes import Node
from tests.support.pipeline import Pipeline, change
from tests.support.processes import environment
from tests.support.scraping import metric
from tests.support.waiting import eventually

pytestmark = pytest.mark.slow

# Several batches of the sender.
COUNT = 1000


@pytest.fixture(autouse=True)
def soon(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(leadership, "TARGETS_SECONDS", 0.05)


@pytest.fixture
def settings(settings: Settings, pair: tuple[Node, Node]) -> Settings:
    """The test's own stores, and two engines."""
    urls = ",".join(f"{node.name}={node.url}" for node in pair)
    return with_engines(settings, urls)


def test_an_empty_one_is_filled_while_the_other_serves_then_drained_and_removed(
    pipeline: Pipeline,
    pair: tuple[Node, Node],
    settings: Settings,
    cache_redis: "Redis",
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    east, west = pair
    settings = with_engines(settings, f"east={east.url}")
    pipeline.settings = settings
    stock(pipeline, COUNT)
    for name, value in environment(settings).items():
        monkeypatch.setitem(os.environ, name, value)

    def typed(*words: str) -> str:
        done = CliRunner().invoke(command, words)
        return f"{done.exit_code}: {done.output}"

    with serving(pipeline, engines=1) as client:
        ops = as_ops(client, settings, pipeline.database)
        assert "cannot be added: it cannot be reached: Connection refused" in typed(
            "add", "west", "http://127.0.0.1:1"
        )
        with Listener(client, COUNT).throughout():
            assert typed("add", "west", west.url).startswith("0: ")
            eventually(lambda: shown(ops)["west"]["filled"])
        assert "There is an engine called west." in typed("add", "west", west.url)
        agrees(pipeline, east, west)
        assert shown(ops)["west"] == {
            "name": "west",
            "url": west.url,
            "state": "serving",
            "filled": True,
            "healthy": True,
            "index": settings.indexer.meili_index,
            "breakerOpen": False,
            "lagSec": 0.0,
        }
        # A rebuild must say which.
        assert ops.post("/ops/reindex", {}).json()["code"] == "validation_failed"
        assert ops.post("/ops/engines/nobody/drain", {}).status_code == 404
        with Listener(client, COUNT).throughout():
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
