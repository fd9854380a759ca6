"""Accounts have a one-time link for a new password."""

from alembic import op

revision: str = "20261126_03"
down_revision: str | None = "20261126_02"


def upgrade() -> None:
    op.execute("ALTER TABLE accounts ADD COLUMN reset_hash text, ADD COLUMN reset_expires_at timestamptz")


def downgrade() -> None:
    op.execute("ALTER TABLE accounts DROP COLUMN reset_hash, DROP COLUMN reset_expires_at")
