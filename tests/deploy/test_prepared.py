"""Processes that tests get prepared are the processes that a whole start makes."""

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from deploy.local import ports
from deploy.local.process import Child
from deploy.local.stack import answers, thmanyah
from tests.support import nursery
from tests.support.prepared import Prepared, whole_processes
from tests.support.waiting import eventually

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="processes are prepared on Linux alone")


@pytest.fixture
def searchnode(tmp_path: Path) -> Iterator[Callable[[], Child]]:
    """Starts a search node that answers."""
    children = []

    def start() -> Child:
        url = f"http://127.0.0.1:{ports.ephemeral()}"
        variables = {"MEILI_HTTP_ADDR": url.partition("//")[2], "MEILI_DB_PATH": str(tmp_path / "index")}
        child = Child("node", thmanyah("searchnode"), lambda: answers(f"{url}/health"), "", variables)
        children.append(child)
        child.start(tmp_path / "logs")
        eventually(child.ready, what=(tmp_path / "logs/node.log").read_text())
        return child

    yield start
    for child in children:
        child.stop()


@pytest.mark.parametrize("words", [["--version"], ["searchnode", "--nonsense"], ["nonsense"]])
def test_they_say_and_end_as_others_do(words: list[str], tmp_path: Path) -> None:
    prepared = _run(words, tmp_path)
    with whole_processes():
        whole = _run(words, tmp_path)
    assert isinstance(prepared[0], Prepared)
    assert not isinstance(whole[0], Prepared)
    assert prepared[1:] == whole[1:]


def _run(words: list[str], folder: Path) -> tuple[object, int, bytes, bytes]:
    command = [*thmanyah(words[0]), *words[1:]]
    with subprocess.Popen(command, cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        output, errors = process.communicate()
    return process, process.returncode, output, errors


@pytest.mark.slow
def test_they_are_children_with_a_session_of_their_own(searchnode: Callable[[], Child]) -> None:
    process = searchnode().process
    assert process is not None
    assert isinstance(process, Prepared)
    assert os.getsid(process.pid) == process.pid
    assert Path(f"/proc/{process.pid}/stat").read_text().rpartition(")")[2].split()[1] == str(os.getpid())
    process.send_signal(signal.SIGKILL)
    assert process.wait(30) == -signal.SIGKILL


def test_nothing_of_the_product_is_imported_before() -> None:
    code = (
        "import importlib, sys\n"
        "from tests.support import nursery\n"
        "for name in nursery.LIBRARIES: importlib.import_module(name)\n"
        "print(*sys.modules)"
    )
    loaded = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    ).stdout.split()
    ours = {name for name in loaded if name.partition(".")[0] in ("api", "catalog", "indexer", "deploy")}
    assert ours == {"indexer", "indexer.process", "indexer.process.loading"}
    assert "prometheus_client" not in loaded
    assert set(nursery.LIBRARIES) <= set(loaded)
