"""A task thread that fails ends the node; the next start executes what was left."""

import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import requests

from deploy.local import ports
from deploy.local.stack import answers
from deploy.searchnode.errors import ApiError
from deploy.searchnode.http.routes.server import health
from deploy.searchnode.tasks import executor
from deploy.searchnode.tasks.node import Node
from deploy.searchnode.tasks.worker import CRASHED, Worker
from tests.support.waiting import eventually

_WITHOUT_MEMORY = """
from deploy.searchnode.cli import searchnode
from deploy.searchnode.tasks import executor

def prepare(*_):
    raise MemoryError

executor.prepare = prepare
searchnode()
"""


@pytest.mark.slow
def test_a_task_thread_without_memory_ends_the_process(tmp_path: Path) -> None:
    port = ports.ephemeral()
    url = f"http://127.0.0.1:{port}"
    options = ["--http-addr", f"127.0.0.1:{port}", "--db-path", str(tmp_path)]

    def start(code: str) -> "subprocess.Popen[bytes]":
        child = subprocess.Popen([sys.executable, "-c", code, *options], stderr=subprocess.PIPE)
        eventually(lambda: answers(f"{url}/health"), within=30)
        return child

    failing = start(_WITHOUT_MEMORY)
    with suppress(requests.ConnectionError):
        # The process may end before the answer is out.
        assert requests.post(f"{url}/indexes", json={"uid": "a"}, timeout=10).status_code == 202
    assert failing.wait(30) == CRASHED
    assert failing.stderr is not None
    assert b"the task thread failed, so the node ends" in failing.stderr.read()
    healthy = start("from deploy.searchnode.cli import searchnode; searchnode()")
    try:
        eventually(
            lambda: requests.get(f"{url}/tasks", timeout=10).json()["results"][0]["status"] == "succeeded"
        )
    finally:
        healthy.terminate()
        healthy.wait(30)
        for child in (failing, healthy):
            assert child.stderr is not None
            child.stderr.close()


@pytest.mark.slow
def test_health_tells_of_a_task_thread_that_failed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def prepare(*_: object) -> None:
        raise MemoryError

    monkeypatch.setattr(executor, "prepare", prepare)
    node = Node(tmp_path)
    ended: list[int] = []
    call: Any = SimpleNamespace(node=node)
    worker = Worker(node, ended.append)
    worker.start()
    assert health(call) == {"status": "available"}
    node.enqueue("indexCreation", "a", {"primaryKey": "id"}, None)
    eventually(lambda: ended == [CRASHED])
    with pytest.raises(ApiError, match="task thread failed"):
        health(call)
    node.store.close()


def test_indexes_change_under_their_lock(tmp_path: Path) -> None:
    node = Node(tmp_path)
    worker = Worker(node)
    worker.start()
    for uid in "ab":
        node.enqueue("indexCreation", uid, {"primaryKey": "id"}, {"primaryKey": "id"})
    eventually(lambda: set(node.indexes) == {"a", "b"})
    before = dict(node.indexes)
    with node.lock:
        node.enqueue("indexSwap", None, {}, [{"indexes": ["a", "b"], "rename": False}])
        time.sleep(0.5)
        assert node.indexes == before
    eventually(lambda: node.indexes["a"] is before["b"])
    worker.stop()
