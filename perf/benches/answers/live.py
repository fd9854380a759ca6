"""Caches while editors write: the mix with 50,000 different queries, quiet and under 20 publishes a second, by turns.

`python -m perf.benches.answers.live [--programs 10000] [--queries 50000] [--rate 20] [--seconds 60] [--rounds 2]` needs wrk. Words are
coined, as frequent as Zipf's law says, and queries are words of titles. Each query is asked once before: the bar is about a
steady state, and none of the two turns is to be the one that meets them first.
"""

import argparse
import random
import re
import threading
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from urllib.parse import quote, urlsplit

import requests
from rich.console import Console
from sqlalchemy import text

from catalog.seed import loading
from perf.benches.index.lag import publish
from perf.benches.index.vocabulary import coined
from perf.tables import compare
from perf.turns import wrk
from perf.wire import Line
from tests.support.stack import Product, product

BAR_HITS, BAR_RATE = 0.95, 0.7
_WORDS = 50_000
_CONNECTIONS, _ASKERS = 32, 8
_LEVEL = re.compile(r'^cache_requests_total\{kind="(\w+)",level="(\w+)"\} ([0-9.e+]+)$', re.M)
_COMPARED = re.compile(r'^cache_pages_compared_total\{outcome="(\w+)"\} ([0-9.e+]+)$', re.M)
console = Console(width=120)


def vocabularies() -> dict[str, list[str]]:
    """Return coined words of both languages, in an order by chance: which of them are frequent."""
    words = coined(_WORDS)
    return {
        "ar": [word for word in words if not word.isascii()],
        "en": [word for word in words if word.isascii()],
    }


def queries(running: Product, count: int) -> list[str]:
    """Return different queries: one to three words that follow on each other in a published title."""
    chance = random.Random(3)
    with running.database.connect() as connection:
        titles = list(connection.scalars(text("SELECT title FROM programs WHERE status = 'published'")))
    found: dict[str, None] = {}
    while len(found) < count:
        words = chance.choice(titles).split()
        size = min(len(words), chance.choice((1, 2, 2, 3)))
        first = chance.randrange(len(words) - size + 1)
        found[" ".join(words[first : first + size])] = None
    return list(found)


def warm(running: Product, paths: list[str]) -> None:
    """Ask once for each address."""
    parts = urlsplit(running.api)
    local = threading.local()

    def ask(path: str) -> None:
        if not hasattr(local, "line"):
            local.line = Line((str(parts.hostname), parts.port or 80))
        status, _ = local.line.get(path)
        assert status == 200

    with ThreadPoolExecutor(_ASKERS) as askers:
        # The most frequent ones last: they are in memory then.
        list(askers.map(ask, reversed(paths)))


def counts(running: Product) -> Counter[str]:
    """Return what the API has counted: answers by level, and compared pages by outcome."""
    scraped = requests.get(f"{running.api}/metrics", timeout=30).text
    found: Counter[str] = Counter()
    for _, level, value in _LEVEL.findall(scraped):
        found[level] += round(float(value))
    for outcome, value in _COMPARED.findall(scraped):
        found[outcome] += round(float(value))
    return found


@contextmanager
def publishing(running: Product, rate: int, seconds: int) -> Iterator[dict[int, float]]:
    """Publish drafts in the block, and wait until all are searchable.

    Args:
        running: The product.
        rate: Publishes a second.
        seconds: How long to publish.
    """
    committed: dict[int, float] = {}
    editor = threading.Thread(target=publish, args=(running, rate, seconds, committed))
    editor.start()
    yield committed
    editor.join()
    running.wait_indexed()


def main() -> None:
    """Measure, print the table, and fail below a bar.

    Raises:
        SystemExit: A bar is missed.
    """
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--programs", type=int, default=10_000)
    parser.add_argument("--queries", type=int, default=50_000)
    parser.add_argument("--rate", type=int, default=20)
    parser.add_argument("--seconds", type=int, default=60)
    parser.add_argument("--rounds", type=int, default=2)
    given = parser.parse_args()
    drafts = given.rate * given.seconds * given.rounds + 100
    total: dict[str, Counter[str]] = {"quiet": Counter(), "live": Counter()}
    rates: dict[str, list[float]] = {"quiet": [], "live": []}
    publishes = 0
    with product(0) as running:
        loading.load(running.database, given.programs + drafts, vocabularies=vocabularies())
        with running.database.begin() as connection:
            # A program that is published now has no views yet.
            connection.execute(
                text(
                    "UPDATE programs SET status = 'draft', published_at = NULL, view_count = 0 "
                    "WHERE id IN (SELECT id FROM programs ORDER BY id DESC LIMIT :n)"
                ),
                {"n": drafts},
            )
        running.wait_indexed()
        # The words of the catalogue are counted.
        time.sleep(10)
        asked = queries(running, given.queries)
        listed, ids = running.home / "queries.txt", running.home / "ids.txt"
        listed.write_text("\n".join(map(quote, asked)))
        with running.database.connect() as connection:
            published = "SELECT id FROM programs WHERE status = 'published' ORDER BY id LIMIT 1000"
            shown = [str(one) for one in connection.scalars(text(published))]
        ids.write_text("\n".join(shown))
        mix = {"MIX_QUERIES": str(listed), "MIX_IDS": str(ids)}
        began = time.monotonic()
        warm(running, [f"/discovery/programs/{one}" for one in shown])
        warm(running, [f"/discovery/search?q={quote(q)}" for q in asked])
        console.print(f"{len(asked):,} queries asked once in {time.monotonic() - began:.0f} s")
        wrk(running.api, 10, _CONNECTIONS, mix)
        for n in range(given.rounds):
            for name in ("quiet", "live") if n % 2 == 0 else ("live", "quiet"):
                before = counts(running)
                seeded = mix | {"MIX_SEED": str(100 + n)}
                if name == "quiet":
                    figures = wrk(running.api, given.seconds, _CONNECTIONS, seeded)
                else:
                    with publishing(running, given.rate, given.seconds) as committed:
                        figures = wrk(running.api, given.seconds, _CONNECTIONS, seeded)
                        publishes += len(committed)
                total[name] += counts(running) - before
                rates[name].append(figures["rate"])
                console.print(
                    f"{name}: {figures['rate']:.0f}/s, p99 {figures['p99']:.0f} ms, {dict(total[name])}"
                )
    hits = {name: 1 - found["miss"] / _answers(found) for name, found in total.items()}
    ratio = sum(rates["live"]) / sum(rates["quiet"])
    compare(
        f"{given.queries:,} queries over {given.programs:,} programs, {given.rate} publishes a second",
        [
            ("from a cache, quiet", f"{hits['quiet']:.1%}", ""),
            ("from a cache, live", f"{hits['live']:.1%}", f"≥ {BAR_HITS:.0%}"),
            ("requests a second, quiet", f"{sum(rates['quiet']) / given.rounds:,.0f}", ""),
            ("requests a second, live", f"{sum(rates['live']) / given.rounds:,.0f}", ""),
            ("live beside quiet", f"{ratio:.2f}", f"≥ {BAR_RATE}"),
            ("publishes", f"{publishes:,}", ""),
            ("compared pages: kept", f"{total['live']['kept']:,}", ""),
            ("compared pages: superseded", f"{total['live']['superseded']:,}", ""),
        ],
    )
    if hits["live"] < BAR_HITS or ratio < BAR_RATE:
        raise SystemExit(1)


def _answers(found: Counter[str]) -> int:
    return sum(found[level] for level in ("l1", "stale", "l2", "miss", "coalesced"))


if __name__ == "__main__":
    main()
