"""What operators do with endpoints: make, edit, rotate the secret, delete, test, send again. Each writes an audit event."""

from collections.abc import Mapping
from datetime import timedelta

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from catalog.core import audit, fields
from catalog.core.actor import Actor
from catalog.core.db import database_now, locked, require_revision
from catalog.core.errors import Conflict, FieldError, NotFound, ValidationFailed
from catalog.core.limits import require_room
from catalog.journal import queries as journal
from catalog.journal.queries import CHANGE_TYPES
from catalog.webhooks import secrets
from catalog.webhooks.models import ENDPOINT_STATES, WebhookDelivery, WebhookEndpoint
from catalog.webhooks.queries import has_missed

MAX_ENDPOINTS, MAX_URL, MAX_DESCRIPTION = 50, 2_000, 500
# Deliveries of an endpoint that wait because a person has asked for them.
MAX_QUEUED = 50
TEST_TYPE = "webhook.test"
# Hours for which the secret before counts after a rotation, unless the operator says otherwise; at most a week.
OVERLAP_HOURS, MAX_OVERLAP_HOURS = 24, 168
_ENTITY = "webhook"


def _types(name: str, value: object) -> list[FieldError]:
    if not isinstance(value, list | tuple) or not value:
        return [FieldError(fields.camel(name), "required", "At least one.")]
    if len(set(map(str, value))) < len(value) or not {str(each) for each in value} <= set(CHANGE_TYPES):
        return [
            FieldError(fields.camel(name), "invalid", f"Must be among {', '.join(CHANGE_TYPES)}, each once.")
        ]
    return []


# `api.operations.webhooks` checks the address itself: which ones are allowed is a setting.
_CHECKS: dict[str, fields.Check] = {
    "url": fields.text(MAX_URL, required=True),
    "description": fields.text(MAX_DESCRIPTION, nullable=False),
    "event_types": _types,
    "state": fields.one_of(ENDPOINT_STATES),
}


def create(
    session: Session, values: Mapping[str, object], key: str, actor: Actor
) -> tuple[WebhookEndpoint, str]:
    """Create an endpoint that is told of the changes from now on.

    Args:
        session: The transaction.
        values: `url`, `event_types`, optionally `description`.
        key: The product's key, from which the secret is derived.
        actor: Who creates it.

    Returns:
        The endpoint and its secret.

    Raises:
        ValidationFailed: A value is wrong or missing.
        Conflict: There are too many endpoints.
    """
    fields.require_valid(fields.errors_of(values, _CHECKS, ("url", "event_types")))
    require_room(session, WebhookEndpoint, MAX_ENDPOINTS, "webhooks")
    nonce = secrets.new_nonce()
    made = secrets.secret(key, nonce)
    head = session.execute(journal.PLACES).one().head
    row = WebhookEndpoint(
        **dict(values), nonce=nonce, fingerprint=secrets.fingerprint(made), position=head, state="active"
    )
    session.add(row)
    session.flush()
    session.refresh(row)
    shown = ("url", "description", "event_types")
    diff = {fields.camel(name): [None, getattr(row, name)] for name in shown}
    audit.record(session, actor, "webhook.create", _ENTITY, row.id, diff)
    return row, made


def edit(
    session: Session,
    endpoint_id: int,
    values: Mapping[str, object],
    actor: Actor,
    *,
    expected_rev: int | None = None,
    skip: bool = False,
) -> WebhookEndpoint:
    """Change an endpoint, or enable or disable it; without a difference nothing is written.

    Args:
        session: The transaction.
        endpoint_id: The endpoint.
        values: The fields to change, by column name.
        actor: Who changes it.
        expected_rev: The revision that the caller has seen; None skips the check.
        skip: It is told of the changes from now on; those that wait for it are left out.

    Raises:
        NotFound: No such endpoint.
        StaleRevision: The endpoint has another revision.
        ValidationFailed: A value is wrong.
        Conflict: It is enabled, and has missed withdrawals that are no longer kept.
    """
    row = locked(session, WebhookEndpoint, endpoint_id)
    require_revision(row.rev, expected_rev)
    fields.require_valid(fields.errors_of(values, _CHECKS))
    diff = fields.assign(row, values)
    places = session.execute(journal.PLACES).one()
    if skip and row.position < places.head:
        diff["position"] = [row.position, places.head]
        row.position = places.head
    if "state" in diff:
        row.disabled_reason = "person" if row.state == "disabled" else None
    if "state" in diff and row.state == "active" and has_missed(row, places.floor):
        raise Conflict("It was away too long and has missed withdrawals: enable it with skip.", field="state")
    if diff.keys() & {"url", "state", "position"}:
        # How a message went that is being sent counts no more: to another address it is sent again.
        row.lease_token = row.lease_until = None
    if diff:
        _try_at_once(session, row)
        _changed(session, row)
        audit.record(session, actor, "webhook.edit", _ENTITY, row.id, diff)
    return row


def rotate(
    session: Session, endpoint_id: int, key: str, actor: Actor, *, overlap_hours: int = OVERLAP_HOURS
) -> tuple[WebhookEndpoint, str]:
    """Give an endpoint another secret. For some hours its messages are signed with both; its server is tried at once.

    Args:
        session: The transaction.
        endpoint_id: The endpoint.
        key: The product's key, from which the secret is derived.
        actor: Who rotates it.
        overlap_hours: For how long the secret before counts; 0 ends it at once.

    Returns:
        The endpoint and its new secret.

    Raises:
        NotFound: No such endpoint.
        ValidationFailed: The number of hours is wrong.
    """
    row = locked(session, WebhookEndpoint, endpoint_id)
    fields.require_valid(fields.whole_number(0, MAX_OVERLAP_HOURS)("overlapHours", overlap_hours))
    row.old_nonce = row.nonce if overlap_hours else None
    row.old_until = database_now(session) + timedelta(hours=overlap_hours) if overlap_hours else None
    row.nonce = secrets.new_nonce()
    made = secrets.secret(key, row.nonce)
    row.fingerprint = secrets.fingerprint(made)
    _try_at_once(session, row)
    _changed(session, row)
    audit.record(session, actor, "webhook.rotate", _ENTITY, row.id, {"overlapHours": [None, overlap_hours]})
    return row, made


def delete(session: Session, endpoint_id: int, actor: Actor, *, expected_rev: int | None = None) -> None:
    """Delete an endpoint and its log.

    Args:
        session: The transaction.
        endpoint_id: The endpoint.
        actor: Who deletes it.
        expected_rev: The revision that the caller has seen; None skips the check.

    Raises:
        NotFound: No such endpoint.
        StaleRevision: The endpoint has another revision.
    """
    row = locked(session, WebhookEndpoint, endpoint_id)
    require_revision(row.rev, expected_rev)
    session.delete(row)
    audit.record(session, actor, "webhook.delete", _ENTITY, row.id, {"url": [row.url, None]})
    session.flush()


def queue_test(session: Session, endpoint_id: int, actor: Actor) -> WebhookDelivery:
    """Queue a test message to an endpoint in any state; return its delivery.

    Args:
        session: The transaction.
        endpoint_id: The endpoint.
        actor: Who asks for it.

    Raises:
        NotFound: No such endpoint.
        Conflict: Too many deliveries wait.
    """
    row = locked(session, WebhookEndpoint, endpoint_id)
    message = f"msg_test_{secrets.new_nonce()}"
    queued = WebhookDelivery(endpoint_id=row.id, kind="test", message_id=message, event_type=TEST_TYPE)
    return _queue(session, queued, actor, "webhook.test")


def send_again(session: Session, endpoint_id: int, delivery_id: int, actor: Actor) -> WebhookDelivery:
    """Queue an earlier message once more: the same id, and what the program is now.

    Args:
        session: The transaction.
        endpoint_id: The endpoint.
        delivery_id: A delivery of it.
        actor: Who asks for it.

    Raises:
        NotFound: No such endpoint, or it has no such delivery.
        ValidationFailed: The delivery was a test.
        Conflict: Too many deliveries wait.
    """
    row = locked(session, WebhookEndpoint, endpoint_id)
    earlier = session.get(WebhookDelivery, delivery_id)
    if earlier is None or earlier.endpoint_id != row.id:
        raise NotFound("delivery", delivery_id)
    if earlier.kind == "test":
        raise ValidationFailed(
            [FieldError("delivery", "invalid", "A test is not sent again: send another test.")]
        )
    queued = WebhookDelivery(
        endpoint_id=row.id,
        kind="again",
        message_id=earlier.message_id,
        event_type=earlier.event_type,
        program_id=earlier.program_id,
    )
    return _queue(session, queued, actor, "webhook.send_again")


def _queue(session: Session, queued: WebhookDelivery, actor: Actor, action: str) -> WebhookDelivery:
    waiting = select(func.count()).where(
        WebhookDelivery.endpoint_id == queued.endpoint_id, WebhookDelivery.state == "queued"
    )
    if (session.scalar(waiting) or 0) >= MAX_QUEUED:
        raise Conflict(f"{MAX_QUEUED} deliveries wait already.")
    session.add(queued)
    session.flush()
    session.refresh(queued)
    diff = {"message": [None, queued.message_id]}
    audit.record(session, actor, action, _ENTITY, queued.endpoint_id, diff)
    return queued


def _try_at_once(session: Session, row: WebhookEndpoint) -> None:
    """Forget failures: something may be right now. The server is tried at once, and gets a week again."""
    row.attempts, row.failing_since, row.next_at = 0, None, database_now(session)


def _changed(session: Session, row: WebhookEndpoint) -> None:
    row.rev += 1
    row.updated_at = database_now(session)
    session.flush()
    session.refresh(row)
