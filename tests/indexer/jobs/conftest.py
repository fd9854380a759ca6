"""The queue of a test."""

from collections.abc import Iterator

import pytest
from redis import Redis

from api.settings import Settings
from indexer.stores import queues


@pytest.fixture
def queue(settings: Settings) -> Iterator["Redis"]:
    """This process's own queue database, empty."""
    connection = queues.connect(settings.indexer.redis_queue_url)
    connection.flushdb()
    yield connection
    connection.flushdb()
    connection.close()
