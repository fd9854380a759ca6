"""JSON bodies and answers of the routes of webhooks."""

from typing import Annotated

import msgspec
from msgspec import UNSET, UnsetType

from api.http.schemas import Body, ListMeta, Model, Moment, one_of
from catalog.journal.queries import CHANGE_TYPES
from catalog.webhooks.endpoints import MAX_DESCRIPTION, MAX_OVERLAP_HOURS, MAX_URL, OVERLAP_HOURS, TEST_TYPE
from catalog.webhooks.models import (
    DELIVERY_KINDS,
    DELIVERY_STATES,
    ENDPOINT_STATES,
    REASONS,
    WebhookDelivery,
    WebhookEndpoint,
)

EventType = Annotated[str, one_of("WebhookEventType", CHANGE_TYPES)]
EndpointState = Annotated[str, one_of("WebhookState", ENDPOINT_STATES)]
_URL = Annotated[str, msgspec.Meta(max_length=MAX_URL, examples=["https://example.com/hooks/thmanyah"])]
_DESCRIPTION = Annotated[str, msgspec.Meta(max_length=MAX_DESCRIPTION)]
_TYPES = Annotated[list[EventType], msgspec.Meta(min_length=1, max_length=len(CHANGE_TYPES))]


class WebhookOut(Model):
    """An endpoint. `waiting`: changes behind its place, some perhaps of other types. The secret is never shown again."""

    id: int
    url: str
    description: str
    event_types: list[EventType]
    state: EndpointState
    disabled_reason: Annotated[str, one_of("WebhookDisabledReason", REASONS)] | None
    failing_since: Annotated[Moment | None, msgspec.Meta(description="After a week it is disabled.")]
    attempts: Annotated[int, msgspec.Meta(description="How often the next message was tried in vain.")]
    next_attempt_at: Moment | None
    waiting: int
    delivered: int
    failed: int
    old_secret_until: Annotated[
        Moment | None,
        msgspec.Meta(description="Until then messages have a signature of the secret before, too."),
    ]
    rev: int
    created_at: Moment
    updated_at: Moment


class WebhookAnswer(Model):
    """An endpoint under `data`."""

    data: WebhookOut


class WebhookSecretAnswer(Model):
    """An endpoint and its secret, which is shown this once."""

    data: WebhookOut
    secret: Annotated[str, msgspec.Meta(examples=["whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"])]


class WebhookList(Model):
    """A page of endpoints."""

    data: list[WebhookOut]
    meta: ListMeta


class DeliveryOut(Model):
    """An attempt to send a message, or one that waits (`queued`). `error` is a code; `body` is how the answer begins."""

    id: int
    kind: Annotated[str, one_of("WebhookDeliveryKind", DELIVERY_KINDS)]
    message_id: Annotated[str, msgspec.Meta(examples=["msg_5f0c1a9e_1024"])]
    event_type: Annotated[str, one_of("WebhookMessageType", (*CHANGE_TYPES, TEST_TYPE))]
    program_id: int | None
    state: Annotated[str, one_of("WebhookDeliveryState", DELIVERY_STATES)]
    attempt: int
    status: int | None
    error: Annotated[str | None, msgspec.Meta(examples=["too_slow"])]
    body: str
    duration_ms: int | None
    created_at: Moment


class DeliveryAnswer(Model):
    """A delivery under `data`."""

    data: DeliveryOut


class DeliveryList(Model):
    """A page of deliveries."""

    data: list[DeliveryOut]
    meta: ListMeta


class WebhookIn(Body):
    """A new endpoint. Outside of local development its address is https."""

    url: _URL
    event_types: _TYPES
    description: _DESCRIPTION = ""


class WebhookPatch(Body):
    """What changes. `skip` leaves out the changes that wait: the endpoint is told of those from now on."""

    url: _URL | UnsetType = UNSET
    event_types: _TYPES | UnsetType = UNSET
    description: _DESCRIPTION | UnsetType = UNSET
    state: EndpointState | UnsetType = UNSET
    skip: bool = False


class RotateIn(Body):
    """For how many hours messages are signed with the secret before as well."""

    overlap_hours: Annotated[int, msgspec.Meta(ge=0, le=MAX_OVERLAP_HOURS)] = OVERLAP_HOURS


def webhook_out(row: WebhookEndpoint, waiting: int) -> WebhookOut:
    """Return an endpoint as operators see it.

    Args:
        row: The endpoint.
        waiting: How many entries of the journal are behind its place.
    """
    return WebhookOut(
        id=row.id,
        url=row.url,
        description=row.description,
        event_types=row.event_types,
        state=row.state,
        disabled_reason=row.disabled_reason,
        failing_since=row.failing_since,
        attempts=row.attempts,
        next_attempt_at=row.next_at if row.attempts and row.state == "active" else None,
        waiting=waiting,
        delivered=row.delivered,
        failed=row.failed,
        old_secret_until=row.old_until,
        rev=row.rev,
        created_at=row.created_at,
        updated_at=row.updated_at,
    )


def delivery_out(row: WebhookDelivery) -> DeliveryOut:
    """Return a delivery as operators see it."""
    return DeliveryOut(**{name: getattr(row, name) for name in DeliveryOut.__struct_fields__})
