"""Several engines, each kept in step by itself. Listeners do not notice one that is killed, frozen, behind or wiped."""

import signal
from dataclasses import replace

import pytest

from api.settings import Settings
from catalog.core.db import session_factory
from catalog.curation import synonyms
from indexer.engines import targets
from indexer.engines.admin import Engine
from indexer.rebuild.rebuild import Rebuild
from indexer.sender import initial_fill, leadership
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
from tests.support.product import sending
from tests.support.programs import EDITOR
from tests.support.rebuilds import request
from tests.support.scraping import metric
from tests.support.waiting import eventually

pytestmark = pytest.mark.slow

COUNT = 60


@pytest.fixture(autouse=True)
def soon(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(leadership, "TARGETS_SECONDS", 0.05)


@pytest.fixture
def settings(settings: Settings, pair: tuple[Node, Node]) -> Settings:
    """The test's own stores, and two engines."""
    urls = ",".join(f"{node.name}={node.url}" for node in pair)
    return with_engines(settings, urls)


def test_one_that_is_killed_lags_alone_and_nobody_notices(
    pipeline: Pipeline, pair: tuple[Node, Node], settings: Settings
) -> None:
    east, west = pair
    ids = stock(pipeline, COUNT)
    with serving(pipeline) as client:
        agrees(pipeline, east, west)
        with Listener(client, COUNT).throughout():
            failovers = 'engine_failovers_total{engine="west"}'
            before = metric(client, failovers)
            west.kill()
            for n, program_id in enumerate(ids[:20]):
                change(
                    pipeline,
                    "UPDATE programs SET title = :t WHERE id = :id",
                    t=f"Bulk {n} again",
                    id=program_id,
                )
            # The other one is told at once; this one waits.
            eventually(lambda: waiting(pipeline.database, "east") == 0, within=60)
            assert waiting(pipeline.database, "west") == 20
            eventually(lambda: metric(client, failovers) > before)
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
        failovers = 'engine_failovers_total{engine="east"}'
        before = metric(client, failovers)
        east.send(signal.SIGSTOP)
        with Listener(client, COUNT).throughout():
            eventually(lambda: metric(client, failovers) > before)
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
        change(pipeline, "UPDATE index_targets SET paused = true WHERE engine = 'west'")
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
        change(pipeline, "UPDATE index_targets SET paused = false WHERE engine = 'west'")
        agrees(pipeline, east, west)


def test_a_wiped_one_is_not_asked_until_it_is_filled_again(
    pipeline: Pipeline, pair: tuple[Node, Node], settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    # The API reads every tenth of a second that an index is to be filled; the sender gives it so much time that
    # a busy machine is no reason to miss it.
    monkeypatch.setattr(targets, "WATCH_SECONDS", 0.1)
    monkeypatch.setattr(initial_fill, "FOLLOWED_AFTER_SECONDS", 4.0)
    east, west = pair
    stock(pipeline, COUNT)
    with serving(pipeline) as client:
        listener = Listener(client, COUNT, degraded=True)
        with listener.throughout():
            for node in (east, west):
                node.kill()
                node.wipe()
            # While nothing may be sent, the new indexes are empty: PostgreSQL answers in full.
            change(pipeline, "UPDATE index_targets SET paused = true")
            east.start()
            west.start()
            eventually(lambda: filled(pipeline.database) == 0, within=60)
            listener.ask()
            change(pipeline, "UPDATE index_targets SET paused = false")
            eventually(lambda: filled(pipeline.database) == 2, within=60)
        agrees(pipeline, east, west)
        eventually(lambda: not client.get("/discovery/search", q="bulk 1").json()["meta"]["degraded"])


def test_one_is_rebuilt_while_the_other_is_away(pipeline: Pipeline, pair: tuple[Node, Node]) -> None:
    east, west = pair
    stock(pipeline, COUNT)
    with sending(pipeline.settings):
        eventually(lambda: filled(pipeline.database) == 2, within=60)
        west.kill()
        job_id = request(pipeline, engine="east")
        assert Rebuild(pipeline.database, pipeline.settings.indexer, pause=0.02).run(job_id) == "done"
        change(pipeline, "DELETE FROM index_targets WHERE state = 'previous'")
        change(pipeline, "DELETE FROM index_dirty WHERE target_id NOT IN (SELECT id FROM index_targets)")
        west.start()
        agrees(pipeline, east, west)


def test_synonyms_reach_every_engine_and_one_that_was_away_or_wiped(
    pipeline: Pipeline, pair: tuple[Node, Node]
) -> None:
    east, west = pair
    stock(pipeline, 1)

    uid = pipeline.settings.indexer.meili_index

    def of(node: Node) -> object:
        engine = Engine(pipeline.settings.indexer, node.url)
        return engine.settings_of(uid)["synonyms"] if engine.created_at(uid) else None

    with serving(pipeline):
        west.kill()
        with session_factory(pipeline.database).begin() as session:
            synonyms.create(session, {"kind": "two_way", "terms": ["a", "b"]}, EDITOR)
        wanted = {"a": ["b"], "b": ["a"]}
        eventually(lambda: of(east) == wanted, what="the engine that is there")
        west.revive()
        eventually(lambda: of(west) == wanted, what="the engine that was away")
        west.kill()
        west.wipe()
        west.revive()
        eventually(lambda: of(west) == wanted, what="the wiped engine")
