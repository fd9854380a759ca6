"""Marks are claimed in their order: a claim reads as many rows as it takes, not all that wait."""

from alembic import op

revision: str = "0050"
down_revision: str | None = "0040"


def _exchange(new: str, columns: str, old: str) -> None:
    with op.get_context().autocommit_block():
        # Every write marks: it must not wait for this.
        op.execute(f"DROP INDEX CONCURRENTLY IF EXISTS {new}")
        op.execute(f"CREATE INDEX CONCURRENTLY {new} ON index_dirty ({columns}) WHERE NOT parked")
        op.execute(f"DROP INDEX CONCURRENTLY IF EXISTS {old}")


def upgrade() -> None:
    _exchange("index_dirty_claim_idx", "target_id, seq", "index_dirty_due_idx")


def downgrade() -> None:
    _exchange("index_dirty_due_idx", "target_id, next_at, seq", "index_dirty_claim_idx")
