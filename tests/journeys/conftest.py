"""The product's real processes, started once for all journeys of a module."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from catalog.core.db import make_engine
from tests.support.accounts import add_accounts
from tests.support.databases import new_database
from tests.support.running import RunningProduct, running_product
from tests.support.stores import new_settings


@pytest.fixture(scope="module")
def product(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningProduct]:
    """Two API processes, a sender and the scheduler over stores of this module's own."""
    folder: Path = tmp_path_factory.mktemp("product")
    with new_database(os.environ["TEST_POSTGRES"]) as url:
        settings = new_settings(url, os.environ)
        database = make_engine(settings.catalog)
        add_accounts(settings, database)
        with running_product(settings, folder) as running:
            yield running
        database.dispose()
