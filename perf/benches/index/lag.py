"""The lag from commit to searchable under steady publishing, beside the engine's own time from enqueued to succeeded.

`python -m perf.benches.index.lag [--rate 50] [--seconds 20] [--programs 50000]`; MEILI_URL and MEILI_KEY name another engine.
"""

import argparse
import statistics
import threading
import time
from dataclasses import dataclass
from datetime import datetime

import requests
from rich.console import Console
from rich.table import Table
from sqlalchemy import text

from tests.support.stack import Product, product

PROBES = 400


def publish(running: Product, rate: int, seconds: int, committed: dict[int, float]) -> None:
    """Publish drafts at a steady rate, one transaction each.

    Args:
        running: The product.
        rate: Publishes a second.
        seconds: How long to publish.
        committed: Filled with program id -> Unix time of its commit.
    """
    with running.database.connect() as connection:
        drafts = list(
            connection.scalars(
                text("SELECT id FROM programs WHERE status = 'draft' ORDER BY id LIMIT :n"),
                {"n": rate * seconds},
            )
        )
    began = time.monotonic()
    for n, program_id in enumerate(drafts):
        time.sleep(max(0.0, began + n / rate - time.monotonic()))
        with running.database.begin() as connection:
            connection.execute(
                text("UPDATE programs SET status = 'published', published_at = now() WHERE id = :id"),
                {"id": program_id},
            )
        committed[program_id] = time.time()


def watch(
    running: Product, committed: dict[int, float], seen: dict[int, float], stop: threading.Event
) -> None:
    """Ask the engine again and again which of the committed programs it finds.

    Args:
        running: The product.
        committed: Program id -> Unix time of its commit.
        seen: Filled with program id -> Unix time at which a search found it first.
        stop: Set when all programs are committed; the function returns when it has seen all of them.
    """
    session = requests.Session()
    session.headers["Authorization"] = f"Bearer {running.key}"
    while not stop.is_set() or len(seen) < len(committed):
        open_ids = [i for i in list(committed) if i not in seen][:PROBES]
        if not open_ids:
            time.sleep(0.002)
            continue
        body = {
            "q": "",
            "filter": f"id IN [{', '.join(map(str, open_ids))}]",
            "limit": PROBES,
            "attributesToRetrieve": ["id"],
        }
        hits = session.post(f"{running.engine}/indexes/programs/search", json=body, timeout=10).json()["hits"]
        now = time.time()
        for hit in hits:
            seen.setdefault(hit["id"], now)


@dataclass(frozen=True, slots=True)
class Task:
    """A task of the engine: Unix times, and the number of its documents."""

    enqueued: float
    finished: float
    documents: int


def engine_tasks(running: Product, since: str) -> list[Task]:
    """Return the succeeded document tasks since `since` (ISO 8601), in their order."""
    session = requests.Session()
    session.headers["Authorization"] = f"Bearer {running.key}"
    found: list[Task] = []
    params: dict[str, str | int] = {
        "limit": 1000,
        "types": "documentAdditionOrUpdate",
        "statuses": "succeeded",
        "afterEnqueuedAt": since,
    }
    while True:
        page = session.get(f"{running.engine}/tasks", params=params, timeout=30).json()
        found += [
            Task(_moment(row["enqueuedAt"]), _moment(row["finishedAt"]), row["details"]["receivedDocuments"])
            for row in page["results"]
        ]
        if page["next"] is None:
            return found[::-1]
        params["from"] = page["next"]


def _moment(written: str) -> float:
    # Python reads six digits of a second, and the engine writes nine.
    seconds, _, fraction = written.rstrip("Z").partition(".")
    return datetime.fromisoformat(f"{seconds}+00:00").timestamp() + float(f"0.{fraction or 0}")


def parts(committed: dict[int, float], seen: dict[int, float], tasks: list[Task]) -> dict[str, list[float]]:
    """Split the lag of each publish into its parts.

    The engine got no other documents, and the sender sends in the order of the commits. So counting documents tells
    which task brought a program.

    Args:
        committed: Program id -> Unix time of its commit.
        seen: Program id -> Unix time at which a search found it first.
        tasks: The engine's tasks in their order.

    Returns:
        Name of a part -> its seconds, one value for each publish or task.

    Raises:
        ValueError: The engine got another number of documents.
    """
    brought_by = [task for task in tasks for _ in range(task.documents)]
    if len(brought_by) != len(committed):
        raise ValueError(f"{len(brought_by)} documents sent for {len(committed)} publishes")
    order = sorted(committed, key=committed.__getitem__)
    pairs = list(zip(order, brought_by, strict=True))
    return {
        "commit -> searchable": [seen[n] - committed[n] for n in order],
        "engine: enqueued -> succeeded": [task.finished - task.enqueued for task in tasks],
        "added by the pipeline": [
            max(0.0, seen[n] - committed[n] - (task.finished - task.enqueued)) for n, task in pairs
        ],
        "of which commit -> enqueued": [task.enqueued - committed[n] for n, task in pairs],
        "the rest: until the next look at the engine": [seen[n] - task.finished for n, task in pairs],
    }


def main() -> None:
    """Measure, and print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--programs", type=int, default=50_000)
    parser.add_argument("--rate", type=int, default=50)
    parser.add_argument("--seconds", type=int, default=20)
    options = parser.parse_args()
    with product(options.programs) as running:
        committed: dict[int, float] = {}
        seen: dict[int, float] = {}
        stop = threading.Event()
        since = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
        watcher = threading.Thread(target=watch, args=(running, committed, seen, stop))
        watcher.start()
        publish(running, options.rate, options.seconds, committed)
        stop.set()
        watcher.join(60)
        # A search sees a document a little before its task says that it is done.
        running.wait_indexed()
        tasks = engine_tasks(running, since)
    found = parts(committed, seen, tasks)
    table = Table(
        title=f"{len(committed)} publishes at {options.rate} a second over {options.programs} programs"
    )
    for column in ("", "p50 s", "p99 s", "max s"):
        table.add_column(column, justify="right")
    for name, values in found.items():
        cuts = statistics.quantiles(values, n=100)
        table.add_row(name, f"{cuts[49]:.3f}", f"{cuts[98]:.3f}", f"{max(values):.3f}")
    Console(width=100).print(table)


if __name__ == "__main__":
    main()
