"""The search node against the recordings: every recorded step agrees.

A step may ask for a feature that the node does not support; then the node must say so.
"""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests

from deploy.searchnode import unsupported
from tests.searchnode.contract.compare import Outcome
from tests.searchnode.contract.replay import BY_HAND, SCENARIOS, Replayer, Summary, recording
from tests.support.nodes import nodes
from tests.support.servers import MASTER_KEY

README = Path(unsupported.__file__).with_name("README.md")
# Scenario -> how many of its steps ask for unsupported features.
UNSUPPORTED = {"search": 1, "tasks": 1}
# Scenario -> the share of hits whose every score, rule by rule, must be the recorded one.
SCORES = {"search": 0.99, "ranking": 1.0, "settings-effects": 1.0, "by_hand/search": 1.0}
IN_THE_CHECKOUT = ("ranking", "settings-effects", *BY_HAND)


@pytest.fixture(scope="module")
def node(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Return the address of a node for this module alone: replays empty the server."""
    with nodes(tmp_path_factory.mktemp("replayed"), "searchnode") as (own,):
        yield own.url


@pytest.fixture(scope="module")
def replayed(node: str) -> dict[str, list[Outcome]]:
    """Replay every scenario whose recording is there, and return the outcomes by scenario."""
    replayer = Replayer(node, MASTER_KEY)
    replayer.reset()
    found = {name: recording(name) for name in (*SCENARIOS, *BY_HAND)}
    return {name: replayer.run(name, path) for name, path in found.items() if path is not None}


def differences(outcomes: list[Outcome]) -> str:
    return "\n".join(f"{o.step} {o.request[:150]}: {d[:300]}" for o in outcomes for d in o.differences)


@pytest.mark.slow
@pytest.mark.parametrize(
    "name",
    [
        name if name in IN_THE_CHECKOUT else pytest.param(name, marks=pytest.mark.shared)
        for name in (*SCENARIOS, *BY_HAND)
    ],
)
def test_every_step_agrees_or_is_unsupported(replayed: dict[str, list[Outcome]], name: str) -> None:
    outcomes = replayed[name]
    assert not differences(outcomes)
    summary = Summary.of(outcomes)
    assert summary.unsupported == UNSUPPORTED.get(name, 0)
    assert summary.agree == summary.steps - summary.unsupported
    if summary.first_hit is not None and summary.overlap is not None and name in SCORES:
        assert summary.first_hit >= 0.95
        assert summary.overlap >= 0.9
        assert (summary.scores or 0) >= SCORES[name]


@pytest.mark.slow
@pytest.mark.parametrize(("method", "path"), [address[:2] for address in unsupported.addresses()])
def test_an_unsupported_address_says_so(node: str, method: str, path: str) -> None:
    address = re.sub(r"\{[a-z]+:str\}", "some", path)
    answer = requests.request(
        method, node + address, timeout=60, headers={"Authorization": f"Bearer {MASTER_KEY}"}
    )
    assert answer.status_code == 501
    body = answer.json()
    assert body.keys() == {"message", "code", "type", "link"}
    assert body["code"] == "unsupported"


@pytest.mark.slow
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
def test_a_request_for_an_unsupported_feature_is_refused(
    node: str, method: str, path: str, body: object
) -> None:
    headers = {"Authorization": f"Bearer {MASTER_KEY}"}
    created = requests.post(node + "/indexes", json={"uid": "x"}, headers=headers, timeout=60)
    Replayer(node, MASTER_KEY).finish(created.json()["taskUid"])
    answer = requests.request(method, node + path, json=body, headers=headers, timeout=60)
    assert (answer.status_code, answer.json()["code"]) == (501, "unsupported")


def test_the_readme_has_the_same_table() -> None:
    assert unsupported.markdown() in README.read_text(encoding="utf-8")
