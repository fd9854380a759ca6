"""The garbage collection of indexes: previous indexes whose time is over, and orphans of rebuilds that ended early.

Called by the queue's periodic job.
"""

import logging

from sqlalchemy import Engine as Database
from sqlalchemy import select
from sqlalchemy.orm import Session, sessionmaker

from catalog.core.db import session_factory
from catalog.indexing import marks
from catalog.indexing import targets as index_targets
from catalog.indexing.models import IndexTarget, ReindexJob
from indexer.engines import targets
from indexer.engines.admin import Engine
from indexer.engines.errors import EngineUnavailableError
from indexer.settings import IndexerSettings

log = logging.getLogger(__name__)


def collect(database: Database, settings: IndexerSettings) -> list[str]:
    """Delete the previous indexes whose time is over, and the indexes that belong to no target.

    The indexes of an engine that is away are left for the next time.

    Returns:
        The names of the deleted indexes.

    Raises:
        EngineRejectedError: An engine refuses to delete.
        DBAPIError: PostgreSQL is away.
    """
    dropped: list[str] = []
    sessions = session_factory(database)
    with sessions.begin() as session:
        marks.delete_orphans(session)
        urls = targets.engine_urls(session, settings)
    for name, url in urls.items():
        try:
            dropped += _collect_on(sessions, settings, name, url)
        except EngineUnavailableError as error:
            log.warning("indexes of engine %s are not collected now: %s", name, error)
    return dropped


def _collect_on(sessions: sessionmaker[Session], settings: IndexerSettings, name: str, url: str) -> list[str]:
    with sessions.begin() as session:
        index_targets.remove_expired(session, name)
    engine = Engine(settings, url)
    found = [uid for uid in engine.index_uids() if uid.startswith(f"{settings.meili_index}_")]
    with sessions() as session:
        creating = session.scalars(select(ReindexJob.id).where(ReindexJob.state == "creating"))
        if creating.first() is not None:
            # This rebuild may have made its index, and not yet its target.
            return []
        query = select(IndexTarget.index_uid).where(IndexTarget.engine == name)
        known = set(session.scalars(query))
    unknown = [uid for uid in found if uid not in known]
    for uid in unknown:
        engine.drop_index(uid)
    return unknown
