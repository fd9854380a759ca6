"""Commit → searchable under steady publishing, beside the engine's own enqueued → succeeded time.

`python -m perf.bench_lag [--rate 50] [--seconds 20] [--programs 50000]`; MEILI_URL and MEILI_KEY name another engine.
"""

import argparse
import bisect
import statistics
import threading
import time
from datetime import datetime
from typing import Any

import requests
from rich.console import Console
from rich.table import Table
from sqlalchemy import text

from perf.product import Product, product

PROBES = 400


def publish(running: Product, rate: int, seconds: int, committed: dict[int, float]) -> None:
    """Publish `rate` drafts a second, one transaction each; note when each was committed."""
    with running.database.connect() as connection:
        drafts = list(connection.scalars(
            text("SELECT id FROM programs WHERE status = 'draft' ORDER BY id LIMIT :n"), {"n": rate * seconds}
        ))  # fmt: skip
    began = time.monotonic()
    for n, program_id in enumerate(drafts):
        time.sleep(max(0.0, began + n / rate - time.monotonic()))
        with running.database.begin() as connection:
            connection.execute(
                text(
                    "UPDATE programs SET status = 'published', published_at = now() WHERE id = :id"
                ),
                {"id": program_id},
            )
        committed[program_id] = time.time()


def watch(
    running: Product, committed: dict[int, float], seen: dict[int, float], stop: threading.Event
) -> None:
    """Ask the engine which of the committed programs it finds by now."""
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
        hits = session.post(
            f"{running.engine}/indexes/programs/search", json=body, timeout=10
        ).json()["hits"]
        now = time.time()
        for hit in hits:
            seen.setdefault(hit["id"], now)


def engine_tasks(running: Product, since: str) -> list[tuple[float, float]]:
    """(Unix time of the end, seconds from enqueued to finished) of the documents' tasks since then."""
    session = requests.Session()
    session.headers["Authorization"] = f"Bearer {running.key}"
    found: list[tuple[float, float]] = []
    params: dict[str, Any] = {
        "limit": 1000, "types": "documentAdditionOrUpdate", "statuses": "succeeded", "afterEnqueuedAt": since,
    }  # fmt: skip
    while True:
        page = session.get(f"{running.engine}/tasks", params=params, timeout=30).json()
        for row in page["results"]:
            began, ended = (_moment(row[name]) for name in ("enqueuedAt", "finishedAt"))
            found.append((ended, ended - began))
        if page["next"] is None:
            return sorted(found)
        params["from"] = page["next"]


def _moment(written: str) -> float:
    # Nanoseconds are more than Python reads.
    seconds, _, fraction = written.rstrip("Z").partition(".")
    return datetime.fromisoformat(f"{seconds}+00:00").timestamp() + float(f"0.{fraction or 0}")


def added(
    committed: dict[int, float], seen: dict[int, float], tasks: list[tuple[float, float]]
) -> list[float]:
    """What is not the engine's: of each publish, its lag less the time of the task that brought it,
    which is the last one that had ended when it was seen."""
    ends = [end for end, _ in tasks]
    found = []
    for program_id, moment in committed.items():
        _, own = tasks[max(0, bisect.bisect_right(ends, seen[program_id]) - 1)]
        found.append(max(0.0, seen[program_id] - moment - own))
    return found


def main() -> None:
    """Print the table."""
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
        tasks = engine_tasks(running, since)
    lags = [seen[i] - committed[i] for i in committed]
    table = Table(
        title=f"{len(lags)} publishes at {options.rate} a second over {options.programs} programs"
    )
    for column in ("", "p50 s", "p99 s", "max s"):
        table.add_column(column, justify="right")
    for name, values in (
        ("commit -> searchable", lags),
        ("engine: enqueued -> succeeded", [own for _, own in tasks]),
        ("added by the pipeline", added(committed, seen, tasks)),
    ):
        cuts = statistics.quantiles(values, n=100)
        table.add_row(name, f"{cuts[49]:.3f}", f"{cuts[98]:.3f}", f"{max(values):.3f}")
    Console().print(table)


if __name__ == "__main__":
    main()
