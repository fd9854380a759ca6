"""Tables of webhooks."""

from datetime import datetime

from sqlalchemy import ARRAY, CheckConstraint, DateTime, ForeignKey, Index, Integer, Text, func, text
from sqlalchemy.orm import Mapped, mapped_column

from catalog.core.base import Base, BigId, CreatedAt

ENDPOINT_STATES = ("active", "disabled")
# Why an endpoint is disabled: by a person, after a week of failures, because its server said 410 Gone, or because withdrawals
# that it has not been told of are no longer kept.
REASONS = ("person", "failures", "gone", "missed")
DELIVERY_KINDS = ("event", "test", "again")
DELIVERY_STATES = ("queued", "delivered", "failed")


class WebhookEndpoint(Base):
    """An address that is told of changes.

    Attributes:
        nonce: What the secret is derived from (`catalog/webhooks/secrets.py`); the secret itself is stored nowhere.
        fingerprint: A hash of the secret: it tells that the key which it is derived from was changed.
        old_nonce: Of the secret before, with which messages are signed, too, until `old_until`.
        position: Every entry of the journal up to here was delivered, or does not concern this endpoint.
        attempts: How often its next message was tried in vain.
        failing_since: When its server began to fail; None while it takes messages.
        next_at: Nothing is sent before.
        lease_token: Names the job that sends to it, until `lease_until`.
        delivered: Messages that its server took since the endpoint was made.
        failed: Attempts that failed since then.
    """

    __tablename__ = "webhook_endpoints"
    __table_args__ = (
        CheckConstraint(f"state IN {ENDPOINT_STATES}", name="state"),
        CheckConstraint(f"disabled_reason IN {REASONS}", name="disabled_reason"),
    )

    id: Mapped[BigId]
    url: Mapped[str]
    description: Mapped[str] = mapped_column(default="", server_default="")
    event_types: Mapped[list[str]] = mapped_column(ARRAY(Text))
    state: Mapped[str] = mapped_column(default="active", server_default="active")
    disabled_reason: Mapped[str | None]
    nonce: Mapped[str]
    fingerprint: Mapped[str]
    old_nonce: Mapped[str | None]
    old_until: Mapped[datetime | None]
    position: Mapped[int]
    attempts: Mapped[int] = mapped_column(Integer, default=0, server_default="0")
    failing_since: Mapped[datetime | None]
    next_at: Mapped[CreatedAt]
    lease_token: Mapped[str | None]
    lease_until: Mapped[datetime | None]
    delivered: Mapped[int] = mapped_column(default=0, server_default="0")
    failed: Mapped[int] = mapped_column(default=0, server_default="0")
    rev: Mapped[int] = mapped_column(default=1, server_default="1")
    created_at: Mapped[CreatedAt]
    updated_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), server_default=func.now())


class WebhookDelivery(Base):
    """An attempt to send a message, or one that a person has asked for and that waits (`queued`).

    Attributes:
        kind: `event` of the journal, a `test`, or an event that a person had sent `again`.
        message_id: The header `webhook-id`: the same in every attempt.
        program_id: None for a test.
        started_at: When a job took it.
        status: The HTTP status of the answer; None without an answer.
        error: A code, such as `too_slow` or `forbidden_address`; None when the server took the message.
        body: The beginning of the answer's body.
    """

    __tablename__ = "webhook_deliveries"
    __table_args__ = (
        CheckConstraint(f"kind IN {DELIVERY_KINDS}", name="kind"),
        CheckConstraint(f"state IN {DELIVERY_STATES}", name="state"),
        Index("webhook_deliveries_endpoint_id_id_idx", "endpoint_id", "id"),
        Index("webhook_deliveries_queued_idx", "id", postgresql_where=text("state = 'queued'")),
        Index("webhook_deliveries_created_at_idx", "created_at"),
    )

    id: Mapped[BigId]
    endpoint_id: Mapped[int] = mapped_column(ForeignKey("webhook_endpoints.id", ondelete="CASCADE"))
    kind: Mapped[str]
    message_id: Mapped[str]
    event_type: Mapped[str]
    program_id: Mapped[int | None]
    state: Mapped[str] = mapped_column(default="queued", server_default="queued")
    attempt: Mapped[int] = mapped_column(Integer, default=1, server_default="1")
    started_at: Mapped[datetime | None]
    status: Mapped[int | None] = mapped_column(Integer)
    error: Mapped[str | None]
    body: Mapped[str] = mapped_column(default="", server_default="")
    duration_ms: Mapped[int | None] = mapped_column(Integer)
    created_at: Mapped[CreatedAt]
