"""Tables of imports: sources, runs with their documents and items, and what sources last said."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision: str = "0004"
down_revision: str | None = "0003"


def _moment(name: str, default: str | None = None) -> sa.Column[object]:
    server = sa.text(default) if default else None
    return sa.Column(name, sa.DateTime(timezone=True), server_default=server, nullable=default is None)  # fmt: skip


def _json(name: str, default: str = "{}") -> sa.Column[object]:
    return sa.Column(name, postgresql.JSONB(), server_default=default, nullable=False)


def _text(name: str, default: str | None = None, *, nullable: bool = False) -> sa.Column[object]:
    return sa.Column(name, sa.Text(), server_default=default, nullable=nullable)


def _count(name: str) -> sa.Column[object]:
    return sa.Column(name, sa.Integer(), server_default="0", nullable=False)


def _flag(name: str) -> sa.Column[object]:
    return sa.Column(name, sa.Boolean(), server_default="false", nullable=False)


def _big(name: str) -> sa.Column[object]:
    return sa.Column(name, sa.BigInteger(), nullable=True)


def upgrade() -> None:
    op.create_table(
        "import_sources",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        _text("kind"), _text("url"), _text("namespace"), _text("title", ""), _json("about"), _json("options"),
        _text("state", "active"), _text("reason", nullable=True),
        sa.Column("interval_sec", sa.Float(), server_default="3600", nullable=False),
        _moment("next_at", "clock_timestamp()"),
        _text("etag", nullable=True), _text("last_modified", nullable=True), _text("document_hash", nullable=True),
        _count("failures"), _moment("last_run_at"), _moment("last_success_at"), _moment("last_change_at"),
        _moment("created_at", "now()"),
        sa.CheckConstraint("kind IN ('feed', 'youtube')", name=op.f("import_sources_kind_check")),
        sa.CheckConstraint("state IN ('active', 'paused')", name=op.f("import_sources_state_check")),
        sa.PrimaryKeyConstraint("id", name=op.f("import_sources_pkey")),
        sa.UniqueConstraint("kind", "url", name=op.f("import_sources_kind_url_key")),
    )  # fmt: skip
    op.create_index(
        "import_sources_due_idx",
        "import_sources",
        ["next_at"],
        postgresql_where=sa.text("state = 'active'"),
    )
    op.create_table(
        "import_runs",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        _big("source_id"), _big("parent_id"), _big("retry_of"), _big("documents_of"),
        _text("kind"), _text("url", nullable=True), _text("file_name", nullable=True), _text("namespace"),
        _json("options"), _flag("dry_run"), _text("trigger", "editor"), _text("status", "queued"),
        _flag("fetched"), _flag("cancel_requested"), _count("attempt"), _count("dispatched"),
        _moment("next_at", "clock_timestamp()"), _text("lease_token", nullable=True), _moment("lease_until"),
        sa.Column("total", sa.Integer(), nullable=True), _count("position"),
        _count("created"), _count("updated"), _count("unchanged"), _count("conflicts"), _count("skipped"), _count("failed"),
        _text("code", nullable=True), _text("detail", nullable=True),
        _text("actor_kind", "system"), _big("actor_id"), _text("actor_name", ""),
        _moment("created_at", "now()"), _moment("started_at"), _moment("finished_at"),
        sa.CheckConstraint("kind IN ('feed', 'youtube', 'csv', 'json', 'jsonl', 'opml')", name=op.f("import_runs_kind_check")),
        sa.CheckConstraint("status IN ('queued', 'running', 'succeeded', 'failed', 'cancelled')", name=op.f("import_runs_status_check")),
        sa.ForeignKeyConstraint(["source_id"], ["import_sources.id"], name=op.f("import_runs_source_id_fkey"), ondelete="SET NULL"),
        sa.ForeignKeyConstraint(["parent_id"], ["import_runs.id"], name=op.f("import_runs_parent_id_fkey"), ondelete="SET NULL"),
        sa.ForeignKeyConstraint(["retry_of"], ["import_runs.id"], name=op.f("import_runs_retry_of_fkey"), ondelete="SET NULL"),
        sa.PrimaryKeyConstraint("id", name=op.f("import_runs_pkey")),
    )  # fmt: skip
    op.create_index(
        "import_runs_open_idx",
        "import_runs",
        ["next_at"],
        postgresql_where=sa.text("status IN ('queued', 'running')"),
    )
    op.create_index(
        "import_runs_source_id_idx", "import_runs", ["source_id", sa.literal_column("id DESC")]
    )
    op.create_index("import_runs_parent_id_idx", "import_runs", ["parent_id"])
    op.create_index("import_runs_finished_at_idx", "import_runs", ["finished_at"])
    op.create_table(
        "import_documents",
        sa.Column("run_id", sa.BigInteger(), nullable=False),
        sa.Column("document", sa.Integer(), nullable=False),
        sa.Column("part", sa.Integer(), nullable=False),
        sa.Column("data", sa.LargeBinary(), nullable=False),
        _json("meta"),
        sa.ForeignKeyConstraint(["run_id"], ["import_runs.id"], name=op.f("import_documents_run_id_fkey"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("run_id", "document", "part", name=op.f("import_documents_pkey")),
    )  # fmt: skip
    op.create_table(
        "import_items",
        sa.Column("run_id", sa.BigInteger(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        _text("external_id", nullable=True), _text("title", ""), _text("outcome"), _text("code", nullable=True),
        _text("detail", nullable=True), _big("program_id"), _json("errors", "[]"), _json("diff"),
        sa.CheckConstraint("outcome IN ('created', 'updated', 'unchanged', 'conflict', 'skipped', 'failed')", name=op.f("import_items_outcome_check")),
        sa.ForeignKeyConstraint(["run_id"], ["import_runs.id"], name=op.f("import_items_run_id_fkey"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("run_id", "position", name=op.f("import_items_pkey")),
    )  # fmt: skip
    op.create_index("import_items_outcome_idx", "import_items", ["run_id", "outcome", "position"])
    op.create_table(
        "imported_programs",
        sa.Column("program_id", sa.BigInteger(), nullable=False),
        _text("content_hash"),
        sa.Column("values", postgresql.JSONB(), nullable=False), _json("extra"),
        sa.ForeignKeyConstraint(["program_id"], ["programs.id"], name=op.f("imported_programs_program_id_fkey"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("program_id", name=op.f("imported_programs_pkey")),
    )  # fmt: skip


def downgrade() -> None:
    for table in ("imported_programs", "import_items", "import_documents", "import_runs", "import_sources"):  # fmt: skip
        op.drop_table(table)
