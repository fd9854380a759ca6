"""A rebuild beside live traffic: nothing lost, nothing shown too early, every step repeatable."""

import threading
import time
from types import SimpleNamespace
from typing import Any

import pytest
from sqlalchemy import text

from catalog.core.actor import Actor
from catalog.core.db import session_factory
from catalog.core.errors import Conflict, IllegalStep
from catalog.indexing import rebuilds
from indexer.engines import index_settings
from indexer.engines.admin import Engine
from indexer.engines.messages import IdHit, Query
from indexer.rebuild import golden, orphans
from indexer.rebuild.rebuild import CRASH_POINTS, Rebuild
from indexer.sender import leadership
from tests.support.databases import scalar
from tests.support.dying import killed_rebuilding
from tests.support.pipeline import Pipeline, bulk, change
from tests.support.processes import environment
from tests.support.product import sending
from tests.support.rebuilds import agrees, carry_out, job, request, unlease
from tests.support.waiting import eventually

pytestmark = pytest.mark.slow

OPS = Actor("account", 1, "ops@example.com")


@pytest.fixture(autouse=True)
def soon(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(leadership, "TARGETS_SECONDS", 0.05)


def roles(pipeline: Pipeline) -> dict[str, str]:
    """state -> index of every target."""
    with pipeline.database.connect() as connection:
        found = connection.execute(text("SELECT state, index_uid FROM index_targets"))
        return {row.state: row.index_uid for row in found}


def test_a_rebuild_while_editors_write_and_listeners_search(pipeline: Pipeline) -> None:
    ids = bulk(pipeline, 1500)
    uid = pipeline.settings.indexer.meili_index
    with sending(pipeline.settings):
        eventually(lambda: pipeline.waiting() == 0, within=60)
        before = pipeline.engine.created_at(uid)
        stop, failures, searches = threading.Event(), [], []

        def write() -> None:
            n = 0
            while not stop.is_set() and n < 2000:
                n += 1
                change(
                    pipeline,
                    "UPDATE programs SET title = :t WHERE id = :id",
                    t=f"Edit {n}",
                    id=ids[n * 7 % 1500],
                )
                if n % 5 == 0:
                    change(pipeline, "UPDATE programs SET status = 'draft' WHERE id = :id", id=ids[n % 1500])
                if n % 11 == 0:
                    change(pipeline, "DELETE FROM programs WHERE id = :id", id=ids[-(n % 1500)])
                time.sleep(0.002)

        def search() -> None:
            reader = Engine(pipeline.settings.indexer)
            while not stop.wait(0.01):
                found = reader.multi_search([Query(q="", index_uid=uid, limit=1)], IdHit)
                searches.append(1)
                if found[0].total < 800:
                    failures.append(found)

        threads = [threading.Thread(target=write), threading.Thread(target=search)]
        for thread in threads:
            thread.start()
        job_id = request(pipeline)
        try:
            assert carry_out(pipeline, job_id) == "done", job(pipeline, job_id).detail
        finally:
            stop.set()
            for thread in threads:
                thread.join(60)
        assert searches
        assert not failures
        agrees(pipeline)
        assert pipeline.engine.created_at(uid) != before
        done = job(pipeline, job_id)
        assert done.total is not None
        assert roles(pipeline) == {"live": uid, "previous": done.new_uid}


@pytest.mark.parametrize("point", CRASH_POINTS)
def test_a_rebuild_killed_at_any_moment_is_done_once(point: str, pipeline: Pipeline) -> None:
    ids = bulk(pipeline, 40)
    uid = pipeline.settings.indexer.meili_index
    with sending(pipeline.settings):
        eventually(lambda: pipeline.waiting() == 0, within=60)
        before = pipeline.engine.created_at(uid)
        job_id = request(pipeline)
        assert killed_rebuilding(environment(pipeline.settings), point, job_id)
        change(pipeline, "UPDATE programs SET title = 'Later' WHERE id = :id", id=ids[0])
        change(pipeline, "DELETE FROM programs WHERE id = :id", id=ids[1])
        # Until the lease runs out nobody else may touch it.
        assert carry_out(pipeline, job_id) == "busy"
        unlease(pipeline)
        if point != "verified":
            assert carry_out(pipeline, job_id) == "done", job(pipeline, job_id).detail
        assert job(pipeline, job_id).state == "done"
        agrees(pipeline)
        assert pipeline.engine.created_at(uid) not in (None, before)
        assert len(pipeline.stored()) == 39


def test_a_rollback_loses_no_edit(pipeline: Pipeline) -> None:
    ids = bulk(pipeline, 30)
    uid = pipeline.settings.indexer.meili_index
    with sending(pipeline.settings):
        eventually(lambda: pipeline.waiting() == 0, within=60)
        old = pipeline.engine.created_at(uid)
        job_id = request(pipeline)
        assert carry_out(pipeline, job_id) == "done"
        change(pipeline, "UPDATE programs SET title = 'Since then' WHERE id = :id", id=ids[0])
        with session_factory(pipeline.database).begin() as session:
            rebuilds.request_rollback(session, job_id, OPS)
        assert carry_out(pipeline, job_id) == "rolled_back"
        assert pipeline.engine.created_at(uid) == old
        agrees(pipeline)
        with session_factory(pipeline.database).begin() as session, pytest.raises(IllegalStep):
            rebuilds.request_rollback(session, job_id, OPS)


def test_one_rebuild_runs_at_a_time_and_can_be_canceled(pipeline: Pipeline) -> None:
    bulk(pipeline, 10)
    pipeline.sender().drain()
    job_id = request(pipeline)
    with pytest.raises(Conflict):
        request(pipeline)
    # No sender fills the new index: it waits, and can be called off.
    waiting = Rebuild(pipeline.database, pipeline.settings.indexer, pause=0.02, patience=0.5)
    eventually(lambda: waiting.run(job_id) == "filling", within=60)
    uid = str(job(pipeline, job_id).new_uid)
    assert uid in pipeline.engine.index_uids()
    with session_factory(pipeline.database).begin() as session:
        rebuilds.cancel(session, job_id, OPS)
    assert carry_out(pipeline, job_id) == "canceled"
    assert list(roles(pipeline)) == ["live"]
    assert scalar(pipeline.database, "SELECT count(*) FROM index_dirty") == 0
    settings = pipeline.settings.indexer
    assert orphans.collect(pipeline.database, settings) == [uid]
    assert uid not in pipeline.engine.index_uids()
    pipeline.sender().drain()
    pipeline.audit()


def test_the_previous_index_is_deleted_when_its_time_is_over(pipeline: Pipeline) -> None:
    bulk(pipeline, 10)
    with sending(pipeline.settings):
        eventually(lambda: pipeline.waiting() == 0, within=60)
        job_id = request(pipeline)
        assert carry_out(pipeline, job_id) == "done"
        settings = pipeline.settings.indexer
        assert orphans.collect(pipeline.database, settings) == []
        change(pipeline, "UPDATE index_targets SET keep_until = now() WHERE state = 'previous'")
        assert orphans.collect(pipeline.database, settings) == [job(pipeline, job_id).new_uid]
        assert list(roles(pipeline)) == ["live"]
        agrees(pipeline)


def test_an_older_or_a_destructive_build_is_refused(
    pipeline: Pipeline, monkeypatch: pytest.MonkeyPatch
) -> None:
    bulk(pipeline, 3)
    pipeline.sender().drain()
    change(pipeline, "UPDATE index_targets SET settings_revision = 99")
    older = request(pipeline)
    assert carry_out(pipeline, older) == "failed"
    assert "newer code" in str(job(pipeline, older).detail)
    change(pipeline, "UPDATE index_targets SET settings_revision = 1")
    uid = pipeline.settings.indexer.meili_index
    more = {"filterableAttributes": [*index_settings.SETTINGS["filterableAttributes"], "extra"]}
    task = pipeline.engine.client.index(uid).update_settings(more)
    pipeline.engine.finished(task.task_uid)
    lossy = request(pipeline)
    assert carry_out(pipeline, lossy) == "failed"
    assert "filterableAttributes: extra" in str(job(pipeline, lossy).detail)
    assert list(roles(pipeline)) == ["live"]


def test_an_index_that_no_longer_finds_what_is_popular_is_not_made_live(
    pipeline: Pipeline, monkeypatch: pytest.MonkeyPatch
) -> None:
    bulk(pipeline, 5)
    before = pipeline.settings.indexer.meili_index
    monkeypatch.setattr("indexer.rebuild.golden.compare", lambda *_: [(1, "Bulk 1")])
    with sending(pipeline.settings):
        eventually(lambda: pipeline.waiting() == 0, within=60)
        made = pipeline.engine.created_at(before)
        job_id = request(pipeline)
        assert carry_out(pipeline, job_id) == "failed"
        assert "Bulk 1" in str(job(pipeline, job_id).detail)
        assert pipeline.engine.created_at(before) == made
        agrees(pipeline)


def test_an_edit_that_only_one_index_has_yet_is_waited_for(
    pipeline: Pipeline, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The live index's sender was quicker: that says nothing of the new index."""
    ids = bulk(pipeline, 5)
    asked: list[int] = []

    def compare(*arguments: Any) -> list[tuple[int, str]]:
        asked.append(len(asked))
        if len(asked) > 1:
            return golden.compare(*arguments)
        # What the comparison saw when it came between the two deliveries.
        change(pipeline, "UPDATE programs SET title = 'Later' WHERE id = :id", id=ids[0])
        return [(ids[0], "Later")]

    monkeypatch.setattr(
        "indexer.rebuild.checks.golden", SimpleNamespace(compare=compare, wanted=golden.wanted)
    )
    with sending(pipeline.settings):
        eventually(lambda: pipeline.waiting() == 0, within=60)
        job_id = request(pipeline)
        assert carry_out(pipeline, job_id) == "done", job(pipeline, job_id).detail
        assert len(asked) > 1
        agrees(pipeline)


def test_settings_that_need_a_rebuild_ask_for_one_when_allowed(pipeline: Pipeline) -> None:
    bulk(pipeline, 3)
    pipeline.sender().drain()
    uid = pipeline.settings.indexer.meili_index
    other = {"searchableAttributes": ["title", "people", "description"]}
    task = pipeline.engine.client.index(uid).update_settings(other)
    pipeline.engine.finished(task.task_uid)
    for allowed, jobs in ((False, 0), (True, 1), (True, 1)):
        pipeline.sender(reindex_automatic=allowed).drain()
        assert scalar(pipeline.database, "SELECT count(*) FROM reindex_jobs") == jobs
        # Until it is carried out the live index keeps the settings it has.
        assert pipeline.engine.settings_of(uid)["searchableAttributes"] == other["searchableAttributes"]
    with sending(pipeline.settings):
        job_id = scalar(pipeline.database, "SELECT id FROM reindex_jobs")
        assert carry_out(pipeline, job_id) == "done", job(pipeline, job_id).detail
        wanted = index_settings.SETTINGS["searchableAttributes"]
        assert pipeline.engine.settings_of(uid)["searchableAttributes"] == wanted
        agrees(pipeline)
