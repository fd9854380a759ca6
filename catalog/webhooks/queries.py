"""How endpoints and deliveries are read. The caller runs the statements."""

from sqlalchemy import ColumnElement, Select, and_, func, or_, select

from catalog.core.db import AnySelect
from catalog.journal.models import JournalEntry
from catalog.journal.queries import Reader
from catalog.webhooks.models import WebhookDelivery, WebhookEndpoint

_HEAD = select(func.coalesce(func.max(JournalEntry.position), 0)).scalar_subquery()
# Entries of the journal that an endpoint has not come past, at most; some may be of other types.
WAITING = (
    select(func.count())
    .where(JournalEntry.position > WebhookEndpoint.position)
    .correlate(WebhookEndpoint)
    .scalar_subquery()
)


def endpoints(after: int, limit: int) -> AnySelect:
    """Return endpoints by id, each with the number of entries that wait for it.

    Args:
        after: Only higher ids.
        limit: How many at most.
    """
    rows = select(WebhookEndpoint, WAITING.label("waiting")).where(WebhookEndpoint.id > after)
    return rows.order_by(WebhookEndpoint.id).limit(limit)


def endpoint(endpoint_id: int) -> AnySelect:
    """Return one endpoint with the number of entries that wait for it."""
    return select(WebhookEndpoint, WAITING.label("waiting")).where(WebhookEndpoint.id == endpoint_id)


def due() -> Select[int]:
    """Return the ids of the endpoints that wait for a job: active, behind the journal, and nobody sends to them."""
    now = func.clock_timestamp()
    free: ColumnElement[bool] = or_(WebhookEndpoint.lease_until.is_(None), WebhookEndpoint.lease_until < now)
    return (
        select(WebhookEndpoint.id)
        .where(
            WebhookEndpoint.state == "active",
            WebhookEndpoint.next_at <= now,
            WebhookEndpoint.position < _HEAD,
            free,
        )
        .order_by(WebhookEndpoint.id)
    )


def queued(limit: int) -> Select[int]:
    """Return the ids of the deliveries that a person has asked for and that nobody works on."""
    idle = or_(
        WebhookDelivery.started_at.is_(None),
        WebhookDelivery.started_at < func.clock_timestamp() - func.make_interval(0, 0, 0, 0, 0, 2),
    )
    waits = and_(WebhookDelivery.state == "queued", idle)
    return select(WebhookDelivery.id).where(waits).order_by(WebhookDelivery.id).limit(limit)


def has_missed(endpoint: WebhookEndpoint, floor: int) -> bool:
    """Return whether withdrawals that an endpoint wants to be told of are no longer kept.

    Args:
        endpoint: The endpoint.
        floor: The journal's.
    """
    return "program.withdrawn" in endpoint.event_types and not Reader(endpoint.position).is_kept(floor)


def deliveries(endpoint_id: int, before: int | None, limit: int) -> Select[WebhookDelivery]:
    """Return deliveries of an endpoint, the newest first.

    Args:
        endpoint_id: The endpoint.
        before: Only lower ids.
        limit: How many at most.
    """
    found = select(WebhookDelivery).where(WebhookDelivery.endpoint_id == endpoint_id)
    if before is not None:
        found = found.where(WebhookDelivery.id < before)
    return found.order_by(WebhookDelivery.id.desc()).limit(limit)
