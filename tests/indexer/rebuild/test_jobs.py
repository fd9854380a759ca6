"""The queue's jobs of this room, as a worker calls them: with an id, and with the settings of its environment."""

import pytest
from sqlalchemy import select

from catalog.core.db import session_factory
from catalog.indexing import audits
from catalog.indexing.models import DriftReport
from indexer.rebuild import jobs
from tests.support.drift import inject_drift
from tests.support.pipeline import Pipeline, bulk, change
from tests.support.processes import environment
from tests.support.product import sending
from tests.support.rebuilds import OPS, agrees, job, request
from tests.support.waiting import eventually


@pytest.fixture(autouse=True)
def worker(pipeline: Pipeline, monkeypatch: pytest.MonkeyPatch) -> None:
    """Give this process the environment of a worker over the test's stores."""
    for name, value in environment(pipeline.settings).items():
        monkeypatch.setenv(name, value)


@pytest.mark.slow
def test_a_rebuild_is_carried_on_until_it_is_done_and_a_repeat_changes_nothing(pipeline: Pipeline) -> None:
    bulk(pipeline, 20)
    with sending(pipeline.settings):
        eventually(lambda: pipeline.waiting() == 0)
        job_id = request(pipeline)
        # Each call works for a while only; the sweep repeats it.
        eventually(lambda: jobs.rebuild(job_id) == "done")
        done = job(pipeline, job_id)
        jobs.rebuild(job_id)
        again = job(pipeline, job_id)
        assert (again.state, again.finished_at, again.new_uid) == ("done", done.finished_at, done.new_uid)
        agrees(pipeline)


@pytest.mark.slow
def test_an_audit_of_every_target_is_requested_then_each_repairs_its_own(pipeline: Pipeline) -> None:
    ids = bulk(pipeline, 30)
    sender = pipeline.sender()
    sender.drain()
    injected = inject_drift(pipeline, ids[:9])
    (report_id,) = jobs.audit_all()
    with session_factory(pipeline.database)() as session:
        report = session.scalars(select(DriftReport)).one()
        assert (report.id, report.target_id, report.repair, report.state) == (report_id, 1, True, "queued")
    assert jobs.audit(report_id) == "done"
    with session_factory(pipeline.database)() as session:
        report = session.get_one(DriftReport, report_id)
        assert {kind: sorted(ids) for kind, ids in report.samples.items()} == injected
    assert pipeline.waiting() == report.repaired == 9
    sender.drain()
    pipeline.audit()


def test_an_audit_of_a_target_that_was_removed_says_so(pipeline: Pipeline) -> None:
    with session_factory(pipeline.database).begin() as session:
        (report,) = audits.request(session, [1], OPS, repair=True)
    change(pipeline, "DELETE FROM index_targets")
    assert jobs.audit(report.id) == "failed"
    with session_factory(pipeline.database)() as session:
        assert session.get_one(DriftReport, report.id).detail == "The target was removed."


def test_indexes_that_no_target_has_are_deleted(pipeline: Pipeline) -> None:
    ids = bulk(pipeline, 3)
    pipeline.sender().drain()
    prefix = pipeline.settings.indexer.meili_index
    orphan, of_others = f"{prefix}_9", f"other_{prefix}"
    for uid in (orphan, of_others):
        pipeline.engine.prepare_index(uid)
    assert jobs.collect_indexes() == [orphan]
    assert jobs.collect_indexes() == []
    found = pipeline.engine.index_uids()
    assert orphan not in found
    assert {of_others, prefix} <= set(found)
    assert set(pipeline.stored()) == set(ids)


def test_an_engine_that_is_away_keeps_its_indexes(
    pipeline: Pipeline, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MEILI_URL", "http://127.0.0.1:1")
    assert jobs.collect_indexes() == []
