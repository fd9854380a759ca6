"""The sender: keeps one index equal to the published set, one batch after another.

One process per target holds a PostgreSQL advisory lock; others stand by. It reads which programs
are dirty, sends their *current* documents and forgets the marks only when the engine's task
succeeded. No transaction is open while the engine is asked. See docs/architecture.md.
"""

import logging
import random
import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import msgspec
from sqlalchemy import Engine as Database
from sqlalchemy import func, select

from catalog import dirty
from catalog.changes import ProgramChange
from catalog.db import plain_rows, session_factory
from catalog.dirty import Mark
from catalog.programs import queries
from indexer import document, metrics
from indexer.engine import (
    Engine,
    EngineRejectedError,
    EngineUnavailableError,
    Ticket,
    failure,
)
from indexer.filling import Filling
from indexer.invalidation import Invalidator
from indexer.pacing import Pace
from indexer.settings import IndexerSettings
from indexer.targets import Target

log = logging.getLogger(__name__)
_encode = msgspec.json.Encoder().encode
HEARTBEAT_SECONDS = 2.0
_TASKS_KEPT = timedelta(minutes=10)
# Between tries of an engine that is away: one request costs little, a listener's wait for news more.
_MAX_PAUSE = 3.0
# Names of the moments at which a test may stop the sender.
CRASH_POINTS = ("before_send", "after_send", "before_settle", "after_settle")


@dataclass
class Batch:
    """Documents on their way: the marks they answer and the tasks to wait for, in order."""

    marks: list[Mark]
    changes: list[ProgramChange]
    tasks: deque[Ticket] = field(default_factory=deque)
    upserts: int = 0
    sent_at: float = field(default_factory=time.monotonic)


@dataclass
class Sender:
    """Sends for one target until told to stop. `at` is called at every crash point."""

    database: Database
    engine: Engine
    invalidator: Invalidator | None
    settings: IndexerSettings
    target: Target
    epoch: int
    at: Callable[[str], None] = lambda point: None
    stop: threading.Event = field(default_factory=threading.Event)

    def __post_init__(self) -> None:
        self._sessions = session_factory(self.database)
        self._flying: deque[Batch] = deque()
        self._failures = 0
        self._beat_at = 0.0
        self._pruned_at = time.monotonic()
        self._acknowledged = False
        self._pace = Pace(self.settings, beside=self.target.state != "live")
        self._filling = Filling(
            self._sessions, self.engine, self.invalidator, self.settings, self.target, self.epoch,
            self.stop, self._beat_when_due,
        )  # fmt: skip

    # -- the loop

    def run(self) -> None:
        """Send until `stop` is set. Raises LostPlaceError when another sender took over."""
        try:
            while not self.stop.is_set():
                try:
                    busy = self.step()
                    self._failures = 0
                    metrics.BREAKER.labels("sender", self.target.engine).set(0)
                except (EngineUnavailableError, EngineRejectedError) as error:
                    self._back_off(error)
                    continue
                if not busy:
                    self.stop.wait(self._pause())
        except dirty.LostPlaceError:
            self._hand_over()
            raise
        finally:
            metrics.SENDER_ACTIVE.labels(str(self.target.id)).set(0)

    def step(self) -> bool:
        """One look at the dirty set and one at the oldest batch; False when there was nothing to do."""
        self._heartbeat()
        room = self._pace.room([len(batch.marks) for batch in self._flying])
        sent = room > 0 and self._send_next(room)
        if sent and len(self._flying) == 1:
            self._pace.moved()
        finished = bool(self._flying) and self._check_oldest()
        if finished:
            self._pace.moved()
        return sent or finished

    def _pause(self) -> float:
        if not self._flying:
            return self.settings.sync_poll_seconds
        return self._pace.pause(time.monotonic() - self._flying[0].sent_at)

    def drain(self, timeout: float = 60) -> None:
        """Send until nothing is due (for tests and the CLI). Raises TimeoutError."""
        deadline = time.monotonic() + timeout
        while time.monotonic() < deadline:
            busy = self.step()
            if not busy and not self._flying:
                return
            if not busy:
                time.sleep(0.004)
        raise TimeoutError("the dirty set did not drain")

    def _back_off(self, error: Exception) -> None:
        self._failures += 1
        metrics.BREAKER.labels("sender", self.target.engine).set(1)
        pause = min(_MAX_PAUSE, 0.1 * 2 ** min(self._failures, 8)) * random.uniform(0.5, 1)  # noqa: S311
        log.warning("engine unavailable (%s); next try in %.1f s", error, pause)
        deadline = time.monotonic() + pause
        while time.monotonic() < deadline and not self.stop.wait(min(HEARTBEAT_SECONDS, pause)):
            self._beat()

    def _hand_over(self) -> None:
        # What this sender had on its way may land after the new sender's: send it once more.
        ids = [mark.program_id for batch in self._flying for mark in batch.marks]
        with self._sessions.begin() as session:
            dirty.mark(session, ids)
        log.warning("another sender took over; %d documents marked again", len(ids))

    # -- sending

    def _send_next(self, most: int) -> bool:
        marks = self._claim(most)
        if marks is None:
            self._hold_still()
            return False
        self._acknowledged = False
        if not marks:
            return False
        batch, documents, removed = self._build(marks)
        self.at("before_send")
        self._deliver(batch, documents, removed)
        self._pace.sent()
        self.at("after_send")
        return True

    def _hold_still(self) -> None:
        """Somebody is about to exchange indexes: say so once nothing is on its way."""
        if self._flying or self._acknowledged:
            return
        with self._sessions.begin() as session:
            dirty.acknowledge_hold(session, self.target.id, self.epoch)
        self._acknowledged = True

    def _claim(self, most: int) -> list[Mark] | None:
        flying = {mark.program_id: mark.seq for batch in self._flying for mark in batch.marks}
        limit = most + len(flying)
        with self._sessions() as session:
            marks = dirty.claim(session, self.target.id, self.epoch, limit)
        if marks is None:
            return None
        due = [m for m in marks if flying.get(m.program_id, -1) < m.seq]
        return due[:most]

    def _build(self, marks: Sequence[Mark]) -> tuple[Batch, list[msgspec.Raw], list[int]]:
        """The current state of the marked programs: documents to put (encoded), ids to delete."""
        with self._sessions() as session:
            found = plain_rows(session, queries.BY_IDS, ids=[m.program_id for m in marks])
            now = session.scalars(select(func.now())).one()
        rows = {row["id"]: row for row in found}
        batch = Batch([], [])
        documents: list[msgspec.Raw] = []
        removed: list[int] = []
        size = 0
        for mark in marks:
            row = rows.get(mark.program_id)
            indexed = row is not None and document.is_indexed(row, now)
            if indexed and row is not None:
                built = msgspec.Raw(_encode(document.build(row)))
                size += len(built)
                if size > self.settings.sync_max_bytes and documents:
                    break
                documents.append(built)
            else:
                removed.append(mark.program_id)
            batch.marks.append(mark)
            rev = row["rev"] if row is not None else mark.rev + 1
            batch.changes.append(ProgramChange(mark.program_id, rev, indexed))
        batch.upserts = len(documents)
        return batch, documents, removed

    def _deliver(self, batch: Batch, documents: list[msgspec.Raw], removed: list[int]) -> None:
        uid = self.target.uid
        try:
            if documents:
                batch.tasks.append(self.engine.send(uid, documents))
            if removed:
                batch.tasks.append(self.engine.delete(uid, removed))
        except EngineRejectedError as error:
            self._isolate(batch.marks, f"{error.code}: {error.message}")
            return
        self._flying.append(batch)

    # -- confirming

    def _check_oldest(self) -> bool:
        """Look at the oldest batch's task; True when it made progress."""
        batch = self._flying[0]
        task = self.engine.task(batch.tasks[0])
        if task is None:
            # The engine lost its queue, or says something else of this number than when it gave
            # it: the marks are still there and will be claimed again.
            log.warning("task %s vanished", batch.tasks[0])
            metrics.BATCHES.labels("vanished").inc()
            self._flying.popleft()
            self._filling.unsure = True
            return True
        if task["status"] == "succeeded":
            batch.tasks.popleft()
            if not batch.tasks:
                self._settle(batch)
            return True
        if task["status"] in ("failed", "canceled"):
            self._flying.popleft()
            error = failure(task)
            if isinstance(error, EngineUnavailableError) or error.code == "index_not_found":
                self._filling.unsure = True
                raise EngineUnavailableError(str(error))
            metrics.BATCHES.labels("failed").inc()
            self._isolate(batch.marks, f"{error.code}: {error.message}")
            return True
        if time.monotonic() - batch.sent_at > self.settings.sync_task_timeout:
            # Slow is not failed, but others must not wait for ever: claimed again later.
            metrics.BATCHES.labels("timeout").inc()
            self._flying.popleft()
            raise EngineUnavailableError(f"task {batch.tasks[0]} is not finished")
        return False

    def _settle(self, batch: Batch) -> None:
        self.at("before_settle")
        with self._sessions.begin() as session:
            clock = dirty.settle(session, self.target.id, self.epoch, batch.marks)
            filled = self._filling.settled(session)
        self._flying.popleft()
        self._filling.told(filled)
        self._pace.settled(len(batch.marks), batch.sent_at)
        self.at("after_settle")
        metrics.BATCHES.labels("succeeded").inc()
        metrics.DOCUMENTS.labels("upsert").inc(batch.upserts)
        metrics.DOCUMENTS.labels("delete").inc(len(batch.marks) - batch.upserts)
        for mark in batch.marks if self.target.state == "live" else ():
            lag = max(0.0, clock - mark.marked_at.timestamp())
            metrics.INDEX_LAG.labels(self.target.engine).observe(lag)
        if self.invalidator is not None:
            # Raw SQL goes past the API, so its readers are told here.
            self.invalidator.programs_changed(batch.changes)
            self.invalidator.index_changed()

    def _isolate(self, marks: Sequence[Mark], reason: str, *, again: bool = False) -> None:
        """Find the documents that fail a batch by halving it; park them, deliver the others.

        A document is parked when it was refused alone and `again`: one answer may be damaged.
        """
        if again and len(marks) == 1:
            log.error("program %s is refused by the engine: %s", marks[0].program_id, reason)
            metrics.PARKED.inc()
            with self._sessions.begin() as session:
                dirty.park(session, self.target.id, self.epoch, marks[0], reason)
            return
        middle = len(marks) // 2
        for half in (marks[:middle], marks[middle:]) if middle else (marks,):
            batch, documents, removed = self._build(half)
            uid = self.target.uid
            try:
                if documents:
                    self.engine.finished(self.engine.send(uid, documents))
                if removed:
                    self.engine.finished(self.engine.delete(uid, removed))
            except EngineRejectedError as error:
                self._isolate(batch.marks, f"{error.code}: {error.message}", again=True)
                continue
            self._flying.appendleft(batch)
            self._settle(batch)

    # -- upkeep

    def _heartbeat(self) -> None:
        if self._beat_when_due() or self._filling.unsure:
            if self._filling.check():
                self._flying.clear()
            self._prune()

    def _beat_when_due(self) -> bool:
        due = time.monotonic() - self._beat_at >= HEARTBEAT_SECONDS
        if due:
            self._beat()
        return due

    def _beat(self) -> None:
        with self._sessions.begin() as session:
            dirty.beat(session, self.target.id, self.epoch)
        self._beat_at = time.monotonic()
        metrics.SENDER_ACTIVE.labels(str(self.target.id)).set(1)

    def _prune(self) -> None:
        if time.monotonic() - self._pruned_at < _TASKS_KEPT.total_seconds():
            return
        self._pruned_at = time.monotonic()
        before = (datetime.now(UTC) - _TASKS_KEPT).isoformat().replace("+00:00", "Z")
        try:
            self.engine.prune_tasks(before)
        except (EngineUnavailableError, EngineRejectedError) as error:
            log.info("tasks not pruned: %s", error)
