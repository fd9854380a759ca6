"""The search node against the recordings of a real Meilisearch.

Every recorded step agrees, or the table of what is left out has a row for it and the node says so.
"""

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests

from deploy.local import ports
from deploy.local.process import Child
from deploy.local.searchnode import left_out
from deploy.local.stack import answers, thmanyah
from tests.contract.replay import SCENARIOS, Outcome, Replayer, Summary, recording
from tests.support.servers import MASTER_KEY

# On one server, in the order in which they were recorded.
README = Path(left_out.__file__).with_name("README.md")
# Recorded steps that ask for something left out.
LEFT_OUT = {"search": 1, "tasks": 1}
# Queries whose every score, rule by rule, must be the recorded one.
SCORES = {"search": 0.99, "ranking": 1.0, "settings-effects": 1.0}


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


@pytest.fixture(scope="module")
def replayed(node: str) -> dict[str, list[Outcome]]:
    """The outcomes of every scenario whose recording is here."""
    replayer = Replayer(node, MASTER_KEY)
    replayer.reset()
    found = {name: recording(name) for name in SCENARIOS}
    return {name: replayer.run(name, path) for name, path in found.items() if path is not None}


def told(outcomes: list[Outcome]) -> str:
    return "\n".join(
        f"{o.step} {o.request[:150]}: {d[:300]}" for o in outcomes for d in o.differences
    )


@pytest.mark.parametrize(
    "name",
    [
        name if name in ("ranking", "settings-effects") else pytest.param(name, marks=pytest.mark.shared)
        for name in SCENARIOS
    ],
)  # fmt: skip
def test_every_step_agrees_or_is_left_out(replayed: dict[str, list[Outcome]], name: str) -> None:
    outcomes = replayed[name]
    assert not told(outcomes)
    summary = Summary.of(outcomes)
    assert summary.left_out == LEFT_OUT.get(name, 0)
    assert summary.agree == summary.steps - summary.left_out
    if summary.first_hit is not None and summary.overlap is not None and name in SCORES:
        assert summary.first_hit >= 0.95
        assert summary.overlap >= 0.9
        assert (summary.scores or 0) >= SCORES[name]


@pytest.mark.parametrize(("method", "path"), [a[:2] for a in left_out.addresses()])
def test_what_is_left_out_says_so(node: str, method: str, path: str) -> None:
    address = path.replace("{uid:str}", "some").replace("{batch:str}", "1")
    answer = requests.request(
        method, node + address, timeout=10, headers={"Authorization": f"Bearer {MASTER_KEY}"}
    )
    assert answer.status_code == 501
    body = answer.json()
    assert body.keys() == {"message", "code", "type", "link"}
    assert body["code"] == "unsupported"


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("POST", "/indexes/x/search", {"q": "a", "vector": [0.5]}),
        ("POST", "/indexes/x/search", {"q": "a", "hybrid": {"embedder": "e"}}),
        ("POST", "/indexes/x/search", {"q": "a", "retrieveVectors": True}),
        ("POST", "/indexes/x/search", {"q": "a", "personalize": {"userContext": "u"}}),
        ("PATCH", "/indexes/x/settings", {"filterableAttributes": ["_geo"]}),
        ("PUT", "/indexes/x/settings/sortable-attributes", ["_geo"]),
        ("PATCH", "/indexes/x/settings", {"embedders": {"e": {"source": "userProvided"}}}),
        ("POST", "/multi-search", {"federation": {}, "queries": []}),
        ("POST", "/swap-indexes", [{"indexes": ["x", "y"], "rename": True}]),
    ],
)
def test_asking_for_what_is_left_out_is_refused(
    node: str, method: str, path: str, body: object
) -> None:
    headers = {"Authorization": f"Bearer {MASTER_KEY}"}
    made = requests.post(node + "/indexes", json={"uid": "x"}, headers=headers, timeout=10)
    Replayer(node, MASTER_KEY).finish(made.json()["taskUid"])
    answer = requests.request(method, node + path, json=body, headers=headers, timeout=10)
    assert (answer.status_code, answer.json()["code"]) == (501, "unsupported")


def test_the_readme_has_the_same_table() -> None:
    assert left_out.markdown() in README.read_text(encoding="utf-8")


def test_a_short_master_key_is_refused(tmp_path: Path) -> None:
    done = subprocess.run(
        [*thmanyah("searchnode"), "--master-key", "short", "--db-path", str(tmp_path)],
        capture_output=True, text=True, check=False, timeout=60,
    )  # fmt: skip
    assert done.returncode == 1
    assert "at least 16 bytes" in done.stderr
