"""Measures a product that nobody asks: `python -m perf.resting [--programs 5000] [--seconds 300]`.

Processor time is that of `/proc/PID/stat`, so that other work on the machine changes it little; the seconds of the start are not
of that kind, and say little on a busy machine. Memory is PSS: what processes share counts for each by its share.
"""

import argparse
import json
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from urllib.parse import quote

import psutil
import requests
from rich.console import Console
from rich.table import Table
from sqlalchemy import text

from catalog.seed import words
from deploy.local.stack import answers, thmanyah
from perf.resting.processes import taken
from tests.support.stack import Product, product

# Percent of one core, of all parts together.
BAR_IDLE = 2.0
# Megabytes (PSS).
BARS_MEMORY = {"supervisor": 45, "api": 130, "sync": 70, "worker": 70, "scheduler": 60}
# Seconds until the second start answers, and of processor time for `thmanyah --help`.
BAR_START, BAR_HELP = 5.0, 0.25
# What is loaded and asked for has effects that last so long: counts, marks, the words of the catalogue.
_SETTLE_SECONDS = 30
_MEGABYTE = 2**20


def warm(running: Product) -> None:
    """Ask for pages as listeners do, so that the caches have them.

    Raises:
        RuntimeError: The product refuses one.
    """
    chance = random.Random(1)
    known = [*words.arabic(), *words.english()]
    with running.database.connect() as connection:
        ids = list(connection.scalars(text("SELECT id FROM programs WHERE status = 'published' LIMIT 2000")))
    paths = [f"/discovery/programs/{number}" for number in ids]
    paths += [f"/discovery/search?q={quote(' '.join(chance.sample(known, 2)))}" for _ in range(1000)]
    paths += [f"/discovery/browse?limit=100&sort={order}" for order in ("newest", "popular", "longest")]
    paths += ["/ar", "/en", "/ar/search?q=coffee"]
    with requests.Session() as session:
        for path in paths:
            answer = session.get(running.api + path, timeout=60)
            if not answer.ok:
                raise RuntimeError(f"{path}: {answer.text}")


def rest(up: int, seconds: float) -> bool:
    """Measure a product at rest, and print the table of its parts.

    Args:
        up: The id of its supervisor.
        seconds: How long.

    Returns:
        Whether every bar holds.
    """
    before, began = taken(up), time.monotonic()
    time.sleep(seconds)
    after, elapsed = taken(up), time.monotonic() - began
    table = Table(title=f"{elapsed:.0f} s at rest")
    for column in ("part", "processes", "% of a core", "wakes/s", "RSS MB", "PSS MB", "bar"):
        table.add_column(column, justify="left" if column == "part" else "right")
    total, holds = 0.0, True
    for name, part in after.items():
        was = before[name]
        percent = (part.seconds - was.seconds) / elapsed * 100
        total += percent
        bar, size = BARS_MEMORY.get(name), part.shared_out / _MEGABYTE
        holds &= bar is None or size <= bar
        table.add_row(
            name,
            str(part.count),
            f"{percent:.2f}",
            f"{(part.wakes - was.wakes) / elapsed:.0f}",
            f"{part.resident / _MEGABYTE:.0f}",
            f"{size:.0f}",
            f"{bar} MB" if bar else "",
        )
    table.add_row("all", "", f"{total:.2f}", "", "", "", f"{BAR_IDLE:.0f} %")
    Console(width=100).print(table)
    return holds and total <= BAR_IDLE


def second_start() -> float:
    """Return the seconds from calling `thmanyah up` in a home that has run before until its API answers.

    Raises:
        RuntimeError: It ended instead.
    """
    with tempfile.TemporaryDirectory(prefix="thmanyah-perf-") as folder:
        for _ in range(2):
            began = time.monotonic()
            log = (Path(folder) / "up.log").open("w+b")
            up = subprocess.Popen(
                thmanyah("up"), env=os.environ | {"THMANYAH_HOME": folder}, stdout=log, stderr=log
            )
            try:
                seconds = _until_it_answers(up, Path(folder), began)
            finally:
                up.send_signal(signal.SIGTERM)
                up.wait(60)
                log.close()
    return seconds


def _until_it_answers(up: "subprocess.Popen[bytes]", home: Path, began: float) -> float:
    answered = 0.0
    while b"Ctrl-C" not in (said := (home / "up.log").read_bytes()):
        if up.poll() is not None:
            raise RuntimeError(said.decode())
        if not answered and (port := _port(home)) and answers(f"http://127.0.0.1:{port}/health/live"):
            answered = time.monotonic() - began
        time.sleep(0.05)
    return answered or time.monotonic() - began


def _port(home: Path) -> int:
    try:
        return int(json.loads((home / "ports.json").read_text())["api"])
    except (OSError, ValueError, KeyError):
        return 0


def help_seconds() -> float:
    """Return the processor time of `thmanyah --help`: the least of five."""
    found = []
    for _ in range(5):
        before = os.times()
        subprocess.run(thmanyah("--help"), stdout=subprocess.DEVNULL, check=True)
        after = os.times()
        found.append(
            after.children_user + after.children_system - before.children_user - before.children_system
        )
    return min(found)


def main() -> None:
    """Measure, and print the tables.

    Raises:
        SystemExit: A bar was missed.
    """
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--programs", type=int, default=5000)
    parser.add_argument("--seconds", type=float, default=300)
    given = parser.parse_args()
    holds = True
    start, asked = second_start(), help_seconds()
    Console().print(
        f"second start {start:.1f} s (bar {BAR_START:.0f}), --help {asked:.2f} s (bar {BAR_HELP})"
    )
    with product(given.programs) as running:
        up = psutil.Process(running.pid("api")).ppid()
        for title, before in (("as it has started", lambda running: None), ("with warm caches", warm)):
            before(running)
            time.sleep(_SETTLE_SECONDS)
            Console().print(f"{given.programs:,} programs, {title}")
            holds &= rest(up, given.seconds)
    if not holds or start > BAR_START or asked > BAR_HELP:
        sys.exit("a bar was missed")


if __name__ == "__main__":
    main()
