"""Servers that nobody else uses."""

from collections.abc import Iterator

import pytest

from tests.support.nodes import Node, nodes
from tests.support.servers import Servers


@pytest.fixture(scope="session")
def killable() -> Iterator[Servers]:
    """Servers of this process's own: they may be killed, wiped and restarted."""
    found = Servers(durable=True)
    try:
        found.start()
        yield found
    finally:
        found.stop()


@pytest.fixture(scope="module")
def started(tmp_path_factory: pytest.TempPathFactory) -> Iterator[list[Node]]:
    """Two search nodes for all tests of a module."""
    with nodes(tmp_path_factory.mktemp("nodes"), "east", "west") as pair:
        yield pair


@pytest.fixture
def pair(started: list[Node]) -> tuple[Node, Node]:
    """Two running nodes, whatever the test before did to them; each test has an index of its own."""
    for node in started:
        node.revive()
    east, west = started
    return east, west
