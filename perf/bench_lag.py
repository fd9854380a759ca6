"""Commit → searchable under steady publishing, beside the engine's own enqueued → succeeded time.

`python -m perf.bench_lag [--rate 50] [--seconds 20] [--programs 20000]`
"""

import argparse
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
        committed[program_id] = time.monotonic()


def watch(
    running: Product, committed: dict[int, float], seen: dict[int, float], stop: threading.Event
) -> None:
    """Ask the engine which of the committed programs it finds by now."""
    session = requests.Session()
    session.headers["Authorization"] = f"Bearer {running.master_key}"
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
        now = time.monotonic()
        for hit in hits:
            seen.setdefault(hit["id"], now)


def engine_times(running: Product, since: str) -> list[float]:
    """Seconds from enqueued to finished of the tasks since then."""
    headers = {"Authorization": f"Bearer {running.master_key}"}
    found: list[float] = []
    params: dict[str, Any] = {
        "limit": 1000,
        "types": "documentAdditionOrUpdate",
        "afterEnqueuedAt": since,
    }
    rows = requests.get(
        f"{running.engine}/tasks", params=params, headers=headers, timeout=30
    ).json()["results"]
    for row in rows:
        if row["finishedAt"]:
            ends = [
                datetime.fromisoformat(
                    row[name].replace("Z", "+00:00")[:26] + "+00:00"
                    if len(row[name]) > 27
                    else row[name].replace("Z", "+00:00")
                )
                for name in ("enqueuedAt", "finishedAt")
            ]
            found.append((ends[1] - ends[0]).total_seconds())
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
        own = engine_times(running, since)
    lags = [seen[i] - committed[i] for i in committed]
    table = Table(
        title=f"{len(lags)} publishes at {options.rate} a second over {options.programs} programs"
    )
    for column in ("", "p50 s", "p99 s", "max s"):
        table.add_column(column, justify="right")
    for name, values in (("commit -> searchable", lags), ("engine: enqueued -> succeeded", own)):
        cuts = statistics.quantiles(values, n=100)
        table.add_row(name, f"{cuts[49]:.3f}", f"{cuts[98]:.3f}", f"{max(values):.3f}")
    Console().print(table)


if __name__ == "__main__":
    main()
