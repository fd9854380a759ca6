"""Tables of the indexing pipeline: search engines, their indexes (targets), marks, rebuilds and audits."""

from datetime import datetime

from sqlalchemy import (
    CheckConstraint,
    DateTime,
    Identity,
    Index,
    Integer,
    PrimaryKeyConstraint,
    SmallInteger,
    UniqueConstraint,
    func,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from catalog.core.base import Base, BigId, CreatedAt
from catalog.indexing.states import TARGET_STATES

ENGINE_STATES = ("serving", "draining", "removed")
# The steps of a rebuild, in their order.
STEPS = ("creating", "marking", "filling", "auditing", "checking", "swapping", "verifying")
RUNNING = (*STEPS, "rolling_back")
ENDED = ("done", "failed", "canceled", "rolled_back")
JOB_STATES = ("queued", *STEPS, "done", "failed", "canceled", "rolling_back", "rolled_back")
REPORT_STATES = ("queued", "running", "done", "failed")


class SearchEngine(Base):
    """A search engine that has an index of the published programs.

    Its index is kept up to date in every state but `removed`. Searches go to it only while it is `serving`.
    """

    __tablename__ = "engines"
    __table_args__ = (CheckConstraint(f"state IN {ENGINE_STATES}", name="state"),)

    name: Mapped[str] = mapped_column(primary_key=True)
    # Null until a sender, whose settings name the engine, writes its address here.
    url: Mapped[str | None] = mapped_column(unique=True)
    state: Mapped[str] = mapped_column(default="serving", server_default="serving")
    created_at: Mapped[CreatedAt]


class IndexTarget(Base):
    """A target: one index on one engine that has to be kept equal to the published programs.

    `state` is one of `catalog.indexing.states.TARGET_STATES`; only a `live` one is searched.
    """

    __tablename__ = "index_targets"
    __table_args__ = (
        CheckConstraint(f"state IN {TARGET_STATES}", name="state"),
        UniqueConstraint("engine", "index_uid"),
    )

    id: Mapped[int] = mapped_column(SmallInteger, Identity(), primary_key=True)
    engine: Mapped[str]
    index_uid: Mapped[str]
    state: Mapped[str] = mapped_column(default="empty", server_default="empty")
    settings_hash: Mapped[str] = mapped_column(default="", server_default="")
    settings_revision: Mapped[int] = mapped_column(default=0, server_default="0")
    # While `paused`, the sender claims no marks. It writes its epoch to `paused_epoch` once the engine has
    # finished everything that it had sent.
    paused: Mapped[bool] = mapped_column(default=False, server_default="false")
    paused_epoch: Mapped[int | None]
    # Until when a previous index is kept up to date.
    keep_until: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    # Grows whenever a sender takes leadership: the sender before it can settle nothing any more.
    epoch: Mapped[int] = mapped_column(default=0, server_default="0")
    heartbeat_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    # The marks that were made up to this moment are the initial fill. It is of use in the state `filling` alone.
    fill_marked_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    created_at: Mapped[CreatedAt]


class IndexDirty(Base):
    """A mark: one target has not yet confirmed the current state of one program.

    The rows are the dirty set. They have no foreign key, because a deleted program is marked as well.
    """

    __tablename__ = "index_dirty"
    __table_args__ = (
        PrimaryKeyConstraint("target_id", "program_id"),
        Index("index_dirty_claim_idx", "target_id", "seq", postgresql_where=text("NOT parked")),
        Index("index_dirty_marked_at_idx", "target_id", "marked_at"),
    )

    target_id: Mapped[int] = mapped_column(SmallInteger)
    program_id: Mapped[int]
    rev: Mapped[int]
    seq: Mapped[int] = mapped_column(server_default=text("nextval('index_dirty_seq')"))
    marked_at: Mapped[datetime] = mapped_column(
        DateTime(timezone=True), server_default=func.clock_timestamp()
    )
    attempts: Mapped[int] = mapped_column(Integer, server_default="0")
    error: Mapped[str | None]
    parked: Mapped[bool] = mapped_column(server_default="false")


class ReindexJob(Base):
    """A rebuild: a new index is filled beside the live one, then takes its place."""

    __tablename__ = "reindex_jobs"
    __table_args__ = (
        CheckConstraint(f"state IN {JOB_STATES}", name="state"),
        # One rebuild runs at a time, on whatever engine.
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
    # When the engine created the new index. It identifies the index after the swap has changed its name.
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
    """A drift audit of one target.

    It counts the programs whose document differs from PostgreSQL although they have no mark.
    """

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
    # kind (missing, stale, ghosts) -> some of the ids, for a person who looks into it.
    samples: Mapped[dict[str, list[int]]] = mapped_column(JSONB, default=dict, server_default="{}")
    detail: Mapped[str | None]
    created_at: Mapped[CreatedAt]
    started_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    finished_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    # The process that carries the audit out renews this lease; `started_at` identifies that process.
    lease_until: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
