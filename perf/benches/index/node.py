"""The figures of the search node over HTTP, beside those of a real Meilisearch when MEILI_URL names one.

`python -m perf.benches.index.node [--programs 20000] [--searches 1500]`
"""

import argparse
import os
import random
import statistics
import tempfile
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

import psutil
from rich.console import Console
from rich.table import Table

from indexer.engines.index_settings import SETTINGS
from perf.programs import Documents, documents, misspelt
from perf.wire import seconds_each
from tests.support.engine_server import Server
from tests.support.nodes import nodes
from tests.support.servers import MASTER_KEY

UID = "bench"
BATCH = 2_000
FACETED = {"facets": ["language", "kind", "categoryId"], "filter": "durationSec > 600"}


@dataclass
class Measured(Server):
    """A server under measurement: its process, when it runs on this machine, and its figures."""

    process: psutil.Process | None = None
    figures: dict[str, str] = field(default_factory=dict)

    def processor_seconds(self) -> float:
        """Return the CPU seconds that the server's process has used; 0 when it does not run on this machine."""
        if self.process is None:
            return 0.0
        times = self.process.cpu_times()
        return times.user + times.system


def quantiles(seconds: list[float]) -> str:
    """Return the median and the 99th percentile in milliseconds, as text."""
    cuts = statistics.quantiles(seconds, n=100)
    return f"{cuts[49] * 1000:.1f} / {cuts[98] * 1000:.1f}"


def timed(server: Server, queries: list[dict[str, object]]) -> list[float]:
    """Send searches one after another, and return the seconds of each."""
    paths = [(f"/indexes/{UID}/search", query) for query in queries]
    return seconds_each(server.address, server.key, paths)


def task_seconds(task: Mapping[str, object]) -> float:
    """Return the seconds from enqueued to finished, by the server's own clock."""
    ends = [str(task[name]).replace("Z", "")[:26] for name in ("enqueuedAt", "finishedAt")]
    begin, end = (datetime.fromisoformat(moment) for moment in ends)
    return (end - begin).total_seconds()


def measure(server: Measured, programs: Documents, searches: int) -> None:
    """Measure a server and fill in its figures.

    Args:
        server: The server; its index is created anew.
        programs: The documents to index.
        searches: How many searches to time.
    """
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
    plain: list[dict[str, object]] = [
        {"q": misspelt(str(program["title"]), chance), "limit": 20} for program in sample
    ]
    timed(server, plain[:50])
    spent = server.processor_seconds()
    quiet = timed(server, plain[50:])
    spent = server.processor_seconds() - spent
    figures["search with a typo, p50 / p99 ms"] = quantiles(quiet)
    figures["its CPU time, ms a search"] = f"{spent / len(quiet) * 1000:.2f}"
    figures["with three facets and a filter, p50 / p99 ms"] = quantiles(
        timed(server, [query | FACETED for query in plain[: searches // 3]])
    )
    figures["prefix of a title, p50 / p99 ms"] = quantiles(
        timed(
            server,
            [{"q": str(p["title"])[: chance.randint(2, 12)], "limit": 20} for p in sample[: searches // 3]],
        )
    )
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


def _during_a_batch(server: Server, queries: list[dict[str, object]], count: int) -> list[float]:
    """Return the seconds of each search from the moment at which a large batch is sent until it is indexed."""
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
def node(folder: Path) -> Iterator[Measured]:
    """Run a search node for this measurement. Its files are in `folder`/node."""
    with nodes(folder, "node") as (own,):
        yield Measured(own.url, MASTER_KEY, process=own.process)


def listening(port: int) -> psutil.Process | None:
    """Return this user's process that listens on the port of this machine, or None."""
    for process in psutil.process_iter():
        with suppress(psutil.Error):
            for at in process.net_connections("tcp"):
                if at.status == psutil.CONN_LISTEN and at.laddr.port == port:
                    return process
    return None


def opening(folder: Path) -> str:
    """Return the seconds from the start of a node on this folder to its first answered search."""
    began = time.perf_counter()
    with node(folder) as server:
        server.ask("POST", f"/indexes/{UID}/search", {"q": "a"})
        return f"{time.perf_counter() - began:.1f}"


def disk(folder: Path) -> str:
    """Return the size of the files in the folder, in megabytes."""
    return f"{sum(f.stat().st_size for f in folder.rglob('*') if f.is_file()) / 1e6:,.0f}"


def main() -> None:
    """Measure the node, and MEILI_URL if it is set, and print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--programs", type=int, default=20_000)
    parser.add_argument("--searches", type=int, default=1_500)
    options = parser.parse_args()
    programs = documents(options.programs)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        with node(folder) as own:
            measure(own, programs, options.searches)
        own.figures["on disk, MB"] = disk(folder / "node" / "data")
        own.figures["opens, s"] = opening(folder)
    columns = {"the node": own.figures}
    if os.environ.get("MEILI_URL"):
        other = Measured(os.environ["MEILI_URL"], os.environ.get("MEILI_KEY", ""))
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
