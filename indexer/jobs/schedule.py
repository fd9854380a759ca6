"""Periodic jobs, with rq-scheduler, and jobs that are tried again later, with RQ's own scheduler.

The composition root (`deploy.background`) hands the table of periodic jobs in. RQ would run its scheduler in a fork of the
worker, which looks once a second: here both have one look, in one round trip.

rq-scheduler can lose an entry between two Redis calls, and stops at a job that it cannot read. So every entry
has a fixed id, the whole table is written again at the start and every minute where it is incomplete, and an
unreadable entry is deleted and written again.
"""

import logging
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from redis import Redis
from rq.exceptions import NoSuchJobError
from rq.registry import ScheduledJobRegistry
from rq.scheduler import RQScheduler
from rq.serializers import JSONSerializer
from rq_scheduler import Scheduler

from indexer.stores.queues import MAINTENANCE, NAMES, JsonJob, JsonQueue

log = logging.getLogger(__name__)
ASSERT_SECONDS = 60.0


@dataclass(frozen=True, slots=True)
class Entry:
    """A periodic job: `cron` in UTC, the most that one run may take in seconds."""

    id: str
    cron: str
    function: Callable[[], object]
    timeout: int

    @property
    def function_name(self) -> str:
        """The dotted name that RQ stores in the job and imports again in the worker."""
        return f"{self.function.__module__}.{self.function.__qualname__}"


class Schedule:
    """Moves due jobs to their queue. Several schedulers may run: a lock in Redis lets one at a time work."""

    def __init__(self, redis: "Redis", table: Sequence[Entry]) -> None:
        """Nothing is written before the first `tick`."""
        self.redis, self.table = redis, table
        self._scheduler = Scheduler(
            queue_name=MAINTENANCE, connection=redis, job_class=JsonJob, queue_class=JsonQueue, interval=5
        )
        # RQ leaves it untyped.
        self._later: Any = RQScheduler(
            NAMES, connection=redis, logging_level=logging.WARNING, serializer=JSONSerializer
        )
        self._asserted_at = 0.0

    def tick(self) -> None:
        """Write the table again when it is time, then enqueue what is due.

        Raises:
            RedisError: Redis is away.
        """
        if time.monotonic() - self._asserted_at >= ASSERT_SECONDS or not self._asserted_at:
            self.assert_table()
            self._asserted_at = time.monotonic()
        is_periodic, is_later = self._look()
        if is_later:
            self._try_again()
        if is_periodic and self._scheduler.acquire_lock():
            try:
                self._scheduler.enqueue_jobs()
            except Exception:
                # One unreadable job must not stop the others.
                log.exception("the schedule cannot be read; its unreadable jobs are deleted")
                self._delete_unreadable()
            finally:
                self._scheduler.remove_lock()

    def _look(self) -> tuple[bool, bool]:
        """Return whether periodic jobs are due, and jobs that are tried again."""
        now = int(time.time())
        with self.redis.pipeline(transaction=False) as commands:
            commands.zcount(Scheduler.scheduled_jobs_key, "-inf", now)
            for name in NAMES:
                commands.zcount(ScheduledJobRegistry.key_template.format(name), "-inf", now)
            periodic, *later = commands.execute()
        return bool(periodic), any(later)

    def _try_again(self) -> None:
        """Move jobs that failed, and whose pause is over, to their queues. A worker of an older build may do so instead."""
        self._later.acquire_locks()
        try:
            self._later.enqueue_scheduled_jobs()
        finally:
            self._later.release_locks()

    def assert_table(self) -> None:
        """Write every entry of the table that is missing, unreadable or different in Redis.

        Raises:
            RedisError: Redis is away.
        """
        for entry in self.table:
            scheduled = self.redis.zscore(Scheduler.scheduled_jobs_key, entry.id) is not None
            if scheduled and self._is_right(entry):
                continue
            self._scheduler.cron(
                entry.cron,
                func=entry.function,
                id=entry.id,
                queue_name=MAINTENANCE,
                timeout=entry.timeout,
                use_local_timezone=False,
            )

    def _is_right(self, entry: Entry) -> bool:
        try:
            job = JsonJob.fetch(entry.id, connection=self.redis)
            return bool(job.func_name == entry.function_name and job.meta.get("cron_string") == entry.cron)
        except NoSuchJobError:
            return False
        except Exception:
            log.exception("job %s cannot be read", entry.id)
            self.redis.delete(f"rq:job:{entry.id}")
            return False

    def _delete_unreadable(self) -> None:
        known = {entry.id for entry in self.table}
        for raw, _ in list(self.redis.zscan_iter(Scheduler.scheduled_jobs_key)):
            job_id = raw.decode()
            try:
                JsonJob.fetch(job_id, connection=self.redis)
            except Exception:
                log.warning("deleted the unreadable scheduled job %s", job_id)
                self.redis.zrem(Scheduler.scheduled_jobs_key, raw)
                if job_id in known:
                    self.redis.delete(f"rq:job:{job_id}")
        self.assert_table()
