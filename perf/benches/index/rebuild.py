"""A rebuild while editors write and listeners search, compared with sending the same documents directly.

`python -m perf.benches.index.rebuild [--programs 200000] [--writes 100] [--searches 300]`; MEILI_URL and MEILI_KEY name
another engine.
"""

import argparse
import random
import threading
import time
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import islice
from urllib.parse import quote

from sqlalchemy import func, select, text
from sqlalchemy.orm import Session

from catalog.core.actor import SYSTEM
from catalog.core.db import plain_rows, session_factory
from catalog.indexing import rebuilds
from catalog.indexing.models import ENDED, IndexTarget
from catalog.programs import queries
from catalog.seed import words
from indexer.engines import document, index_settings
from indexer.engines.admin import Engine
from indexer.engines.messages import Ticket
from indexer.rebuild import orphans
from indexer.rebuild.drift.audit import Audit
from perf.tables import compare
from perf.wire import Line
from tests.support.stack import Product, product

SEARCHERS = 4
QUERIES = 200
# Documents for the measurement without other load.
QUIET = 50_000
PUSHED = "raw"


@dataclass
class Load:
    """Writers and listeners at a steady rate."""

    running: Product
    writes_per_second: int
    searches_per_second: int
    writes: int = 0
    searches: int = 0
    failed: list[str] = field(default_factory=list)
    seconds: float = 0.0
    lag: float = 0.0
    _stop: threading.Event = field(default_factory=threading.Event)

    @contextmanager
    def throughout(self) -> Iterator["Load"]:
        """Run the threads while the block runs."""
        jobs = [self._write, self._measure, *[self._search] * SEARCHERS]
        threads = [threading.Thread(target=job) for job in jobs]
        for thread in threads:
            thread.start()
        began = time.monotonic()
        try:
            yield self
        finally:
            self.seconds = time.monotonic() - began
            self._stop.set()
            for thread in threads:
                thread.join(60)

    def _paced(self, per_second: float) -> Iterator[int]:
        began, n = time.monotonic(), 0
        while not self._stop.is_set():
            behind = time.monotonic() - (began + n / per_second)
            if behind < 0:
                time.sleep(-behind)
            elif behind > 1:
                # The machine does not keep up, as the table shows. Skip the time, to avoid a burst later.
                began += behind
            yield n
            n += 1

    def _write(self) -> None:
        with self.running.database.connect() as connection:
            ids = connection.scalars(text("SELECT id FROM programs WHERE status = 'published'")).all()
        chance = random.Random(7)
        for n in self._paced(self.writes_per_second):
            with self.running.database.begin() as connection:
                connection.execute(
                    text("UPDATE programs SET title = :title WHERE id = :id"),
                    {"title": f"Edit {n}", "id": chance.choice(ids)},
                )
            self.writes += 1

    def _search(self) -> None:
        vocabulary = [*words.arabic()[: QUERIES // 2], *words.english()[: QUERIES // 2]]
        chance = random.Random(threading.get_ident())
        address = ("127.0.0.1", self.running.ports["api"])
        line = Line(address)
        for _ in self._paced(self.searches_per_second / SEARCHERS):
            # A Zipf distribution, as with listeners: word k comes with a frequency of 1/k.
            word = vocabulary[int(len(vocabulary) ** chance.random()) - 1]
            try:
                status, body = line.get(f"/discovery/search?limit=20&q={quote(word)}")
            except OSError as error:
                status, body = 0, str(error).encode()
                line = Line(address)
            if status != 200 or b'"degraded":false' not in body:
                self.failed.append(body[:200].decode(errors="replace"))
            self.searches += 1
        line.close()

    def _measure(self) -> None:
        oldest = text(
            "SELECT coalesce(extract(epoch FROM clock_timestamp() - min(d.marked_at)), 0) "
            "FROM index_dirty d JOIN index_targets t ON t.id = d.target_id WHERE t.state = 'live'"
        )
        while not self._stop.wait(0.1):
            with self.running.database.connect() as connection:
                self.lag = max(self.lag, float(connection.scalar(oldest) or 0))


def push(running: Product, engine: Engine, most: int | None = None) -> float:
    """Build documents, then send them directly to an index of their own, with as many tasks in flight as a sender.

    Args:
        running: The product.
        engine: Its engine.
        most: The largest number of documents; None means all.

    Returns:
        Documents a second, without the time to build them.
    """
    settings = running.indexer
    engine.drop_index(PUSHED)
    engine.prepare_index(PUSHED)
    with session_factory(running.database)() as session:
        documents = list(islice(_documents(session), most))
    size = settings.sync_max_documents
    began, in_flight = time.monotonic(), deque[Ticket]()
    for first in range(0, len(documents), size):
        in_flight.append(engine.send(PUSHED, documents[first : first + size]))
        if len(in_flight) == settings.sync_in_flight:
            engine.finished(in_flight.popleft(), timeout=600)
    for task in in_flight:
        engine.finished(task, timeout=600)
    rate = len(documents) / (time.monotonic() - began)
    engine.drop_index(PUSHED)
    return rate


def push_beside(running: Product, engine: Engine, writes: int, searches: int) -> tuple[Load, float]:
    """Send all documents directly while editors write and listeners search.

    Args:
        running: The product.
        engine: Its engine.
        writes: Writes a second.
        searches: Searches a second.

    Returns:
        The load with its counts, and the documents a second.
    """
    with Load(running, writes, searches).throughout() as load:
        rate = push(running, engine)
    running.wait_indexed()
    return load, rate


def _documents(session: Session) -> Iterator[document.Document]:
    last = 0
    now = session.scalars(select(func.now())).one()
    while ids := session.scalars(queries.published_ids_after(last, 5000)).all():
        rows = plain_rows(session, queries.BY_IDS, queries.ProgramRow, ids=list(ids))
        yield from (document.build(row) for row in rows if document.is_indexed(row, now))
        last = ids[-1]


def rebuild(running: Product) -> tuple[str, float, float]:
    """Run a rebuild. Return its final state, the documents a second of its fill, and its seconds in all."""
    sessions = session_factory(running.database)
    with sessions.begin() as session:
        job_id = rebuilds.request(session, "default", "a measurement", SYSTEM, build=index_settings.BUILD).id
    began = time.monotonic()
    filling: list[float] = []
    while True:
        with sessions() as session:
            job = rebuilds.get(session, job_id)
            if job.state in ("marking", "filling"):
                # The sender starts with the first mark, before the state is `filling`.
                filling = [*filling[:1], time.monotonic()]
            if job.state in ENDED:
                seconds = filling[-1] - filling[0]
                rate = (job.total or 0) / seconds if seconds else 0.0
                why = job.state + (f": {job.detail}" if job.detail else "")
                return why, rate, time.monotonic() - began
        time.sleep(0.05)


def main() -> None:
    """Print the table.

    Raises:
        SystemExit: A bar was missed.
    """
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--programs", type=int, default=200_000)
    parser.add_argument("--writes", type=int, default=100)
    parser.add_argument("--searches", type=int, default=300)
    options = parser.parse_args()
    with product(options.programs, patience=3600) as running:
        engine = Engine(running.indexer)
        sessions = session_factory(running.database)
        quiet = push(running, engine, QUIET)
        before, pushed = push_beside(running, engine, options.writes, options.searches)
        with Load(running, options.writes, options.searches).throughout() as load:
            ended, rate, seconds = rebuild(running)
        running.wait_indexed()
        with sessions() as session:
            targets = session.scalars(select(IndexTarget)).all()
        lost = sum(len(Audit(running.database, engine, t.id, t.index_uid).run().ids) for t in targets)
        # The speed of the machine varies, so the rebuild is compared with the mean of a run before and a run after
        # it. The previous index is deleted first: otherwise editors' changes would be written to it as well.
        with sessions.begin() as session:
            session.execute(text("UPDATE index_targets SET keep_until = now() WHERE state = 'previous'"))
        orphans.collect(running.database, running.indexer)
        after, pushed_after = push_beside(running, engine, options.writes, options.searches)
    loaded = (pushed + pushed_after) / 2
    title = f"Rebuild of {options.programs:,} programs under {options.writes} writes/s and {options.searches} searches/s"
    compare(
        title,
        (
            ("final state", f"{ended}, after {seconds:.0f} s", "done"),
            ("searches / failed or degraded", f"{load.searches:,} / {len(load.failed)}", "0"),
            ("writes / lost", f"{load.writes:,} / {lost}", "0"),
            ("greatest lag of the live index, s", f"{load.lag:.2f}", "5"),
            ("the same while documents are sent directly, s", f"{before.lag:.2f}, {after.lag:.2f}", ""),
            ("documents a second, rebuild", f"{rate:,.0f}", ""),
            ("sent directly before and after, same load", f"{pushed:,.0f}, {pushed_after:,.0f}", ""),
            (f"the first {QUIET:,} sent directly, no other load", f"{quiet:,.0f}", ""),
            ("rebuild / sent directly (mean), same load", f"{rate / loaded:.2f}", "0.80"),
            *(
                (
                    f"{what} a second, before / rebuild / after",
                    " / ".join(f"{n / each.seconds:.0f}" for each, n in counted),
                    "",
                )
                for what, counted in (
                    ("searches", [(each, each.searches) for each in (before, load, after)]),
                    ("writes", [(each, each.writes) for each in (before, load, after)]),
                )
            ),
        ),
    )
    for why in load.failed[:3]:
        print(why)
    if ended != "done" or load.failed or lost or load.lag > 5 or rate < 0.8 * loaded:
        raise SystemExit("a bar was missed")


if __name__ == "__main__":
    main()
