"""Slugs that series, tags and people had, so that their old addresses lead to them."""

from alembic import op

revision: str = "20261126_18"
down_revision: str | None = "20261126_16"

TABLE = """
CREATE TABLE former_slugs (
    kind   text        NOT NULL CONSTRAINT former_slugs_kind_check CHECK (kind IN ('series', 'tag', 'person')),
    slug   text        NOT NULL,
    row_id bigint      NOT NULL,
    at     timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT former_slugs_pkey PRIMARY KEY (kind, slug)
)
"""
# Whoever had a slug last keeps it: an address that two rows had leads to the second one.
REMEMBER = """
CREATE FUNCTION slugs_remember() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF TG_OP = 'DELETE' THEN
    DELETE FROM former_slugs WHERE kind = TG_ARGV[0] AND row_id = OLD.id;
  ELSE
    INSERT INTO former_slugs (kind, slug, row_id) VALUES (TG_ARGV[0], OLD.slug, OLD.id)
    ON CONFLICT (kind, slug) DO UPDATE SET row_id = excluded.row_id, at = excluded.at;
  END IF;
  RETURN NULL;
END $$
"""
TABLES = {"series": "series", "tags": "tag", "people": "person"}


def upgrade() -> None:
    op.execute(TABLE)
    op.execute("CREATE INDEX former_slugs_kind_row_id_idx ON former_slugs (kind, row_id)")
    op.execute(REMEMBER)
    for table, kind in TABLES.items():
        op.execute(
            f"CREATE TRIGGER {table}_slug_changed AFTER UPDATE OF slug ON {table} FOR EACH ROW "
            f"WHEN (OLD.slug IS DISTINCT FROM NEW.slug) EXECUTE FUNCTION slugs_remember('{kind}')"
        )
        op.execute(
            f"CREATE TRIGGER {table}_slug_deleted AFTER DELETE ON {table} FOR EACH ROW "
            f"EXECUTE FUNCTION slugs_remember('{kind}')"
        )


def downgrade() -> None:
    for table in TABLES:
        op.execute(f"DROP TRIGGER {table}_slug_deleted ON {table}")
        op.execute(f"DROP TRIGGER {table}_slug_changed ON {table}")
    op.execute("DROP FUNCTION slugs_remember()")
    op.execute("DROP TABLE former_slugs")
