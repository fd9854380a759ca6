"""A rebuild: a second index is filled beside the live one by the same pipeline, and then takes its place.

A state machine kept in PostgreSQL (`catalog.indexing.rebuilds`). Every step may be repeated, so when a process
dies in the middle of a step, another one does the step again. Senders pause only for the moment of the swap;
searches never notice. Called by the queue's job (`indexer.rebuild.jobs`).
"""

import logging
import time
from collections.abc import Callable
from datetime import timedelta

from sqlalchemy import Engine as Database
from sqlalchemy import func

from catalog.core.db import session_factory
from catalog.core.errors import LeaseLost
from catalog.indexing import marks, rebuilds
from catalog.indexing import targets as index_targets
from catalog.indexing.models import ENDED, IndexTarget, ReindexJob
from catalog.programs import queries
from indexer.engines import index_settings, targets
from indexer.engines.admin import Engine
from indexer.engines.errors import EngineRejectedError, EngineUnavailableError
from indexer.rebuild import checks
from indexer.rebuild.leased import LeasedJob, Refused, live_target, new_target
from indexer.rebuild.swap import swap
from indexer.settings import IndexerSettings
from indexer.stores.invalidation import Invalidator

log = logging.getLogger(__name__)
_PAGE = 5_000
_MOST_DETAIL = 2000
# Moments at which a test may kill the process.
CRASH_POINTS = ("created", "marked", "filled", "audited", "intended", "swapped", "exchanged", "verified")


class Rebuild:
    """Carries a reindex job out, step by step."""

    _lease: LeasedJob

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
        """Nothing is done before `run`.

        Args:
            database: PostgreSQL, the primary.
            settings: The pipeline's settings.
            invalidator: Told after the swap, because cached answers are from the old index.
            at: Called with the name of each crash point, for tests.
            pause: Seconds between two looks at something that is waited for.
            patience: After so many seconds `run` returns between two steps, so that a worker gets to other jobs
                while an index fills.
        """
        self.database, self.settings, self.invalidator = database, settings, invalidator
        self.at, self.pause, self.patience = at, pause, patience
        self._sessions = session_factory(database)
        # The step of each state; it returns whether it has moved the job on.
        self._steps: dict[str, Callable[[ReindexJob], bool]] = {
            "creating": self._create,
            "marking": self._mark,
            "filling": self._wait_for_fill,
            "auditing": self._audit,
            "checking": self._check,
            "swapping": self._swap,
            "verifying": self._verify,
            "rolling_back": self._roll_back,
        }

    def run(self, job_id: int) -> str:
        """Carry the job on from its state.

        Returns:
            The state it has then, or "busy" when another process has its lease.

        Raises:
            EngineUnavailableError: The engine is away. The lease ends, and the sweep enqueues the job again.
            DBAPIError: PostgreSQL is away; likewise.
        """
        with self._sessions.begin() as session:
            leased = rebuilds.lease(session, job_id)
            if leased is None:
                return "busy"
            self._lease = LeasedJob(self._sessions, job_id, str(leased.lease_token), self.pause)
        try:
            began = time.monotonic()
            while True:
                job = self._lease.renew()
                if job.state in ENDED:
                    return job.state
                if time.monotonic() - began > self.patience:
                    with self._lease.transaction() as (_, mine):
                        mine.lease_until = None
                    return job.state
                if job.cancel_requested and job.state not in ("swapping", "verifying"):
                    self._give_up("canceled", "Canceled.")
                    return "canceled"
                if not self._steps[job.state](job):
                    time.sleep(self.pause)
        except LeaseLost:
            with self._sessions() as session:
                state = rebuilds.get(session, job_id).state
            return state if state in ENDED else "busy"
        except (Refused, EngineRejectedError) as error:
            log.warning("reindex job %s failed: %s", job_id, error)
            self._give_up("failed", str(error))
            return "failed"

    # -- the steps

    def _create(self, job: ReindexJob) -> bool:
        engine = self._engine(job)
        with self._sessions() as session:
            live = index_targets.get_live(session, job.engine)
            curated = index_settings.curated(session)
        if job.settings_revision < live.settings_revision:
            raise Refused("The live index has settings of newer code.")
        if job.settings_hash != index_settings.HASH:
            raise Refused("It was requested by code with other index settings than this worker's.")
        lost = index_settings.lost_attributes(_settings_of(engine, live.index_uid))
        if lost and not job.force:
            raise Refused(f"Searches would lose {', '.join(lost)}; repeat with force to do it.")
        uid = f"{live.index_uid}_{job.settings_hash}_{job.id}"
        # With the synonyms: golden queries are asked as listeners will ask. The sender keeps them in step from here on.
        engine.prepare_index(uid, index_settings.SETTINGS | curated)
        marker = engine.created_at(uid)
        with self._lease.transaction() as (session, mine):
            target = index_targets.add(session, job.engine, uid, build=index_settings.BUILD)
            if target is None:
                return False
            mine.live_target_id, mine.new_target_id = live.id, target.id
            mine.new_uid, mine.new_marker = uid, marker
            mine.total = session.scalars(queries.count_published()).one()
            mine.state = "marking"
        self.at("created")
        return True

    def _mark(self, job: ReindexJob) -> bool:
        with self._lease.transaction() as (session, mine):
            ids = session.scalars(queries.published_ids_after(mine.cursor, _PAGE)).all()
            if ids:
                marks.mark_target(session, new_target(mine), ids)
                mine.cursor = ids[-1]
            else:
                mine.state, mine.filling_at = "filling", func.clock_timestamp()
        if not ids:
            self.at("marked")
        return True

    def _wait_for_fill(self, job: ReindexJob) -> bool:
        with self._sessions() as session:
            if marks.has_marks_before(session, new_target(job), job.filling_at):
                return False
        self._lease.move("auditing")
        self.at("filled")
        return True

    def _audit(self, job: ReindexJob) -> bool:
        engine = self._engine(job)
        checks.audit_until_equal(self._lease, self.database, engine, new_target(job), str(job.new_uid))
        self._lease.move("checking")
        self.at("audited")
        return True

    def _check(self, job: ReindexJob) -> bool:
        engine = self._engine(job)
        checks.require_golden_queries(self._lease, engine, job)
        marker = engine.created_at(str(job.new_uid))
        with self._lease.transaction() as (_, mine):
            # The intent, stored before anything is swapped.
            mine.new_marker, mine.state = marker, "swapping"
        self.at("intended")
        return True

    def _swap(self, job: ReindexJob) -> bool:
        self._make_live(job, live_target(job), new_target(job))
        self._lease.move("verifying")
        self.at("exchanged")
        return True

    def _verify(self, job: ReindexJob) -> bool:
        with self._sessions() as session:
            live = session.get_one(IndexTarget, new_target(job))
        checks.audit_until_equal(self._lease, self.database, self._engine(job), live.id, live.index_uid)
        with self._lease.transaction() as (_, mine):
            rebuilds.end(mine, "done")
        self.at("verified")
        return True

    def _roll_back(self, job: ReindexJob) -> bool:
        self._make_live(job, new_target(job), live_target(job))
        with self._lease.transaction() as (_, mine):
            rebuilds.end(mine, "rolled_back")
        return True

    # -- what steps share

    def _make_live(self, job: ReindexJob, live_id: int, other_id: int) -> None:
        keep = timedelta(hours=self.settings.reindex_keep_hours)
        swapped = swap(
            self._lease,
            self._engine(job),
            job,
            live_id,
            other_id,
            keep=keep,
            swapped=lambda: self.at("swapped"),
        )
        if swapped and self.invalidator is not None:
            self.invalidator.index_changed()

    def _give_up(self, state: str, why: str) -> None:
        with self._lease.transaction() as (session, mine):
            both = [n for n in (mine.live_target_id, mine.new_target_id) if n is not None]
            index_targets.resume(session, both)
            target = session.get(IndexTarget, mine.new_target_id) if mine.new_target_id else None
            if target is not None and target.state == "building":
                # The garbage collection deletes its index: it belongs to no target then.
                index_targets.remove(session, target.id)
            rebuilds.end(mine, state, why[:_MOST_DETAIL])

    def _engine(self, job: ReindexJob) -> Engine:
        with self._sessions() as session:
            url = targets.engine_urls(session, self.settings).get(job.engine)
        if url is None:
            raise Refused(f"There is no engine {job.engine}.")
        return Engine(self.settings, url)


def _settings_of(engine: Engine, uid: str) -> dict[str, object]:
    try:
        return engine.settings_of(uid)
    except EngineRejectedError as error:
        if error.code == "index_not_found":
            raise EngineUnavailableError("the live index is being made") from error
        raise
