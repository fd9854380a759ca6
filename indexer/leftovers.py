"""Indexes that nobody needs any more: old ones past their time, and those of rebuilds that ended early."""

import logging

from sqlalchemy import Engine as Database
from sqlalchemy import delete, func, select
from sqlalchemy.orm import Session, sessionmaker

from catalog.db import session_factory
from catalog.dirty import IndexDirty, IndexTarget
from catalog.indexing import lifecycle
from catalog.indexing.models import ReindexJob
from indexer import targets
from indexer.engine import Engine, EngineUnavailableError
from indexer.settings import IndexerSettings

log = logging.getLogger(__name__)


def collect(database: Database, settings: IndexerSettings) -> list[str]:
    """Delete indexes whose time is over and those that belong to no target; returns their names.

    An engine that is away keeps its own until the next time.
    """
    dropped: list[str] = []
    sessions = session_factory(database)
    with sessions.begin() as session:
        # A transaction that was under way when a target went may have marked for it since.
        known = select(IndexTarget.id)
        session.execute(delete(IndexDirty).where(IndexDirty.target_id.not_in(known)))
        urls = targets.engines(session, settings)
    for name, url in urls.items():
        try:
            dropped += _collect_of(sessions, settings, name, url)
        except EngineUnavailableError as error:
            log.warning("indexes of %s are not collected: %s", name, error)
    return dropped


def _collect_of(
    sessions: sessionmaker[Session], settings: IndexerSettings, name: str, url: str
) -> list[str]:
    with sessions.begin() as session:
        over = session.scalars(
            select(IndexTarget.id).where(
                IndexTarget.engine == name,
                IndexTarget.state == "previous",
                IndexTarget.keep_until < func.now(),
            )
        ).all()
        for target_id in over:
            lifecycle.remove_target(session, target_id)
    engine = Engine(settings, url)
    found = [uid for uid in engine.index_uids() if uid.startswith(f"{settings.meili_index}_")]
    with sessions() as session:
        running = session.scalars(select(ReindexJob.id).where(ReindexJob.state == "creating"))
        if running.first() is not None:
            # It has made its index and not yet its target.
            return []
        query = select(IndexTarget.index_uid).where(IndexTarget.engine == name)
        known = set(session.scalars(query))
    unknown = [uid for uid in found if uid not in known]
    for uid in unknown:
        engine.drop_index(uid)
    return unknown
