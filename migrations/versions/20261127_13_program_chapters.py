"""Programs have the chapters of the file that their source names."""

from alembic import op

revision: str = "20261127_13"
down_revision: str | None = "20261127_12"

# The programs whose file of chapters is still to be read.
UNREAD = "imported_programs (program_id) WHERE (extra -> 'chapters' ->> 'url') IS DISTINCT FROM chapters_url"


def upgrade() -> None:
    # First of all, so that an attempt that was interrupted can be repeated.
    op.execute(
        "ALTER TABLE imported_programs ADD COLUMN IF NOT EXISTS chapters_url text, "
        "ADD COLUMN IF NOT EXISTS chapters_at timestamptz"
    )
    with op.get_context().autocommit_block():
        op.execute("DROP INDEX CONCURRENTLY IF EXISTS imported_programs_unread_idx")
        op.execute(f"CREATE INDEX CONCURRENTLY imported_programs_unread_idx ON {UNREAD}")
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
    op.execute("DROP INDEX imported_programs_unread_idx")
    op.execute("ALTER TABLE imported_programs DROP COLUMN chapters_url, DROP COLUMN chapters_at")
