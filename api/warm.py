"""Cache warming: the most viewed programs, encoded as a lookup serves them, put into Redis."""

import redis

from api.cache import STORE_PROGRAM
from api.discovery.service import program_answer
from api.settings import Settings
from catalog.db import opened, session_factory
from catalog.programs import queries
from indexer.invalidation import Keys

POPULAR = 100
TTL = 600


def warm_popular() -> int:
    """Store the answers of the 100 most viewed programs for ten minutes; returns how many."""
    settings = Settings.from_env()
    keys = Keys(settings.indexer.redis_prefix)
    with opened(settings.catalog) as database, session_factory(database)() as session:
        ids = session.scalars(queries.popular_ids(POPULAR)).all()
        rows = session.execute(queries.VISIBLE_BY_IDS, {"ids": list(ids)}).mappings().all()
    with redis.Redis.from_url(settings.indexer.redis_cache_url, socket_timeout=5) as cache:
        pipe = cache.pipeline(transaction=False)
        for row in rows:
            answer = program_answer(row)
            # The same guard as any store: an older revision than the one held is refused.
            pipe.eval(STORE_PROGRAM, 1, keys.program(row["id"]), answer.rev, answer.body, TTL)
        pipe.execute()
    return len(rows)
