"""The table of periodic jobs, and the only user of rq-scheduler.

rq-scheduler can lose an entry between two Redis calls and stops at a job it cannot read. So ids are
fixed, the whole table is asserted at the start and every minute, and an unreadable entry is thrown
out and made anew.
"""

import logging
import time
from dataclasses import dataclass
from typing import Any

from redis import Redis
from rq.exceptions import NoSuchJobError
from rq_scheduler import Scheduler

from indexer.queues import MAINTENANCE, JsonJob, JsonQueue

log = logging.getLogger(__name__)
ASSERT_SECONDS = 60.0


@dataclass(frozen=True, slots=True)
class Entry:
    """A periodic job: `cron` in UTC, `function` by dotted name."""

    id: str
    cron: str
    function: str
    timeout: int


TABLE = (
    Entry("warm-caches", "*/5 * * * *", "api.warm.warm_popular", 120),
    Entry("audit", "41 * * * *", "indexer.jobs.audit_all", 600),
    Entry("collect-indexes", "*/10 * * * *", "indexer.jobs.collect_indexes", 600),
    Entry("prune", "17 * * * *", "indexer.jobs.prune", 600),
    Entry("prune-imports", "27 * * * *", "indexer.jobs.prune_imports", 600),
)


class Schedule:
    """Moves due jobs to their queue. Several may run: a Redis lock lets one work at a time."""

    def __init__(self, redis: "Redis") -> None:
        self.redis = redis
        self._scheduler = Scheduler(
            queue_name=MAINTENANCE,
            connection=redis,
            job_class=JsonJob,
            queue_class=JsonQueue,
            interval=5,
        )
        self._asserted_at = 0.0

    def tick(self) -> None:
        """Assert the table when it is time, then enqueue what is due. Raises RedisError."""
        if time.monotonic() - self._asserted_at >= ASSERT_SECONDS or not self._asserted_at:
            self.assert_table()
            self._asserted_at = time.monotonic()
        if self._scheduler.acquire_lock():
            try:
                self._scheduler.enqueue_jobs()
            except Exception:
                # One unreadable job must not stop the others.
                log.exception("the schedule could not be read and is made anew")
                self._rebuild()
            finally:
                self._scheduler.remove_lock()

    def assert_table(self) -> None:
        """Every entry exists once and can be read; nothing else is scheduled by this table."""
        for entry in TABLE:
            if self.redis.zscore(
                Scheduler.scheduled_jobs_key, entry.id
            ) is not None and self._readable(entry):
                continue
            self._scheduler.cron(
                entry.cron,
                func=entry.function,
                id=entry.id,
                queue_name=MAINTENANCE,
                timeout=entry.timeout,
                use_local_timezone=False,
            )

    def _readable(self, entry: Entry) -> bool:
        try:
            job = JsonJob.fetch(entry.id, connection=self.redis)
            return bool(
                job.func_name == entry.function and job.meta.get("cron_string") == entry.cron
            )
        except NoSuchJobError:
            return False
        except Exception:
            log.exception("job %s cannot be read", entry.id)
            self.redis.delete(f"rq:job:{entry.id}")
            return False

    def _rebuild(self) -> None:
        known = {entry.id for entry in TABLE}
        scheduled: list[Any] = self.redis.zrange(Scheduler.scheduled_jobs_key, 0, -1)
        for name in scheduled:
            try:
                JsonJob.fetch(name.decode(), connection=self.redis)
            except Exception:
                log.warning("dropped the unreadable scheduled job %s", name)
                self.redis.zrem(Scheduler.scheduled_jobs_key, name)
                if name.decode() in known:
                    self.redis.delete(f"rq:job:{name.decode()}")
        self.assert_table()
