"""Whether an index is filled is its state; marks are due as long as they are not parked.

No release has the columns that go, so they go in one step.
"""

from alembic import op

revision: str = "20261126_05"
down_revision: str | None = "20261126_04"

_VOCABULARY = """
  INSERT INTO vocabulary_marks (program_id)
  SELECT m.program_id FROM (SELECT DISTINCT unnest(ids) AS program_id) m ORDER BY m.program_id
  ON CONFLICT (program_id) DO UPDATE SET seq = nextval('vocabulary_seq')
"""


def _mark(targets: str, due: str) -> str:
    return f"""
CREATE OR REPLACE FUNCTION index_mark(ids bigint[]) RETURNS void LANGUAGE sql AS $$
  INSERT INTO index_dirty AS d (target_id, program_id, rev)
  SELECT t.id, m.program_id, coalesce(p.rev, 0)
  FROM (SELECT DISTINCT unnest(ids) AS program_id) m
  LEFT JOIN programs p ON p.id = m.program_id
  CROSS JOIN index_targets t
  {targets}
  ORDER BY m.program_id, t.id
  ON CONFLICT (target_id, program_id) DO UPDATE SET
    rev = excluded.rev,
    seq = nextval('index_dirty_seq'),
    parked = d.parked AND d.rev = excluded.rev,
    attempts = CASE WHEN d.parked AND d.rev = excluded.rev THEN d.attempts ELSE 0 END,
    error = CASE WHEN d.parked AND d.rev = excluded.rev THEN d.error END{due}
;{_VOCABULARY}$$
"""


def _states(*names: str) -> None:
    listed = ", ".join(f"'{name}'" for name in names)
    op.execute(
        f"ALTER TABLE index_targets ADD CONSTRAINT index_targets_state_check CHECK (state IN ({listed}))"
    )


def upgrade() -> None:
    op.execute("ALTER TABLE index_targets DROP CONSTRAINT index_targets_state_check")
    # Nothing has ever retired a target.
    op.execute("DELETE FROM index_targets WHERE state = 'retired'")
    op.execute(
        "UPDATE index_targets SET state = CASE WHEN fill_marked_at IS NULL THEN 'empty' ELSE 'filling' END "
        "WHERE state = 'live' AND NOT filled"
    )
    op.execute("ALTER TABLE index_targets ALTER COLUMN state SET DEFAULT 'empty', DROP COLUMN filled")
    _states("empty", "filling", "live", "building", "previous")
    op.execute(_mark("", ""))
    op.execute("ALTER TABLE index_dirty DROP COLUMN next_at")


def downgrade() -> None:
    op.execute("ALTER TABLE index_dirty ADD COLUMN next_at timestamptz NOT NULL DEFAULT clock_timestamp()")
    op.execute(_mark("WHERE t.state <> 'retired'", ",\n    next_at = clock_timestamp()"))
    op.execute("ALTER TABLE index_targets DROP CONSTRAINT index_targets_state_check")
    op.execute("ALTER TABLE index_targets ADD COLUMN filled boolean NOT NULL DEFAULT false")
    op.execute("UPDATE index_targets SET filled = state NOT IN ('empty', 'filling')")
    op.execute("UPDATE index_targets SET state = 'live' WHERE state IN ('empty', 'filling')")
    op.execute("ALTER TABLE index_targets ALTER COLUMN state SET DEFAULT 'live'")
    _states("live", "building", "previous", "retired")
