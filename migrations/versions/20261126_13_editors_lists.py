"""Editors find programs in every state by their words, by who wrote them, and by what waits to be published.

The vocabulary also counts the words of programs that listeners do not see. The scheduler of a build before it would count
them out again, so it has to end before this is applied.
"""

from alembic import op

revision: str = "20261126_13"
down_revision: str | None = "20261126_12"

TABLES = (
    """
    CREATE TABLE changed_programs (
        program_id bigint      NOT NULL PRIMARY KEY REFERENCES programs ON DELETE CASCADE,
        at         timestamptz NOT NULL DEFAULT now()
    )
    """,
    # What became live is what was published; a program of an import may have been published with its first revision. What
    # was changed of a published program is live.
    """
    INSERT INTO changed_programs (program_id, at)
    SELECT p.id, max(r.at) FROM programs p JOIN program_revisions r ON r.program_id = p.id
    WHERE p.published_at IS NOT NULL AND p.status <> 'published'
      AND r.action NOT IN ('submit', 'withdraw', 'approve', 'reject', 'schedule', 'unschedule', 'publish',
        'unpublish', 'archive', 'restore', 'delete', 'undelete', 'apply_pending', 'create', 'import')
      AND r.rev > (SELECT coalesce(max(o.rev), 1) FROM program_revisions o
        WHERE o.program_id = p.id AND o.action IN ('publish', 'approve', 'apply_pending'))
    GROUP BY p.id ORDER BY p.id
    """,
    "ALTER TABLE vocabulary ADD COLUMN drafts integer NOT NULL DEFAULT 0",
    "ALTER TABLE vocabulary_programs ADD COLUMN is_visible boolean NOT NULL DEFAULT true",
    # Two words with one mistake between them share a number: of themselves, or without one of their letters (SymSpell).
    """
    CREATE FUNCTION catalog_shorter(word text) RETURNS integer[]
    LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE AS $$
      SELECT array_agg(DISTINCT hashtext(left(word, n - 1) || substr(word, n + 1)))
      FROM generate_series(1, least(char_length(word), 24) + 1) n
    $$
    """,
    "CREATE INDEX vocabulary_shorter_idx ON vocabulary USING gin (catalog_shorter(word))",
    "CREATE INDEX vocabulary_sounds_idx ON vocabulary USING gin (sounds)",
    "DROP INDEX vocabulary_unused_idx",
    "CREATE INDEX vocabulary_unused_idx ON vocabulary (word) WHERE programs <= 0 AND drafts <= 0",
)

WORDS_MARK = """
CREATE FUNCTION vocabulary_mark(ids bigint[]) RETURNS void LANGUAGE sql AS $$
  INSERT INTO vocabulary_marks (program_id)
  SELECT m.program_id FROM (SELECT DISTINCT unnest(ids) AS program_id) m ORDER BY m.program_id
  ON CONFLICT (program_id) DO UPDATE SET seq = nextval('vocabulary_seq')
$$
"""
# Programs that are not published have no document, but words.
UNLISTED_MARK = """
CREATE FUNCTION programs_unlisted_mark() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE ids bigint[];
BEGIN
  IF TG_OP = 'INSERT' THEN
    SELECT array_agg(id) INTO ids FROM changed_new WHERE status <> 'published';
  ELSIF TG_OP = 'DELETE' THEN
    SELECT array_agg(id) INTO ids FROM changed_old WHERE status <> 'published';
  ELSE
    SELECT array_agg(n.id) INTO ids FROM changed_new n JOIN changed_old o USING (id)
    WHERE n.status <> 'published' AND o.status <> 'published' AND n.rev <> o.rev;
  END IF;
  IF ids IS NOT NULL THEN PERFORM vocabulary_mark(ids); END IF;
  RETURN NULL;
END $$
"""
# The triggers name the rows that were removed `changed_new`, too.
RELATED_UNLISTED_MARK = """
CREATE FUNCTION {name}_unlisted_mark() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE ids bigint[];
BEGIN
  SELECT array_agg(p.id) INTO ids FROM changed_new r JOIN {join} WHERE p.status <> 'published';
  IF ids IS NOT NULL THEN PERFORM vocabulary_mark(ids); END IF;
  RETURN NULL;
END $$
"""
RELATED = {
    "program_tags": "programs p ON p.id = r.program_id",
    "program_people": "programs p ON p.id = r.program_id",
    "tags": "program_tags l ON l.tag_id = r.id JOIN programs p ON p.id = l.program_id",
    "people": "program_people l ON l.person_id = r.id JOIN programs p ON p.id = l.program_id",
    "series": "programs p ON p.series_id = r.id",
}
_CHANGED = {
    "INSERT": "NEW TABLE AS changed_new",
    "UPDATE": "NEW TABLE AS changed_new",
    "DELETE": "OLD TABLE AS changed_new",
}
_OF_PROGRAMS = {
    "INSERT": "NEW TABLE AS changed_new",
    "UPDATE": "OLD TABLE AS changed_old NEW TABLE AS changed_new",
    "DELETE": "OLD TABLE AS changed_old",
}
EVENTS = {
    "programs": _OF_PROGRAMS,
    "program_tags": _CHANGED,
    "program_people": _CHANGED,
    "tags": {"UPDATE": _CHANGED["UPDATE"]},
    "people": {"UPDATE": _CHANGED["UPDATE"]},
    "series": {"UPDATE": _CHANGED["UPDATE"]},
}

_LIVE = "WHERE deleted_at IS NULL"
# Filters and orders of editors' lists over every state. An order puts what has no value below every value.
INDEXES = {
    "programs_language_idx": f"programs (language) {_LIVE}",
    "programs_kind_idx": f"programs (kind) {_LIVE}",
    "programs_media_type_idx": f"programs (media_type) {_LIVE}",
    "programs_featured_idx": "programs (id) WHERE is_featured AND deleted_at IS NULL",
    "programs_title_order_idx": f"programs (catalog_fold(left(title, 60)), id) {_LIVE}",
    "programs_release_order_idx": (
        f"programs (coalesce(release_date, '-infinity'::timestamptz), id) {_LIVE}"
    ),
    "programs_published_order_idx": (
        f"programs (coalesce(published_at, '-infinity'::timestamptz), id) {_LIVE}"
    ),
    "programs_planned_order_idx": (
        "programs (scheduled_publish_at, id) WHERE scheduled_publish_at IS NOT NULL AND deleted_at IS NULL"
    ),
    "programs_views_order_idx": f"programs (view_count, id) {_LIVE}",
    "program_revisions_actor_idx": "program_revisions (actor, program_id)",
    "pending_revisions_authors_idx": "pending_revisions USING gin (authors)",
}


def upgrade() -> None:
    # First of all, so that an attempt that was interrupted can be repeated.
    with op.get_context().autocommit_block():
        for name, definition in INDEXES.items():
            op.execute(f"DROP INDEX CONCURRENTLY IF EXISTS {name}")
            op.execute(f"CREATE INDEX CONCURRENTLY {name} ON {definition}")
    for statement in (*TABLES, WORDS_MARK, UNLISTED_MARK):
        op.execute(statement)
    for name, join in RELATED.items():
        op.execute(RELATED_UNLISTED_MARK.format(name=name, join=join))
    for table, events in EVENTS.items():
        for event, rows in events.items():
            op.execute(
                f"CREATE TRIGGER {table}_unlisted_mark_{event.lower()} AFTER {event} ON {table} "
                f"REFERENCING {rows} FOR EACH STATEMENT EXECUTE FUNCTION {table}_unlisted_mark()"
            )
    op.execute(
        "INSERT INTO vocabulary_marks (program_id) SELECT id FROM programs "
        "WHERE status <> 'published' AND deleted_at IS NULL ORDER BY id ON CONFLICT DO NOTHING"
    )


def downgrade() -> None:
    for name in INDEXES:
        op.execute(f"DROP INDEX {name}")
    for table, events in EVENTS.items():
        for event in events:
            op.execute(f"DROP TRIGGER {table}_unlisted_mark_{event.lower()} ON {table}")
        op.execute(f"DROP FUNCTION {table}_unlisted_mark()")
    op.execute("DROP FUNCTION vocabulary_mark(bigint[])")
    for statement in (
        "DROP INDEX vocabulary_shorter_idx, vocabulary_sounds_idx, vocabulary_unused_idx",
        "DROP FUNCTION catalog_shorter(text)",
        "DELETE FROM vocabulary WHERE programs <= 0",
        "ALTER TABLE vocabulary DROP COLUMN drafts",
        "DELETE FROM vocabulary_programs WHERE NOT is_visible",
        "ALTER TABLE vocabulary_programs DROP COLUMN is_visible",
        "CREATE INDEX vocabulary_unused_idx ON vocabulary (word) WHERE programs <= 0",
        "DROP TABLE changed_programs",
    ):
        op.execute(statement)
