"""What must hold before and after a swap: no drift, and no golden query worse. Called by the rebuild's steps."""

import logging
from collections.abc import Collection

from sqlalchemy import Engine as Database

from catalog.core.db import database_now
from catalog.indexing import marks
from catalog.indexing.models import IndexTarget, ReindexJob
from indexer.engines.admin import Engine
from indexer.rebuild import golden
from indexer.rebuild.drift.audit import Audit
from indexer.rebuild.leased import LeasedJob, Refused, new_target

log = logging.getLogger(__name__)
_ATTEMPTS = 5


def audit_until_equal(lease: LeasedJob, database: Database, engine: Engine, target_id: int, uid: str) -> None:
    """Audit an index until it equals the published programs, and have what differs sent again.

    Args:
        lease: The job's lease.
        database: PostgreSQL.
        engine: The index's engine.
        target_id: Its target.
        uid: The index's name.

    Raises:
        Refused: It still differs after five audits.
        LeaseLost: Another process carries the job out.
        EngineUnavailableError: The engine is away.
        EngineRejectedError: The engine refuses to show its documents.
    """
    audit = Audit(database, engine, target_id, uid)
    for _ in range(_ATTEMPTS):
        found = audit.run(repair=True, progress=lambda _: lease.renew_if_due())
        if not found.ids:
            return
        log.warning("%s differs: %s", uid, found.samples())
        wait_for_marks_of_now(lease, target_id)
    raise Refused(f"{uid} still differs from the database after {_ATTEMPTS} audits.")


def wait_for_marks_of_now(lease: LeasedJob, target_id: int) -> None:
    """Wait until the sender has settled every mark of the target that there is now.

    Raises:
        LeaseLost: Another process carries the job out.
    """
    with lease.sessions() as session:
        now = database_now(session)
    lease.wait_until(lambda session: not marks.has_marks_before(session, target_id, now))


def require_golden_queries(lease: LeasedJob, engine: Engine, job: ReindexJob) -> None:
    """Check that the new index answers every golden query that the live index answers.

    Each index has a sender of its own, so an edit of this moment may have reached only the live index. What is
    not found is looked for again when the new index has the edits of now.

    Args:
        lease: The job's lease.
        engine: The engine of both indexes.
        job: The rebuild.

    Raises:
        Refused: The new index does not answer a query that the live index answers.
        LeaseLost: Another process carries the job out.
        EngineUnavailableError: The engine is away.
        EngineRejectedError: The engine refuses to search.
    """
    worse = _worse(lease, engine, job)
    for _ in range(_ATTEMPTS):
        if not worse:
            return
        wait_for_marks_of_now(lease, new_target(job))
        ids = [program_id for program_id, _ in worse]
        worse = _worse(lease, engine, job, ids)
    if worse:
        queries = ", ".join(query for _, query in worse)
        raise Refused(f"The new index no longer finds {queries}.")


def _worse(
    lease: LeasedJob, engine: Engine, job: ReindexJob, ids: Collection[int] | None = None
) -> list[golden.Wanted]:
    """Return the golden queries (for the programs `ids`, if given) that the new index no longer answers."""
    with lease.sessions() as session:
        live = session.get_one(IndexTarget, job.live_target_id)
        wanted = golden.wanted(session, ids)
    return golden.compare(engine, live.index_uid, str(job.new_uid), wanted)
