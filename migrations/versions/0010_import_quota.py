"""Units spent of the daily quotas of the services imports ask."""

import sqlalchemy as sa
from alembic import op

revision: str = "0010"
down_revision: str | None = "0020"


def upgrade() -> None:
    op.create_table(
        "import_quota",
        sa.Column("service", sa.Text(), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("spent", sa.Integer(), server_default="0", nullable=False),
        sa.PrimaryKeyConstraint("service", "day", name=op.f("import_quota_pkey")),
    )


def downgrade() -> None:
    op.drop_table("import_quota")
