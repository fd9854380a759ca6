"""The drift audit of a large catalogue: its memory, its time, and whether it finds every injected fault.

`python -m perf.benches.index.audit [--programs 1000000] [--faults 1000]`; MEILI_URL and MEILI_KEY name another engine.
"""

import argparse
import os
import random
import subprocess
import time
from dataclasses import dataclass

import psutil
from rich.console import Console
from rich.table import Table
from sqlalchemy import text

from catalog.programs.models import BUCKETS
from deploy.local.stack import thmanyah
from indexer.engines.admin import Engine
from tests.support.stack import Product, product

BAR_MEGABYTES = 300


@dataclass
class Run:
    """One run of `thmanyah drift`: its time, its peak memory, and the row that it stored."""

    seconds: float
    megabytes: float
    row: dict[str, int]


def inject(running: Product, count: int) -> dict[str, int]:
    """Change documents of the index directly, so that they differ from PostgreSQL. Return the number of each kind."""
    with running.database.connect() as connection:
        published = connection.scalars(
            text("SELECT id FROM programs WHERE status = 'published' ORDER BY id")
        ).all()
        highest = int(connection.scalar(text("SELECT max(id) FROM programs")) or 0)
    engine, uid = Engine(running.indexer), running.indexer.meili_index
    chosen = random.Random(3).sample(list(published), 2 * (count // 3))
    missing, stale = chosen[: count // 3], chosen[count // 3 :]
    ghosts = range(highest + 1, highest + 1 + count - len(missing) - len(stale))
    engine.finished(engine.delete(uid, missing), timeout=600)
    wrong = [
        {"id": n, "title": "wrong", "_rev": 0, "_hash": "wrong", "_bucket": n % BUCKETS}
        for n in [*stale, *ghosts]
    ]
    engine.finished(engine.send(uid, wrong), timeout=600)
    return {"missing": len(missing), "stale": len(stale), "ghosts": len(ghosts)}


def drift(running: Product, *options: str) -> Run:
    """Run `thmanyah drift` as operators do, and watch its memory from outside."""
    began = time.monotonic()
    process = psutil.Popen(
        [*thmanyah("drift"), *options], env=os.environ | running.environment, stdout=subprocess.PIPE
    )
    peak = 0
    while process.poll() is None:
        try:
            peak = max(peak, process.memory_info().rss)
        except psutil.NoSuchProcess:
            break
        time.sleep(0.05)
    process.wait(60)
    with running.database.connect() as connection:
        row = (
            connection.execute(
                text(
                    "SELECT checked, missing, stale, ghosts, repaired FROM drift_reports ORDER BY id DESC LIMIT 1"
                )
            )
            .mappings()
            .one()
        )
    return Run(time.monotonic() - began, peak / 1e6, dict(row))


def main() -> None:
    """Print the table.

    Raises:
        SystemExit: A bar was missed.
    """
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--programs", type=int, default=1_000_000)
    parser.add_argument("--faults", type=int, default=1_000)
    options = parser.parse_args()
    with product(options.programs, patience=7200) as running:
        clean = drift(running)
        injected = inject(running, options.faults)
        found = drift(running, "--repair")
        running.wait_indexed()
        after = drift(running)
    table = Table(title=f"Audit of {clean.row['checked']:,} documents")
    for name in ("", "checked", "missing", "stale", "ghosts", "repaired", "s", "peak MB"):
        table.add_column(name, justify="right" if name else "left")
    for name, run in (("clean", clean), ("with faults, --repair", found), ("afterwards", after)):
        numbers = (f"{run.row[n]:,}" for n in ("checked", "missing", "stale", "ghosts", "repaired"))
        table.add_row(name, *numbers, f"{run.seconds:.0f}", f"{run.megabytes:.0f}")
    Console(width=110).print(table)
    wrong = {kind: n for kind, n in injected.items() if found.row[kind] != n}
    left = any(after.row[kind] or clean.row[kind] for kind in injected)
    if wrong or left or max(clean.megabytes, found.megabytes) > BAR_MEGABYTES:
        raise SystemExit(f"a bar was missed: {wrong}")


if __name__ == "__main__":
    main()
