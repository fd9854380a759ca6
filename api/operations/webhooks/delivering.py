"""Tells an endpoint of the changes that it has not been told of, one after the other, until it has all or an attempt fails."""

import logging
import time
from datetime import datetime

from sqlalchemy import Engine as Database
from sqlalchemy import RowMapping

from api.operations.webhooks import payload
from api.operations.webhooks.sending import Sender
from catalog.core.db import database_now, session_factory
from catalog.core.errors import LeaseLost
from catalog.journal import queries as journal
from catalog.journal.queries import Reader
from catalog.webhooks import deliveries, queries, secrets
from catalog.webhooks.deliveries import Message
from catalog.webhooks.models import WebhookDelivery, WebhookEndpoint

log = logging.getLogger(__name__)
# Seconds after which a job leaves the rest to the next one, so that each endpoint has its turn.
STRETCH = 20.0
# An endpoint whose server takes fewer messages in a stretch rests for some seconds, so that slow servers do not hold
# all workers: imports wait behind webhooks.
FEW, REST = 5, 30.0
# Entries that are read at once; only the first one that concerns the endpoint is sent, then they are read anew, so
# that nothing is sent which was withdrawn meanwhile.
_READ = 20


class Deliverer:
    """Sends the messages of endpoints."""

    def __init__(self, database: Database, sender: Sender, key: str) -> None:
        """Keep the collaborators.

        Args:
            database: PostgreSQL, the primary.
            sender: Sends one message.
            key: The product's key, from which secrets are derived.
        """
        self._sessions, self._sender, self._key = session_factory(database), sender, key

    def deliver(self, endpoint_id: int) -> int:
        """Send what waits for an endpoint; return how many messages its server took.

        Raises:
            DBAPIError: PostgreSQL is away.
        """
        with self._sessions.begin() as session:
            token = deliveries.claim(session, endpoint_id)
        if token is None:
            return 0
        taken, until = 0, time.monotonic() + STRETCH
        try:
            while self._step(endpoint_id, token, until):
                taken += 1
        except LeaseLost:
            log.info("webhook %d was changed while messages were sent", endpoint_id)
        with self._sessions.begin() as session:
            is_slow = 0 < taken < FEW and time.monotonic() >= until
            deliveries.release(session, endpoint_id, token, REST if is_slow else 0)
        return taken

    def _step(self, endpoint_id: int, token: str, until: float) -> bool:
        """Send the next message; return whether there was one and the server took it."""
        found = self._next(endpoint_id, token, until)
        if found is None:
            return False
        endpoint, message, body, now = found
        signing = secrets.current(self._key, endpoint, now)
        outcome = self._sender.send(endpoint.url, message.id, body, signing)
        with self._sessions.begin() as session:
            is_taken = deliveries.note(session, endpoint_id, token, message, outcome)
        log.info("webhook %d: %s, %s", endpoint_id, message.id, outcome.error or "delivered")
        return is_taken

    def _next(
        self, endpoint_id: int, token: str, until: float
    ) -> tuple[WebhookEndpoint, Message, bytes, datetime] | None:
        """Return the next message of an endpoint; None without one, and when the stretch is over.

        What does not concern the endpoint is passed over.
        """
        while time.monotonic() < until:
            with self._sessions.begin() as session:
                endpoint = deliveries.require(session, endpoint_id, token)
                now = database_now(session)
                rows = session.execute(journal.page(Reader(endpoint.position), _READ)).mappings().all()
                if queries.has_missed(endpoint, rows[0]["floor"]):
                    deliveries.disable(session, endpoint, "missed")
                    return None
                entries = [row for row in rows if row["program_id"] is not None]
                for row in entries:
                    if journal.change_of(row) in endpoint.event_types:
                        message, body = _message(row)
                        session.expunge(endpoint)
                        return endpoint, message, body, now
                last = entries[-1]["position"] if len(entries) == _READ else rows[0]["head"]
                deliveries.passed(session, endpoint_id, token, last)
                if len(entries) < _READ:
                    return None
        return None

    def send_queued(self, delivery_id: int) -> None:
        """Send a test, or a message once more. It has one attempt.

        Raises:
            DBAPIError: PostgreSQL is away.
        """
        with self._sessions.begin() as session:
            queued = deliveries.begin(session, delivery_id)
            if queued is None:
                return
            endpoint = session.get_one(WebhookEndpoint, queued.endpoint_id)
            now = database_now(session)
            event_type, body = self._queued(queued, now)
            url, message_id = endpoint.url, queued.message_id
            signing = secrets.current(self._key, endpoint, now)
        outcome = self._sender.send(url, message_id, body, signing)
        with self._sessions.begin() as session:
            deliveries.end(session, delivery_id, event_type, outcome)
        log.info("webhook delivery %d: %s", delivery_id, outcome.error or "delivered")

    def _queued(self, queued: WebhookDelivery, now: datetime) -> tuple[str, bytes]:
        if queued.program_id is None:
            return queued.event_type, payload.trial(queued.event_type, now)
        with self._sessions() as session:
            row = session.execute(journal.one(queued.program_id)).mappings().one_or_none()
        return payload.again(queued.event_type, queued.program_id, row, now)


def _message(row: RowMapping) -> tuple[Message, bytes]:
    event_type, body = payload.event(row)
    message_id = f"msg_{row['epoch']}_{row['position']}"
    return Message(message_id, event_type, row["program_id"], row["position"]), body
