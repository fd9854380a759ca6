"""A node killed at random moments under writes, and what must be there when it is back.

As a program: `python -m tests.contract.crashes [--crashes 200] [--seed 1]`.
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
# Documents are few, so that most writes replace one that is there.
IDS = 40
_WAIT = 60
State = dict[str, dict[int, int]]


class Crashing:
    """One folder, a node over it that comes and goes, and what was asked of it in order."""

    def __init__(self, folder: Path, seed: int) -> None:
        self.folder, self.chance = folder, random.Random(seed)
        self.port = ports.ephemeral()
        self.url = f"http://127.0.0.1:{self.port}"
        # Every write by its number; it goes along as `customMetadata` where there is such a thing.
        self.sent: dict[str, tuple[str, str, Any]] = {}
        # Uid of every task answered with 202 -> its write, and of those seen as succeeded.
        self.accepted: dict[int, str] = {}
        self.succeeded: set[int] = set()
        self.crashes = self.replayed = 0
        self.session = requests.Session()
        self.session.headers["Authorization"] = f"Bearer {KEY}"
        self.child = self._child()

    def _child(self) -> Child:
        environment = {"MEILI_HTTP_ADDR": f"127.0.0.1:{self.port}", "MEILI_MASTER_KEY": KEY,
                       "MEILI_DB_PATH": str(self.folder / "data")}  # fmt: skip
        return Child("searchnode", thmanyah("searchnode"), lambda: answers(f"{self.url}/health"),
                     "", environment)  # fmt: skip

    def open(self) -> None:
        """Start the node; it must answer."""
        self.child.start(self.folder)
        log = self.folder / "searchnode.log"
        assert self.child.wait_ready(_WAIT, lambda: False), log.read_text()[-2000:]

    def close(self) -> None:
        """End the node as one ends a service."""
        self.child.stop()

    def kill(self) -> None:
        """The process is gone between two instructions."""
        process = self.child.process
        assert process is not None
        process.send_signal(signal.SIGKILL)
        process.wait()
        self.child.process = None
        self.crashes += 1

    def ask(self, method: str, path: str, body: Any = None) -> Any:
        """The decoded answer of a request, which must succeed."""
        answer = self.session.request(method, self.url + path, json=body, timeout=_WAIT)
        assert answer.status_code < 400, (path, answer.text)
        return answer.json()

    def prepare(self) -> None:
        """Two empty indexes."""
        for uid in UIDS:
            self.wait(self.ask("POST", "/indexes", {"uid": uid, "primaryKey": "id"})["taskUid"])
            settings = {"filterableAttributes": ["version"]}
            self.wait(self.ask("PATCH", f"/indexes/{uid}/settings", settings)["taskUid"])

    def wait(self, uid: int) -> dict[str, Any]:
        """The task once it is finished."""
        deadline = time.monotonic() + _WAIT
        while time.monotonic() < deadline:
            task: dict[str, Any] = self.ask("GET", f"/tasks/{uid}")
            if task["status"] not in ("enqueued", "processing"):
                return task
            time.sleep(0.005)
        raise AssertionError(f"task {uid} is not finished")

    def _write(self) -> tuple[str, str, Any]:
        """A kind of write, its index, and what it says."""
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
        """Write without pause, look at what succeeded, and be killed at a random moment."""
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
        """Note which tasks are reported as succeeded."""
        for task in self.ask("GET", "/tasks?statuses=succeeded&limit=20")["results"]:
            self.succeeded.add(task["uid"])

    def check(self) -> None:
        """Everything accepted is done, exactly once, and what searches see is what it comes to."""
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
        """What all the tasks come to, in the order of their uids."""
        state: State = {uid: {} for uid in UIDS}
        for uid, task in sorted(tasks.items()):
            assert task["status"] == "succeeded", task
            if task["type"] == "indexSwap":
                state = dict(zip(UIDS, reversed([state[u] for u in UIDS]), strict=True))
                continue
            number = task.get("customMetadata")
            if number is None:
                continue
            # A write whose answer was lost with the process is known by its number all the same.
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
        """Words and facet values agree with the documents."""
        body = {"q": "", "facets": ["version"], "limit": 0}
        counts = self.ask("POST", f"/indexes/{uid}/search", body)["facetDistribution"]
        # Before the first document there are no values to count.
        assert sum(counts.get("version", {}).values()) == len(wanted)
        for i, version in self.chance.sample(sorted(wanted.items()), min(8, len(wanted))):
            assert self.found(uid, i, version) == [{"id": i}], (uid, i, version)
            earlier = self.chance.randrange(max(len(self.sent), 1))
            assert earlier == version or not self.found(uid, i, earlier), (uid, i, earlier)

    def found(self, uid: str, i: int, version: int) -> list[Any]:
        """The hits for the words of this version of a document."""
        query = {"q": f'"id{i} version{version}"', "attributesToRetrieve": ["id"]}
        hits: list[Any] = self.ask("POST", f"/indexes/{uid}/search", query)["hits"]
        return hits


def crash_and_check(folder: Path, crashes: int, seed: int, *, checks: int) -> Crashing:
    """So many crashes over one folder, checked `checks` times on the way."""
    crashing = Crashing(folder, seed)
    crashing.open()
    try:
        crashing.prepare()
        for n in range(1, crashes + 1):
            crashing.crash_under_writes()
            if crashing.chance.random() < 0.2:
                # Killed while it opens, too.
                crashing.child.start(crashing.folder)
                time.sleep(crashing.chance.uniform(0.0, 1.0))
                crashing.kill()
            crashing.open()
            if n % max(crashes // checks, 1) == 0 or n == crashes:
                crashing.check()
            if crashing.chance.random() < 0.1:
                # A snapshot is written, and the next crashes come after it.
                crashing.close()
                crashing.open()
    finally:
        crashing.close()
    return crashing


def main() -> None:
    """Crash a node many times and say what was found."""
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
