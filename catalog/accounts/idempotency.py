"""The table of answers to requests with an Idempotency-Key, so that a repeated request creates nothing twice.

`api/http/idempotent.py` reads and writes it.
"""

from datetime import timedelta

from sqlalchemy import Index, Integer, LargeBinary, delete, func
from sqlalchemy.orm import Mapped, Session, mapped_column

from catalog.core.base import Base, CreatedAt
from catalog.core.db import change_rows

# A client repeats a request within minutes.
KEPT = timedelta(days=1)


class IdempotencyKey(Base):
    """The answer to the first request with a key. `status` is null until that request ends."""

    __tablename__ = "idempotency_keys"
    __table_args__ = (Index("idempotency_keys_created_at_idx", "created_at"),)

    scope: Mapped[str] = mapped_column(primary_key=True)
    key: Mapped[str] = mapped_column(primary_key=True)
    request_hash: Mapped[str]
    status: Mapped[int | None] = mapped_column(Integer)
    location: Mapped[str | None]
    etag: Mapped[str | None]
    body: Mapped[bytes | None] = mapped_column(LargeBinary)
    created_at: Mapped[CreatedAt]


def prune(session: Session) -> int:
    """Delete the answers to requests older than `KEPT`; return how many."""
    return change_rows(session, delete(IdempotencyKey).where(IdempotencyKey.created_at < func.now() - KEPT))
