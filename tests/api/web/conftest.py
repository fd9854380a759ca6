"""A catalogue that listeners can search, behind the pages."""

from collections.abc import Iterator

import pytest
from redis import Redis
from sqlalchemy import Engine as Database

from api.settings import Settings
from tests.support.client import Client
from tests.support.discovery import SPECS, stock, total
from tests.support.product import sending
from tests.support.waiting import eventually


@pytest.fixture
def catalogue(
    settings: Settings, database: Database, cache_redis: "Redis", listener: Client
) -> Iterator[dict[str, int]]:
    """The programs of SPECS, searchable, while a sender runs."""
    found = stock(database)
    with sending(settings, cache_redis):
        eventually(lambda: total(listener) == len(SPECS), what="searchable")
        yield found
