"""What clients ask of a node beside documents and searches: its statistics, webhooks, and the keys it starts with."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests
from click.testing import CliRunner

from deploy.searchnode.cli import searchnode
from tests.searchnode.contract.replay import Replayer
from tests.support.nodes import Node, nodes
from tests.support.servers import MASTER_KEY

HEADERS = {"Authorization": f"Bearer {MASTER_KEY}"}


@pytest.fixture(scope="module")
def node(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Node]:
    with nodes(tmp_path_factory.mktemp("asked"), "searchnode") as (own,):
        yield own


def asked(node: Node, path: str) -> tuple[int, Any]:
    answer = requests.get(node.url + path, headers=HEADERS, timeout=60)
    return answer.status_code, answer.json()


@pytest.fixture(scope="module")
def filled(node: Node) -> Node:
    document = {"id": 1, "text": "x" * 3000}
    sent = requests.post(f"{node.url}/indexes/shows/documents", json=[document], headers=HEADERS, timeout=60)
    Replayer(node.url, MASTER_KEY).finish(sent.json()["taskUid"])
    return node


@pytest.mark.slow
def test_sizes_are_numbers_of_bytes_or_texts_with_a_unit(filled: Node) -> None:
    _, raw = asked(filled, "/indexes/shows/stats")
    assert raw["rawDocumentDbSize"] > 3000
    assert asked(filled, "/indexes/shows/stats?sizeFormat=raw")[1] == raw
    _, human = asked(filled, "/indexes/shows/stats?sizeFormat=human")
    assert re.fullmatch(r"2\.9\d? KiB", human["rawDocumentDbSize"])
    _, whole = asked(filled, "/stats?sizeFormat=human")
    assert re.fullmatch(r"\d+(\.\d+)? [KM]iB", whole["databaseSize"])
    assert whole["indexes"]["shows"] == human


@pytest.mark.slow
def test_sizes_of_the_parts_are_shown_to_who_asks(filled: Node) -> None:
    _, plain = asked(filled, "/indexes/shows/stats")
    assert "internalDatabaseSizes" not in plain
    _, shown = asked(filled, "/indexes/shows/stats?showInternalDatabaseSizes=true")
    assert shown["internalDatabaseSizes"] == {"documents": plain["rawDocumentDbSize"]}


@pytest.mark.slow
@pytest.mark.parametrize(
    ("query", "code"),
    [
        ("sizeFormat=big", "invalid_stats_size_format"),
        ("showInternalDatabaseSizes=yes", "invalid_stats_show_internal_database_sizes"),
    ],
)
@pytest.mark.parametrize("path", ["/stats", "/indexes/shows/stats"])
def test_a_wrong_parameter_of_statistics_is_named(filled: Node, path: str, query: str, code: str) -> None:
    status, answer = asked(filled, f"{path}?{query}")
    assert (status, answer["code"]) == (400, code)


@pytest.mark.slow
def test_there_are_no_webhooks(node: Node) -> None:
    assert asked(node, "/webhooks") == (200, {"results": []})
    assert requests.get(f"{node.url}/webhooks", timeout=60).status_code == 401


@pytest.mark.parametrize(
    ("key", "said"), [(["--master-key", "short"], "This one has 5"), ([], "set MEILI_MASTER_KEY")]
)
def test_production_needs_a_long_master_key(tmp_path: Path, key: list[str], said: str) -> None:
    options = ["--env", "production", "--db-path", str(tmp_path), *key]
    done = CliRunner(env={"MEILI_MASTER_KEY": None, "MEILI_ENV": None}).invoke(searchnode, options)
    assert done.exit_code == 1
    assert "at least 16 bytes" in done.stderr
    assert said in done.stderr


@pytest.mark.slow
def test_a_short_master_key_is_enough_for_development(tmp_path: Path) -> None:
    node = Node(tmp_path, "searchnode", master_key="short")
    try:
        node.start()
        headers = {"Authorization": "Bearer short"}
        assert requests.get(f"{node.url}/indexes", headers=headers, timeout=60).status_code == 200
        assert requests.get(f"{node.url}/indexes", headers=HEADERS, timeout=60).status_code == 403
    finally:
        node.stop()
