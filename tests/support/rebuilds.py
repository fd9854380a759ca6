"""Rebuilds of an index in the test's own process."""

from catalog.core.actor import Actor
from catalog.core.db import session_factory
from catalog.indexing import rebuilds
from catalog.indexing.models import IndexTarget, ReindexJob
from indexer.engines import index_settings
from indexer.rebuild.drift.audit import Audit
from indexer.rebuild.rebuild import Rebuild
from tests.support.pipeline import Pipeline, change
from tests.support.waiting import eventually

OPS = Actor("account", 1, "ops@example.com")


def request(pipeline: Pipeline, engine: str = "default") -> int:
    """Request a rebuild of this engine's index; return the id of its job."""
    with session_factory(pipeline.database).begin() as session:
        return rebuilds.request(session, engine, "test", OPS, build=index_settings.BUILD).id


def job(pipeline: Pipeline, job_id: int) -> ReindexJob:
    """Return the job as the database has it."""
    with session_factory(pipeline.database)() as session:
        return rebuilds.get(session, job_id)


def carry_out(pipeline: Pipeline, job_id: int) -> str:
    """Run the job in this thread as far as it goes; return the state it is in."""
    return Rebuild(pipeline.database, pipeline.settings.indexer, pause=0.02).run(job_id)


def agrees(pipeline: Pipeline) -> None:
    """Wait until no mark is left; check that every index of a target equals the record."""
    eventually(lambda: pipeline.waiting() == 0, within=60, what="nothing waits")
    with session_factory(pipeline.database)() as session:
        kept = [(t.id, t.index_uid) for t in session.query(IndexTarget)]
    for target_id, uid in kept:
        assert Audit(pipeline.database, pipeline.engine, target_id, uid).run().ids == []
    pipeline.audit()


def unlease(pipeline: Pipeline) -> None:
    """End every rebuild's lease now, as thirty seconds without a heartbeat do."""
    change(pipeline, "UPDATE reindex_jobs SET lease_until = clock_timestamp()")
