"""The search node's own figures over HTTP; beside a real Meilisearch's when MEILI_URL names one.

`python -m perf.bench_node [--programs 20000] [--searches 1500]`
"""

import argparse
import http.client
import json
import os
import random
import statistics
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import psutil
from rich.console import Console
from rich.table import Table

from deploy.local import ports
from deploy.local.process import Child
from deploy.local.stack import answers, thmanyah
from indexer.index_settings import SETTINGS
from perf.programs import Documents, documents, misspelt
from perf.wire import seconds_each

KEY = "a-master-key-for-benches"
UID = "bench"
BATCH = 2_000
FACETED = {"facets": ["language", "kind", "categoryId"], "filter": "durationSec > 600"}


@dataclass
class Server:
    """A server under measurement."""

    url: str
    key: str
    process: psutil.Process | None = None
    connection: http.client.HTTPConnection | None = None
    figures: dict[str, str] = field(default_factory=dict)

    @property
    def address(self) -> tuple[str, int]:
        """Host and port."""
        parts = urlsplit(self.url)
        return str(parts.hostname), parts.port or 80

    def ask(self, method: str, path: str, body: Any = None) -> Any:
        """The decoded answer of a request, which must succeed."""
        status, answer = self.answer(method, path, body)
        if status >= 400:
            raise RuntimeError(f"{method} {path}: {status} {answer}")
        return answer

    def answer(self, method: str, path: str, body: Any = None) -> tuple[int, Any]:
        """Status and decoded answer of a request over this object's one connection."""
        for last in (False, True):
            try:
                response = self._send(method, path, body)
                text = response.read()
                return response.status, json.loads(text) if text else None
            except (http.client.RemoteDisconnected, ConnectionError):
                # The server had closed the connection after an answer: once more on a fresh one.
                self.connection = None
                if last:
                    raise
        raise AssertionError

    def _send(self, method: str, path: str, body: Any) -> http.client.HTTPResponse:
        if self.connection is None:
            self.connection = http.client.HTTPConnection(*self.address, timeout=600)
        headers = {"Authorization": f"Bearer {self.key}", "Content-Type": "application/json"}
        self.connection.request(
            method, path, None if body is None else json.dumps(body).encode(), headers
        )
        return self.connection.getresponse()

    def wait(self, uid: int) -> dict[str, Any]:
        """The task once it is finished."""
        while True:
            task: dict[str, Any] = self.ask("GET", f"/tasks/{uid}")
            if task["status"] not in ("enqueued", "processing"):
                return task
            time.sleep(0.002)

    def finish(self, uid: int) -> dict[str, Any]:
        """The task once it succeeded."""
        task = self.wait(uid)
        if task["status"] != "succeeded":
            raise RuntimeError(str(task["error"]))
        return task

    def processor_seconds(self) -> float:
        """What the server's process has used of the processor; 0 when it is not on this machine."""
        if self.process is None:
            return 0.0
        times = self.process.cpu_times()
        return times.user + times.system

    def another(self) -> "Server":
        """The same server over another connection."""
        return Server(self.url, self.key)


def quantiles(seconds: list[float]) -> str:
    """p50 and p99 in milliseconds."""
    cuts = statistics.quantiles(seconds, n=100)
    return f"{cuts[49] * 1000:.1f} / {cuts[98] * 1000:.1f}"


def timed(server: Server, queries: list[dict[str, Any]]) -> list[float]:
    """Seconds of each search, one after another."""
    paths = [(f"/indexes/{UID}/search", query) for query in queries]
    return seconds_each(server.address, server.key, paths)


def task_seconds(task: dict[str, Any]) -> float:
    """From enqueued to finished by the server's own clock."""
    ends = [task[name].replace("Z", "")[:26] for name in ("enqueuedAt", "finishedAt")]
    begin, end = (datetime.fromisoformat(moment) for moment in ends)
    return (end - begin).total_seconds()


def measure(server: Server, programs: Documents, searches: int) -> None:
    """Fill in the server's figures."""
    chance = random.Random(7)
    figures = server.figures
    server.finish(server.ask("DELETE", f"/indexes/{UID}")["taskUid"]) if _exists(server) else None
    server.finish(server.ask("POST", "/indexes", {"uid": UID, "primaryKey": "id"})["taskUid"])
    server.finish(server.ask("PATCH", f"/indexes/{UID}/settings", SETTINGS)["taskUid"])
    began = time.perf_counter()
    uids = [
        server.ask("POST", f"/indexes/{UID}/documents", programs[n : n + BATCH])["taskUid"]
        for n in range(0, len(programs), BATCH)
    ]
    server.finish(uids[-1])
    figures["ingest, documents a second"] = f"{len(programs) / (time.perf_counter() - began):,.0f}"
    sample = chance.sample(programs, min(searches, len(programs)))
    plain = [{"q": misspelt(program["title"], chance), "limit": 20} for program in sample]
    timed(server, plain[:50])
    spent = server.processor_seconds()
    quiet = timed(server, plain[50:])
    spent = server.processor_seconds() - spent
    figures["search with a typo, p50 / p99 ms"] = quantiles(quiet)
    figures["its processor time, ms a search"] = f"{spent / len(quiet) * 1000:.2f}"
    figures["with three facets and a filter, p50 / p99 ms"] = quantiles(
        timed(server, [query | FACETED for query in plain[: searches // 3]])
    )
    figures["as one types, p50 / p99 ms"] = quantiles(
        timed(server, [{"q": p["title"][: chance.randint(2, 12)], "limit": 20} for p in sample[: searches // 3]])
    )  # fmt: skip
    single = [
        server.finish(server.ask("POST", f"/indexes/{UID}/documents", [program])["taskUid"])
        for program in sample[:60]
    ]
    figures["one-document task, p50 / p99 ms"] = quantiles([task_seconds(t) for t in single])
    busy = _during_a_batch(server, plain, len(programs))
    ratio = statistics.quantiles(busy, n=100)[98] / statistics.quantiles(quiet, n=100)[98]
    figures["search while a batch is indexed, p50 / p99 ms"] = quantiles(busy)
    figures["its p99 beside the quiet one's"] = f"{ratio:.1f} x"
    if server.process is not None:
        parts = [server.process, *server.process.children(recursive=True)]
        resident = sum(part.memory_info().rss for part in parts)
        figures["resident, MB"] = f"{resident / 1e6:,.0f}"


def _exists(server: Server) -> bool:
    listed = server.ask("GET", "/indexes?limit=1000")["results"]
    return any(index["uid"] == UID for index in listed)


def _during_a_batch(server: Server, queries: list[dict[str, Any]], count: int) -> list[float]:
    """Seconds of searches from the moment a large batch is sent until it is done."""
    fresh = documents(min(count, 10_000), seed=2)
    for n, document in enumerate(fresh):
        document["id"] = 10_000_000 + n
    done = threading.Event()

    def send() -> None:
        writer = server.another()
        for n in range(0, len(fresh), 5_000):
            task = writer.ask("POST", f"/indexes/{UID}/documents", fresh[n : n + 5_000])
            writer.finish(task["taskUid"])
        done.set()

    thread = threading.Thread(target=send)
    thread.start()
    found: list[float] = []
    for n in range(1_000_000):
        if done.is_set() and len(found) >= 100:
            break
        start = n * 5 % len(queries)
        found += timed(server, queries[start : start + 5])
    thread.join()
    return found


@contextmanager
def node(folder: Path) -> Iterator[Server]:
    """A node of this measurement's own."""
    port = ports.ephemeral()
    url = f"http://127.0.0.1:{port}"
    environment = {
        "MEILI_HTTP_ADDR": f"127.0.0.1:{port}", "MEILI_MASTER_KEY": KEY, "MEILI_DB_PATH": str(folder / "data"),
    }  # fmt: skip
    child = Child(
        "searchnode", thmanyah("searchnode"), lambda: answers(f"{url}/health"), "", environment
    )
    child.start(folder)
    if not child.wait_ready(120, lambda: False):
        raise RuntimeError((folder / "searchnode.log").read_text())
    try:
        yield Server(url, KEY, psutil.Process(child.process.pid) if child.process else None)
    finally:
        child.stop()


def listening(port: int) -> psutil.Process | None:
    """This user's process that listens at the port of this machine."""
    for process in psutil.process_iter():
        with suppress(psutil.Error):
            for at in process.net_connections("tcp"):
                if at.status == psutil.CONN_LISTEN and at.laddr.port == port:
                    return process
    return None


def opening(folder: Path) -> str:
    """Seconds from the start of a node over this folder to its first answered search."""
    began = time.perf_counter()
    with node(folder) as server:
        server.ask("POST", f"/indexes/{UID}/search", {"q": "a"})
        return f"{time.perf_counter() - began:.1f}"


def disk(folder: Path) -> str:
    """Megabytes of the files under the folder."""
    return f"{sum(f.stat().st_size for f in folder.rglob('*') if f.is_file()) / 1e6:,.0f}"


def main() -> None:
    """Print the figures of the node, and of MEILI_URL beside them."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--programs", type=int, default=20_000)
    parser.add_argument("--searches", type=int, default=1_500)
    options = parser.parse_args()
    programs = documents(options.programs)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        with node(folder) as own:
            measure(own, programs, options.searches)
        own.figures["on disk, MB"] = disk(folder / "data")
        own.figures["opens, s"] = opening(folder)
    columns = {"the node": own.figures}
    if os.environ.get("MEILI_URL"):
        other = Server(os.environ["MEILI_URL"], os.environ.get("MEILI_KEY", ""))
        other.process = listening(other.address[1])
        measure(other, programs, options.searches)
        columns["MEILI_URL"] = other.figures
    table = Table(title=f"{options.programs:,} programs, one connection")
    for column in ("", *columns):
        table.add_column(column, justify="right" if column else "left")
    for row in own.figures:
        table.add_row(row, *(figures.get(row, "") for figures in columns.values()))
    Console().print(table)


if __name__ == "__main__":
    main()
