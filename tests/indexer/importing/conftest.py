"""Fixtures of import tests."""

import pytest
from sqlalchemy import Engine

from tests.support.importing import Importer


@pytest.fixture
def importer(database: Engine) -> Importer:
    """Imports into this test's database."""
    return Importer(database)
