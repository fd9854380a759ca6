"""Writers, readers and faults mixed by a seed over the whole running product; each round ends with the audit.

`python -m tests.faults.chaos [--seed 1] [--minutes 10] [--seconds 3]` prints the seed that fails. What a seed
decides is which writes and faults come in which order; how they meet is up to the machine.
"""

import argparse
import itertools
import random
import sys
import threading
import time
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

import requests
from sqlalchemy import select, text
from sqlalchemy.exc import DBAPIError

from catalog.core.db import session_factory
from catalog.indexing import rebuilds
from catalog.indexing.models import ENDED, IndexTarget, ReindexJob
from indexer.engines import index_settings
from indexer.engines.admin import Engine
from indexer.engines.errors import EngineRejectedError, EngineUnavailableError
from indexer.rebuild.drift.audit import Audit
from tests.faults.world import PROCESSES, SERVERS, World, choose_line, world
from tests.support.programs import EDITOR
from tests.support.waiting import eventually

# Drafts whose title nobody may ever find.
SECRET = "zxqvsecret"
QUIET_SECONDS = 180


class Broken(AssertionError):
    """The invariant does not hold."""


@dataclass
class Round:
    """One seed."""

    world: World
    seed: int
    seconds: float
    wrong: list[str] = field(default_factory=list)
    done: list[str] = field(default_factory=list)
    writes: int = 0
    reads: int = 0
    stop: threading.Event = field(default_factory=threading.Event)

    def run(self) -> None:
        """Write, read and hurt for `seconds`, then wait for quiet and audit. Raises Broken."""
        threads = [threading.Thread(target=self._write), threading.Thread(target=self._read)]
        for thread in threads:
            thread.start()
        chance = random.Random(self.seed)
        try:
            # Faults meet a writer and a reader who are at work.
            eventually(lambda: self.writes and self.reads, what="the first write and the first read")
            ends = time.monotonic() + self.seconds
            while time.monotonic() < ends:
                time.sleep(chance.uniform(0.1, 1.0))
                self._hurt(chance)
        finally:
            self.stop.set()
            for thread in threads:
                thread.join(60)
        self._audit()

    # -- writers

    def _write(self) -> None:
        chance = random.Random(self.seed + 1_000_003)
        while not self.stop.is_set():
            try:
                with self.world.database.begin() as connection:
                    connection.execute(*self._statement(chance))
                self.writes += 1
            except DBAPIError:
                # The database was hurt: an editor would be told and would try again.
                time.sleep(0.05)
            time.sleep(0.005)

    def _statement(self, chance: random.Random) -> tuple[Any, dict[str, Any]]:
        some = "(SELECT id FROM programs WHERE status = :was ORDER BY md5(id::text || :salt) LIMIT :n)"
        salt, n = str(chance.random()), chance.randint(1, 20)
        kind = chance.choices(
            ["edit", "publish", "withdraw", "delete", "insert", "secret", "category", "view"],
            [30, 15, 15, 5, 15, 5, 3, 12],
        )[0]
        published, draft = {"was": "published", "salt": salt, "n": n}, {"was": "draft", "salt": salt, "n": n}
        match kind:
            case "edit":
                return text(f"UPDATE programs SET title = 'Edit ' || :salt WHERE id IN {some}"), published
            case "publish":
                return text(
                    f"UPDATE programs SET status = 'published', published_at = now() WHERE id IN {some} "
                    f"AND title NOT LIKE '{SECRET}%'"
                ), draft
            case "withdraw":
                return text(f"UPDATE programs SET status = 'draft' WHERE id IN {some}"), published
            case "delete":
                return text(f"DELETE FROM programs WHERE id IN {some}"), draft
            case "category":
                return text("UPDATE categories SET name_en = :salt WHERE id = :n"), {"salt": salt, "n": n}
            case "view":
                return text(
                    f"UPDATE programs SET view_count = view_count + 997 WHERE id IN {some}"
                ), published
            case _:
                status, title = ("draft", SECRET) if kind == "secret" else ("published", "New")
                return text(
                    "INSERT INTO programs (slug, title, language, media_type, kind, status, published_at) "
                    "SELECT 'x-' || :salt || n, :title || ' ' || n, 'en', 'audio', 'episode', :status, now() "
                    "FROM generate_series(1, :n) n ON CONFLICT DO NOTHING"
                ), {"salt": salt, "n": n, "title": title, "status": status}

    # -- readers

    def _read(self) -> None:
        chance = random.Random(self.seed + 2_000_003)
        session = requests.Session()
        paths = (
            "/discovery/search?q=" + SECRET,
            "/discovery/search?q=edit",
            "/discovery/browse?limit=50",
            "/discovery/suggest?q=" + SECRET[:5],
        )
        while not self.stop.is_set():
            path = chance.choice(paths)
            try:
                answer = session.get(self.world.product.api + path, timeout=10)
            except requests.RequestException:
                time.sleep(0.05)
                continue
            self.reads += 1
            if answer.status_code >= 500 and answer.status_code != 503:
                self.wrong.append(f"{path}: {answer.status_code} {answer.text[:200]}")
            if f'"title":"{SECRET}' in answer.text or f'"text":"{SECRET}' in answer.text:
                self.wrong.append(f"{path} shows a draft: {answer.text[:300]}")
            time.sleep(0.01)

    # -- faults

    def _hurt(self, chance: random.Random) -> None:
        fault = chance.choices(["line", "kill", "freeze", "wipe", "rebuild"], [35, 30, 15, 10, 10])[0]
        part, (line, how) = chance.choice(SERVERS + PROCESSES), choose_line(chance)
        seconds = chance.uniform(0.1, 1)
        named = {"line": f"{how} {line}", "kill": f"kill {part}", "freeze": f"freeze {part}"}
        self.done.append(named.get(fault, fault))
        match fault:
            case "line":
                self.world.hurt(line, how, seconds)
            case "kill":
                self.world.kill(part, seconds)
            case "freeze":
                self.world.freeze(part, seconds * 3)
            case "wipe":
                self.world.wipe()
            case "rebuild":
                self._rebuild()

    def _rebuild(self) -> None:
        try:
            with session_factory(self.world.database).begin() as session:
                running = session.scalars(select(ReindexJob.id).where(ReindexJob.state.not_in(ENDED))).first()
                if running is None:
                    rebuilds.request(
                        session, "default", f"seed {self.seed}", EDITOR, build=index_settings.BUILD
                    )
        except DBAPIError:
            self.done.append("(the database was away)")

    # -- the end

    def _audit(self) -> None:
        deadline = time.monotonic() + QUIET_SECONDS
        engine = Engine(self.world.indexer)
        while not self._quiet(engine):
            if time.monotonic() > deadline:
                raise Broken(f"no quiet within {QUIET_SECONDS} s: {self._waiting()}")
            time.sleep(0.2)
        with session_factory(self.world.database)() as session:
            kept = [(t.id, t.index_uid) for t in session.scalars(select(IndexTarget))]
        for target_id, uid in kept:
            try:
                found = Audit(self.world.database, engine, target_id, uid).run()
                wrong = f"{uid} differs: {found.samples()}" if found.ids else ""
            except EngineRejectedError as error:
                wrong = f"{uid}: {error}"
            if wrong and self._is_kept(target_id):
                self.wrong.append(wrong)
        if self.wrong:
            raise Broken("; ".join(self.wrong[:5]))

    def _is_kept(self, target_id: int) -> bool:
        """A former index whose time was over meanwhile is neither kept in step nor kept."""
        with session_factory(self.world.database)() as session:
            return session.get(IndexTarget, target_id) is not None

    def _quiet(self, engine: Engine) -> bool:
        try:
            return not any(self._waiting().values()) and engine.healthy()
        except (DBAPIError, EngineUnavailableError):
            return False

    def _waiting(self) -> dict[str, int]:
        with self.world.database.connect() as connection:
            marks = connection.scalar(text("SELECT count(*) FROM index_dirty"))
            jobs = connection.scalar(
                select(text("count(*)")).select_from(ReindexJob).where(ReindexJob.state.not_in(ENDED))
            )
        return {"marks": int(marks or 0), "rebuilds": int(jobs or 0)}


@dataclass
class Totals:
    """What all rounds together did."""

    seeds: int = 0
    writes: int = 0
    reads: int = 0
    faults: int = 0


def run(seeds: Iterable[int], *, seconds: float, programs: int, minutes: float = float("inf")) -> Totals:
    """Run a round for each seed over one product.

    Args:
        seeds: Each decides the writes, the faults and their order.
        seconds: How long writes and faults go on in each round.
        programs: How many programs the product has at the start.
        minutes: No round begins later than this.

    Returns:
        What all rounds together did.

    Raises:
        Broken: An audit found a difference; the message names the seed.
    """
    totals = Totals()
    with world(programs) as found:
        ends = time.monotonic() + minutes * 60
        for seed in seeds:
            if time.monotonic() > ends:
                break
            began, one = time.monotonic(), Round(found, seed, seconds)
            try:
                one.run()
            except Broken as error:
                log = (found.product.home / "logs" / "api.log").read_text()[-6000:]
                raise Broken(f"seed {seed} breaks it: {error}\nafter {one.done}\n{log}") from error
            totals.seeds += 1
            totals.writes += one.writes
            totals.reads += one.reads
            totals.faults += len(one.done)
            print(
                f"seed {seed}: {one.writes} writes, {one.reads} reads, {', '.join(one.done)}; quiet "
                f"{time.monotonic() - began - seconds:.1f} s later",
                flush=True,
            )
    return totals


def main() -> None:
    """Seed after seed for so many minutes; exit 1 with the first that breaks the invariant."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--minutes", type=float, default=10)
    parser.add_argument("--seconds", type=float, default=3)
    parser.add_argument("--programs", type=int, default=500)
    options = parser.parse_args()
    began = time.monotonic()
    try:
        totals = run(
            itertools.count(options.seed),
            seconds=options.seconds,
            programs=options.programs,
            minutes=options.minutes,
        )
    except Broken as error:
        print(error, flush=True)
        sys.exit(1)
    print(
        f"{totals.seeds} seeds, {totals.writes} writes, {totals.reads} reads, {totals.faults} faults in "
        f"{time.monotonic() - began:.0f} s: every audit found 0 missing, 0 stale, 0 ghosts"
    )


if __name__ == "__main__":
    main()
