"""What metrics say of an engine that searches wait for."""

import pytest

from deploy.local import ports
from indexer import metrics
from indexer.engines.client import SearchClient
from indexer.engines.errors import EngineUnavailableError
from indexer.settings import IndexerSettings


async def test_an_engine_that_is_asked_no_more_is_not_waited_for() -> None:
    settings = IndexerSettings(breaker_failures=2)
    client = SearchClient(settings, "gone", f"http://127.0.0.1:{ports.ephemeral()}")
    waits = metrics.BREAKER.labels("search", "gone")
    client.start()
    try:
        for _ in range(2):
            assert waits._value.get() == 0
            with pytest.raises(EngineUnavailableError):
                await client.post("search", "indexes/programs/search", b"{}", 5)
        assert waits._value.get() == 1
    finally:
        await client.close()
    assert waits._value.get() == 0
