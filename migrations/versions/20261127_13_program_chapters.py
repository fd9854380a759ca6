"""Programs have the chapters of the file that their source names."""

from alembic import op

revision: str = "20261127_13"
down_revision: str | None = "20261127_12"


def upgrade() -> None:
    op.execute(
        "ALTER TABLE imported_programs ADD COLUMN chapters_url text, ADD COLUMN chapters_at timestamptz"
    )
    op.execute(
        """
        CREATE TABLE program_chapters (
            program_id bigint  NOT NULL REFERENCES programs ON DELETE CASCADE,
            position   integer NOT NULL,
            start_sec  integer NOT NULL,
            title      text    NOT NULL,
            CONSTRAINT program_chapters_pkey PRIMARY KEY (program_id, position)
        )
        """
    )


def downgrade() -> None:
    op.execute("DROP TABLE program_chapters")
    op.execute("ALTER TABLE imported_programs DROP COLUMN chapters_url, DROP COLUMN chapters_at")
