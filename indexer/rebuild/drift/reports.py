"""Carries audits out and keeps their reports. Called by the queue's job and by `thmanyah drift`."""

import logging
import time
from typing import Unpack

from sqlalchemy import Engine as Database

from catalog.core.db import session_factory
from catalog.indexing import audits
from catalog.indexing.models import DriftReport
from indexer.engines import targets
from indexer.engines.admin import Engine
from indexer.engines.errors import EngineRejectedError, EngineUnavailableError
from indexer.rebuild.drift.audit import Audit, Drift
from indexer.settings import IndexerSettings

log = logging.getLogger(__name__)
_SAVE_SECONDS = 1.0


def write_report(database: Database, settings: IndexerSettings, report_id: int) -> str:
    """Carry out the audit of a report, and store what it finds while it goes on.

    Args:
        database: PostgreSQL, the primary.
        settings: The pipeline's settings.
        report_id: The report.

    Returns:
        The report's state, or "busy" when another process carries the audit out.

    Raises:
        DBAPIError: PostgreSQL is away. The lease ends, and the sweep enqueues the audit again.
    """
    sessions = session_factory(database)
    with sessions.begin() as session:
        report = audits.lease(session, report_id)
        if report is None:
            state = session.get_one(DriftReport, report_id).state
            return "busy" if state == "running" else state
        started_at, repair = report.started_at, report.repair
        target = targets.find(session, settings, report.target_id)
    saved_at = time.monotonic()

    def save(found: Drift, **end: Unpack[audits.Ending]) -> None:
        with sessions.begin() as session:
            is_ours = audits.save(
                session,
                report_id,
                started_at,
                checked=found.checked,
                missing=len(found.missing),
                stale=len(found.stale),
                ghosts=len(found.ghosts),
                repaired=len(found.ids) if repair else 0,
                samples=found.samples(),
                **end,
            )
        if not is_ours:
            log.warning("audit %s was taken over by another process", report_id)

    def progress(found: Drift) -> None:
        nonlocal saved_at
        if time.monotonic() - saved_at >= _SAVE_SECONDS:
            saved_at = time.monotonic()
            save(found)

    if target is None:
        save(Drift(), state="failed", detail="The target was removed.")
        return "failed"
    engine = Engine(settings, target.url)
    try:
        found = Audit(database, engine, target.id, target.uid).run(repair=repair, progress=progress)
    except (EngineUnavailableError, EngineRejectedError) as error:
        save(Drift(), state="failed", detail=str(error)[:2000])
        return "failed"
    save(found, state="done")
    return "done"
