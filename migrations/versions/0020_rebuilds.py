"""Rebuilds and audits: what a target is held for, reindex jobs, drift reports, the bucket index."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision: str = "0020"
down_revision: str | None = "0004"

_STATES = "state IN ('live', 'building', 'previous', 'retired')"
_JOB_STATES = (
    "state IN ('queued', 'creating', 'marking', 'filling', 'auditing', 'checking', 'swapping', "
    "'verifying', 'done', 'failed', 'canceled', 'rolling_back', 'rolled_back')"
)
_RUNNING = (
    "state IN ('creating', 'marking', 'filling', 'auditing', 'checking', 'swapping', 'verifying', "
    "'rolling_back')"
)


def _moment(name: str, default: str | None = None) -> sa.Column[object]:
    server = sa.text(default) if default else None
    return sa.Column(name, sa.DateTime(timezone=True), server_default=server, nullable=default is None)  # fmt: skip


def _text(name: str, default: str | None = None, *, nullable: bool = False) -> sa.Column[object]:
    return sa.Column(name, sa.Text(), server_default=default, nullable=nullable)


def _big(name: str, default: str | None = "0") -> sa.Column[object]:
    return sa.Column(name, sa.BigInteger(), server_default=default, nullable=default is None)


def _flag(name: str) -> sa.Column[object]:
    return sa.Column(name, sa.Boolean(), server_default="false", nullable=False)


def upgrade() -> None:
    op.drop_constraint(op.f("index_targets_state_check"), "index_targets", type_="check")
    op.create_check_constraint(op.f("index_targets_state_check"), "index_targets", _STATES)
    for column in (_big("settings_revision"), _flag("hold"), _big("held_epoch", None), _moment("keep_until")):  # fmt: skip
        op.add_column("index_targets", column)
    op.create_unique_constraint(
        op.f("index_targets_engine_index_uid_key"), "index_targets", ["engine", "index_uid"]
    )
    op.create_table(
        "reindex_jobs",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        _text("engine"), _text("state", "queued"), _text("reason", ""), _text("requested_by", ""),
        _text("settings_hash"), _big("settings_revision"),
        sa.Column("live_target_id", sa.SmallInteger(), nullable=True),
        sa.Column("new_target_id", sa.SmallInteger(), nullable=True),
        _text("new_uid", nullable=True), _text("new_marker", nullable=True),
        _big("cursor"), _big("total", None), _flag("cancel_requested"), _flag("force"),
        _text("detail", nullable=True), _text("lease_token", nullable=True), _moment("lease_until"),
        _moment("created_at", "now()"), _moment("started_at"), _moment("filling_at"), _moment("finished_at"),
        sa.CheckConstraint(_JOB_STATES, name=op.f("reindex_jobs_state_check")),
        sa.PrimaryKeyConstraint("id", name=op.f("reindex_jobs_pkey")),
    )  # fmt: skip
    # One at a time, whoever asks.
    op.create_index(
        "reindex_jobs_running_key", "reindex_jobs", [sa.text("(true)")], unique=True,
        postgresql_where=sa.text(_RUNNING),
    )  # fmt: skip
    op.create_table(
        "drift_reports",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("target_id", sa.SmallInteger(), nullable=False),
        _text("state", "queued"), _text("requested_by", ""), _flag("repair"),
        _big("checked"), _big("missing"), _big("stale"), _big("ghosts"), _big("repaired"),
        sa.Column("samples", postgresql.JSONB(), server_default="{}", nullable=False),
        _text("detail", nullable=True),
        _moment("created_at", "now()"), _moment("started_at"), _moment("finished_at"),
        sa.CheckConstraint(
            "state IN ('queued', 'running', 'done', 'failed')", name=op.f("drift_reports_state_check")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("drift_reports_pkey")),
    )  # fmt: skip
    op.create_index("drift_reports_target_id_id_idx", "drift_reports", ["target_id", "id"])
    with op.get_context().autocommit_block():
        # The audit reads the published programs of one bucket after the other.
        op.execute(
            "CREATE INDEX CONCURRENTLY programs_bucket_idx ON programs ((id % 256), id) "
            "WHERE status = 'published' AND deleted_at IS NULL"
        )


def downgrade() -> None:
    op.execute("DROP INDEX programs_bucket_idx")
    op.drop_table("drift_reports")
    op.drop_table("reindex_jobs")
    op.execute("DELETE FROM index_targets WHERE state = 'previous'")
    op.drop_constraint(op.f("index_targets_engine_index_uid_key"), "index_targets", type_="unique")
    for name in ("keep_until", "held_epoch", "hold", "settings_revision"):
        op.drop_column("index_targets", name)
    op.drop_constraint(op.f("index_targets_state_check"), "index_targets", type_="check")
    op.create_check_constraint(
        op.f("index_targets_state_check"),
        "index_targets",
        "state IN ('live', 'building', 'retired')",
    )
