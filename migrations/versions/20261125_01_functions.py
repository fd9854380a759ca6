"""Functions that columns and indexes are computed with, and the sequence that numbers index marks."""

from alembic import op

revision: str = "20261125_01"
down_revision: str | None = None

# The same letters as the catalogue's Python function `fold`; immutable, so that an index can be built on it.
FOLD = r"""
CREATE FUNCTION catalog_fold(value text) RETURNS text
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE AS $$
  SELECT lower(translate(
    regexp_replace(normalize(value, NFKC),
      '[\u0610-\u061A\u064B-\u065F\u0670\u06D6-\u06ED\u0640\u200C-\u200F]', '', 'g'),
    'أإآٱىیئةؤک٠١٢٣٤٥٦٧٨٩۰۱۲۳۴۵۶۷۸۹áàâäãåéèêëíìîïóòôöõúùûüçñ',
    'اااايييهوك01234567890123456789aaaaaaeeeeiiiiooooouuuucn'))
$$
"""

# 1,234 -> 1,200: two significant digits say how popular something is; more only causes work.
POPULARITY = """
CREATE FUNCTION catalog_popularity(views bigint) RETURNS bigint
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE AS $$
  SELECT CASE WHEN views < 100 THEN views
    ELSE views - views % (10 ^ (length(views::text) - 2))::bigint END
$$
"""

# The words by which PostgreSQL answers a search when no engine does. `SET search_path` keeps the planner
# from inlining the function, so that its declared cost counts: without an index, computing the words of
# every row is slow. Only the beginning of a description counts, because every write pays for every word.
WORDS = """
CREATE FUNCTION catalog_words(title text, description text) RETURNS tsvector
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE COST 2000 SET search_path FROM CURRENT AS $$
  SELECT to_tsvector('simple',
    translate(catalog_fold(title || ' ' || left(description, 500)), '-./_@:', '      '))
$$
"""


def upgrade() -> None:
    op.execute("CREATE EXTENSION IF NOT EXISTS pg_trgm")
    for function in (FOLD, POPULARITY, WORDS):
        op.execute(function)
    op.execute("CREATE SEQUENCE index_dirty_seq")


def downgrade() -> None:
    # The extension stays: the database's owner may have installed it for another purpose.
    op.execute("DROP SEQUENCE index_dirty_seq")
    op.execute("DROP FUNCTION catalog_words(text, text)")
    op.execute("DROP FUNCTION catalog_popularity(bigint)")
    op.execute("DROP FUNCTION catalog_fold(text)")
