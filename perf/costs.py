"""What one request costs: processor time by process, and bytes by store. `python -m perf.costs [--out costs.json]`.

Processor time is what a process was charged for, so that other work on the machine changes it little. perf/capacity.py
computes machines from these figures. What the parts take while nothing is asked is not counted. Needs wrk.
"""

import argparse
import http.client
import json
import random
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from urllib.parse import quote

import psutil
from sqlalchemy import text

from catalog.seed import loading, words
from perf.tables import compare
from perf.turns import wrk
from tests.support.stack import Product, product

PARTS = ("api", "postgres", "valkey", "searchnode", "sync")
_IDLE_SECONDS = 15.0
_HOT_SECONDS = 10


class Meter:
    """Charges processor time to the parts of a product."""

    def __init__(self, running: Product) -> None:
        """Find the processes of each part."""
        self.processes = {name: psutil.Process(running.pid(name)) for name in PARTS}
        before = self.seconds()
        time.sleep(_IDLE_SECONDS)
        # What each part takes while nothing is asked, a second.
        self.idle = {name: (now - before[name]) / _IDLE_SECONDS for name, now in self.seconds().items()}

    def seconds(self) -> dict[str, float]:
        """Return the processor time of each part so far, its ended children included."""
        found = {}
        for name, first in self.processes.items():
            total = 0.0
            for process in (first, *first.children(recursive=True)):
                try:
                    times = process.cpu_times()
                except psutil.NoSuchProcess:
                    continue
                total += times.user + times.system
                if process.pid == first.pid:
                    total += times.children_user + times.children_system
            found[name] = total
        return found

    def cost(self, work: Callable[[], int]) -> dict[str, float]:
        """Return the microseconds of each part for one of what `work` does; it returns how many it did."""
        before, began = self.seconds(), time.monotonic()
        count = work()
        # What follows a request (settling, counting) is charged to it, too.
        time.sleep(2)
        after, elapsed = self.seconds(), time.monotonic() - began
        found = {}
        for name in PARTS:
            spent = after[name] - before[name] - self.idle[name] * elapsed
            found[name] = round(max(0.0, spent) / count * 1e6, 1)
        return found


class Asking:
    """One connection that asks for paths, one after another."""

    def __init__(self, running: Product) -> None:
        """Connect to the product's API."""
        self.connection = http.client.HTTPConnection("127.0.0.1", running.ports["api"], timeout=60)
        self.token = running.token()

    def all(self, paths: Iterable[str]) -> tuple[int, int]:
        """Ask for each path; return how many answers there were, and their bytes."""
        count = size = 0
        for path in paths:
            self.connection.request("GET", path)
            answer = self.connection.getresponse()
            size += len(answer.read())
            assert answer.status == 200, (path, answer.status)
            count += 1
        return count, size

    def publish(self, number: int) -> None:
        """Create a program and publish it."""
        headers = {"Authorization": f"Bearer {self.token}", "Content-Type": "application/json"}
        draft = {
            "title": f"Costs {number}",
            "description": "Measured.",
            "language": "en",
            "mediaType": "audio",
            "kind": "episode",
        }
        self.connection.request("POST", "/catalog/programs", json.dumps(draft), headers)
        made = json.loads(self.connection.getresponse().read())
        path = f"/catalog/programs/{made['data']['id']}/publish"
        self.connection.request("POST", path, headers=headers)
        answer = self.connection.getresponse()
        answer.read()
        assert answer.status == 200, answer.status


def _searches(count: int, seed: int) -> list[str]:
    chance = random.Random(seed)
    known = [*words.arabic(), *words.english()]
    return [f"/discovery/search?q={quote(' '.join(chance.sample(known, 2)))}" for _ in range(count)]


def _stored(running: Product) -> dict[str, int]:
    """Bytes of the database and of the engine, on the disk and in memory."""
    with running.database.connect() as connection:
        database = int(connection.scalar(text("SELECT pg_database_size(current_database())")) or 0)
    files = (running.home / "searchnode").rglob("*")
    return {
        "database": database,
        "engineDisk": sum(file.stat().st_size for file in files if file.is_file()),
        "engineMemory": sum(running.resident("searchnode")),
    }


def measure(running: Product, programs: int) -> dict[str, object]:
    """Return the figures.

    Args:
        running: The product, filled and quiet.
        programs: How many programs it has.
    """
    meter, asking = Meter(running), Asking(running)
    with running.database.connect() as connection:
        ids = list(
            connection.scalars(
                text("SELECT id FROM programs WHERE status = 'published' ORDER BY id LIMIT 3000")
            )
        )
    searches = _searches(600, 1)
    lookups = [f"/discovery/programs/{program_id}" for program_id in ids[:2000]]
    sizes: dict[str, int] = {}

    def asked(name: str, paths: list[str]) -> Callable[[], int]:
        def work() -> int:
            count, size = asking.all(paths)
            sizes[name] = size // count
            return count

        return work

    costs = {
        "search miss": meter.cost(asked("search", searches)),
        "lookup miss": meter.cost(asked("program", lookups)),
    }
    asked("browse", ["/discovery/browse"])()
    (running.home / "ids.txt").write_text("\n".join(map(str, ids[:20])))
    mix = {"MIX_WORDS": " ".join(map(quote, words.english()[:20])), "MIX_IDS": str(running.home / "ids.txt")}
    wrk(running.api, 2, 16, mix)

    def hot() -> int:
        # Many at once, as under load: a process that is woken for each request spends more on each.
        return int(wrk(running.api, _HOT_SECONDS, 16, mix)["rate"] * _HOT_SECONDS)

    costs["hot hit"] = meter.cost(hot)

    def publish() -> int:
        for number in range(100):
            asking.publish(number)
        running.wait_indexed()
        return 100

    costs["publish"] = meter.cost(publish)
    before = _stored(running)
    loading.load(running.database, programs)
    running.wait_indexed()
    grown = {name: max(0, value - before[name]) // programs for name, value in _stored(running).items()}
    return {
        "programs": programs,
        "microseconds": costs,
        "answerBytes": sizes,
        **{f"{name}BytesPerProgram": value for name, value in grown.items()},
        "apiWorkerBytes": max(running.resident("api")),
    }


def main() -> None:
    """Measure, print the table, and write the figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--programs", type=int, default=20_000)
    parser.add_argument("--out", type=Path)
    given = parser.parse_args()
    with product(given.programs) as running:
        found = measure(running, given.programs)
    if given.out:
        given.out.write_text(json.dumps(found, indent=1) + "\n")
    costs = found["microseconds"]
    assert isinstance(costs, dict)
    rows = [
        (kind, ", ".join(f"{part} {value:,.0f}" for part, value in parts.items() if value >= 1), "")
        for kind, parts in costs.items()
    ]
    rows += [(name, str(value), "") for name, value in found.items() if name != "microseconds"]
    compare(f"microseconds of processor time, {given.programs:,} programs", rows)


if __name__ == "__main__":
    main()
