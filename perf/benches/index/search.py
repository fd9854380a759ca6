"""How well listeners find what they know, by how they type it; on MEILI_URL's engine too when that is set.

`python -m perf.benches.index.search [--catalogue FILE] [--each 60] [--seed 1]` prints a table for each engine. Without a file the
demo catalogue is searched; a file is imported in its place, with all further options given to `thmanyah import`.
`--out` keeps every answer, `--before` compares clean queries with answers kept earlier.
"""

import argparse
import json
import os
import subprocess
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console
from rich.table import Table
from sqlalchemy import text

from deploy.local.stack import thmanyah
from perf.search.asking import Figures, Judged, ask, engine_requests, figures, quantiles
from perf.search.items import Catalogue, published, squeezed
from perf.search.known import Kind, queries
from tests.support.client import Client
from tests.support.stack import Product, product

# So long after they were counted, every API process knows the words of the catalogue.
VOCABULARY_SECONDS = 15
# Of the mix that engine requests are counted on.
CLEAN_SHARE = 0.8
MOST_REQUESTS, SLOWEST_REWRITE = 1.2, 3.0
WARMING = 40


@dataclass(frozen=True, slots=True)
class Run:
    """The answers of one engine by kind, with how many requests the engine got for them."""

    answers: dict[Kind, list[Judged]]
    found: dict[Kind, Figures]

    def every(self, *, clean: bool) -> list[Judged]:
        """Return the answers to clean queries, or to the others."""
        return [one for kind, answers in self.answers.items() if kind.clean == clean for one in answers]


def fill(running: Product, catalogue: Path, options: Sequence[str]) -> None:
    """Import a file and publish it, in place of the demo catalogue.

    Args:
        running: The product.
        catalogue: A CSV, JSON or JSON Lines file.
        options: Further options of `thmanyah import`.

    Raises:
        SystemExit: No row of the file became a published program.
    """
    with running.database.begin() as connection:
        connection.execute(text("UPDATE programs SET status = 'archived' WHERE status = 'published'"))
    done = subprocess.run(
        [*thmanyah("import"), str(catalogue), "--publish", *options],
        env=os.environ | running.environment,
        capture_output=True,
        text=True,
        check=False,
    )
    # An import in which single rows failed exits with 1 and has written the others.
    print(*done.stdout.splitlines()[:12], done.stderr, sep="\n")
    if not published(running.database):
        raise SystemExit("nothing of the file became a published program")
    running.wait_indexed()


def wait_for_words(running: Product) -> None:
    """Wait until the API knows the words of every program."""
    while True:
        with running.database.connect() as connection:
            if not connection.scalar(text("SELECT count(*) FROM vocabulary_marks")):
                break
        time.sleep(0.2)
    time.sleep(VOCABULARY_SECONDS)


def measure(running: Product, seed: int, each: int) -> Run:
    """Send every query once.

    Args:
        running: The product.
        seed: Makes the same queries of the same catalogue.
        each: The largest number of queries of a kind.
    """
    wait_for_words(running)
    items = published(running.database)
    titles = {item.id: item.title for item in items}
    known = queries(Catalogue(items), seed, each)
    client = Client(running.api)
    for item in items[:WARMING]:
        client.get("/discovery/search", q=item.title, limit=1)
    answers, found = {}, {}
    for kind, wanted in known.items():
        before = engine_requests(client)
        answers[kind] = [ask(client, one, titles) for one in wanted]
        found[kind] = figures(answers[kind], engine_requests(client) - before)
    return Run(answers, found)


def show(console: Console, name: str, run: Run) -> None:
    """Print the table of one engine: a line for each kind of queries, and the sums.

    Args:
        console: Prints the table.
        name: The title of the table.
        run: The answers.
    """
    table = Table(title=name)
    for column in (
        "",
        "n",
        "MRR@10",
        "goal",
        "hit@1",
        "hit@3",
        "empty",
        "dead end",
        "calls",
        "p50 ms",
        "p99 ms",
    ):
        table.add_column(column, justify="right" if column else "left")
    table.add_column("rungs", overflow="fold")
    for kind, row in run.found.items():
        measure_name, bar = kind.goal
        reached = row.mrr if measure_name == "mrr" else row.hit3
        table.add_row(
            kind.name,
            str(row.count),
            f"{row.mrr:.3f}",
            f"{'' if reached >= bar else '! '}{'' if measure_name == 'mrr' else 'hit@3 '}{bar:.2f}",
            f"{row.hit1:.2f}",
            f"{row.hit3:.2f}",
            f"{row.empty:.2f}",
            f"{row.dead_ends:.2f}",
            f"{row.calls:.2f}",
            f"{row.p50 * 1000:.1f}",
            f"{row.p99 * 1000:.1f}",
            " ".join(f"{rung}:{count}" for rung, count in row.rungs.items()),
        )
    console.print(table)
    clean, others = run.every(clean=True), run.every(clean=False)
    calls = [
        sum(run.found[k].calls * run.found[k].count for k in run.found if k.clean == is_clean)
        / max(len(part), 1)
        for is_clean, part in ((True, clean), (False, others))
    ]
    mixed = CLEAN_SHARE * calls[0] + (1 - CLEAN_SHARE) * calls[1]
    plain = quantiles(one.seconds for one in clean + others if one.rung == "plain")
    rewritten = quantiles(one.seconds for one in clean + others if one.rung != "plain")
    console.print(
        f"engine requests a query, {CLEAN_SHARE:.0%} clean: {mixed:.2f} (bar {MOST_REQUESTS}); "
        f"clean p50 {quantiles(one.seconds for one in clean)[0] * 1000:.1f} ms"
    )
    ratio = (
        f"{rewritten[1] / plain[1]:.1f} x (bar {SLOWEST_REWRITE:.0f})" if plain[1] and rewritten[1] else "-"
    )
    console.print(
        f"p50 / p99 ms: plain {plain[0] * 1000:.1f} / {plain[1] * 1000:.1f}, "
        f"rewritten {rewritten[0] * 1000:.1f} / {rewritten[1] * 1000:.1f}; p99 ratio {ratio}"
    )


def show_misses(console: Console, run: Run, titles: dict[int, str], most: int) -> None:
    """Print queries whose program is not among the first three.

    Args:
        console: Prints the queries.
        run: The answers.
        titles: The title of every program by its id.
        most: The largest number of queries of a kind; 0 prints none.
    """
    for kind, answers in run.answers.items():
        missed = [one for one in answers if one.rank is None or one.rank > 3]
        for one in missed[:most]:
            meant = " | ".join(titles[i] for i in sorted(one.known.ids)[:2])
            console.print(
                f"{kind.name}: {one.known.query!r} means {meant!r}, "
                f"rank {one.rank}, first {one.first!r} ({one.rung})",
                markup=False,
                highlight=False,
                soft_wrap=True,
            )


def compare(console: Console, run: Run, before: Path) -> None:
    """Print clean queries whose first hit has changed and is no program that the query means.

    Args:
        console: Prints the queries.
        run: The answers.
        before: A file that `keep` has written in an earlier run.
    """
    kept = json.loads(before.read_text(encoding="utf-8"))
    worse = [
        one
        for one in run.every(clean=True)
        if one.known.query in kept
        and squeezed(one.first) != squeezed(kept[one.known.query]["first"])
        and one.rank != 1
    ]
    console.print(f"clean queries whose first hit became worse: {len(worse)}")
    for one in worse:
        console.print(
            f"  {one.known.query!r}: {kept[one.known.query]['first']!r} -> {one.first!r}", markup=False
        )


def keep(run: Run, out: Path) -> None:
    """Write every answer by its query."""
    rows = {
        one.known.query: {"kind": one.known.kind, "rank": one.rank, "first": one.first, "rung": one.rung}
        for answers in run.answers.values()
        for one in answers
    }
    out.write_text(json.dumps(rows, ensure_ascii=False, indent=0), encoding="utf-8")


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--catalogue", type=Path)
    parser.add_argument("--each", type=int, default=60)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--misses", type=int, default=0, help="show so many of every kind")
    parser.add_argument("--out", type=Path)
    parser.add_argument("--before", type=Path)
    options, further = parser.parse_known_args()
    console = Console(width=170)
    # Without them, a product searches a node of its own.
    other = {name: os.environ.pop(name, "") for name in ("MEILI_URL", "MEILI_KEY")}
    engines: dict[str, dict[str, str]] = {"search node": {}}
    if other["MEILI_URL"]:
        engines["MEILI_URL"] = other
    for name, environment in engines.items():
        with product(0, patience=900, **environment) as running:
            if options.catalogue is not None:
                fill(running, options.catalogue.resolve(), further)
            run = measure(running, options.seed, options.each)
            titles = {item.id: item.title for item in published(running.database)}
        of = options.catalogue.name if options.catalogue else "the demo catalogue"
        show(console, f"{name}, {len(titles)} programs of {of}, seed {options.seed}", run)
        show_misses(console, run, titles, options.misses)
        if options.before is not None:
            compare(console, run, options.before)
        if options.out is not None:
            keep(run, options.out if name == "search node" else options.out.with_suffix(".meili.json"))


if __name__ == "__main__":
    main()
