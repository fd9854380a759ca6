"""Kills a node at random moments under writes, and checks what is there when it is back.

As a program: `python -m tests.searchnode.contract.crashes [--crashes 200] [--seed 1]`.
"""

import argparse
import json
import random
import signal
import tempfile
import threading
import time
from pathlib import Path
from typing import Any

import requests

from deploy.local import ports
from deploy.local.process import Child
from deploy.local.stack import answers, thmanyah

KEY = "a-master-key-for-crashes"
UIDS = ("left", "right")
# With few documents most writes replace one.
IDS = 40
_WAIT_SECONDS = 60
# Index -> id of a document -> its version.
State = dict[str, dict[int, int]]


class Crashing:
    """A folder, a node over it that is killed and restarted, and the writes that were sent to it."""

    def __init__(self, folder: Path, seed: int) -> None:
        self.folder, self.chance = folder, random.Random(seed)
        self.port = ports.ephemeral()
        self.url = f"http://127.0.0.1:{self.port}"
        # Number of a write -> the write. Tasks repeat the number as `customMetadata`, except those of swaps.
        self.sent: dict[str, tuple[str, str, Any]] = {}
        # Uid of a task that was answered with 202 -> the number of its write; and tasks seen as succeeded.
        self.accepted: dict[int, str] = {}
        self.succeeded: set[int] = set()
        self.crashes = self.replayed = 0
        self.session = requests.Session()
        self.session.headers["Authorization"] = f"Bearer {KEY}"
        self.child = self._child()

    def _child(self) -> Child:
        environment = {
            "MEILI_HTTP_ADDR": f"127.0.0.1:{self.port}",
            "MEILI_MASTER_KEY": KEY,
            "MEILI_DB_PATH": str(self.folder / "data"),
        }
        return Child(
            "searchnode", thmanyah("searchnode"), lambda: answers(f"{self.url}/health"), "", environment
        )

    def open(self) -> None:
        """Start the node and wait until it answers."""
        self.child.start(self.folder)
        log = self.folder / "searchnode.log"
        assert self.child.wait_ready(_WAIT_SECONDS, lambda: False), log.read_text()[-2000:]

    def close(self) -> None:
        """Stop the node by a signal that it handles."""
        self.child.stop()

    def kill(self) -> None:
        """Kill the node, between any two instructions."""
        process = self.child.process
        assert process is not None
        process.send_signal(signal.SIGKILL)
        process.wait()
        self.child.process = None
        self.crashes += 1

    def ask(self, method: str, path: str, body: Any = None) -> Any:
        """Send a request, which must succeed, and return the decoded answer.

        Args:
            method: The method of the request.
            path: Its path with the query string.
            body: Its body, not encoded.
        """
        answer = self.session.request(method, self.url + path, json=body, timeout=_WAIT_SECONDS)
        assert answer.status_code < 400, (path, answer.text)
        return answer.json()

    def prepare(self) -> None:
        """Create the two indexes."""
        for uid in UIDS:
            self.wait(self.ask("POST", "/indexes", {"uid": uid, "primaryKey": "id"})["taskUid"])
            settings = {"filterableAttributes": ["version"]}
            self.wait(self.ask("PATCH", f"/indexes/{uid}/settings", settings)["taskUid"])

    def wait(self, uid: int) -> dict[str, Any]:
        """Wait for a task and return it."""
        deadline = time.monotonic() + _WAIT_SECONDS
        while time.monotonic() < deadline:
            task: dict[str, Any] = self.ask("GET", f"/tasks/{uid}")
            if task["status"] not in ("enqueued", "processing"):
                return task
            time.sleep(0.005)
        raise AssertionError(f"task {uid} is not finished")

    def _write(self) -> tuple[str, str, Any]:
        """Return a random write: its kind, its index, the ids it is about."""
        uid = self.chance.choice(UIDS)
        ids = [self.chance.randrange(IDS) for _ in range(self.chance.choice([1, 1, 5, 30]))]
        kind = self.chance.choices(["add", "delete", "swap"], [8, 2, 2])[0]
        return kind, uid, ids

    def _send(self, number: str, write: tuple[str, str, Any]) -> int:
        kind, uid, ids = write
        mark = f"?customMetadata={number}"
        if kind == "add":
            version = int(number)
            rows = [{"id": i, "version": version, "text": f"id{i} version{version}"} for i in ids]
            return int(self.ask("POST", f"/indexes/{uid}/documents{mark}", rows)["taskUid"])
        if kind == "delete":
            path = f"/indexes/{uid}/documents/delete-batch{mark}"
            return int(self.ask("POST", path, ids)["taskUid"])
        return int(self.ask("POST", "/swap-indexes", [{"indexes": list(UIDS)}])["taskUid"])

    def crash_under_writes(self, most_seconds: float = 0.4) -> None:
        """Write without a pause and kill the node after a random time of at most so many seconds."""
        after = self.chance.uniform(0.0, most_seconds)
        killer = threading.Timer(after, self.kill)
        killer.start()
        try:
            while killer.is_alive():
                number = str(len(self.sent))
                self.sent[number] = self._write()
                self.accepted[self._send(number, self.sent[number])] = number
                if self.chance.random() < 0.3:
                    self._look()
        except (requests.RequestException, json.JSONDecodeError):
            pass
        finally:
            killer.join()

    def _look(self) -> None:
        """Remember which tasks the node reports as succeeded."""
        for task in self.ask("GET", "/tasks?statuses=succeeded&limit=20")["results"]:
            self.succeeded.add(task["uid"])

    def check(self) -> None:
        """Check that every accepted task is done exactly once, and that searches see what follows from them."""
        tasks = self._tasks()
        for uid in self.succeeded:
            assert tasks[uid]["status"] == "succeeded", tasks[uid]
        for uid in self.accepted:
            assert uid in tasks, f"task {uid} was accepted and is lost"
        for task in tasks.values():
            if task["status"] in ("enqueued", "processing"):
                self.wait(task["uid"])
        wanted = self._state(self._tasks())
        for uid in UIDS:
            assert self._documents(uid) == wanted[uid], uid
            self._check_words(uid, wanted[uid])

    def _tasks(self) -> dict[int, dict[str, Any]]:
        found: dict[int, dict[str, Any]] = {}
        page = {"next": None}
        while not found or page["next"] is not None:
            start = f"&from={page['next']}" if page["next"] is not None else ""
            page = self.ask("GET", f"/tasks?limit=1000{start}")
            found |= {task["uid"]: task for task in page["results"]}
        return found

    def _state(self, tasks: dict[int, dict[str, Any]]) -> State:
        """Return what follows from all tasks in the order of their uids."""
        state: State = {uid: {} for uid in UIDS}
        for uid, task in sorted(tasks.items()):
            assert task["status"] == "succeeded", task
            if task["type"] == "indexSwap":
                state = dict(zip(UIDS, reversed([state[u] for u in UIDS]), strict=True))
                continue
            number = task.get("customMetadata")
            if number is None:
                continue
            # Also a write whose answer was lost with the process is known by its number.
            self.replayed += uid not in self.accepted
            kind, index, ids = self.sent[number]
            for i in ids:
                if kind == "add":
                    state[index][i] = int(number)
                else:
                    state[index].pop(i, None)
        return state

    def _documents(self, uid: str) -> dict[int, int]:
        rows = self.ask("GET", f"/indexes/{uid}/documents?limit=1000")["results"]
        return {row["id"]: row["version"] for row in rows}

    def _check_words(self, uid: str, wanted: dict[int, int]) -> None:
        """Check that words and facet values agree with the documents."""
        body = {"q": "", "facets": ["version"], "limit": 0}
        counts = self.ask("POST", f"/indexes/{uid}/search", body)["facetDistribution"]
        # Before the first document there are no values to count.
        assert sum(counts.get("version", {}).values()) == len(wanted)
        for i, version in self.chance.sample(sorted(wanted.items()), min(8, len(wanted))):
            assert self.found(uid, i, version) == [{"id": i}], (uid, i, version)
            earlier = self.chance.randrange(max(len(self.sent), 1))
            assert earlier == version or not self.found(uid, i, earlier), (uid, i, earlier)

    def found(self, uid: str, i: int, version: int) -> list[Any]:
        """Search for the words of one version of a document.

        Args:
            uid: The index.
            i: The id of the document.
            version: The version.

        Returns:
            The hits.
        """
        query = {"q": f'"id{i} version{version}"', "attributesToRetrieve": ["id"]}
        hits: list[Any] = self.ask("POST", f"/indexes/{uid}/search", query)["hits"]
        return hits


def crash_and_check(folder: Path, crashes: int, seed: int, *, checks: int) -> Crashing:
    """Crash a node several times over one folder.

    Args:
        folder: Where the node keeps its data.
        crashes: How many times it is killed under writes.
        seed: The same seed makes the same writes.
        checks: How many times everything is checked on the way.
    """
    crashing = Crashing(folder, seed)
    crashing.open()
    try:
        crashing.prepare()
        for n in range(1, crashes + 1):
            crashing.crash_under_writes()
            if crashing.chance.random() < 0.2:
                # Sometimes it is killed while it starts, too.
                crashing.child.start(crashing.folder)
                time.sleep(crashing.chance.uniform(0.0, 1.0))
                crashing.kill()
            crashing.open()
            if n % max(crashes // checks, 1) == 0 or n == crashes:
                crashing.check()
            if crashing.chance.random() < 0.1:
                # A stopped node writes a snapshot, with which the next crashes begin.
                crashing.close()
                crashing.open()
    finally:
        crashing.close()
    return crashing


def main() -> None:
    """Crash a node many times and print what was found."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--crashes", type=int, default=200)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        found = crash_and_check(Path(name), options.crashes, options.seed, checks=options.crashes)
    print(
        f"{found.crashes} crashes, {len(found.accepted)} tasks accepted, {len(found.succeeded)} seen "
        f"as succeeded before a crash: none lost, none done twice"
    )


if __name__ == "__main__":
    main()
