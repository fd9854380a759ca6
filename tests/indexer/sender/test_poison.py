"""A document that the engine refuses is parked, and stops no other document."""

from typing import Any

import msgspec
import pytest
from sqlalchemy import text

from indexer.engines import document
from indexer.engines.errors import EngineRejectedError
from tests.support.pipeline import Pipeline, bulk, change, publish

pytestmark = pytest.mark.slow


def test_one_bad_document_in_a_thousand_is_parked_and_freed_by_a_change(
    pipeline: Pipeline, monkeypatch: pytest.MonkeyPatch
) -> None:
    ids = bulk(pipeline, 1000)
    bad = ids[617]
    real = document.build

    def build(row: Any) -> document.Document:
        built = real(row)
        if row["id"] == bad and row["title"] != "Good":
            # An id that the engine refuses, and with it every document of the batch.
            return msgspec.structs.replace(built, id="not an id!")
        return built

    monkeypatch.setattr(document, "build", build)
    sender = pipeline.sender()
    sender.drain()
    with pipeline.database.connect() as connection:
        rows = connection.execute(text("SELECT program_id, parked, error FROM index_dirty")).all()
    assert [(row.program_id, row.parked) for row in rows] == [(bad, True)]
    assert "invalid_document_id" in rows[0].error
    assert set(pipeline.stored()) == set(ids) - {bad}
    # It is not tried again and again, and does not stand in anybody's way.
    publish(pipeline, 1)
    sender.drain()
    assert len(pipeline.stored()) == 1000
    change(pipeline, "UPDATE programs SET title = 'Good' WHERE id = :id", id=bad)
    sender.drain()
    pipeline.audit()


def test_a_refusal_of_the_whole_request_is_isolated_too(pipeline: Pipeline) -> None:
    ids = publish(pipeline, 8)
    real = pipeline.engine.send

    def send(uid: str, documents: Any) -> int:
        if any(msgspec.json.decode(row)["id"] == ids[5] for row in documents):
            raise EngineRejectedError("payload_too_large", "too much", 413)
        return real(uid, documents)

    pipeline.engine.send = send
    pipeline.sender().drain()
    assert set(pipeline.stored()) == set(ids) - {ids[5]}
    pipeline.engine.send = real
