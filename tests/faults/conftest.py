"""What the faults are done to: a pipeline, and servers that nobody else uses."""

from collections.abc import Iterator

import pytest

from tests.indexer.conftest import Pipeline, pipeline
from tests.support.servers import Servers

__all__ = ["Pipeline", "pipeline"]


@pytest.fixture(scope="session")
def killable() -> Iterator[Servers]:
    """Servers of this process's own: they may be killed, wiped and restarted."""
    found = Servers(durable=True)
    try:
        found.start()
        yield found
    finally:
        found.stop()
