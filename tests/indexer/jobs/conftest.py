"""The queue of a test, and a process that counts searches."""

from collections.abc import AsyncIterator, Iterator
from types import SimpleNamespace

import pytest
from redis import Redis
from redis.asyncio import Redis as AsyncRedis

from api.discovery.counted import asked, events
from api.settings import Settings
from indexer.stores import queues
from tests.support.searched import NOW, Process


@pytest.fixture
def queue(settings: Settings) -> Iterator["Redis"]:
    """This process's own queue database, empty."""
    connection = queues.connect(settings.indexer.redis_queue_url)
    connection.flushdb()
    yield connection
    connection.flushdb()
    connection.close()


@pytest.fixture
async def process(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Process]:
    """One process, on one day."""
    monkeypatch.setattr(asked, "datetime", SimpleNamespace(now=lambda _: NOW))
    monkeypatch.setattr(events, "time", SimpleNamespace(time=NOW.timestamp))
    redis = AsyncRedis.from_url(settings.indexer.redis_cache_url)
    yield Process(redis, settings.indexer.redis_prefix)
    await redis.aclose()
