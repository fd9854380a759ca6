"""The queue's jobs of webhooks, and where the sweep finds what waits for one."""

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from redis import Redis
from rq.job import JobStatus
from sqlalchemy import ColumnElement, or_
from sqlalchemy import Engine as Database

from api.operations.webhooks.delivering import Deliverer
from api.operations.webhooks.sending import Sender
from api.operations.webhooks.settings import WebhookSettings
from api.settings import Settings
from catalog.core.db import opened, session_factory
from catalog.webhooks import queries
from indexer.stores import queues
from indexer.stores.queues import WEBHOOKS, JsonQueue

log = logging.getLogger(__name__)
# The longest run of a job, in seconds: a stretch and one message.
TIMEOUT = 120
_MOST_QUEUED = 100


@contextmanager
def _deliverer() -> Iterator[Deliverer]:
    settings = Settings.from_env()
    sender = Sender(WebhookSettings(), needs_https=settings.api.environment == "production")
    catalog = settings.catalog.model_copy(update={"pool_min": 1, "pool_max": 2})
    with opened(catalog, application="thmanyah-webhooks") as database:
        yield Deliverer(database, sender, settings.api.secret_key.get_secret_value())


def deliver(endpoint_id: int) -> int:
    """Tell an endpoint what waits for it; return how many messages its server took."""
    with _deliverer() as found:
        return found.deliver(endpoint_id)


def send_queued(delivery_id: int) -> None:
    """Send a test, or a message once more."""
    with _deliverer() as found:
        found.send_queued(delivery_id)


class WaitingWebhooks:
    """Enqueues the endpoints that are behind the journal and due, and the deliveries that a person has asked for."""

    what = "webhooks"

    def __init__(self, database: Database, queue: "Redis") -> None:
        self._queue, self._sessions = queue, session_factory(database)

    def is_any_waiting(self) -> ColumnElement[bool]:
        """See `indexer.jobs.sweep.Source`."""
        return or_(queries.due().exists(), queries.queued(1).exists())

    def enqueue_waiting(self) -> list[str]:
        """Enqueue what waits and has no job; return the names of the jobs.

        Raises:
            DBAPIError: PostgreSQL is away.
            RedisError: The queue's Redis is away.
        """
        with self._sessions() as session:
            due = session.scalars(queries.due()).all()
            queued = session.scalars(queries.queued(_MOST_QUEUED)).all()
        found = [self._enqueue(deliver, f"webhook-{row_id}", row_id) for row_id in due]
        found += [self._enqueue(send_queued, f"webhook-delivery-{row_id}", row_id) for row_id in queued]
        return [name for name in found if name]

    def _enqueue(self, job: Callable[[int], object], name: str, row_id: int) -> str:
        if queues.status(self._queue, name) in (*queues.WAITING, JobStatus.STARTED):
            return ""
        JsonQueue(WEBHOOKS, connection=self._queue).enqueue_call(
            job, args=[row_id], job_id=name, timeout=TIMEOUT, result_ttl=0, failure_ttl=3_600
        )
        return name
