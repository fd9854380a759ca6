"""The vocabulary: marks by the triggers of the search indexes, the words of every program, their counts."""

from alembic import op

revision: str = "20261126_01"
down_revision: str | None = "20261125_11"

TABLES = (
    "CREATE SEQUENCE vocabulary_seq",
    # A queue in a table, as index_dirty is.
    """
    CREATE TABLE vocabulary_marks (
        program_id bigint NOT NULL PRIMARY KEY,
        seq        bigint NOT NULL DEFAULT nextval('vocabulary_seq')
    ) WITH (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 2000, fillfactor = 70)
    """,
    "CREATE INDEX vocabulary_marks_seq_idx ON vocabulary_marks (seq)",
    "CREATE TABLE vocabulary_programs (program_id bigint NOT NULL PRIMARY KEY, words text[] NOT NULL)",
    """
    CREATE TABLE vocabulary (
        word     text COLLATE "C" NOT NULL PRIMARY KEY,
        programs integer          NOT NULL,
        sounds   integer[]        NOT NULL
    )
    """,
    # Words that no program has any more are looked for after every roll-up.
    "CREATE INDEX vocabulary_unused_idx ON vocabulary (word) WHERE programs <= 0",
    """
    CREATE TABLE vocabulary_state (
        one     boolean NOT NULL DEFAULT true PRIMARY KEY CHECK (one),
        version bigint  NOT NULL DEFAULT 0
    )
    """,
    "INSERT INTO vocabulary_state DEFAULT VALUES",
    "INSERT INTO vocabulary_marks (program_id) SELECT id FROM programs WHERE status = 'published' ORDER BY id",
)

INDEXES = """
  INSERT INTO index_dirty AS d (target_id, program_id, rev)
  SELECT t.id, m.program_id, coalesce(p.rev, 0)
  FROM (SELECT DISTINCT unnest(ids) AS program_id) m
  LEFT JOIN programs p ON p.id = m.program_id
  CROSS JOIN index_targets t
  WHERE t.state <> 'retired'
  ORDER BY m.program_id, t.id
  ON CONFLICT (target_id, program_id) DO UPDATE SET
    rev = excluded.rev,
    seq = nextval('index_dirty_seq'),
    parked = d.parked AND d.rev = excluded.rev,
    attempts = CASE WHEN d.parked AND d.rev = excluded.rev THEN d.attempts ELSE 0 END,
    error = CASE WHEN d.parked AND d.rev = excluded.rev THEN d.error END,
    next_at = clock_timestamp()
"""
# In ascending order of the ids, as the marks of the indexes.
VOCABULARY = """
  INSERT INTO vocabulary_marks (program_id)
  SELECT m.program_id FROM (SELECT DISTINCT unnest(ids) AS program_id) m ORDER BY m.program_id
  ON CONFLICT (program_id) DO UPDATE SET seq = nextval('vocabulary_seq')
"""


def _mark(*statements: str) -> str:
    body = ";".join(statements)
    return f"CREATE OR REPLACE FUNCTION index_mark(ids bigint[]) RETURNS void LANGUAGE sql AS $${body}$$"


def upgrade() -> None:
    for statement in TABLES:
        op.execute(statement)
    op.execute(_mark(INDEXES, VOCABULARY))


def downgrade() -> None:
    op.execute(_mark(INDEXES))
    for table in ("vocabulary_state", "vocabulary", "vocabulary_programs", "vocabulary_marks"):
        op.execute(f"DROP TABLE {table}")
    op.execute("DROP SEQUENCE vocabulary_seq")
