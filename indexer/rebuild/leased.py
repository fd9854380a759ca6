"""A reindex job whose lease this process has. Every step of a rebuild reads and writes its job through it."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from sqlalchemy.orm import Session, sessionmaker

from catalog.indexing import rebuilds
from catalog.indexing.models import ReindexJob


class Refused(Exception):
    """The rebuild must not go on; the message says why."""


@dataclass
class LeasedJob:
    """The lease. Each method raises LeaseLost when another process has leased the job since.

    Attributes:
        sessions: Opens transactions.
        job_id: The job.
        token: The `lease_token` of this process.
        pause: Seconds between two looks at something that is waited for.
    """

    sessions: sessionmaker[Session]
    job_id: int
    token: str
    pause: float
    _renewed_at: float = 0.0

    @contextmanager
    def transaction(self) -> Iterator[tuple[Session, ReindexJob]]:
        """Open a transaction in which the job is locked, and the lease renewed."""
        with self.sessions.begin() as session:
            yield session, rebuilds.renew(session, self.job_id, self.token)

    def renew(self) -> ReindexJob:
        """Renew the lease; return the job as it is now."""
        self._renewed_at = time.monotonic()
        with self.transaction() as (_, job):
            return job

    def renew_if_due(self) -> None:
        """Renew the lease when a third of it has passed."""
        if time.monotonic() - self._renewed_at > rebuilds.LEASE.total_seconds() / 3:
            self.renew()

    def move(self, state: str) -> None:
        """Set the state of the job, which decides the next step."""
        with self.transaction() as (_, job):
            job.state = state

    def wait_until(self, condition: Callable[[Session], bool], pause: float | None = None) -> None:
        """Wait, and keep the lease, until `condition` holds; `pause` replaces the pause between two looks."""
        while True:
            with self.sessions() as session:
                if condition(session):
                    return
            self.renew()
            time.sleep(self.pause if pause is None else pause)


def live_target(job: ReindexJob) -> int:
    """Return the id of the target that was live when the rebuild began.

    Raises:
        Refused: The job has none.
    """
    if job.live_target_id is None:
        raise Refused("The job has no live target.")
    return job.live_target_id


def new_target(job: ReindexJob) -> int:
    """Return the id of the target that the rebuild fills.

    Raises:
        Refused: The job has none.
    """
    if job.new_target_id is None:
        raise Refused("The job has no new target.")
    return job.new_target_id
