"""Indexes that nobody needs any more: old ones past their time, and those of rebuilds that ended early."""

from sqlalchemy import Engine as Database
from sqlalchemy import func, select

from catalog.db import session_factory
from catalog.dirty import IndexTarget
from catalog.indexing import lifecycle
from catalog.indexing.models import ReindexJob
from indexer import targets
from indexer.engine import Engine
from indexer.settings import IndexerSettings


def collect(database: Database, settings: IndexerSettings) -> list[str]:
    """Delete indexes whose time is over and those that belong to no target; returns their names.

    Raises EngineUnavailableError.
    """
    dropped = []
    sessions = session_factory(database)
    for name, url in targets.engines(settings).items():
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
        engine = Engine(settings.model_copy(update={"meili_url": url}))
        found = [uid for uid in engine.index_uids() if uid.startswith(f"{settings.meili_index}_")]
        with sessions() as session:
            running = session.scalars(select(ReindexJob.id).where(ReindexJob.state == "creating"))
            known = set(
                session.scalars(select(IndexTarget.index_uid).where(IndexTarget.engine == name))
            )
            if running.first() is not None:
                # It has made its index and not yet its target.
                continue
        for uid in found:
            if uid not in known:
                engine.drop_index(uid)
                dropped.append(uid)
    return dropped
