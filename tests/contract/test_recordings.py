"""The search node against the recordings of a real Meilisearch.

What agrees today must agree tomorrow: each scenario has the number of steps that may still differ.
"""

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from deploy.local import ports
from deploy.local.process import Child
from deploy.local.stack import answers, thmanyah
from tests.contract.replay import Outcome, Replayer, recording
from tests.support.servers import MASTER_KEY


@pytest.fixture(scope="module")
def node(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A node of this module's own: replays empty the server."""
    port = ports.ephemeral()
    folder = tmp_path_factory.mktemp("node")
    child = Child(
        "searchnode", thmanyah("searchnode"), lambda: answers(f"http://127.0.0.1:{port}/health"), "",
        {"MEILI_HTTP_ADDR": f"127.0.0.1:{port}", "MEILI_MASTER_KEY": MASTER_KEY, "MEILI_DB_PATH": str(folder)},
    )  # fmt: skip
    child.start(folder)
    assert child.wait_ready(30, lambda: False), (folder / "searchnode.log").read_text()
    yield f"http://127.0.0.1:{port}"
    child.stop()


def replay(node: str, name: str) -> list[Outcome]:
    path = recording(name)
    assert path is not None
    return Replayer(node, MASTER_KEY).run(path)


def told(outcomes: list[Outcome]) -> str:
    return "\n".join(
        f"{o.step} {o.request[:150]}: {d[:300]}" for o in outcomes for d in o.differences
    )


@pytest.mark.xdist_group("contract")
@pytest.mark.parametrize(
    ("name", "may_differ"),
    [
        pytest.param("indexes", 1, marks=pytest.mark.shared),
        pytest.param("documents", 3, marks=pytest.mark.shared),
        pytest.param("settings", 8, marks=pytest.mark.shared),
        pytest.param("keys", 7, marks=pytest.mark.shared),
        pytest.param("tasks", 5, marks=pytest.mark.shared),
        pytest.param("search", 87, marks=pytest.mark.shared),
        ("ranking", 15),
        ("settings-effects", 31),
    ],
)
def test_steps_agree(node: str, name: str, may_differ: int) -> None:
    outcomes = replay(node, name)
    different = [o for o in outcomes if o.differences]
    assert len(different) <= may_differ, told(different)


@pytest.mark.xdist_group("contract")
@pytest.mark.parametrize(
    ("name", "first", "overlap"),
    [
        pytest.param("search", 0.91, 0.88, marks=pytest.mark.shared),
        ("ranking", 0.96, 0.98),
        ("settings-effects", 0.88, 0.96),
    ],
)
def test_text_queries_find_the_same(node: str, name: str, first: float, overlap: float) -> None:
    text = [o for o in replay(node, name) if o.first_hit is not None]
    assert sum(bool(o.first_hit) for o in text) / len(text) >= first
    assert sum(o.overlap or 0 for o in text) / len(text) >= overlap


def test_what_is_left_out_says_so(node: str) -> None:
    import requests

    for method, path in (
        ("POST", "/dumps"),
        ("GET", "/experimental-features"),
        ("POST", "/snapshots"),
    ):
        answer = requests.request(method, node + path, timeout=10)
        assert answer.status_code == 501
        assert answer.json()["code"] == "unsupported"


def test_a_short_master_key_is_refused(tmp_path: Path) -> None:
    done = subprocess.run(
        [*thmanyah("searchnode"), "--master-key", "short", "--db-path", str(tmp_path)],
        capture_output=True, text=True, check=False, timeout=60,
    )  # fmt: skip
    assert done.returncode == 1
    assert "at least 16 bytes" in done.stderr
