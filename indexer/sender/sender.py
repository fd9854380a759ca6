"""The sender: keeps one index equal to the published programs, batch by batch.

`indexer.sender.leadership` runs one sender for each target. A sender claims the marks of its target, sends the
*current* documents of the marked programs, and settles the marks only when the engine's task has succeeded. No
transaction is open while the engine is asked. See docs/architecture.md.
"""

import logging
import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from itertools import islice

from sqlalchemy import Engine as Database

from catalog.core import tracing
from catalog.core.db import session_factory
from catalog.core.glances import Line
from catalog.indexing import leadership, marks
from catalog.indexing.marks import Mark
from indexer import metrics
from indexer.engines.admin import Engine
from indexer.engines.errors import EngineRejectedError, EngineUnavailableError
from indexer.engines.targets import Target
from indexer.sender.initial_fill import InitialFill
from indexer.sender.pacing import Pace, retry_seconds
from indexer.sender.pruning import TaskPruning
from indexer.sender.resting import Rest
from indexer.sender.sending import batches, poison
from indexer.sender.sending.batches import Batch, Contents
from indexer.settings import IndexerSettings
from indexer.stores.invalidation import Invalidator

log = logging.getLogger(__name__)
HEARTBEAT_SECONDS = 2.0
# Names of the moments at which a test may stop the sender.
CRASH_POINTS = ("before_send", "after_send", "before_settle", "after_settle")


@dataclass
class Sender:
    """Sends for one target until it is told to stop.

    Attributes:
        invalidator: Tells caches what changed; None when listeners are not answered from this index.
        epoch: The leadership of this sender.
        at: Called with the name of each crash point, for tests.
        stop: Set when the sender is to end.
        line: Reads what changes seldom, on one connection; None uses sessions.
        rest: How it waits for work.
    """

    database: Database
    engine: Engine
    invalidator: Invalidator | None
    settings: IndexerSettings
    target: Target
    epoch: int
    at: Callable[[str], None] = lambda point: None
    stop: threading.Event = field(default_factory=threading.Event)
    line: Line | None = None
    rest: Rest = field(default=None)  # type: ignore[assignment] # made below, of other fields

    def __post_init__(self) -> None:
        self.rest = self.rest or Rest(self.settings, self.stop)
        self._sessions = session_factory(self.database)
        self._in_flight: deque[Batch] = deque()
        self._failures, self._beat_at, self._pause_acknowledged = 0, 0.0, False
        self._waits = metrics.BREAKER.labels("sender", self.target.engine)
        self._pruning = TaskPruning(self.engine)
        self._pace = Pace(self.settings, beside=self.target.state != "live")
        shared = (self.engine, self.invalidator, self.settings, self.target, self.epoch, self.stop)
        self._initial_fill = InitialFill(self._sessions, *shared, self._beat_when_due, self.line)

    # -- the loop

    def run(self) -> None:
        """Send until `stop` is set.

        Raises:
            LeadershipLost: Another sender took over, or the target was swapped or removed.
            DBAPIError: PostgreSQL is away.
        """
        try:
            while not self.stop.is_set():
                try:
                    busy = self.step()
                    self._failures = 0
                    self._waits.set(0)
                    self.rest.worked() if busy else self._wait()
                except (EngineUnavailableError, EngineRejectedError) as error:
                    self._back_off(error)
        except leadership.LeadershipLost:
            self._mark_in_flight_again()
            raise
        finally:
            metrics.SENDER_ACTIVE.labels(str(self.target.id)).set(0)
            self._waits.set(0)  # who sends now says whether the engine answers

    def step(self) -> bool:
        """Look once at the dirty set and once at the oldest batch; return False when there was nothing to do.

        Raises:
            EngineUnavailableError: The engine is away, or a task failed for a reason that passes.
            EngineRejectedError: The engine refuses to make the index or to show a task.
            LeadershipLost: See `run`.
        """
        self._heartbeat()
        room = self._pace.room([len(batch.marks) for batch in self._in_flight])
        sent = room > 0 and self._send_next(room)
        if sent and len(self._in_flight) == 1:
            self._pace.look_soon()
        finished = bool(self._in_flight) and self._check_oldest()
        if finished:
            self._pace.look_soon()
        return sent or finished

    def _wait(self) -> None:
        """Wait until there may be something to do; heartbeats go on."""
        if self._in_flight:
            self.stop.wait(self._pace.pause(time.monotonic() - self._in_flight[0].sent_at))
            return
        while not self.rest.until_due(self._beat_at + HEARTBEAT_SECONDS - time.monotonic()):
            self._heartbeat()

    def drain(self, timeout: float = 60) -> None:
        """Send until no mark is due and no batch is in flight, for tests.

        Raises:
            TimeoutError: It took longer than `timeout` seconds.
        """
        deadline = time.monotonic() + timeout
        while time.monotonic() < deadline:
            if not self.step():
                if not self._in_flight:
                    return
                time.sleep(0.004)
        raise TimeoutError("the dirty set did not drain")

    def _back_off(self, error: Exception) -> None:
        self._failures += 1
        self._waits.set(1)
        pause = retry_seconds(self._failures)
        log.warning("engine unavailable (%s); next try in %.1f s", error, pause)
        deadline = time.monotonic() + pause
        while time.monotonic() < deadline and not self.stop.wait(min(HEARTBEAT_SECONDS, pause)):
            self._beat()

    def _mark_in_flight_again(self) -> None:
        # The engine may apply these batches after those of the new sender: each program is sent once more.
        ids = [mark.program_id for batch in self._in_flight for mark in batch.marks]
        with self._sessions.begin() as session:
            marks.mark(session, ids)
        log.warning("another sender took over; %d documents marked again", len(ids))

    # -- sending

    def _send_next(self, most: int) -> bool:
        began = time.time_ns()
        claimed = self._claim(most)
        if claimed is None:
            self._acknowledge_pause()
            return False
        self._pause_acknowledged = False
        if not claimed:
            return False
        span = tracing.span("batch", {"thmanyah.target": self.target.id}, began=began)
        with span.within():
            tracing.span("claim", began=began).end()
            with tracing.span("build"):
                batch, contents = self._build(claimed)
            batch.span = span
            self.at("before_send")
            self._send(batch, contents)
        self._pace.sent()
        self.at("after_send")
        return True

    def _acknowledge_pause(self) -> None:
        """A rebuild has paused this sender for a swap: confirm it as soon as no batch is in flight."""
        if not self._in_flight and not self._pause_acknowledged:
            with self._sessions.begin() as session:
                leadership.acknowledge_pause(session, self.target.id, self.epoch)
            self._pause_acknowledged = True

    def _claim(self, most: int) -> list[Mark] | None:
        """Return due marks whose programs are not in flight already; None while the target is paused."""
        in_flight = {mark.program_id: mark.seq for batch in self._in_flight for mark in batch.marks}
        with self._sessions() as session:
            claimed = marks.claim(session, self.target.id, self.epoch, most + len(in_flight))
        due = (mark for mark in claimed or () if in_flight.get(mark.program_id, -1) < mark.seq)
        return None if claimed is None else [*islice(due, most)]

    def _build(self, claimed: Sequence[Mark]) -> tuple[Batch, Contents]:
        with self._sessions() as session:
            return batches.build(session, claimed, self.settings.sync_max_bytes)

    def _send(self, batch: Batch, contents: Contents) -> None:
        try:
            batch.tasks.extend(batches.send(self.engine, self.target.uid, contents))
        except EngineRejectedError:
            batch.given_up("rejected")
            self._isolate(batch.marks)
        except EngineUnavailableError:
            batch.given_up("unavailable")
            raise
        else:
            self._in_flight.append(batch)

    # -- confirming

    def _check_oldest(self) -> bool:
        """Look at the task of the oldest batch; return whether the batch made progress.

        Raises:
            EngineUnavailableError: The task failed for a reason that passes, or takes too long.
        """
        batch = self._in_flight[0]
        task = self.engine.task(batch.tasks[0])
        if task is None:
            # The engine lost its tasks, or gave this number to another task. The marks will be claimed again.
            log.warning("task %s vanished", batch.tasks[0])
            metrics.BATCHES.labels("vanished").inc()
            self._in_flight.popleft().given_up("vanished")
            self._initial_fill.must_check = True
            return True
        if task.status == "succeeded":
            batch.tasks.popleft()
            if not batch.tasks:
                self._settle(batch)
            return True
        if task.status in ("failed", "canceled"):
            self._in_flight.popleft().given_up(task.status)
            error = task.failure
            if isinstance(error, EngineUnavailableError) or error.code == "index_not_found":
                self._initial_fill.must_check = True
                raise EngineUnavailableError(str(error))
            metrics.BATCHES.labels("failed").inc()
            with batch.span.within():
                self._isolate(batch.marks)
            return True
        if time.monotonic() - batch.sent_at > self.settings.sync_task_timeout:
            # A slow task has not failed, but other changes must not wait for ever: it is claimed again later.
            metrics.BATCHES.labels("timeout").inc()
            self._in_flight.popleft().given_up("timeout")
            raise EngineUnavailableError(f"task {batch.tasks[0]} is not finished")
        return False

    def _settle(self, batch: Batch) -> None:
        with batch.settling():
            self.at("before_settle")
            with self._sessions.begin() as session:
                clock = marks.settle(session, self.target.id, self.epoch, batch.marks)
                filled = self._initial_fill.finished_by(session)
            self._in_flight.popleft()
            self._initial_fill.after_commit(filled=filled)
            self._pace.settled(len(batch.marks), batch.sent_at)
            self.at("after_settle")
            batches.measure(batch, self.target, clock)
            if self.invalidator is not None:
                # Changes by plain SQL do not pass the API, so caches learn of every change from here.
                self.invalidator.programs_changed(batch.changes)
                self.invalidator.index_changed(batch.told())

    def _isolate(self, claimed: Sequence[Mark]) -> None:
        """Park the documents that make a batch fail, and settle the others.

        Each part may take a minute. Without heartbeats, a standby would take over after eight seconds.
        """
        with self.engine.calling(self._beat_when_due):
            for part in poison.isolate(self.engine, self.target.uid, claimed, self._build):
                if isinstance(part, Batch):
                    self._in_flight.appendleft(part)
                    self._settle(part)
                    continue
                log.error("program %s is refused by the engine: %s", part.mark.program_id, part.reason)
                metrics.PARKED.inc()
                with self._sessions.begin() as session:
                    marks.park(session, self.target.id, self.epoch, part.mark, part.reason)

    # -- upkeep

    def _heartbeat(self) -> None:
        if self._beat_when_due() or self._initial_fill.must_check:
            if self._initial_fill.check():
                self._in_flight.clear()
            self._pruning.when_due()

    def _beat_when_due(self) -> bool:
        if due := time.monotonic() - self._beat_at >= HEARTBEAT_SECONDS:
            self._beat()
        return due

    def _beat(self) -> None:
        with self._sessions.begin() as session:
            leadership.beat(session, self.target.id, self.epoch)
        self._beat_at = time.monotonic()
        metrics.SENDER_ACTIVE.labels(str(self.target.id)).set(1)
