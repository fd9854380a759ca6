"""The cache is warmed with what is popular."""

import pytest
from redis import Redis
from sqlalchemy import Engine as Database
from sqlalchemy import text

from api.discovery.lookups.warm import warm_popular
from api.settings import Settings
from catalog.core.db import session_factory
from indexer.stores.invalidation import Keys
from tests.support.processes import environment
from tests.support.product import serve
from tests.support.programs import make


@pytest.mark.slow
def test_the_most_viewed_programs_are_warmed(
    settings: Settings, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in environment(settings).items():
        monkeypatch.setenv(name, value)
    with session_factory(database).begin() as session:
        ids = [make(session, "published").id for _ in range(110)]
        draft = make(session).id
        session.execute(text("UPDATE programs SET view_count = id"))
    assert warm_popular() == 100
    redis = Redis.from_url(settings.indexer.redis_cache_url)
    kept = {
        int(key.rpartition(b":")[2].rstrip(b"}"))
        for key in redis.keys(f"{settings.indexer.redis_prefix}{{program:*")
    }
    assert kept == set(sorted(ids)[-100:])
    assert draft not in kept
    ttl = redis.ttl(Keys(settings.indexer.redis_prefix).program(ids[-1]))
    assert 0 < int(ttl) <= 600
    redis.close()
    with serve(settings) as (client, _):
        assert client.get(f"/discovery/programs/{ids[-1]}").headers["x-cache"] == "l2"
        assert client.get(f"/discovery/programs/{ids[0]}").headers["x-cache"] == "miss"
