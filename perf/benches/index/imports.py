"""The import of a large CSV and of a large feed with --publish: time, memory, when it is searchable, a second import.

`python -m perf.benches.index.imports [--rows 50000] [--items 6000] [--against CHECKOUT]` prints two tables. Every hundredth row of
the CSV is wrong on purpose. Its time is compared with a plain COPY of the same rows in the same run; the second import
of the feed, which has not changed, with the first. The bars of the feed are of the run itself, without the start of the
command. `--against` names a checkout of another commit with a `.venv` of its own: it imports the same files into a
database of its own, and the times are compared.
"""

import argparse
import csv
import os
import subprocess
import time
from pathlib import Path
from typing import NamedTuple
from xml.sax.saxutils import escape

import psycopg
from sqlalchemy import URL, create_engine, text

from catalog.seed import generator, loading, words
from deploy.local.servers import valkey
from deploy.local.stack import thmanyah
from perf.tables import compare
from tests.support.paths import ROOT
from tests.support.stack import Product, product

BAR_SECONDS, BAR_MEGABYTES, BAR_UNCHANGED = 60, 250, 0.25
# Of the time that another commit takes: a feed, a CSV.
BAR_FEED, BAR_CSV = 0.5, 1.1
WRONG_EVERY = 100


def write(path: Path, rows: int) -> None:
    """Write a generated catalogue as a CSV with foreign formats; every hundredth row has no title."""
    tags, people = words.arabic()[:200], words.english()[:300]
    with path.open("w", newline="", encoding="utf-8") as out:
        table = csv.writer(out)
        table.writerow(
            [
                "externalId",
                "title",
                "description",
                "language",
                "mediaType",
                "kind",
                "duration",
                "releaseDate",
                "mediaUrl",
                "season",
                "episode",
                "tags",
                "hosts",
                "series",
            ]
        )
        for row in generator.generate(rows, 7):
            table.writerow(
                [
                    row.number,
                    "" if row.number % WRONG_EVERY == 0 else row.title,
                    row.description,
                    row.language,
                    row.media_type,
                    row.kind,
                    f"{row.duration_sec // 60}:{row.duration_sec % 60:02}",
                    row.release_date.strftime("%d %b %Y %H:%M"),
                    f"https://media.example/{row.number}.mp3",
                    1,
                    row.episode,
                    ", ".join(tags[t % len(tags)] for t in row.tags),
                    "; ".join(people[p % len(people)] for p in row.people),
                    f"Series {row.series}" if row.series is not None else "",
                ]
            )


def write_feed(path: Path, items: int) -> None:
    """Write a podcast feed: 2 KB of show notes in HTML an item, as the longest real feeds have them."""
    tags, people = words.arabic()[:200], words.english()[:300]
    with path.open("w", encoding="utf-8") as out:
        out.write(
            '<?xml version="1.0" encoding="UTF-8"?><rss version="2.0" '
            'xmlns:itunes="http://www.itunes.com/dtds/podcast-1.0.dtd" '
            'xmlns:content="http://purl.org/rss/1.0/modules/content/" '
            'xmlns:podcast="https://podcastindex.org/namespace/1.0"><channel><title>Measured</title>'
            "<language>ar</language><itunes:explicit>false</itunes:explicit>"
        )
        for row in generator.generate(items, 9):
            notes = escape(f"{row.description} {' '.join(tags[(row.number + n) % 200] for n in range(12))}")
            listed = "".join(
                f'<p>{notes} <a href="https://show.example/{n}">link &amp; more</a></p>' for n in range(5)
            )
            out.write(
                f"<item><guid isPermaLink='false'>{row.number}</guid><title>{escape(row.title)}</title>"
                f"<description>{notes}</description><content:encoded><![CDATA[{listed}]]></content:encoded>"
                f"<pubDate>{row.release_date:%a, %d %b %Y %H:%M:%S} +0300</pubDate>"
                f"<enclosure url='https://media.example/f/{row.number}.mp3' type='audio/mpeg' length='1000'/>"
                f"<itunes:duration>{row.duration_sec}</itunes:duration><itunes:episode>{row.episode}</itunes:episode>"
                f"<itunes:keywords>{escape(', '.join(tags[t % 200] for t in row.tags))}</itunes:keywords>"
                f"<podcast:person>{escape(people[row.number % 300])}</podcast:person></item>"
            )
        out.write("</channel></rss>")


class Took(NamedTuple):
    """What one import took: the command's seconds, its processor seconds, its peak in MB, and the run's own seconds."""

    seconds: float
    busy: float
    megabytes: float
    run_seconds: float


def run(running: Product, path: Path, *, url: URL | None = None, checkout: Path | None = None) -> Took:
    """Run `thmanyah import` once.

    Args:
        running: The product whose servers are used.
        path: The file.
        url: The database; the product's by default.
        checkout: The tree whose code imports; this one by default.
    """
    database = url or running.database.url
    environment = os.environ | {
        "DATABASE_URL": database.render_as_string(hide_password=False),
        **valkey.addresses(running.ports["valkey"], "worker", running.secrets),
    }
    # Modules that are read in the course of a run would be compiled in every run.
    environment.pop("PYTHONDONTWRITEBYTECODE", None)
    command = [*thmanyah("import"), str(path), "--publish"]
    if checkout is not None:
        environment["PYTHONPATH"] = str(checkout)
        command[: len(thmanyah("import"))] = [
            str(checkout / ".venv" / "bin" / "python"),
            "-c",
            "from deploy.cli import main; main()",
            "import",
        ]
    began = time.monotonic()
    child = subprocess.Popen(command, env=environment, cwd=checkout, stdout=subprocess.DEVNULL)
    _, _, usage = os.wait4(child.pid, 0)
    child.returncode = 0
    seconds = time.monotonic() - began
    engine = create_engine(database)
    with engine.connect() as connection:
        last = "SELECT extract(epoch FROM finished_at - created_at) FROM import_runs ORDER BY id DESC LIMIT 1"
        took = float(connection.scalar(text(last)) or 0)
    engine.dispose()
    return Took(seconds, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024, took)


def ratio_to(running: Product, path: Path, checkout: Path) -> float:
    """Return the time of this tree's run by that of another's: each with a database of its own that no sender reads.

    Args:
        running: The product whose servers are used.
        path: The file.
        checkout: The other tree.
    """
    return run_apart(running, path, ROOT).run_seconds / run_apart(running, path, checkout).run_seconds


def run_apart(running: Product, path: Path, checkout: Path) -> Took:
    """Run `thmanyah import` of a checkout once, in a database of its own on the same server.

    Args:
        running: The product whose servers are used.
        path: The file.
        checkout: The tree whose code imports, with a `.venv` of its own.
    """
    url = running.database.url.set(database="against")
    server = running.database.url.set(drivername="postgresql", database="postgres")
    with psycopg.connect(server.render_as_string(hide_password=False), autocommit=True) as admin:
        admin.execute("DROP DATABASE IF EXISTS against WITH (FORCE)")
        admin.execute("CREATE DATABASE against")
    shown = url.render_as_string(hide_password=False)
    # By its command, whose name outlives the layout of the code.
    subprocess.run(
        [checkout / ".venv" / "bin" / "thmanyah", "migrate"],
        cwd=checkout,
        env=os.environ | {"DATABASE_URL": shown},
        check=True,
    )
    return run(running, path, url=url, checkout=checkout)


def main() -> None:
    """Measure, and print the table.

    Raises:
        SystemExit: A bar was missed.
    """
    arguments = argparse.ArgumentParser()
    arguments.add_argument("--rows", type=int, default=50_000)
    arguments.add_argument("--items", type=int, default=6_000)
    arguments.add_argument("--against", type=Path)
    asked = arguments.parse_args()
    rows, items, against = asked.rows, asked.items, asked.against
    with product(0) as running:
        feed_held = measure_feed(running, items, against)
        path = running.home / "episodes.csv"
        write(path, rows)
        before = _count(running)
        seconds, busy, megabytes, _ = run(running, path)
        created = _count(running) - before
        searchable = seconds + running.wait_indexed()
        again = run(running, path).seconds
        ratio = None if against is None else ratio_to(running, path, against)
        began = time.monotonic()
        loading.load(running.database, rows, 8)
        copied = time.monotonic() - began
        expected = rows - rows // WRONG_EVERY
        compare(
            f"CSV of {rows} rows, {path.stat().st_size / 1e6:.1f} MB",
            (
                ("programs created", f"{created}", f"{expected}"),
                ("import, s", f"{seconds:.1f}", f"{BAR_SECONDS}"),
                ("of which CPU of the command, s", f"{busy:.1f}", ""),
                ("peak memory, MB", f"{megabytes:.0f}", f"{BAR_MEGABYTES}"),
                ("searchable after, s", f"{searchable:.1f}", ""),
                ("second import (nothing changed), s", f"{again:.1f}", ""),
                ("the same rows by plain COPY, s", f"{copied:.1f}", ""),
                ("import ÷ COPY", f"{seconds / copied:.1f}", ""),
                *_row(ratio, BAR_CSV),
            ),
        )
        if not feed_held or (ratio is not None and ratio > BAR_CSV):
            raise SystemExit("a bar was missed")
        if created != expected or seconds > BAR_SECONDS or megabytes > BAR_MEGABYTES:
            raise SystemExit("a bar was missed")


def measure_feed(running: Product, items: int, against: Path | None) -> bool:
    """Import a feed twice, and print the table; return whether its bars held.

    Args:
        running: The product.
        items: How many items the feed has.
        against: A checkout to compare with, or None.
    """
    path = running.home / "feed.xml"
    write_feed(path, items)
    first = run(running, path)
    again = run(running, path)
    ratio = None if against is None else ratio_to(running, path, against)
    unchanged = again.run_seconds / first.run_seconds
    compare(
        f"Feed of {items} items, {path.stat().st_size / 1e6:.1f} MB",
        (
            ("import, s", f"{first.seconds:.1f}", ""),
            ("of which CPU of the command, s", f"{first.busy:.1f}", ""),
            ("peak memory, MB", f"{first.megabytes:.0f}", f"{BAR_MEGABYTES}"),
            ("second import (nothing changed), s", f"{again.seconds:.1f}", ""),
            ("of which CPU of the command, s", f"{again.busy:.1f}", ""),
            ("the run itself, s", f"{first.run_seconds:.1f}", ""),
            ("second run ÷ first", f"{unchanged:.2f}", f"{BAR_UNCHANGED}"),
            *_row(ratio, BAR_FEED),
        ),
    )
    return unchanged <= BAR_UNCHANGED and (ratio is None or ratio <= BAR_FEED)


def _row(ratio: float | None, bar: float) -> tuple[tuple[str, str, str], ...]:
    if ratio is None:
        return ()
    return (("a run without a sender ÷ the same of the other commit", f"{ratio:.2f}", f"{bar}"),)


def _count(running: Product) -> int:
    with running.database.connect() as connection:
        return int(connection.scalar(text("SELECT count(*) FROM programs WHERE source_type = 'file'")) or 0)


if __name__ == "__main__":
    main()
