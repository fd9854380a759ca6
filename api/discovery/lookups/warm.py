"""Cache warming: stores the answers of the most viewed programs in Redis. A scheduled job of the worker runs it."""

from api.answers.shared import STORE_PROGRAM
from api.discovery.lookups.programs import program_answer
from api.settings import Settings
from catalog.core.db import opened, session_factory
from catalog.programs import queries
from indexer import stores
from indexer.stores.invalidation import Keys

POPULAR = 100
TTL = 600


def warm_popular() -> int:
    """Store the answers of the 100 most viewed programs for ten minutes; returns how many."""
    settings = Settings.from_env()
    keys = Keys(settings.indexer.redis_prefix)
    with opened(settings.catalog) as database, session_factory(database)() as session:
        ids = session.scalars(queries.popular_ids(POPULAR)).all()
        rows = session.execute(queries.VISIBLE_BY_IDS, {"ids": list(ids)}).mappings().all()
    with stores.open_sync(settings.indexer.redis_cache_url, timeout=5, connect_timeout=1) as cache:
        pipe = cache.pipeline(transaction=False)
        for row in rows:
            answer = program_answer(row)
            # The script refuses a revision older than the cached one, as for every other store.
            pipe.execute_command(
                "EVAL", STORE_PROGRAM, 1, keys.program(row["id"]), "", answer.rev, answer.body, TTL
            )
        pipe.execute()
    return len(rows)
