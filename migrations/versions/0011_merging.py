"""Merge proposals, where merged programs lead, and an index to find the same title elsewhere."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision: str = "0011"
down_revision: str | None = "0010"


def upgrade() -> None:
    op.create_table(
        "program_redirects",
        sa.Column("program_id", sa.BigInteger(), nullable=False),
        sa.Column("into_id", sa.BigInteger(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.ForeignKeyConstraint(["into_id"], ["programs.id"], name=op.f("program_redirects_into_id_fkey"), ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["program_id"], ["programs.id"], name=op.f("program_redirects_program_id_fkey"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("program_id", name=op.f("program_redirects_pkey")),
    )  # fmt: skip
    op.create_index("program_redirects_into_id_idx", "program_redirects", ["into_id"])
    op.create_table(
        "merge_proposals",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("program_id", sa.BigInteger(), nullable=False),
        sa.Column("other_id", sa.BigInteger(), nullable=False),
        sa.Column("reasons", postgresql.JSONB(), server_default="{}", nullable=False),
        sa.Column("state", sa.Text(), server_default="open", nullable=False),
        sa.Column("kept_id", sa.BigInteger(), nullable=True),
        sa.Column("decided_by", sa.Text(), nullable=True),
        sa.Column("decided_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.CheckConstraint("program_id < other_id", name=op.f("merge_proposals_order_check")),
        sa.CheckConstraint("state IN ('open', 'merged', 'dismissed')", name=op.f("merge_proposals_state_check")),
        sa.ForeignKeyConstraint(["other_id"], ["programs.id"], name=op.f("merge_proposals_other_id_fkey"), ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["program_id"], ["programs.id"], name=op.f("merge_proposals_program_id_fkey"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name=op.f("merge_proposals_pkey")),
        sa.UniqueConstraint("program_id", "other_id", name=op.f("merge_proposals_program_id_other_id_key")),
    )  # fmt: skip
    op.create_index("merge_proposals_open_idx", "merge_proposals", ["id"], postgresql_where=sa.text("state = 'open'"))  # fmt: skip
    op.create_index("merge_proposals_other_id_idx", "merge_proposals", ["other_id"])
    # A large catalogue goes on being edited while its titles are read.
    with op.get_context().autocommit_block():
        op.create_index(
            "programs_folded_title_idx",
            "programs",
            [sa.literal_column("md5(catalog_fold(title))")],
            postgresql_where=sa.text("deleted_at IS NULL"),
            postgresql_concurrently=True,
            if_not_exists=True,
        )


def downgrade() -> None:
    op.drop_index("programs_folded_title_idx", "programs")
    op.drop_table("merge_proposals")
    op.drop_table("program_redirects")
