"""Imports: a hash of an item as its source sent it, so that an unchanged item need not be read."""

from alembic import op

revision: str = "20261126_02"
down_revision: str | None = "20261126_01"


def upgrade() -> None:
    op.execute("ALTER TABLE imported_programs ADD COLUMN raw_hash text")


def downgrade() -> None:
    op.execute("ALTER TABLE imported_programs DROP COLUMN raw_hash")
