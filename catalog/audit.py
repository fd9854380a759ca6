"""Who changed what and when: one row per change, written in the change's own transaction."""

from typing import Any

from sqlalchemy import Index, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, Session, mapped_column

from catalog.actor import Actor
from catalog.base import Base, BigId, CreatedAt


class AuditEvent(Base):
    """`diff` maps a field to `[before, after]`; for bulk and account actions it says what was asked."""

    __tablename__ = "audit_events"
    __table_args__ = (
        Index("audit_events_entity_idx", "entity", "entity_id", text("id DESC")),
        Index("audit_events_at_idx", "at"),
        Index("audit_events_actor_idx", "actor_kind", "actor_id", text("id DESC")),
    )

    id: Mapped[BigId]
    at: Mapped[CreatedAt]
    actor_kind: Mapped[str]
    actor_id: Mapped[int | None]
    actor_name: Mapped[str] = mapped_column(default="", server_default="")
    request_id: Mapped[str] = mapped_column(default="", server_default="")
    action: Mapped[str]
    entity: Mapped[str]
    entity_id: Mapped[int | None]
    diff: Mapped[dict[str, Any]] = mapped_column(JSONB, default=dict, server_default=text("'{}'"))


def record(
    session: Session,
    actor: Actor,
    action: str,
    entity: str,
    entity_id: int | None,
    diff: dict[str, Any] | None = None,
) -> None:
    """Add the event to the caller's transaction; it stands or falls with the change."""
    session.add(
        AuditEvent(
            actor_kind=actor.kind,
            actor_id=actor.id,
            actor_name=actor.name,
            request_id=actor.request_id,
            action=action,
            entity=entity,
            entity_id=entity_id,
            diff=diff or {},
        )
    )
