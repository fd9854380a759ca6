"""The words of a million programs in the memory of an API process: how much they take, and how fast one is corrected.

`python -m perf.benches.index.vocabulary [--programs 1000000] [--words 600000]` fills the vocabulary of a database with
words of the shape of the demo catalogue's, as frequent as Zipf's law says. A process of its own reads them as the API
does. Memory is the resident memory of this process less what it took before; the time of a correction is processor
time, so that other work on the machine does not count.
"""

import argparse
import asyncio
import gc
import json
import os
import random
import statistics
import subprocess
import sys
import time
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

import psutil
import psycopg
from sqlalchemy import text

from api.discovery.lookups.replica import Replica
from api.discovery.lookups.vocabulary import Vocabulary
from catalog.core.settings import CatalogSettings
from catalog.replicas.servers import ReadServers
from catalog.seed import demo
from catalog.vocabulary import queries
from catalog.vocabulary.rollup import words
from catalog.words.keys import sound_hash, sounds
from catalog.words.lexicon import MAX_WORDS, Lexicon
from perf.tables import compare
from tests.support.databases import new_database, plain
from tests.support.servers import Servers

BAR_MEGABYTES, BAR_MILLISECONDS = 60, 1.0
# A program has the words of its title, series, people and tags.
WORDS_OF_A_PROGRAM = 8
# Zipf's law with Mandelbrot's offset.
OFFSET = 2.7
TYPOS = 4_000
REFRESHES = 3
_LETTERS = "ابتجدرسعفقكلمنهوي", "abcdefghiklmnoprstuwy"


def coined(count: int, seed: int = 1) -> list[str]:
    """Return different words, each letter as likely after the two before it as in the demo catalogue."""
    chance = random.Random(seed)
    follows: dict[str, list[str]] = defaultdict(list)
    texts = [part for line in demo.programs() for part in (line["title"], line["description"])]
    for word in sorted(words(texts)):
        if word.isalpha():
            padded = f"  {word}\n"
            for at in range(len(word) + 1):
                follows[padded[at : at + 2]].append(padded[at + 2])
    found: dict[str, None] = {}
    while len(found) < count:
        word, letter = "  ", ""
        while letter != "\n":
            word += letter
            letter = chance.choice(follows[word[-2:]])
        if len(word) > 4:
            found[word[2:]] = None
    return list(found)


def frequencies(count: int, programs: int) -> list[int]:
    """Return in how many programs each of so many words is, the most frequent one first."""
    weights = [1 / (rank + OFFSET) for rank in range(count)]
    whole = programs * WORDS_OF_A_PROGRAM / sum(weights)
    return [max(1, round(whole * weight)) for weight in weights]


def fill(url: str, count: int, programs: int) -> None:
    """Write words into the vocabulary of a database, as a roll-up would have.

    Args:
        url: Address of the database.
        count: How many words.
        programs: How many programs have them.
    """
    rows = zip(coined(count), frequencies(count, programs), strict=True)
    with psycopg.connect(plain(url)) as connection, connection.cursor() as cursor:
        with cursor.copy("COPY vocabulary (word, programs, sounds) FROM STDIN") as copy:
            for word, having in rows:
                copy.write_row((word, having, [sound_hash(key) for key in sounds(word)]))
        cursor.execute("UPDATE vocabulary_state SET version = version + 1")
    with psycopg.connect(plain(url), autocommit=True) as connection:
        connection.execute("VACUUM ANALYZE vocabulary")


def _resident() -> float:
    gc.collect()
    return float(psutil.Process().memory_info().rss) / 1e6


def _forget_peak() -> None:
    Path("/proc/self/clear_refs").write_text("5", encoding="ascii")


def _peak() -> float:
    status = Path("/proc/self/status").read_text(encoding="ascii")
    return int(status.partition("VmHWM:")[2].split()[0]) * 1024 / 1e6


async def _late(until: asyncio.Event, found: list[float]) -> None:
    """Measure how much later than asked for the event loop comes back."""
    while not until.is_set():
        began = time.perf_counter()
        await asyncio.sleep(0.001)
        found.append(1000 * (time.perf_counter() - began) - 1)


def mistyped(lexicon: Lexicon, chance: random.Random) -> Iterator[str]:
    """Yield words of the lexicon with a mistake, a frequent word as likely as a rare one."""
    every = [entry.word for letter in "".join(_LETTERS) for entry in lexicon.completions(letter, 20_000)]
    while True:
        word = chance.choice(every)
        at, letter = chance.randrange(max(len(word) - 1, 1)), chance.choice(_LETTERS[word[0].isascii()])
        wrong = chance.choice(
            (
                word[:at] + word[at + 1 :],
                word[:at] + letter + word[at:],
                word[:at] + letter + word[at + 1 :],
                word[:at] + word[at + 1 : at + 2] + word[at] + word[at + 2 :],
            )
        )
        if len(wrong) > 3 and not lexicon.count(wrong):
            yield wrong


def _quantiles(values: list[float]) -> tuple[float, float]:
    cuts = statistics.quantiles(values, n=100, method="inclusive")
    return cuts[49], cuts[98]


async def _measure() -> dict[str, float]:
    """Read the words several times, as an API process does, and correct some."""
    settings = CatalogSettings()
    servers = ReadServers(settings, searches=1)
    replica = Replica(servers, settings.statement_timeout_ms / 1000 or None)
    vocabulary = Vocabulary(replica)
    await replica.rows(queries.VERSION)
    await replica.rows(queries.WORDS, after="", rarest=1 << 30, share=0, limit=10)
    before = _resident()
    late: list[float] = []
    done = asyncio.Event()
    watching = asyncio.create_task(_late(done, late))
    _forget_peak()
    began = time.perf_counter()
    await vocabulary.refresh()
    reading, first_peak = time.perf_counter() - began, _peak() - before
    loaded = _resident() - before
    _forget_peak()
    for _ in range(REFRESHES):
        await replica.rows(text("UPDATE vocabulary_state SET version = version + 1 RETURNING version"))
        await vocabulary.refresh()
    peak, after = _peak() - before, _resident() - before
    done.set()
    await watching
    lexicon = vocabulary.reader.lexicon
    wrong = mistyped(lexicon, random.Random(2))
    times: list[list[float]] = [[], []]
    for _ in range(TYPOS):
        word = next(wrong)
        for distance in (1, 2):
            began = time.thread_time()
            lexicon.corrections(word, 5, distance)
            times[distance - 1].append(1000 * (time.thread_time() - began))
    await servers.close()
    one, two = map(_quantiles, times)
    return {
        "words": lexicon.size,
        "arrays": lexicon.bytes / 1e6,
        "loaded": loaded,
        "after": after,
        "first_peak": first_peak,
        "peak": peak,
        "reading": reading,
        "late": _quantiles(late)[1],
        "p50": one[0],
        "p99": one[1],
        "p50_of_two": two[0],
        "p99_of_two": two[1],
    }


def main() -> None:
    """Print the table.

    Raises:
        SystemExit: A bar was missed.
    """
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--programs", type=int, default=1_000_000)
    parser.add_argument("--words", type=int, default=600_000)
    parser.add_argument("--measure", action="store_true", help="what the process that is measured does")
    options = parser.parse_args()
    if options.measure:
        print(json.dumps(asyncio.run(_measure())))
        return
    servers = Servers()
    try:
        with new_database(servers.start()["TEST_POSTGRES"]) as url:
            fill(url, options.words, options.programs)
            measured = subprocess.run(
                [sys.executable, "-m", "perf.benches.index.vocabulary", "--measure"],
                env=os.environ | {"DATABASE_URL": url},
                capture_output=True,
                text=True,
                check=True,
            )
    finally:
        servers.stop()
    found = json.loads(measured.stdout)
    title = (
        f"{options.words:,} words of {options.programs:,} programs, of which {MAX_WORDS:,} are kept at most"
    )
    megabytes = f"{BAR_MEGABYTES}"
    compare(
        title,
        [
            ("words kept", f"{found['words']:,}", ""),
            ("memory of a process, MB", f"{found['loaded']:.0f}", megabytes),
            (f"the same after {REFRESHES} refreshes", f"{found['after']:.0f}", megabytes),
            ("peak while the words are read the first time, MB", f"{found['first_peak']:.0f}", ""),
            ("peak while new words replace them, MB", f"{found['peak']:.0f}", ""),
            ("of which arrays of one lexicon, MB", f"{found['arrays']:.0f}", ""),
            ("reading the words, s", f"{found['reading']:.1f}", ""),
            ("event loop late meanwhile, p99 ms", f"{found['late']:.1f}", ""),
            (
                "a correction at distance 1, p50 / p99 ms of processor time",
                f"{found['p50']:.3f} / {found['p99']:.3f}",
                f"{BAR_MILLISECONDS:.0f}",
            ),
            (
                "a correction at distance 2, p50 / p99 ms of processor time",
                f"{found['p50_of_two']:.3f} / {found['p99_of_two']:.3f}",
                f"{BAR_MILLISECONDS:.0f}",
            ),
        ],
    )
    slowest = max(found["p99"], found["p99_of_two"])
    if max(found["loaded"], found["after"]) > BAR_MEGABYTES or slowest > BAR_MILLISECONDS:
        raise SystemExit("a bar was missed")


if __name__ == "__main__":
    main()
