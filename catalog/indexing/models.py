"""Rebuilds of an index and audits of it, as PostgreSQL keeps them."""

from datetime import datetime
from typing import Any

from sqlalchemy import CheckConstraint, DateTime, Index, SmallInteger, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from catalog.base import Base, BigId, CreatedAt

# In the order in which a rebuild goes through them.
STEPS = ("creating", "marking", "filling", "auditing", "checking", "swapping", "verifying")
RUNNING = (*STEPS, "rolling_back")
ENDED = ("done", "failed", "canceled", "rolled_back")
JOB_STATES = ("queued", *STEPS, "done", "failed", "canceled", "rolling_back", "rolled_back")
REPORT_STATES = ("queued", "running", "done", "failed")


ENGINE_STATES = ("serving", "draining", "removed")


class SearchEngine(Base):
    """A search engine that has an index of the published set. It is kept in step in every state but
    `removed`; listeners are sent to it only while it serves."""

    __tablename__ = "engines"
    __table_args__ = (CheckConstraint(f"state IN {ENGINE_STATES}", name="state"),)

    name: Mapped[str] = mapped_column(primary_key=True)
    # Null until the sender, whose settings name it, has written it down.
    url: Mapped[str | None] = mapped_column(unique=True)
    state: Mapped[str] = mapped_column(default="serving", server_default="serving")
    created_at: Mapped[CreatedAt]


class ReindexJob(Base):
    """One rebuild: a new index filled beside the live one and put in its place."""

    __tablename__ = "reindex_jobs"
    __table_args__ = (
        CheckConstraint(f"state IN {JOB_STATES}", name="state"),
        # One at a time, whoever asks.
        Index(
            "reindex_jobs_running_key",
            text("(true)"),
            unique=True,
            postgresql_where=text(f"state IN {RUNNING}"),
        ),
    )

    id: Mapped[BigId]
    engine: Mapped[str]
    state: Mapped[str] = mapped_column(default="queued", server_default="queued")
    reason: Mapped[str] = mapped_column(default="", server_default="")
    requested_by: Mapped[str] = mapped_column(default="", server_default="")
    settings_hash: Mapped[str]
    settings_revision: Mapped[int] = mapped_column(default=0, server_default="0")
    live_target_id: Mapped[int | None] = mapped_column(SmallInteger)
    new_target_id: Mapped[int | None] = mapped_column(SmallInteger)
    new_uid: Mapped[str | None]
    # What tells the new index from the old one whatever its name: when the engine made it.
    new_marker: Mapped[str | None]
    # Every published program up to this id is marked for the new index.
    cursor: Mapped[int] = mapped_column(default=0, server_default="0")
    total: Mapped[int | None]
    cancel_requested: Mapped[bool] = mapped_column(default=False, server_default="false")
    force: Mapped[bool] = mapped_column(default=False, server_default="false")
    detail: Mapped[str | None]
    lease_token: Mapped[str | None]
    lease_until: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    created_at: Mapped[CreatedAt]
    started_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    filling_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    finished_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))


class DriftReport(Base):
    """One audit of one target: what differed from the record when nothing was on its way."""

    __tablename__ = "drift_reports"
    __table_args__ = (
        CheckConstraint(f"state IN {REPORT_STATES}", name="state"),
        Index("drift_reports_target_id_id_idx", "target_id", "id"),
    )

    id: Mapped[BigId]
    target_id: Mapped[int] = mapped_column(SmallInteger)
    state: Mapped[str] = mapped_column(default="queued", server_default="queued")
    requested_by: Mapped[str] = mapped_column(default="", server_default="")
    repair: Mapped[bool] = mapped_column(default=False, server_default="false")
    checked: Mapped[int] = mapped_column(default=0, server_default="0")
    missing: Mapped[int] = mapped_column(default=0, server_default="0")
    stale: Mapped[int] = mapped_column(default=0, server_default="0")
    ghosts: Mapped[int] = mapped_column(default=0, server_default="0")
    repaired: Mapped[int] = mapped_column(default=0, server_default="0")
    # Some ids of each kind, for whoever looks into it.
    samples: Mapped[dict[str, Any]] = mapped_column(JSONB, default=dict, server_default="{}")
    detail: Mapped[str | None]
    created_at: Mapped[CreatedAt]
    started_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    finished_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    # Whoever carries it out renews this; `started_at` says who that is.
    lease_until: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
