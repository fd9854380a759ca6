"""An outage of the engine while editors publish, and a sender that freezes.

Measures which answers editors and listeners get, how fast the engine catches up afterwards, and how soon a standby
sends.

`python -m perf.benches.index.outage [--seconds 300] [--rate 50] [--programs 30000]`
"""

import argparse
import os
import random
import shutil
import signal
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from queue import Empty, Queue

import requests
from sqlalchemy import text

from deploy.local import ports
from deploy.local.process import Child
from deploy.local.stack import answers, thmanyah
from indexer.engines.admin import Engine
from indexer.rebuild.drift.audit import Audit
from perf.tables import compare
from tests.support.stack import Product, product

KEY = "measurement-master-key"
EDITORS = 4
LOOKUPS_PER_SECOND = 50
MORE_SECONDS = 60


@contextmanager
def node(folder: Path) -> Iterator[Child]:
    """Run a search node that no supervisor restarts."""
    port = ports.ephemeral()
    where = f"http://127.0.0.1:{port}"
    environment = {
        "MEILI_HTTP_ADDR": f"127.0.0.1:{port}",
        "MEILI_MASTER_KEY": KEY,
        "MEILI_DB_PATH": str(folder / "data"),
    }
    child = Child(
        "searchnode", thmanyah("searchnode"), lambda: answers(f"{where}/health"), where, environment
    )
    try:
        start(child, folder)
        yield child
    finally:
        child.stop()


def start(child: Child, folder: Path) -> None:
    """Start a process and wait until it answers.

    Raises:
        RuntimeError: It did not answer in time; the message is its log.
    """
    child.start(folder)
    if not child.wait_ready(60, lambda: False):
        raise RuntimeError((folder / f"{child.name}.log").read_text())


@dataclass
class People:
    """Editors who publish drafts and listeners who look programs up, each at a steady rate, in threads."""

    running: Product
    rate: int
    drafts: "Queue[int]"
    published: list[int]
    answered: Counter[str] = field(default_factory=Counter)
    slowest: float = 0.0
    _stop: threading.Event = field(default_factory=threading.Event)
    _threads: list[threading.Thread] = field(default_factory=list)

    def begin(self) -> None:
        """Start the threads; `end` stops them."""
        token = self.running.token()
        jobs = [*[lambda: self._publish(token)] * EDITORS, self._look_up]
        self._threads = [threading.Thread(target=job) for job in jobs]
        for thread in self._threads:
            thread.start()

    def end(self) -> None:
        """Stop the threads."""
        self._stop.set()
        for thread in self._threads:
            thread.join(60)

    def _paced(self, per_second: float) -> Iterator[None]:
        began, n = time.monotonic(), 0
        while not self._stop.is_set():
            time.sleep(max(0.0, began + n / per_second - time.monotonic()))
            yield
            n += 1

    def _publish(self, token: str) -> None:
        session = requests.Session()
        session.headers["Authorization"] = f"Bearer {token}"
        for _ in self._paced(self.rate / EDITORS):
            try:
                program_id = self.drafts.get_nowait()
            except Empty:
                return
            began = time.monotonic()
            url = f"{self.running.api}/catalog/programs/{program_id}/publish"
            # Nobody has changed the draft since it was loaded.
            self._count("publish", session.post(url, headers={"If-Match": '"1"'}, timeout=30))
            self.slowest = max(self.slowest, time.monotonic() - began)

    def _look_up(self) -> None:
        session, chance = requests.Session(), random.Random(5)
        for _ in self._paced(LOOKUPS_PER_SECOND):
            url = f"{self.running.api}/discovery/programs/{chance.choice(self.published)}"
            self._count("lookup", session.get(url, timeout=30))

    def _count(self, kind: str, answer: requests.Response) -> None:
        self.answered[f"{kind} {answer.status_code // 100}xx"] += 1


def waiting(running: Product) -> int:
    """Return the number of programs that the engine has not confirmed."""
    with running.database.connect() as connection:
        return int(connection.scalar(text("SELECT count(*) FROM index_dirty")) or 0)


def newest_task(running: Product) -> int:
    """Return the uid of the engine's last task, or -1."""
    headers = {"Authorization": f"Bearer {running.key}"}
    found = requests.get(f"{running.engine}/tasks?limit=1", headers=headers, timeout=30).json()
    return int(found["results"][0]["uid"]) if found["results"] else -1


def drained(running: Product, rate: int) -> tuple[int, float]:
    """Wait until the sender has caught up: at most one second of new publishes waits.

    Returns:
        The number of programs that waited at the engine's return, and the documents that were sent a second.
    """
    gathered, last = waiting(running), newest_task(running)
    while newest_task(running) == last:
        time.sleep(0.01)
    began = time.monotonic()
    while waiting(running) > rate:
        time.sleep(0.02)
    return gathered, gathered / (time.monotonic() - began) + rate


def failover(running: Product, folder: Path) -> float:
    """Freeze the sender, and return the seconds until a standby has settled its first document.

    Raises:
        TimeoutError: No standby took over within a minute.
    """
    standby = Child("standby", thmanyah("sync"), lambda: True, "", running.environment)
    standby.start(folder)
    frozen = running.pid("sync")
    time.sleep(5)
    epoch = text("SELECT epoch FROM index_targets WHERE state = 'live'")
    with running.database.connect() as connection:
        before = connection.scalar(epoch)
    os.kill(frozen, signal.SIGSTOP)
    began = time.monotonic()
    try:
        least: int | None = None
        while time.monotonic() - began < 60:
            with running.database.connect() as connection:
                taken = connection.scalar(epoch) != before
            left = waiting(running)
            if taken and least is not None and left < least:
                return time.monotonic() - began
            if taken:
                least = left
            time.sleep(0.005)
        raise TimeoutError("no standby took over")
    finally:
        os.kill(frozen, signal.SIGCONT)
        standby.stop()


def measure(
    running: Product, engine: Child, folder: Path, seconds: int, rate: int
) -> tuple[list[tuple[str, str, str]], bool]:
    """Run the outage and the freeze.

    Args:
        running: The product.
        engine: The search node, which is killed and started again.
        folder: The files of the search node and of the standby.
        seconds: How long the engine is away.
        rate: Publishes a second.

    Returns:
        The lines of the table (name, measured, bar), and whether a bar was missed.
    """
    wanted = (seconds + MORE_SECONDS) * rate
    with running.database.begin() as connection:
        chosen = connection.scalars(
            text(
                "UPDATE programs SET status = 'draft' WHERE id IN (SELECT id FROM programs "
                "WHERE status = 'published' ORDER BY id LIMIT :n) RETURNING id"
            ),
            {"n": wanted},
        ).all()
        published = connection.scalars(text("SELECT id FROM programs WHERE status = 'published'")).all()
    drafts: Queue[int] = Queue()
    for program_id in chosen:
        drafts.put(program_id)
    running.wait_indexed()
    people = People(running, rate, drafts, list(published))
    people.begin()
    try:
        assert engine.process is not None
        engine.process.kill()
        engine.process.wait()
        time.sleep(seconds)
        start(engine, folder)
        again = time.monotonic()
        gathered, pace = drained(running, rate)
        after = time.monotonic() - again
        took_over = failover(running, folder)
    finally:
        people.end()
    running.wait_indexed()
    found = Audit(running.database, Engine(running.indexer), 1, running.indexer.meili_index).run()
    answered = people.answered
    refused = sum(n for what, n in answered.items() if not what.endswith("2xx"))
    lines = [
        ("publishes answered 2xx", f"{answered['publish 2xx']:,}", ""),
        ("the slowest publish, s", f"{people.slowest:.2f}", ""),
        ("lookups answered 2xx", f"{answered['lookup 2xx']:,}", ""),
        ("other answers", f"{refused}", "0"),
        ("programs that waited at the engine's return", f"{gathered:,}", ""),
        ("caught up, s after the engine's return", f"{after:.1f}", ""),
        ("catching up, documents a second", f"{pace:,.0f}", f"{10 * rate:,}"),
        ("the same as a multiple of the publishes", f"{pace / rate:.0f}", "10"),
        ("a standby sends after the sender froze, s", f"{took_over:.1f}", "10"),
        ("documents that differ from PostgreSQL afterwards", f"{len(found.ids)}", "0"),
    ]
    # Too few requests would make a run without refusals meaningless.
    asked = min(answered["publish 2xx"], answered["lookup 2xx"]) >= seconds * rate
    return lines, bool(not asked or refused or pace < 10 * rate or took_over > 10 or found.ids)


def main() -> None:
    """Print the table.

    Raises:
        SystemExit: A bar was missed.
    """
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--programs", type=int, default=30_000)
    parser.add_argument("--seconds", type=int, default=300)
    parser.add_argument("--rate", type=int, default=50)
    options = parser.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="thmanyah-outage-"))
    try:
        with (
            node(folder) as engine,
            product(options.programs, MEILI_URL=engine.where, MEILI_KEY=KEY) as running,
        ):
            lines, missed = measure(running, engine, folder, options.seconds, options.rate)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    compare(f"The engine away for {options.seconds} s at {options.rate} publishes a second", lines)
    if missed:
        raise SystemExit("a bar was missed")


if __name__ == "__main__":
    main()
