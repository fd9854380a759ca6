"""A large CSV: imported and published, its memory, when it is searchable, and imported again.

`python -m perf.bench_import [--rows 50000]` prints a table; every hundredth row is wrong on purpose.
The same rows through plain COPY in the same run are what the time is set against.
"""

import argparse
import csv
import os
import subprocess
import time
from pathlib import Path

from sqlalchemy import text

from catalog.seed import generator, words
from deploy.local.stack import thmanyah
from perf.product import Product, compare, product

BAR_SECONDS, BAR_MEGABYTES = 60, 250
WRONG_EVERY = 100


def write(path: Path, rows: int) -> None:
    """The generated catalogue as a file of strangers, every hundredth row without a title."""
    tags, people = words.arabic()[:200], words.english()[:300]
    with path.open("w", newline="", encoding="utf-8") as out:
        table = csv.writer(out)
        table.writerow(["externalId", "title", "description", "language", "mediaType", "kind", "duration", "releaseDate",
                        "mediaUrl", "season", "episode", "tags", "hosts", "series"])  # fmt: skip
        for row in generator.generate(rows, 7):
            table.writerow([
                row.number, "" if row.number % WRONG_EVERY == 0 else row.title, row.description, row.language, row.media_type,
                row.kind, f"{row.duration_sec // 60}:{row.duration_sec % 60:02}", row.release_date.strftime("%d %b %Y %H:%M"),
                f"https://media.example/{row.number}.mp3", 1, row.episode,
                ", ".join(tags[t % len(tags)] for t in row.tags), "; ".join(people[p % len(people)] for p in row.people),
                f"Series {row.series}" if row.series is not None else "",
            ])  # fmt: skip


def run(running: Product, path: Path) -> tuple[float, float, float]:
    """Seconds, seconds of its own CPU, and megabytes at the peak of one `thmanyah import`."""
    environment = os.environ | {
        "DATABASE_URL": running.database.url.render_as_string(hide_password=False),
        "REDIS_CACHE_URL": f"redis://127.0.0.1:{running.ports['valkey']}/0",
    }
    began = time.monotonic()
    child = subprocess.Popen([*thmanyah("import"), str(path), "--publish"], env=environment, stdout=subprocess.DEVNULL)  # fmt: skip
    _, _, usage = os.wait4(child.pid, 0)
    child.returncode = 0
    return time.monotonic() - began, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024


def main() -> None:
    """Measure and print."""
    arguments = argparse.ArgumentParser()
    arguments.add_argument("--rows", type=int, default=50_000)
    rows = arguments.parse_args().rows
    with product(0) as running:
        path = running.home / "episodes.csv"
        write(path, rows)
        before = _count(running)
        seconds, busy, megabytes = run(running, path)
        made = _count(running) - before
        searchable = seconds + running.wait_indexed()
        again, *_ = run(running, path)
        began = time.monotonic()
        generator.load(running.database, rows, 8)
        copied = time.monotonic() - began
        expected = rows - rows // WRONG_EVERY
        compare(f"CSV of {rows} rows, {path.stat().st_size / 1e6:.1f} MB", (
            ("programs made", f"{made}", f"{expected}"),
            ("import, s", f"{seconds:.1f}", f"{BAR_SECONDS}"),
            ("of which CPU of the command, s", f"{busy:.1f}", ""),
            ("peak memory, MB", f"{megabytes:.0f}", f"{BAR_MEGABYTES}"),
            ("searchable after, s", f"{searchable:.1f}", ""),
            ("second import (nothing changed), s", f"{again:.1f}", ""),
            ("the same rows by plain COPY, s", f"{copied:.1f}", ""),
            ("import ÷ COPY", f"{seconds / copied:.1f}", ""),
        ))  # fmt: skip
        if made != expected or seconds > BAR_SECONDS or megabytes > BAR_MEGABYTES:
            raise SystemExit("a bar was missed")


def _count(running: Product) -> int:
    with running.database.connect() as connection:
        return int(connection.scalar(text("SELECT count(*) FROM programs WHERE source_type = 'file'")) or 0)  # fmt: skip


if __name__ == "__main__":
    main()
