"""Fixtures: a receiver of webhooks, and a catalogue that tells it."""

from collections.abc import Iterator

import pytest
from sqlalchemy import Engine as Database

from tests.support.hooked import Product
from tests.support.receivers import Receiver, receiver


@pytest.fixture
def hook() -> Iterator[Receiver]:
    with receiver() as found:
        yield found


@pytest.fixture
def product(database: Database, hook: Receiver) -> Product:
    return Product(database, hook)
