"""What listeners search for, by day, language and query."""

from alembic import op

revision: str = "20261126_11"
down_revision: str | None = "20261126_10"


def upgrade() -> None:
    op.execute(
        """
        CREATE TABLE query_daily (
            day       date   NOT NULL,
            language  text   NOT NULL CONSTRAINT query_daily_language_check CHECK (language IN ('ar', 'en', 'other')),
            query     text   COLLATE "C" NOT NULL,
            searches  bigint NOT NULL DEFAULT 0,
            pages     bigint NOT NULL DEFAULT 0,
            empty     bigint NOT NULL DEFAULT 0,
            hits      bigint NOT NULL DEFAULT 0,
            clicks    bigint NOT NULL DEFAULT 0,
            positions bigint NOT NULL DEFAULT 0,
            plays     bigint NOT NULL DEFAULT 0,
            rungs     jsonb  NOT NULL DEFAULT '{}',
            filters   jsonb  NOT NULL DEFAULT '{}',
            PRIMARY KEY (day, language, query)
        )
        """
    )


def downgrade() -> None:
    op.execute("DROP TABLE query_daily")
