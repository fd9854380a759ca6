"""An index is made with its settings and filled to its end, whatever comes between."""

from typing import Any

import pytest

from indexer.engines.errors import EngineUnavailableError
from tests.support.databases import scalar
from tests.support.pipeline import Pipeline, bulk, change, publish

FILLED = "SELECT state = 'live' FROM index_targets"


def test_an_engine_that_goes_while_everything_is_marked_is_filled_later(
    pipeline: Pipeline, monkeypatch: pytest.MonkeyPatch
) -> None:
    bulk(pipeline, 20)
    sender = pipeline.sender()

    def away(*_: Any, **__: Any) -> Any:
        raise EngineUnavailableError("away")

    with monkeypatch.context() as patch:
        patch.setattr(sender.engine, "documents", away)
        with pytest.raises(EngineUnavailableError):
            sender.step()
    assert not scalar(pipeline.database, FILLED)
    sender.drain()
    assert scalar(pipeline.database, FILLED)
    pipeline.audit()


@pytest.mark.slow
def test_an_index_that_vanished_while_it_was_filled_is_filled_again(
    pipeline: Pipeline, monkeypatch: pytest.MonkeyPatch
) -> None:
    bulk(pipeline, 20)
    first = pipeline.sender()
    first._initial_fill.check()
    assert scalar(pipeline.database, "SELECT state FROM index_targets") == "filling"
    pipeline.engine.drop_index(pipeline.settings.indexer.meili_index)
    # The next sender is told that everything is marked, and fails after it has made the index anew.
    second = pipeline.sender()
    change(pipeline, "DELETE FROM index_dirty")

    def away(*_: Any, **__: Any) -> Any:
        raise EngineUnavailableError("away")

    with monkeypatch.context() as patch:
        patch.setattr(second.engine, "documents", away)
        with pytest.raises(EngineUnavailableError):
            second.step()
    change(pipeline, "DELETE FROM index_dirty")
    second.drain()
    assert scalar(pipeline.database, FILLED)
    pipeline.audit()


@pytest.mark.slow
def test_an_index_that_a_late_document_made_anew_is_filled(pipeline: Pipeline) -> None:
    ids = bulk(pipeline, 20)
    sender = pipeline.sender()
    sender.drain()
    uid = pipeline.settings.indexer.meili_index
    pipeline.engine.drop_index(uid)
    # As a batch does that was sent before anybody looked.
    pipeline.engine.finished(pipeline.engine.send(uid, [{"id": ids[0]}]))
    # Its number means something else now.
    sender._initial_fill.must_check = True
    sender.drain()
    pipeline.audit()


def test_an_index_that_a_rebuild_exchanges_is_no_new_one(pipeline: Pipeline) -> None:
    bulk(pipeline, 5)
    sender = pipeline.sender()
    sender.drain()
    change(pipeline, "UPDATE index_targets SET paused = true")
    uid = pipeline.settings.indexer.meili_index
    pipeline.engine.prepare_index(f"{uid}_other")
    pipeline.engine.finished(pipeline.engine.swap(uid, f"{uid}_other"))
    # Between the engine's exchange and PostgreSQL's, when a heartbeat is due.
    sender._initial_fill.must_check = True
    sender.step()
    assert scalar(pipeline.database, FILLED)
    assert pipeline.waiting() == 0
    # The rebuild has failed, and what it left there is not what the sender filled.
    change(pipeline, "UPDATE index_targets SET paused = false")
    sender.drain()
    assert scalar(pipeline.database, FILLED)
    pipeline.audit()


def test_an_index_that_is_gone_while_nothing_may_be_sent_is_a_new_one(pipeline: Pipeline) -> None:
    bulk(pipeline, 5)
    sender = pipeline.sender()
    sender.drain()
    change(pipeline, "UPDATE index_targets SET paused = true")
    pipeline.engine.drop_index(pipeline.settings.indexer.meili_index)
    sender._initial_fill.must_check = True
    sender.step()
    assert not scalar(pipeline.database, FILLED)
    change(pipeline, "UPDATE index_targets SET paused = false")
    sender.drain()
    assert scalar(pipeline.database, FILLED)
    pipeline.audit()


def test_the_sender_sends_heartbeats_while_it_marks(
    pipeline: Pipeline, monkeypatch: pytest.MonkeyPatch
) -> None:
    bulk(pipeline, 20)
    beats: list[int] = []
    sender = pipeline.sender()
    monkeypatch.setattr("indexer.sender.initial_fill._PAGE", 5)
    monkeypatch.setattr(sender._initial_fill, "beat", lambda: beats.append(1))
    sender.step()
    assert len(beats) >= 4
    sender.drain()
    pipeline.audit()


@pytest.mark.slow
def test_an_engine_that_lost_its_data_is_filled_again(pipeline: Pipeline) -> None:
    publish(pipeline, 30)
    sender = pipeline.sender()
    sender.drain()
    pipeline.audit()
    client, uid = pipeline.engine.client, pipeline.settings.indexer.meili_index
    pipeline.engine.finished(client.delete_index(uid).task_uid)
    # The next heartbeat notices that the index is gone.
    sender._beat_at = 0
    sender.drain()
    pipeline.audit()


@pytest.mark.slow
def test_changed_settings_are_restored_at_the_start(pipeline: Pipeline) -> None:
    publish(pipeline, 1)
    pipeline.sender().drain()
    client, uid = pipeline.engine.client, pipeline.settings.indexer.meili_index
    pipeline.engine.finished(client.index(uid).update_settings({"rankingRules": ["words"]}).task_uid)
    pipeline.sender().drain()
    assert client.index(uid).get_settings()["rankingRules"][-1] == "viewCount:desc"
