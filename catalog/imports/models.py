"""Tables of imports: remembered sources, runs with their documents and items, and what a source said last."""

from datetime import date, datetime
from typing import TypedDict

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

from catalog.core.base import Base, BigId, CreatedAt

KINDS = ("feed", "youtube", "csv", "json", "jsonl", "opml")
FILES = ("csv", "json", "jsonl", "opml")
STATUSES = ("queued", "running", "succeeded", "failed", "cancelled")
ENDED = ("succeeded", "failed", "cancelled")
OUTCOMES = ("created", "updated", "unchanged", "conflict", "skipped", "failed")
SOURCE_STATES = ("active", "paused")
CONFLICT_STATES = ("open", "kept")


class DocumentMeta(TypedDict, total=False):
    """What an adapter has to know of a stored document later. Each adapter uses the fields that it needs."""

    url: str
    contentType: str
    # The address or page token of the next document; None for the last document.
    next: str | None
    # YouTube: the playlist that the documents list, and the videos of this page.
    playlist: str | None
    # Feeds: the external ids of this page's items.
    ids: list[str]


class StoredFieldError(TypedDict):
    """A FieldError as an item stores it."""

    field: str
    code: str
    message: str


class ImportSource(Base):
    """A remembered feed or channel. While it is active, the schedule refreshes it.

    `namespace` stands before the external ids of its programs; it stays when the address changes.
    `failures` counts the runs that failed since the last run that did not.
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
    about: Mapped[dict[str, object]] = mapped_column(JSONB, default=dict, server_default="{}")
    options: Mapped[dict[str, object]] = mapped_column(JSONB, default=dict, server_default="{}")
    state: Mapped[str] = mapped_column(default="active", server_default="active")
    reason: Mapped[str | None]
    interval_sec: Mapped[float] = mapped_column(Float, default=3600, server_default="3600")
    next_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), server_default=func.clock_timestamp())
    etag: Mapped[str | None]
    last_modified: Mapped[str | None]
    document_hash: Mapped[str | None]
    failures: Mapped[int] = mapped_column(Integer, default=0, server_default="0")
    last_run_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    last_success_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    last_change_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    created_at: Mapped[CreatedAt]


class ImportRun(Base):
    """One import, from its request to its last item. A job of the queue carries only the run's id.

    `lease_token` identifies the process that works on the run, `lease_until` is when another process may take
    the run over. `position` is the checkpoint: how many items are done; it moves in the transaction that
    writes the items. `attempt` counts the claims since the last progress, `dispatched` the jobs of the queue.
    """

    __tablename__ = "import_runs"
    __table_args__ = (
        CheckConstraint(f"kind IN {KINDS}", name="kind"),
        CheckConstraint(f"status IN {STATUSES}", name="status"),
        Index("import_runs_open_idx", "next_at", postgresql_where=text("status IN ('queued', 'running')")),
        Index("import_runs_source_id_idx", "source_id", text("id DESC")),
        Index("import_runs_parent_id_idx", "parent_id"),
        Index("import_runs_finished_at_idx", "finished_at"),
        Index(
            "import_runs_applied_from_idx", "applied_from", postgresql_where=text("applied_from IS NOT NULL")
        ),
    )

    id: Mapped[BigId]
    source_id: Mapped[int | None] = mapped_column(ForeignKey("import_sources.id", ondelete="SET NULL"))
    parent_id: Mapped[int | None] = mapped_column(ForeignKey("import_runs.id", ondelete="SET NULL"))
    # A retry of failed items: the run that it repeats, and the run whose documents it reads.
    retry_of: Mapped[int | None] = mapped_column(ForeignKey("import_runs.id", ondelete="SET NULL"))
    documents_of: Mapped[int | None]
    # The dry run that this run carries out.
    applied_from: Mapped[int | None]
    kind: Mapped[str]
    url: Mapped[str | None]
    file_name: Mapped[str | None]
    namespace: Mapped[str]
    options: Mapped[dict[str, object]] = mapped_column(JSONB, default=dict, server_default="{}")
    dry_run: Mapped[bool] = mapped_column(default=False, server_default="false")
    trigger: Mapped[str] = mapped_column(default="editor", server_default="editor")
    status: Mapped[str] = mapped_column(default="queued", server_default="queued")
    fetched: Mapped[bool] = mapped_column(default=False, server_default="false")
    cancel_requested: Mapped[bool] = mapped_column(default=False, server_default="false")
    attempt: Mapped[int] = mapped_column(Integer, default=0, server_default="0")
    dispatched: Mapped[int] = mapped_column(Integer, default=0, server_default="0")
    next_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), server_default=func.clock_timestamp())
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
    """A part of an uploaded or fetched document, compressed. Every attempt of a run reads the same documents."""

    __tablename__ = "import_documents"

    run_id: Mapped[int] = mapped_column(ForeignKey("import_runs.id", ondelete="CASCADE"), primary_key=True)
    document: Mapped[int] = mapped_column(Integer, primary_key=True)
    part: Mapped[int] = mapped_column(Integer, primary_key=True)
    data: Mapped[bytes] = mapped_column(LargeBinary)
    meta: Mapped[DocumentMeta] = mapped_column(JSONB, default=dict, server_default="{}")


class ImportItem(Base):
    """What became of one item of a run, and why."""

    __tablename__ = "import_items"
    __table_args__ = (
        CheckConstraint(f"outcome IN {OUTCOMES}", name="outcome"),
        Index("import_items_outcome_idx", "run_id", "outcome", "position"),
    )

    run_id: Mapped[int] = mapped_column(ForeignKey("import_runs.id", ondelete="CASCADE"), primary_key=True)
    position: Mapped[int] = mapped_column(Integer, primary_key=True)
    external_id: Mapped[str | None]
    title: Mapped[str] = mapped_column(default="", server_default="")
    outcome: Mapped[str]
    code: Mapped[str | None]
    detail: Mapped[str | None]
    program_id: Mapped[int | None]
    # Of a failed item: its field errors. Of an item that changes something: JSON field -> [before, after].
    errors: Mapped[list[StoredFieldError]] = mapped_column(JSONB, default=list, server_default="[]")
    diff: Mapped[dict[str, object]] = mapped_column(JSONB, default=dict, server_default="{}")
    # JSON field -> [the value here, which stayed, and the value of the source].
    conflicts: Mapped[dict[str, object]] = mapped_column(JSONB, default=dict, server_default="{}")


class ImportedProgram(Base):
    """What the source of a program said last: what the program says differently now, an editor has changed."""

    __tablename__ = "imported_programs"
    __table_args__ = (
        Index(
            "imported_programs_unread_idx",
            "program_id",
            postgresql_where=text("(extra -> 'chapters' ->> 'url') IS DISTINCT FROM chapters_url"),
        ),
    )

    program_id: Mapped[int] = mapped_column(ForeignKey("programs.id", ondelete="CASCADE"), primary_key=True)
    content_hash: Mapped[str]
    # Of the item as it was sent; None where items are not compared before they are read.
    raw_hash: Mapped[str | None]
    values: Mapped[dict[str, object]] = mapped_column(JSONB)
    # Links and facts that a program has no field for: chapters, transcripts, the file's size.
    extra: Mapped[dict[str, object]] = mapped_column(JSONB, default=dict, server_default="{}")
    # The file that the program's chapters were read from, and when such a file was last asked for.
    chapters_url: Mapped[str | None]
    chapters_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))


class ProgramChapter(Base):
    """A chapter of a program, as the file that its source names has it."""

    __tablename__ = "program_chapters"

    program_id: Mapped[int] = mapped_column(ForeignKey("programs.id", ondelete="CASCADE"), primary_key=True)
    position: Mapped[int] = mapped_column(Integer, primary_key=True)
    start_sec: Mapped[int] = mapped_column(Integer)
    title: Mapped[str]


class ImportConflict(Base):
    """A field that an editor wrote and whose source says something else, until it is settled.

    `open`: an editor has to decide. `kept`: the editor's value stays, and the source's changes are not reported.
    """

    __tablename__ = "import_conflicts"
    __table_args__ = (
        UniqueConstraint("program_id", "field"),
        CheckConstraint(f"state IN {CONFLICT_STATES}", name="state"),
        Index("import_conflicts_open_idx", "id", postgresql_where=text("state = 'open'")),
    )

    id: Mapped[BigId]
    program_id: Mapped[int] = mapped_column(ForeignKey("programs.id", ondelete="CASCADE"))
    # JSON name of the field, and what the source says of it; JSON null: nothing any more.
    field: Mapped[str]
    source_value: Mapped[object] = mapped_column(JSONB)
    state: Mapped[str] = mapped_column(default="open", server_default="open")
    run_id: Mapped[int]
    created_at: Mapped[CreatedAt]


class ImportTotal(Base):
    """What ended runs of a kind of source add up to, for metrics: runs are pruned, counters must not fall."""

    __tablename__ = "import_totals"

    kind: Mapped[str] = mapped_column(primary_key=True)
    # An outcome (items), `run_` and a status of ENDED (runs), `probe_` and what it gave (files whose first bytes were
    # asked for), `chapters_` and `read` or `failed` (files of chapters), or `seconds` (from start to end).
    name: Mapped[str] = mapped_column(primary_key=True)
    total: Mapped[float] = mapped_column(Float, default=0, server_default="0")


class ImportQuota(Base):
    """How many units of a service's daily quota were spent on a day."""

    __tablename__ = "import_quota"

    service: Mapped[str] = mapped_column(primary_key=True)
    day: Mapped[date] = mapped_column(primary_key=True)
    spent: Mapped[int] = mapped_column(Integer, default=0, server_default="0")
