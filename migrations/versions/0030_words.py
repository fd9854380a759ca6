"""Words of programs and names as indexes: what answers searches when no engine does."""

from alembic import op

revision: str = "0030"
down_revision: str | None = "0011"

# Not inlined (it has a setting of its own), so that its cost is known: reading a table with it is
# slow, and the planner must not think otherwise. Of a description its beginning: every write of a
# program pays for every word.
WORDS = """
CREATE OR REPLACE FUNCTION catalog_words(title text, description text) RETURNS tsvector
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE COST 2000 SET search_path FROM CURRENT AS $$
  SELECT to_tsvector('simple',
    translate(catalog_fold(title || ' ' || left(description, 500)), '-./_@:', '      '))
$$
"""

INDEXES = {
    "programs_words_idx": "programs USING gin (catalog_words(title, description))",
    "series_title_trgm_idx": "series USING gin (catalog_fold(title) gin_trgm_ops)",
    "people_name_trgm_idx": "people USING gin (catalog_fold(name) gin_trgm_ops)",
    "tags_name_trgm_idx": "tags USING gin (catalog_fold(name) gin_trgm_ops)",
}


def upgrade() -> None:
    op.execute(WORDS)
    with op.get_context().autocommit_block():
        # Editors and imports go on writing meanwhile.
        for name, what in INDEXES.items():
            # An attempt that was interrupted leaves an index that is never used.
            op.execute(f"DROP INDEX CONCURRENTLY IF EXISTS {name}")
            op.execute(f"CREATE INDEX CONCURRENTLY {name} ON {what}")


def downgrade() -> None:
    for name in INDEXES:
        op.execute(f"DROP INDEX {name}")
    op.execute("DROP FUNCTION catalog_words(text, text)")
