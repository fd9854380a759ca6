"""The audit finds what differs, says nothing of what is on its way, and has it mended."""

import random
from typing import Any

import pytest
from sqlalchemy import text

from catalog import dirty
from catalog.actor import Actor
from catalog.db import session_factory
from catalog.dirty import IndexTarget
from catalog.indexing import lifecycle
from catalog.indexing.models import DriftReport
from indexer import upkeep
from indexer.drift import Audit
from tests.indexer.conftest import Pipeline
from tests.indexer.test_sender import bulk, change

OPS = Actor("account", 1, "ops@example.com")


def audit(pipeline: Pipeline) -> Audit:
    return Audit(pipeline.database, pipeline.engine, 1, pipeline.settings.indexer.meili_index)


def spoil(pipeline: Pipeline, ids: list[int]) -> dict[str, list[int]]:
    """Behind the pipeline's back: some documents deleted, some old, some that should not be there."""
    uid = pipeline.settings.indexer.meili_index
    chance = random.Random(5)
    chance.shuffle(ids)
    third = len(ids) // 3
    missing, stale, ghosts = ids[:third], ids[third : 2 * third], ids[2 * third : 3 * third]
    path = f"indexes/{uid}/documents/fetch"
    documents = pipeline.engine.client.http.post(path, {"limit": 100_000})["results"]
    old = [
        row | {"title": "Old", "_hash": "0" * 16} for row in documents if row["id"] in set(stale)
    ]
    # Gone from the record without a trigger hearing of it.
    with pipeline.database.begin() as connection:
        connection.execute(text("SET LOCAL session_replication_role = replica"))
        connection.execute(text("DELETE FROM programs WHERE id = ANY(:ids)"), {"ids": ghosts})
    for task in (pipeline.engine.delete(uid, missing), pipeline.engine.send(uid, old)):
        pipeline.engine.finished(task)
    return {"missing": sorted(missing), "stale": sorted(stale), "ghosts": sorted(ghosts)}


def test_every_fault_is_found_and_mended(pipeline: Pipeline) -> None:
    ids = bulk(pipeline, 600)
    sender = pipeline.sender()
    sender.drain()
    assert audit(pipeline).run().ids == []
    injected = spoil(pipeline, ids[:300])
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


def test_what_is_on_its_way_has_not_drifted(pipeline: Pipeline) -> None:
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
    change(pipeline, "INSERT INTO programs (slug, title, language, media_type, kind, status, published_at) "
           "VALUES ('bad', 'Bad', 'en', 'audio', 'episode', 'published', now())")  # fmt: skip
    with session_factory(pipeline.database).begin() as session:
        marks = dirty.claim(session, 1, sender.epoch, 10)
        assert marks is not None
        dirty.park(session, 1, sender.epoch, marks[0], "refused")
    sender.drain()
    assert list(pipeline.stored()) == [found]
    assert audit(pipeline).run().ids == []


@pytest.mark.parametrize("repair", [True, False])
def test_a_report_is_written(pipeline: Pipeline, repair: bool) -> None:
    ids = bulk(pipeline, 30)
    sender = pipeline.sender()
    sender.drain()
    injected = spoil(pipeline, ids[:9])
    sessions = session_factory(pipeline.database)
    with sessions.begin() as session:
        (report,) = lifecycle.request_audit(session, [1], OPS, repair=repair)
    settings = pipeline.settings.indexer
    assert upkeep.write_report(pipeline.database, settings, report.id) == "done"
    # The queue may bring it twice.
    assert upkeep.write_report(pipeline.database, settings, report.id) == "done"
    with sessions() as session:
        kept = session.get_one(DriftReport, report.id)
    assert (kept.missing, kept.stale, kept.ghosts, kept.checked) == (3, 3, 3, 27)
    assert {kind: sorted(ids) for kind, ids in kept.samples.items()} == injected
    assert kept.repaired == (9 if repair else 0)
    assert kept.finished_at is not None
    assert pipeline.waiting() == (9 if repair else 0)


def test_an_audit_is_carried_out_by_one(pipeline: Pipeline) -> None:
    """Whoever asked and the queue may both begin: the second must not write over the first."""
    ids = bulk(pipeline, 30)
    pipeline.sender().drain()
    spoil(pipeline, ids[:9])
    sessions = session_factory(pipeline.database)
    settings = pipeline.settings.indexer
    with sessions.begin() as session:
        (report,) = lifecycle.request_audit(session, [1], OPS, repair=True)
    with sessions.begin() as session:
        assert lifecycle.waiting_reports(session) == [report.id]
        taken = lifecycle.take_report(session, report.id)
        assert taken is not None
    assert upkeep.write_report(pipeline.database, settings, report.id) == "busy"
    # It died: somebody else does it after a while, and its own late word counts no more.
    with sessions.begin() as session:
        assert lifecycle.waiting_reports(session) == []
        session.execute(text("UPDATE drift_reports SET lease_until = clock_timestamp()"))
    with sessions.begin() as session:
        assert lifecycle.waiting_reports(session) == [report.id]
    assert upkeep.write_report(pipeline.database, settings, report.id) == "done"
    with sessions.begin() as session:
        assert not lifecycle.save_report(session, report.id, taken.started_at, missing=0)
        kept = session.get_one(DriftReport, report.id)
        assert (kept.missing, kept.stale, kept.ghosts) == (3, 3, 3)


def test_a_report_says_when_the_engine_was_away(pipeline: Pipeline) -> None:
    sessions = session_factory(pipeline.database)
    with sessions.begin() as session:
        (report,) = lifecycle.request_audit(session, [1], OPS, repair=True)
    nowhere = pipeline.settings.indexer.model_copy(update={"meili_url": "http://127.0.0.1:1"})
    assert upkeep.write_report(pipeline.database, nowhere, report.id) == "failed"
    with sessions() as session:
        assert "Error" in str(session.get_one(DriftReport, report.id).detail)
        assert session.get_one(IndexTarget, 1).state == "live"


def test_both_sides_are_cut_into_the_same_parts(
    pipeline: Pipeline, monkeypatch: pytest.MonkeyPatch
) -> None:
    ids = bulk(pipeline, 700)
    pipeline.sender().drain()
    injected = spoil(pipeline, ids[:30])
    seen: list[int] = []
    monkeypatch.setattr("indexer.drift._PAGE", 100)
    found = audit(pipeline).run(progress=lambda found: seen.append(found.checked))
    assert {kind: sorted(getattr(found, kind)) for kind in injected} == injected
    # Seven parts of the catalogue and one of what belongs to none.
    assert (len(seen), seen[-1]) == (8, 690)
    assert max(after - before for before, after in zip([0, *seen], seen, strict=False)) <= 120
