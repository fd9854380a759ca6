"""What the node promises of its disk: what succeeded stays, and a waiting task is done exactly once."""

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from deploy.local.stack import thmanyah
from tests.searchnode.contract.crashes import KEY, UIDS, Crashing, crash_and_check

pytestmark = pytest.mark.slow


def test_crashes_lose_nothing_and_do_nothing_twice(tmp_path: Path) -> None:
    found = crash_and_check(tmp_path, 6, seed=20, checks=2)
    assert found.crashes >= 6
    assert len(found.succeeded) > 20


@pytest.fixture
def filled(tmp_path: Path) -> Iterator[Crashing]:
    """Return a stopped node with documents and a snapshot."""
    node = Crashing(tmp_path, seed=3)
    node.open()
    node.prepare()
    rows = [{"id": i, "version": 1, "text": f"id{i} version1 " + "word " * 50} for i in range(200)]
    node.wait(node.ask("POST", f"/indexes/{UIDS[0]}/documents", rows)["taskUid"])
    node.close()
    yield node
    node.close()


def refusal(folder: Path) -> str:
    """Return what the node says when it refuses to start over this folder."""
    done = subprocess.run(
        [
            *thmanyah("searchnode"),
            "--master-key",
            KEY,
            "--db-path",
            str(folder),
            "--http-addr",
            "127.0.0.1:0",
        ],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert done.returncode == 1
    return done.stderr


def damage(path: Path, before: bytes, after: bytes) -> None:
    """Replace bytes of a file in place."""
    content = path.read_bytes()
    assert before in content
    path.write_bytes(content.replace(before, after, 1))


def test_a_torn_snapshot_is_not_used(filled: Crashing) -> None:
    snapshots = list((filled.folder / "data").glob("index-*.snapshot"))
    assert snapshots
    for path in snapshots:
        content = path.read_bytes()
        path.write_bytes(content[: len(content) // 2])
    filled.open()
    assert filled.found(UIDS[0], 7, 1) == [{"id": 7}]
    assert "is damaged" in (filled.folder / "searchnode.log").read_text()


def test_a_document_that_is_not_what_was_written_is_not_served(filled: Crashing) -> None:
    data = filled.folder / "data"
    damage(data / "searchnode.sqlite3", b"id7 version1", b"id7 version2")
    assert "is damaged and is not served" in refusal(data)


def test_a_cut_file_is_not_served(filled: Crashing) -> None:
    path = filled.folder / "data" / "searchnode.sqlite3"
    content = path.read_bytes()
    path.write_bytes(content[: len(content) // 2])
    assert "is damaged and is not served" in refusal(filled.folder / "data")
