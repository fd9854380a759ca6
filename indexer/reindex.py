"""A rebuild: a second index filled beside the live one by the same pipeline, and put in its place.

A state machine kept in PostgreSQL (`catalog.indexing`). Every step may be repeated, so a process that
dies in the middle of one is followed by another that does the step again. Indexing never pauses but
for the moment in which the two indexes exchange their names; searches never notice.
"""

import logging
import time
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Engine as Database
from sqlalchemy import Select, func, select
from sqlalchemy.orm import Session

from catalog import dirty
from catalog.db import session_factory
from catalog.dirty import IndexDirty, IndexTarget
from catalog.indexing import lifecycle
from catalog.indexing.lifecycle import NotYours
from catalog.indexing.models import ENDED, ReindexJob
from catalog.programs import queries
from catalog.programs.models import Program
from indexer import golden, index_settings, targets
from indexer.drift import Audit
from indexer.engine import Engine, EngineRejectedError, EngineUnavailableError
from indexer.invalidation import Invalidator
from indexer.settings import IndexerSettings

log = logging.getLogger(__name__)
_PAGE = 5_000
_AUDITS = 5
# Moments at which a test may kill the process.
CRASH_POINTS = (
    "created", "marked", "filled", "audited", "intended", "swapped", "exchanged", "verified",
)  # fmt: skip


class Refused(Exception):
    """The rebuild must not go on; the message says why."""


class Rebuild:
    """Carries one leased job out. `at` is called at every crash point.

    After `patience` seconds it lets go between two steps, so that a worker gets to other jobs while
    an index fills.
    """

    def __init__(
        self,
        database: Database,
        settings: IndexerSettings,
        invalidator: Invalidator | None = None,
        *,
        at: Callable[[str], None] = lambda point: None,
        pause: float = 0.2,
        patience: float = float("inf"),
    ) -> None:
        self.database, self.settings, self.invalidator = database, settings, invalidator
        self.at, self.pause, self.patience = at, pause, patience
        self._sessions = session_factory(database)
        self._token = ""

    def run(self, job_id: int) -> str:
        """Go on from where the job stands; returns its state, or "busy" when others carry it out.

        Raises EngineUnavailableError, DBAPIError: the lease runs out and somebody tries again.
        """
        with self._sessions.begin() as session:
            job = lifecycle.take(session, job_id)
            if job is None:
                return "busy"
            self._token = str(job.lease_token)
        try:
            began = time.monotonic()
            while True:
                job = self._renewed(job_id)
                if job.state in ENDED:
                    return job.state
                if time.monotonic() - began > self.patience:
                    with self._owned(job) as (_, mine):
                        mine.lease_until = None
                    return job.state
                if job.cancel_requested and job.state not in ("swapping", "verifying"):
                    self._give_up(job, "canceled", "Canceled.")
                    return "canceled"
                step = getattr(self, f"_{job.state}")
                if not step(job):
                    time.sleep(self.pause)
        except NotYours:
            with self._sessions() as session:
                state = lifecycle.get(session, job_id).state
            return state if state in ENDED else "busy"
        except (Refused, EngineRejectedError) as error:
            log.warning("reindex job %s failed: %s", job_id, error)
            self._give_up(self._renewed(job_id), "failed", str(error))
            return "failed"

    # -- the steps: each returns whether it moved the job on

    def _creating(self, job: ReindexJob) -> bool:
        engine = self._engine(job)
        with self._sessions() as session:
            live = lifecycle.live_target(session, job.engine)
        if job.settings_revision < live.settings_revision:
            raise Refused("The live index has settings of newer code.")
        if job.settings_hash != index_settings.HASH:
            raise Refused("Asked for by code with other settings than this worker's.")
        lost = index_settings.lost_attributes(self._settings_of(engine, live.index_uid))
        if lost and not job.force:
            raise Refused(f"Searches would lose {', '.join(lost)}; repeat with force to do it.")
        uid = f"{live.index_uid}_{job.settings_hash}_{job.id}"
        engine.prepare_index(uid)
        marker = engine.created_at(uid)
        with self._owned(job) as (session, mine):
            target = lifecycle.add_target(session, job.engine, uid, build=index_settings.BUILD)
            if target is None:
                return False
            mine.live_target_id, mine.new_target_id = live.id, target.id
            mine.new_uid, mine.new_marker = uid, marker
            mine.total = session.scalars(queries.count_published()).one()
            mine.state = "marking"
        self.at("created")
        return True

    def _marking(self, job: ReindexJob) -> bool:
        with self._owned(job) as (session, mine):
            ids = session.scalars(queries.published_ids_after(mine.cursor, _PAGE)).all()
            if ids:
                dirty.mark_target(session, self._new(mine), ids)
                mine.cursor = ids[-1]
            else:
                mine.state, mine.filling_at = "filling", func.clock_timestamp()
        if not ids:
            self.at("marked")
        return True

    def _filling(self, job: ReindexJob) -> bool:
        with self._sessions() as session:
            if self._waiting(session, self._new(job), job.filling_at):
                return False
        self._move(job, "auditing")
        self.at("filled")
        return True

    def _auditing(self, job: ReindexJob) -> bool:
        self._agrees(job, self._new(job), str(job.new_uid))
        self._move(job, "checking")
        self.at("audited")
        return True

    def _checking(self, job: ReindexJob) -> bool:
        worse = self._worse(job, golden.POPULAR_TITLES)
        for _ in range(_AUDITS):
            if not worse:
                break
            # Each index has its own sender: an edit of just now may have reached only the live one.
            self._drained(job, self._new(job))
            ids = [program_id for program_id, _ in worse]
            worse = self._worse(job, golden.POPULAR_TITLES.where(Program.id.in_(ids)))
        if worse:
            titles = ", ".join(title for _, title in worse)
            raise Refused(f"The new index no longer finds {titles}.")
        marker = self._engine(job).created_at(str(job.new_uid))
        with self._owned(job) as (_, mine):
            # The intent, before anything is exchanged.
            mine.new_marker, mine.state = marker, "swapping"
        self.at("intended")
        return True

    def _worse(self, job: ReindexJob, query: Select[int, str]) -> list[tuple[int, str]]:
        """The programs that the new index no longer finds by their titles of this moment."""
        with self._sessions() as session:
            live = session.get_one(IndexTarget, job.live_target_id)
            wanted = [(row.id, row.title) for row in session.execute(query)]
        return golden.compare(self._engine(job), live.index_uid, str(job.new_uid), wanted)

    def _swapping(self, job: ReindexJob) -> bool:
        self._exchange(job, self._live(job), self._new(job))
        with self._owned(job) as (_, mine):
            mine.state = "verifying"
        self.at("exchanged")
        return True

    def _verifying(self, job: ReindexJob) -> bool:
        with self._sessions() as session:
            live = session.get_one(IndexTarget, self._new(job))
        self._agrees(job, live.id, live.index_uid)
        with self._owned(job) as (_, mine):
            lifecycle.end(mine, "done")
        self.at("verified")
        return True

    def _rolling_back(self, job: ReindexJob) -> bool:
        self._exchange(job, self._new(job), self._live(job))
        with self._owned(job) as (_, mine):
            lifecycle.end(mine, "rolled_back")
        return True

    # -- what steps share

    def _exchange(self, job: ReindexJob, live_id: int, other_id: int) -> None:
        """Put the other index in the live one's place. Swapping is not idempotent, so the index's
        own marker, which moves with its documents, says whether it has been done."""
        engine = self._engine(job)
        with self._owned(job) as (session, _):
            live, other = (session.get_one(IndexTarget, n) for n in (live_id, other_id))
            if other.state == "live":
                return
            names = live.index_uid, other.index_uid
            lifecycle.hold(session, [live_id, other_id])
        self._still(job, [live_id, other_id])
        # One that was asked for before, its answer lost, may still wait for its turn.
        while engine.swapping():
            self._renewed(job.id)
            time.sleep(self.pause)
        # The new index keeps its marker for ever; in a rollback it is the one that has to leave.
        is_there = engine.created_at(names[0]) == job.new_marker
        if is_there != (other_id == job.new_target_id):
            self._renewed(job.id)
            engine.finished(engine.swap(*names))
        self.at("swapped")
        with self._owned(job) as (session, _):
            keep = timedelta(hours=self.settings.reindex_keep_hours)
            lifecycle.exchange(session, live_id, other_id, keep)
        if self.invalidator is not None:
            self.invalidator.index_changed()

    def _still(self, job: ReindexJob, target_ids: list[int]) -> None:
        while True:
            with self._sessions() as session:
                if lifecycle.held(session, target_ids):
                    return
            self._renewed(job.id)
            time.sleep(0.01)

    def _agrees(self, job: ReindexJob, target_id: int, uid: str) -> None:
        """Audit until nothing differs, having what differs sent again. Raises Refused."""
        audit = Audit(self.database, self._engine(job), target_id, uid)
        for _ in range(_AUDITS):
            found = audit.run(repair=True, progress=lambda _: self._renewed_seldom(job.id))
            if not found.ids:
                return
            log.warning("%s differs: %s", uid, found.samples())
            self._drained(job, target_id)
        raise Refused(f"{uid} still differs from the record after {_AUDITS} audits.")

    def _drained(self, job: ReindexJob, target_id: int) -> None:
        with self._sessions() as session:
            now = session.scalars(select(func.clock_timestamp())).one()
        while True:
            with self._sessions() as session:
                if not self._waiting(session, target_id, now):
                    return
            self._renewed(job.id)
            time.sleep(self.pause)

    @staticmethod
    def _waiting(session: Session, target_id: int, since: datetime | None) -> bool:
        """Is there a program that has waited since before then? Editors go on: there is always
        something that waits, and a mark keeps the time at which the program was first marked."""
        query = select(IndexDirty.program_id).where(
            IndexDirty.target_id == target_id, ~IndexDirty.parked, IndexDirty.marked_at <= since
        )
        return session.scalars(query.limit(1)).first() is not None

    def _give_up(self, job: ReindexJob, state: str, why: str) -> None:
        with self._owned(job) as (session, mine):
            both = [n for n in (mine.live_target_id, mine.new_target_id) if n is not None]
            lifecycle.release(session, both)
            target = session.get(IndexTarget, mine.new_target_id) if mine.new_target_id else None
            if target is not None and target.state == "building":
                # Its index is deleted by `collect`, which finds what belongs to no target.
                lifecycle.remove_target(session, target.id)
            lifecycle.end(mine, state, why[:2000])

    def _move(self, job: ReindexJob, state: str) -> None:
        with self._owned(job) as (_, mine):
            mine.state = state

    def _owned(self, job: ReindexJob) -> "_Owned":
        return _Owned(self._sessions, job.id, self._token)

    def _renewed(self, job_id: int) -> ReindexJob:
        self._renewed_at = time.monotonic()
        with self._sessions.begin() as session:
            return lifecycle.renew(session, job_id, self._token)

    def _renewed_seldom(self, job_id: int) -> None:
        if time.monotonic() - self._renewed_at > lifecycle.LEASE.total_seconds() / 3:
            self._renewed(job_id)

    def _engine(self, job: ReindexJob) -> Engine:
        with self._sessions() as session:
            url = targets.engines(session, self.settings).get(job.engine)
        if url is None:
            raise Refused(f"No engine is called {job.engine}.")
        return Engine(self.settings, url)

    @staticmethod
    def _settings_of(engine: Engine, uid: str) -> dict[str, Any]:
        try:
            return engine.settings_of(uid)
        except EngineRejectedError as error:
            if error.code == "index_not_found":
                raise EngineUnavailableError("the live index is being made") from error
            raise

    @staticmethod
    def _new(job: ReindexJob) -> int:
        if job.new_target_id is None:
            raise Refused("The job has no new target.")
        return job.new_target_id

    @staticmethod
    def _live(job: ReindexJob) -> int:
        if job.live_target_id is None:
            raise Refused("The job has no live target.")
        return job.live_target_id


class _Owned:
    """A transaction on a job that is still the caller's. Raises NotYours."""

    def __init__(self, sessions: Any, job_id: int, token: str) -> None:
        self._begun, self._job_id, self._token = sessions.begin(), job_id, token

    def __enter__(self) -> tuple[Session, ReindexJob]:
        session: Session = self._begun.__enter__()
        try:
            return session, lifecycle.renew(session, self._job_id, self._token)
        except BaseException as error:
            self._begun.__exit__(type(error), error, error.__traceback__)
            raise

    def __exit__(self, *exception: Any) -> None:
        self._begun.__exit__(*exception)
