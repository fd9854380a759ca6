"""Several engines: which there are and whether listeners are sent to them; whether an index is filled;
whose an audit is."""

import sqlalchemy as sa
from alembic import op

revision: str = "0040"
down_revision: str | None = "0030"


def upgrade() -> None:
    op.create_table(
        "engines",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("url", sa.Text(), nullable=True),
        sa.Column("state", sa.Text(), server_default="serving", nullable=False),
        sa.Column(
            "created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False
        ),
        sa.CheckConstraint("state IN ('serving', 'draining', 'removed')", name=op.f("engines_state_check")),
        sa.PrimaryKeyConstraint("name", name=op.f("engines_pkey")),
        sa.UniqueConstraint("url", name=op.f("engines_url_key")),
    )  # fmt: skip
    # Their addresses are known to the settings of the sender, which writes them down.
    op.execute("INSERT INTO engines (name) SELECT DISTINCT engine FROM index_targets")
    op.add_column(
        "index_targets", sa.Column("filled", sa.Boolean(), server_default="false", nullable=False)
    )
    op.add_column(
        "index_targets", sa.Column("fill_marked_at", sa.DateTime(timezone=True), nullable=True)
    )
    op.add_column(
        "drift_reports", sa.Column("lease_until", sa.DateTime(timezone=True), nullable=True)
    )
    # A target that has had a sender is past its first filling.
    op.execute("UPDATE index_targets SET filled = true WHERE epoch > 0")


def downgrade() -> None:
    op.drop_column("drift_reports", "lease_until")
    op.drop_column("index_targets", "fill_marked_at")
    op.drop_column("index_targets", "filled")
    op.drop_table("engines")
