"""Pending revisions: changes that wait for a reviewer beside the live version."""

from alembic import op

revision: str = "20261126_04"
down_revision: str | None = "20261126_03"


def upgrade() -> None:
    op.execute("CREATE SEQUENCE pending_revisions_rev_seq")
    op.execute(
        """
        CREATE TABLE pending_revisions (
            entity     text        NOT NULL,
            entity_id  bigint      NOT NULL,
            state      text        NOT NULL DEFAULT 'draft',
            rev        bigint      NOT NULL DEFAULT nextval('pending_revisions_rev_seq'),
            base_rev   bigint      NOT NULL,
            base       jsonb       NOT NULL,
            changes    jsonb       NOT NULL,
            authors    text[]      NOT NULL,
            comment    text,
            created_at timestamptz NOT NULL DEFAULT now(),
            updated_at timestamptz NOT NULL DEFAULT now(),
            PRIMARY KEY (entity, entity_id),
            CONSTRAINT pending_revisions_rev_key UNIQUE (rev),
            CONSTRAINT pending_revisions_entity_check CHECK (entity IN ('program', 'series', 'category')),
            CONSTRAINT pending_revisions_state_check CHECK (state IN ('draft', 'in_review'))
        )
        """
    )
    op.execute("CREATE INDEX pending_revisions_state_rev_idx ON pending_revisions (state, rev)")


def downgrade() -> None:
    op.execute("DROP TABLE pending_revisions")
    op.execute("DROP SEQUENCE pending_revisions_rev_seq")
