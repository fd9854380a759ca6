"""What the job that sends does: lease an endpoint, note how a message went, and when the next attempt is due.

An endpoint is told of one change at a time, in the order of the journal. Its position moves when its server has taken the message,
in the transaction that logs the delivery; a job that dies in between sends the message again, with the same id.
"""

import random
import secrets
from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy import delete, func, or_, select, update
from sqlalchemy.orm import Session

from catalog.core import audit
from catalog.core.actor import Actor
from catalog.core.db import change_rows, database_now
from catalog.core.errors import LeaseLost
from catalog.webhooks.models import WebhookDelivery, WebhookEndpoint

# Seconds before each further attempt, as Standard Webhooks proposes; the last pause repeats.
PAUSES = (5, 300, 1_800, 7_200, 18_000, 36_000, 50_400, 72_000, 86_400)
# Each pause is up to a fifth longer, so that messages which failed together do not come back together.
JITTER = 0.2
# A server may ask for a longer pause (Retry-After), but not for more than this many seconds.
LONGEST_ASKED = 3_600
GIVE_UP = timedelta(days=7)
LEASE_SECONDS = 60.0
# Of the log: deliveries of an endpoint that are kept, and for how many days.
KEPT, KEPT_DAYS = 1_000, 30
MAX_BODY = 1_000
_ACTOR = Actor("system", name="webhooks")


@dataclass(frozen=True, slots=True)
class Outcome:
    """How an attempt went.

    Attributes:
        status: The HTTP status; None without an answer.
        error: A code, or None when the server took the message.
        body: The beginning of the answer.
        duration_ms: How long it took.
        retry_after: Seconds that the server asks to wait.
    """

    status: int | None = None
    error: str | None = None
    body: str = ""
    duration_ms: int = 0
    retry_after: float | None = None


@dataclass(frozen=True, slots=True)
class Message:
    """What is sent: its id, its type, the program that it is about, and the endpoint's position behind it."""

    id: str
    type: str
    program_id: int
    position: int


def claim(session: Session, endpoint_id: int) -> str | None:
    """Lease an endpoint that is active and due, and that no other job sends to.

    Returns:
        The lease's token, or None when there is nothing to do.
    """
    now, token = func.clock_timestamp(), secrets.token_hex(8)
    leased = update(WebhookEndpoint).where(
        WebhookEndpoint.id == endpoint_id,
        WebhookEndpoint.state == "active",
        WebhookEndpoint.next_at <= now,
        or_(WebhookEndpoint.lease_until.is_(None), WebhookEndpoint.lease_until < now),
    )
    values = {"lease_token": token, "lease_until": now + timedelta(seconds=LEASE_SECONDS)}
    return token if change_rows(session, leased.values(values)) else None


def require(session: Session, endpoint_id: int, token: str) -> WebhookEndpoint:
    """Return the endpoint, locked, if the caller still has its lease, which is renewed.

    Args:
        session: The transaction.
        endpoint_id: The endpoint.
        token: The caller's lease.

    Raises:
        LeaseLost: Another job sends to it, or it was disabled or deleted.
    """
    row = session.get(WebhookEndpoint, endpoint_id, with_for_update=True, populate_existing=True)
    if row is None or row.lease_token != token or row.state != "active":
        raise LeaseLost(f"webhook {endpoint_id}")
    row.lease_until = database_now(session) + timedelta(seconds=LEASE_SECONDS)
    return row


def release(session: Session, endpoint_id: int, token: str, rest: float = 0) -> None:
    """Give the lease back, and delete what the log has beyond its bound.

    Args:
        session: The transaction.
        endpoint_id: The endpoint.
        token: The caller's lease.
        rest: Seconds for which the endpoint leaves the workers to others.
    """
    mine = (WebhookEndpoint.id == endpoint_id, WebhookEndpoint.lease_token == token)
    later = func.greatest(WebhookEndpoint.next_at, func.clock_timestamp() + timedelta(seconds=rest))
    values = {"lease_token": None, "lease_until": None} | ({"next_at": later} if rest else {})
    change_rows(session, update(WebhookEndpoint).where(*mine).values(values))
    _trim(session, endpoint_id)


def passed(session: Session, endpoint_id: int, token: str, position: int) -> None:
    """Note that nothing up to a position concerns the endpoint.

    Args:
        session: The transaction.
        endpoint_id: The endpoint.
        token: The caller's lease.
        position: Of the journal.

    Raises:
        LeaseLost: Another job sends to it.
    """
    row = require(session, endpoint_id, token)
    row.position = max(row.position, position)


def note(session: Session, endpoint_id: int, token: str, message: Message, outcome: Outcome) -> bool:
    """Log an attempt. When it failed, the endpoint waits for the next one, or is disabled.

    Args:
        session: The transaction.
        endpoint_id: The endpoint.
        token: The caller's lease.
        message: What was sent.
        outcome: How it went.

    Returns:
        Whether the server took the message.

    Raises:
        LeaseLost: Another job sends to it, or it was disabled meanwhile.
    """
    row = require(session, endpoint_id, token)
    session.add(
        WebhookDelivery(
            endpoint_id=row.id,
            kind="event",
            message_id=message.id,
            event_type=message.type,
            program_id=message.program_id,
            attempt=row.attempts + 1,
            **_columns(outcome),
        )
    )
    if outcome.error is None:
        row.position, row.attempts, row.failing_since = max(row.position, message.position), 0, None
        row.delivered += 1
        return True
    now = database_now(session)
    row.failed += 1
    row.attempts += 1
    since = row.failing_since or now
    row.failing_since = since
    row.next_at = now + timedelta(seconds=pause(row.attempts, outcome.retry_after))
    if outcome.status == 410:
        disable(session, row, "gone")
    elif now - since >= GIVE_UP:
        disable(session, row, "failures")
    return False


def pause(attempts: int, asked: float | None = None) -> float:
    """Return the seconds before the next attempt.

    Args:
        attempts: How many failed.
        asked: What the server asks for, if it does.
    """
    base = PAUSES[min(attempts, len(PAUSES)) - 1]
    longer = base * (1 + random.random() * JITTER)  # noqa: S311  (spreads attempts; no secret)
    return max(longer, min(asked or 0, LONGEST_ASKED))


def begin(session: Session, delivery_id: int) -> WebhookDelivery | None:
    """Take a queued delivery; None when it is done, or another job took it in the last two minutes."""
    row = session.get(WebhookDelivery, delivery_id, with_for_update=True, populate_existing=True)
    if row is None or row.state != "queued":
        return None
    now = database_now(session)
    if row.started_at is not None and now - row.started_at < timedelta(minutes=2):
        return None
    row.started_at = now
    return row


def end(session: Session, delivery_id: int, event_type: str, outcome: Outcome) -> None:
    """Log how a queued delivery went. The endpoint's position and its failures stay as they are.

    Args:
        session: The transaction.
        delivery_id: The delivery.
        event_type: What was sent in the end: a program may have been withdrawn since.
        outcome: How it went.
    """
    row = session.get(WebhookDelivery, delivery_id, with_for_update=True, populate_existing=True)
    if row is not None:
        row.event_type = event_type
        for name, value in _columns(outcome).items():
            setattr(row, name, value)


def _columns(outcome: Outcome) -> dict[str, object]:
    return {
        "state": "failed" if outcome.error else "delivered",
        "status": outcome.status,
        "error": outcome.error,
        "body": outcome.body[:MAX_BODY],
        "duration_ms": outcome.duration_ms,
    }


def disable(session: Session, row: WebhookEndpoint, reason: str) -> None:
    """Disable an endpoint, with an event in the audit log, and end its lease.

    Args:
        session: The transaction.
        row: The endpoint.
        reason: One of `REASONS`.
    """
    row.state, row.disabled_reason, row.rev = "disabled", reason, row.rev + 1
    row.lease_token = row.lease_until = None
    diff: dict[str, object] = {"state": ["active", "disabled"], "disabledReason": [None, reason]}
    audit.record(session, _ACTOR, "webhook.disable", "webhook", row.id, diff)


def _trim(session: Session, endpoint_id: int) -> None:
    mine = WebhookDelivery.endpoint_id == endpoint_id
    oldest = select(WebhookDelivery.id).where(mine).order_by(WebhookDelivery.id.desc()).offset(KEPT).limit(1)
    session.execute(
        delete(WebhookDelivery).where(mine, WebhookDelivery.id <= oldest.scalar_subquery()),
        execution_options={"synchronize_session": False},
    )


def prune(session: Session) -> int:
    """Delete deliveries that are older than `KEPT_DAYS` days; return how many."""
    limit = func.now() - func.make_interval(0, 0, 0, KEPT_DAYS)
    return change_rows(session, delete(WebhookDelivery).where(WebhookDelivery.created_at < limit))
