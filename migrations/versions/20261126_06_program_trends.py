"""How much each program is viewed lately: two sums of views that fade, for a day and for a week."""

from alembic import op

revision: str = "20261126_06"
down_revision: str | None = "20261126_05"

STATEMENTS = (
    """
    CREATE TABLE program_trends (
        program_id bigint           NOT NULL PRIMARY KEY REFERENCES programs (id) ON DELETE CASCADE,
        day        double precision NOT NULL,
        week       double precision NOT NULL,
        viewed_at  timestamptz      NOT NULL DEFAULT now()
    ) WITH (autovacuum_vacuum_scale_factor = 0.05)
    """,
    "CREATE INDEX program_trends_day_idx ON program_trends (day DESC, program_id)",
    "CREATE INDEX program_trends_week_idx ON program_trends (week DESC, program_id)",
)


def upgrade() -> None:
    for statement in STATEMENTS:
        op.execute(statement)


def downgrade() -> None:
    op.execute("DROP TABLE program_trends")
