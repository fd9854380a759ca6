"""The report of an audit is written once, by the process that has its lease."""

import pytest
from sqlalchemy import text

from catalog.core.actor import Actor
from catalog.core.db import session_factory
from catalog.indexing import audits
from catalog.indexing.models import DriftReport, IndexTarget
from indexer.rebuild.drift import reports
from tests.support.drift import inject_drift
from tests.support.pipeline import Pipeline, bulk

OPS = Actor("account", 1, "ops@example.com")


@pytest.mark.slow
@pytest.mark.parametrize("repair", [True, False])
def test_a_report_is_written(pipeline: Pipeline, repair: bool) -> None:
    ids = bulk(pipeline, 30)
    sender = pipeline.sender()
    sender.drain()
    injected = inject_drift(pipeline, ids[:9])
    sessions = session_factory(pipeline.database)
    with sessions.begin() as session:
        (report,) = audits.request(session, [1], OPS, repair=repair)
    settings = pipeline.settings.indexer
    assert reports.write_report(pipeline.database, settings, report.id) == "done"
    # The queue may bring it twice.
    assert reports.write_report(pipeline.database, settings, report.id) == "done"
    with sessions() as session:
        kept = session.get_one(DriftReport, report.id)
    assert (kept.missing, kept.stale, kept.ghosts, kept.checked) == (3, 3, 3, 27)
    assert {kind: sorted(ids) for kind, ids in kept.samples.items()} == injected
    assert kept.repaired == (9 if repair else 0)
    assert kept.finished_at is not None
    assert pipeline.waiting() == (9 if repair else 0)


@pytest.mark.slow
def test_an_audit_is_carried_out_by_one_process(pipeline: Pipeline) -> None:
    """Whoever asked and the queue may both begin: the second must not write over the first."""
    ids = bulk(pipeline, 30)
    pipeline.sender().drain()
    inject_drift(pipeline, ids[:9])
    sessions = session_factory(pipeline.database)
    settings = pipeline.settings.indexer
    with sessions.begin() as session:
        (report,) = audits.request(session, [1], OPS, repair=True)
    with sessions.begin() as session:
        assert audits.waiting_ids(session) == [report.id]
        taken = audits.lease(session, report.id)
        assert taken is not None
    assert reports.write_report(pipeline.database, settings, report.id) == "busy"
    # It died: somebody else does it after a while, and its own late word counts no more.
    with sessions.begin() as session:
        assert audits.waiting_ids(session) == []
        session.execute(text("UPDATE drift_reports SET lease_until = clock_timestamp()"))
    with sessions.begin() as session:
        assert audits.waiting_ids(session) == [report.id]
    assert reports.write_report(pipeline.database, settings, report.id) == "done"
    with sessions.begin() as session:
        assert not audits.save(session, report.id, taken.started_at, missing=0)
        kept = session.get_one(DriftReport, report.id)
        assert (kept.missing, kept.stale, kept.ghosts) == (3, 3, 3)


def test_a_report_says_when_the_engine_was_away(pipeline: Pipeline) -> None:
    sessions = session_factory(pipeline.database)
    with sessions.begin() as session:
        (report,) = audits.request(session, [1], OPS, repair=True)
        session.get_one(IndexTarget, 1).state = "live"
    nowhere = pipeline.settings.indexer.model_copy(update={"meili_url": "http://127.0.0.1:1"})
    assert reports.write_report(pipeline.database, nowhere, report.id) == "failed"
    with sessions() as session:
        assert "it cannot be reached" in str(session.get_one(DriftReport, report.id).detail)
        assert session.get_one(IndexTarget, 1).state == "live"
