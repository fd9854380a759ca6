"""What must hold after anything that happens to the cluster: each index equals the catalogue, document by document."""

from sqlalchemy import select

from catalog.core.db import make_engine, session_factory
from catalog.core.settings import CatalogSettings
from catalog.indexing.models import IndexTarget
from deploy.proving.cluster import Cluster
from indexer.engines.admin import Engine
from indexer.rebuild.drift.audit import Audit
from indexer.settings import IndexerSettings


def wrong_documents(cluster: Cluster) -> dict[str, int]:
    """Wait until nothing is left to send, then compare every engine with the catalogue.

    Returns:
        The name of each engine -> how many documents are missing, stale or ghosts.

    Raises:
        LocalStackError: The changes were not sent within minutes.
    """
    cluster.wait_indexed(timeout=300)
    variables = cluster.parts.environment
    settings = IndexerSettings(meili_urls=variables["MEILI_URLS"], meili_key=variables["MEILI_KEY"])
    catalog = CatalogSettings(
        database_url=cluster.parts.database_url, pool_min=1, pool_max=2, statement_timeout_ms=60_000
    )
    database = make_engine(catalog)
    try:
        with session_factory(database)() as session:
            targets = session.scalars(select(IndexTarget).where(IndexTarget.state == "live")).all()
        return {
            target.engine: len(
                Audit(
                    database,
                    Engine(settings, settings.configured_engines[target.engine]),
                    target.id,
                    target.index_uid,
                )
                .run()
                .ids
            )
            for target in targets
        }
    finally:
        database.dispose()
