"""A catalogue that listeners can search, behind the pages."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser
from redis import Redis
from sqlalchemy import Engine as Database

from api.settings import Settings
from tests.support.browser import browsing
from tests.support.client import Client
from tests.support.discovery import SPECS, stock, total
from tests.support.product import sending
from tests.support.waiting import eventually


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """One browser for all tests of a module."""
    with browsing() as running:
        yield running


@pytest.fixture
def catalogue(
    settings: Settings, database: Database, cache_redis: "Redis", listener: Client
) -> Iterator[dict[str, int]]:
    """The programs of SPECS, searchable, while a sender runs."""
    found = stock(database)
    with sending(settings, cache_redis):
        eventually(lambda: total(listener) == len(SPECS), what="searchable")
        yield found
