"""Imports: where programs come from, every run with its items, and what a source last said."""

from datetime import date, datetime
from typing import Any

from sqlalchemy import (
    CheckConstraint,
    DateTime,
    Float,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    UniqueConstraint,
    func,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from catalog.base import Base, BigId, CreatedAt

KINDS = ("feed", "youtube", "csv", "json", "jsonl", "opml")
FILES = ("csv", "json", "jsonl", "opml")
STATUSES = ("queued", "running", "succeeded", "failed", "cancelled")
ENDED = ("succeeded", "failed", "cancelled")
OUTCOMES = ("created", "updated", "unchanged", "conflict", "skipped", "failed")
SOURCE_STATES = ("active", "paused")


class ImportSource(Base):
    """A remembered feed or channel, refreshed by itself while it is active.

    `namespace` stands before the external ids of its programs: it stays when the address moves.
    `failures` counts runs that failed since the last that did not.
    """

    __tablename__ = "import_sources"
    __table_args__ = (
        UniqueConstraint("kind", "url"),
        CheckConstraint("kind IN ('feed', 'youtube')", name="kind"),
        CheckConstraint(f"state IN {SOURCE_STATES}", name="state"),
        Index("import_sources_due_idx", "next_at", postgresql_where=text("state = 'active'")),
    )

    id: Mapped[BigId]
    kind: Mapped[str]
    url: Mapped[str]
    namespace: Mapped[str]
    title: Mapped[str] = mapped_column(default="", server_default="")
    about: Mapped[dict[str, Any]] = mapped_column(JSONB, default=dict, server_default="{}")
    options: Mapped[dict[str, Any]] = mapped_column(JSONB, default=dict, server_default="{}")
    state: Mapped[str] = mapped_column(default="active", server_default="active")
    reason: Mapped[str | None]
    interval_sec: Mapped[float] = mapped_column(Float, default=3600, server_default="3600")
    next_at: Mapped[datetime] = mapped_column(
        DateTime(timezone=True), server_default=func.clock_timestamp()
    )
    etag: Mapped[str | None]
    last_modified: Mapped[str | None]
    document_hash: Mapped[str | None]
    failures: Mapped[int] = mapped_column(Integer, default=0, server_default="0")
    last_run_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    last_success_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    last_change_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    created_at: Mapped[CreatedAt]


class ImportRun(Base):
    """One import, from the request to its last item. A queue's job carries its id, nothing more.

    `lease_token` and `lease_until` say which process works on it and until when others leave it
    alone. `position` is how many items are done: it moves in the transaction that writes them.
    `attempt` counts starts since the last progress; `dispatched` numbers the queue's jobs.
    """

    __tablename__ = "import_runs"
    __table_args__ = (
        CheckConstraint(f"kind IN {KINDS}", name="kind"),
        CheckConstraint(f"status IN {STATUSES}", name="status"),
        Index("import_runs_open_idx", "next_at", postgresql_where=text("status IN ('queued', 'running')")),
        Index("import_runs_source_id_idx", "source_id", text("id DESC")),
        Index("import_runs_parent_id_idx", "parent_id"),
        Index("import_runs_finished_at_idx", "finished_at"),
    )  # fmt: skip

    id: Mapped[BigId]
    source_id: Mapped[int | None] = mapped_column(
        ForeignKey("import_sources.id", ondelete="SET NULL")
    )
    parent_id: Mapped[int | None] = mapped_column(ForeignKey("import_runs.id", ondelete="SET NULL"))
    # A retry reads the documents of the run it repeats, and only these positions of them.
    retry_of: Mapped[int | None] = mapped_column(ForeignKey("import_runs.id", ondelete="SET NULL"))
    documents_of: Mapped[int | None]
    kind: Mapped[str]
    url: Mapped[str | None]
    file_name: Mapped[str | None]
    namespace: Mapped[str]
    options: Mapped[dict[str, Any]] = mapped_column(JSONB, default=dict, server_default="{}")
    dry_run: Mapped[bool] = mapped_column(default=False, server_default="false")
    trigger: Mapped[str] = mapped_column(default="editor", server_default="editor")
    status: Mapped[str] = mapped_column(default="queued", server_default="queued")
    fetched: Mapped[bool] = mapped_column(default=False, server_default="false")
    cancel_requested: Mapped[bool] = mapped_column(default=False, server_default="false")
    attempt: Mapped[int] = mapped_column(Integer, default=0, server_default="0")
    dispatched: Mapped[int] = mapped_column(Integer, default=0, server_default="0")
    next_at: Mapped[datetime] = mapped_column(
        DateTime(timezone=True), server_default=func.clock_timestamp()
    )
    lease_token: Mapped[str | None]
    lease_until: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    total: Mapped[int | None] = mapped_column(Integer)
    position: Mapped[int] = mapped_column(Integer, default=0, server_default="0")
    created: Mapped[int] = mapped_column(Integer, default=0, server_default="0")
    updated: Mapped[int] = mapped_column(Integer, default=0, server_default="0")
    unchanged: Mapped[int] = mapped_column(Integer, default=0, server_default="0")
    conflicts: Mapped[int] = mapped_column(Integer, default=0, server_default="0")
    skipped: Mapped[int] = mapped_column(Integer, default=0, server_default="0")
    failed: Mapped[int] = mapped_column(Integer, default=0, server_default="0")
    code: Mapped[str | None]
    detail: Mapped[str | None]
    actor_kind: Mapped[str] = mapped_column(default="system", server_default="system")
    actor_id: Mapped[int | None]
    actor_name: Mapped[str] = mapped_column(default="", server_default="")
    created_at: Mapped[CreatedAt]
    started_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    finished_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))


class ImportDocument(Base):
    """What was uploaded or fetched, in compressed parts: a run that is taken over reads the same."""

    __tablename__ = "import_documents"

    run_id: Mapped[int] = mapped_column(
        ForeignKey("import_runs.id", ondelete="CASCADE"), primary_key=True
    )
    document: Mapped[int] = mapped_column(Integer, primary_key=True)
    part: Mapped[int] = mapped_column(Integer, primary_key=True)
    data: Mapped[bytes] = mapped_column(LargeBinary)
    meta: Mapped[dict[str, Any]] = mapped_column(JSONB, default=dict, server_default="{}")


class ImportItem(Base):
    """What became of one item of a run, and why."""

    __tablename__ = "import_items"
    __table_args__ = (
        CheckConstraint(f"outcome IN {OUTCOMES}", name="outcome"),
        Index("import_items_outcome_idx", "run_id", "outcome", "position"),
    )

    run_id: Mapped[int] = mapped_column(
        ForeignKey("import_runs.id", ondelete="CASCADE"), primary_key=True
    )
    position: Mapped[int] = mapped_column(Integer, primary_key=True)
    external_id: Mapped[str | None]
    title: Mapped[str] = mapped_column(default="", server_default="")
    outcome: Mapped[str]
    code: Mapped[str | None]
    detail: Mapped[str | None]
    program_id: Mapped[int | None]
    # Field errors of a failed item; [before, after] by field of one that changes something.
    errors: Mapped[list[Any]] = mapped_column(JSONB, default=list, server_default="[]")
    diff: Mapped[dict[str, Any]] = mapped_column(JSONB, default=dict, server_default="{}")


class ImportedProgram(Base):
    """What its source last said about a program: what differs from it now, an editor changed."""

    __tablename__ = "imported_programs"

    program_id: Mapped[int] = mapped_column(
        ForeignKey("programs.id", ondelete="CASCADE"), primary_key=True
    )
    content_hash: Mapped[str]
    values: Mapped[dict[str, Any]] = mapped_column(JSONB)
    # Links and facts a program has no field for: chapters, transcripts, the file's size.
    extra: Mapped[dict[str, Any]] = mapped_column(JSONB, default=dict, server_default="{}")


class ImportQuota(Base):
    """Units spent of a service's daily quota."""

    __tablename__ = "import_quota"

    service: Mapped[str] = mapped_column(primary_key=True)
    day: Mapped[date] = mapped_column(primary_key=True)
    spent: Mapped[int] = mapped_column(Integer, default=0, server_default="0")
