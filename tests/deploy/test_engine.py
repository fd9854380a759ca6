"""Which engine is started on one machine, and with what."""

import json
import os
import shutil
from pathlib import Path

import pytest

from deploy.local.home import Home
from deploy.local.process import Child
from deploy.local.stack import Stack
from tests.support.waiting import eventually

# Stands for a real one: says how it was started.
PROGRAM = """#!/bin/sh
env | grep ^MEILI_ > "$MEILI_DB_PATH.started"
exec sleep 60
"""


def engine(home: Path, monkeypatch: pytest.MonkeyPatch, **given: str) -> Child:
    for name in ("MEILI_URL", "MEILI_KEY", "MEILI_MASTER_KEY", "MEILI_MAX_INDEXING_MEMORY"):
        monkeypatch.delenv(name, raising=False)
    for name, value in given.items():
        monkeypatch.setenv(name, value)
    stack = Stack.plan(Home(home), "thmanyah:")
    servers = stack.servers()
    stack.claims.close()
    return next(child for child in servers if child.name in ("meilisearch", "searchnode"))


@pytest.mark.parametrize(("given", "memory"), [({}, "1GiB"), ({"MEILI_MAX_INDEXING_MEMORY": "2GiB"}, "2GiB")])
def test_a_meilisearch_on_path_is_started_instead_with_its_memory_set(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, given: dict[str, str], memory: str
) -> None:
    program = tmp_path / "bin" / "meilisearch"
    program.parent.mkdir()
    program.write_text(PROGRAM)
    program.chmod(0o755)
    path = f"{program.parent}{os.pathsep}{os.environ['PATH']}"
    child = engine(tmp_path / "home", monkeypatch, PATH=path, **given)
    assert (child.name, child.command) == ("meilisearch", [str(program)])
    told = Path(child.environment["MEILI_DB_PATH"] + ".started")
    child.start(tmp_path)
    try:
        eventually(lambda: told.exists() and "MEILI_ENV" in told.read_text())
    finally:
        child.stop()
    values = dict(line.split("=", 1) for line in told.read_text().splitlines())
    secrets = json.loads((tmp_path / "home" / "secrets.json").read_text())
    assert values["MEILI_MAX_INDEXING_MEMORY"] == memory
    assert values["MEILI_MASTER_KEY"] == secrets["masterKey"]
    assert values["MEILI_HTTP_ADDR"].startswith("127.0.0.1:")
    assert values["MEILI_NO_ANALYTICS"] == "true"


def test_without_one_the_search_node_is_started_by_the_same_names(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shutil, "which", lambda name: None)
    child = engine(tmp_path, monkeypatch)
    assert child.command[-1] == "searchnode"
    assert {"MEILI_HTTP_ADDR", "MEILI_MASTER_KEY", "MEILI_DB_PATH"} <= child.environment.keys()
