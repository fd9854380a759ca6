"""A run says which dry run it carries out."""

from alembic import op

revision: str = "20261127_12"
down_revision: str | None = "20261127_10"

APPLIED = "import_runs (applied_from) WHERE applied_from IS NOT NULL"


def upgrade() -> None:
    op.execute("ALTER TABLE import_runs ADD COLUMN IF NOT EXISTS applied_from bigint")
    with op.get_context().autocommit_block():
        op.execute("DROP INDEX CONCURRENTLY IF EXISTS import_runs_applied_from_idx")
        op.execute(f"CREATE INDEX CONCURRENTLY import_runs_applied_from_idx ON {APPLIED}")


def downgrade() -> None:
    op.execute("ALTER TABLE import_runs DROP COLUMN applied_from")
