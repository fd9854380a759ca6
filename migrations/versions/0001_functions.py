"""What tables need before they exist: trigram search, one folding, popularity, the mark sequence."""

from alembic import op

revision: str = "0001"
down_revision: str | None = None

# The same letters as catalog.text.fold; immutable, so that an index can be built on it.
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


def upgrade() -> None:
    op.execute("CREATE EXTENSION IF NOT EXISTS pg_trgm")
    op.execute(FOLD)
    op.execute(POPULARITY)
    op.execute("CREATE SEQUENCE index_dirty_seq")


def downgrade() -> None:
    op.execute("DROP SEQUENCE index_dirty_seq")
    op.execute("DROP FUNCTION catalog_popularity(bigint)")
    op.execute("DROP FUNCTION catalog_fold(text)")
