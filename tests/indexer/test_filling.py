"""An index is filled to its end, whatever comes between."""

from typing import Any

import pytest

from indexer.engine import EngineUnavailableError
from tests.indexer.conftest import Pipeline
from tests.indexer.test_sender import bulk
from tests.support.servers import scalar

FILLED = "SELECT filled FROM index_targets"


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


def test_an_index_that_a_late_document_made_anew_is_filled(pipeline: Pipeline) -> None:
    ids = bulk(pipeline, 20)
    sender = pipeline.sender()
    sender.drain()
    uid = pipeline.settings.indexer.meili_index
    pipeline.engine.drop_index(uid)
    # As a batch does that was sent before anybody looked.
    pipeline.engine.finished(pipeline.engine.send(uid, [{"id": ids[0]}]))
    # Its number means something else now.
    sender._filling.unsure = True
    sender.drain()
    pipeline.audit()


def test_the_sender_is_heard_of_while_it_marks(
    pipeline: Pipeline, monkeypatch: pytest.MonkeyPatch
) -> None:
    bulk(pipeline, 20)
    beats: list[int] = []
    sender = pipeline.sender()
    monkeypatch.setattr("indexer.filling._PAGE", 5)
    monkeypatch.setattr(sender._filling, "beat", lambda: beats.append(1))
    sender.step()
    assert len(beats) >= 4
    sender.drain()
    pipeline.audit()
