"""The audit finds what differs, excuses what is marked, and has it repaired."""

from typing import Any

import pytest

from catalog.core.db import session_factory
from catalog.indexing import marks
from indexer.rebuild.drift.audit import Audit
from tests.support.drift import inject_drift
from tests.support.pipeline import Pipeline, bulk, change


def audit(pipeline: Pipeline) -> Audit:
    return Audit(pipeline.database, pipeline.engine, 1, pipeline.settings.indexer.meili_index)


@pytest.mark.slow
def test_every_difference_is_found_and_repaired(pipeline: Pipeline) -> None:
    ids = bulk(pipeline, 600)
    sender = pipeline.sender()
    sender.drain()
    assert audit(pipeline).run().ids == []
    injected = inject_drift(pipeline, ids[:300])
    found = audit(pipeline).run()
    assert {kind: sorted(getattr(found, kind)) for kind in injected} == injected
    assert found.checked == 500
    # Looking changes nothing; mending marks exactly what differed.
    assert pipeline.waiting() == 0
    audit(pipeline).run(repair=True)
    assert pipeline.waiting() == 300
    sender.drain()
    pipeline.audit()
    assert audit(pipeline).run().ids == []


@pytest.mark.slow
def test_documents_of_others_are_ghosts(pipeline: Pipeline) -> None:
    ids = bulk(pipeline, 3)
    sender = pipeline.sender()
    sender.drain()
    uid = pipeline.settings.indexer.meili_index
    stray: list[dict[str, Any]] = [{"id": 900_001, "title": "x"}, {"id": ids[0], "title": "y"}]
    pipeline.engine.finished(pipeline.engine.send(uid, stray))
    found = audit(pipeline).run(repair=True)
    assert (set(found.ids), found.checked) == ({900_001, ids[0]}, 3)
    sender.drain()
    pipeline.audit()


@pytest.mark.slow
def test_a_marked_program_has_not_drifted(pipeline: Pipeline) -> None:
    ids = bulk(pipeline, 20)
    pipeline.sender().drain()
    change(pipeline, "UPDATE programs SET title = 'New' WHERE id <= :id", id=ids[4])
    change(pipeline, "DELETE FROM programs WHERE id = :id", id=ids[9])
    assert pipeline.waiting() == 5 + 1
    assert audit(pipeline).run().ids == []


def test_a_document_the_engine_refuses_is_not_reported_as_drift(pipeline: Pipeline) -> None:
    (found,) = bulk(pipeline, 1)
    sender = pipeline.sender()
    sender.drain()
    change(
        pipeline,
        "INSERT INTO programs (slug, title, language, media_type, kind, status, published_at) "
        "VALUES ('bad', 'Bad', 'en', 'audio', 'episode', 'published', now())",
    )
    with session_factory(pipeline.database).begin() as session:
        claimed = marks.claim(session, 1, sender.epoch, 10)
        assert claimed is not None
        marks.park(session, 1, sender.epoch, claimed[0], "refused")
    sender.drain()
    assert list(pipeline.stored()) == [found]
    assert audit(pipeline).run().ids == []


@pytest.mark.slow
def test_both_sides_are_cut_into_the_same_parts(pipeline: Pipeline, monkeypatch: pytest.MonkeyPatch) -> None:
    ids = bulk(pipeline, 700)
    pipeline.sender().drain()
    injected = inject_drift(pipeline, ids[:30])
    seen: list[int] = []
    monkeypatch.setattr("indexer.rebuild.drift.audit._PAGE", 100)
    found = audit(pipeline).run(progress=lambda found: seen.append(found.checked))
    assert {kind: sorted(getattr(found, kind)) for kind in injected} == injected
    # Seven parts of the catalogue and one of what belongs to none.
    assert (len(seen), seen[-1]) == (8, 690)
    assert max(after - before for before, after in zip([0, *seen], seen, strict=False)) <= 120
