"""The audit log: who changed what and when. An event is written in the transaction of its change."""

from collections.abc import Mapping

from sqlalchemy import Index, delete, func, select, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, Session, mapped_column

from catalog.core.actor import Actor
from catalog.core.base import Base, BigId, CreatedAt
from catalog.core.db import change_rows

# How long an event is kept.
KEPT_YEARS = 2


class AuditEvent(Base):
    """A change of one row.

    `diff` maps a JSON field to `[before, after]`; of a changed password it only says that it was changed.
    """

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
    diff: Mapped[dict[str, object]] = mapped_column(JSONB, default=dict, server_default=text("'{}'"))


def record(
    session: Session,
    actor: Actor,
    action: str,
    entity: str,
    entity_id: int | None,
    diff: Mapping[str, object] | None = None,
) -> None:
    """Add an event to the caller's transaction.

    Args:
        session: The transaction of the change.
        actor: Who makes the change.
        action: What the actor did, such as `program.publish`.
        entity: The kind of row that changed, such as `program`.
        entity_id: The row's id; None for a row that is identified by a name.
        diff: JSON field -> [before, after].
    """
    session.add(
        AuditEvent(
            actor_kind=actor.kind,
            actor_id=actor.id,
            actor_name=actor.name,
            request_id=actor.request_id,
            action=action,
            entity=entity,
            entity_id=entity_id,
            diff=dict(diff or {}),
        )
    )


def request_of(session: Session, entity: str, entity_id: int) -> str:
    """Return the id of the HTTP request that last changed a row; "" when none did.

    Args:
        session: Reads.
        entity: The kind of row, as `record` was told.
        entity_id: The row.
    """
    newest = (
        select(AuditEvent.request_id)
        .where(AuditEvent.entity == entity, AuditEvent.entity_id == entity_id, AuditEvent.request_id != "")
        .order_by(AuditEvent.id.desc())
        .limit(1)
    )
    return session.scalar(newest) or ""


def prune(session: Session) -> int:
    """Delete events older than `KEPT_YEARS` years; return how many."""
    limit = func.now() - func.make_interval(KEPT_YEARS)
    return change_rows(session, delete(AuditEvent).where(AuditEvent.at < limit))
