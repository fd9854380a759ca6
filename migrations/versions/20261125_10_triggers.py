"""Triggers that raise `rev` with every change of content, and mark programs for the search indexes."""

from alembic import op

revision: str = "20261125_10"
down_revision: str | None = "20261125_09"

# Raw SQL counts too: whatever changes content moves rev. Counting views does not.
TOUCH_PROGRAM = """
CREATE FUNCTION programs_touch() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE probe programs;
BEGIN
  probe := NEW;
  probe.view_count := OLD.view_count;
  probe.popularity := OLD.popularity;
  probe.updated_at := OLD.updated_at;
  IF probe IS DISTINCT FROM OLD THEN
    IF NEW.rev <= OLD.rev THEN NEW.rev := OLD.rev + 1; END IF;
    NEW.updated_at := now();
  END IF;
  RETURN NEW;
END $$
"""

TOUCH_OTHER = """
CREATE FUNCTION catalog_touch() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF NEW IS DISTINCT FROM OLD THEN
    IF NEW.rev <= OLD.rev THEN NEW.rev := OLD.rev + 1; END IF;
    NEW.updated_at := now();
  END IF;
  RETURN NEW;
END $$
"""

# Ids in ascending order: two writers that mark the same programs meet in one order, never in a
# deadlock. A parked program comes free only when its content moved, or a bad document would be
# tried again at every counted view. The oldest unconfirmed mark keeps its time: lag is honest.
MARK = """
CREATE FUNCTION index_mark(ids bigint[]) RETURNS void LANGUAGE sql AS $$
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
$$
"""

# Only a program that is or was published can have a document.
PROGRAMS = """
CREATE FUNCTION programs_mark() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE ids bigint[];
BEGIN
  IF TG_OP = 'INSERT' THEN
    SELECT array_agg(id) INTO ids FROM changed_new WHERE status = 'published';
  ELSIF TG_OP = 'DELETE' THEN
    SELECT array_agg(id) INTO ids FROM changed_old WHERE status = 'published';
  ELSE
    SELECT array_agg(id) INTO ids FROM (
      SELECT o.id FROM changed_old o LEFT JOIN changed_new n USING (id)
      WHERE (o.status = 'published' OR n.status = 'published')
        AND (n.id IS NULL OR n.rev <> o.rev OR n.popularity <> o.popularity)
      UNION
      SELECT n.id FROM changed_new n LEFT JOIN changed_old o USING (id)
      WHERE o.id IS NULL AND n.status = 'published') AS touched;
  END IF;
  IF ids IS NOT NULL THEN PERFORM index_mark(ids); END IF;
  RETURN NULL;
END $$
"""


def _related(name: str, select_old: str, select_new: str) -> str:
    return f"""
CREATE FUNCTION {name}_mark() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE ids bigint[];
BEGIN
  IF TG_OP = 'INSERT' THEN
    SELECT array_agg(program_id) INTO ids FROM ({select_new}) AS touched;
  ELSIF TG_OP = 'DELETE' THEN
    SELECT array_agg(program_id) INTO ids FROM ({select_old}) AS touched;
  ELSE
    SELECT array_agg(program_id) INTO ids
    FROM ({select_old} UNION {select_new}) AS touched;
  END IF;
  IF ids IS NOT NULL THEN PERFORM index_mark(ids); END IF;
  RETURN NULL;
END $$
"""


def _through(join: str) -> tuple[str, str]:
    query = "SELECT p.id AS program_id FROM {rows} r JOIN {join} WHERE p.status = 'published'"
    return (query.format(rows="changed_old", join=join), query.format(rows="changed_new", join=join))


RELATED = {
    "program_tags": _through("programs p ON p.id = r.program_id"),
    "program_people": _through("programs p ON p.id = r.program_id"),
    "tags": _through("program_tags l ON l.tag_id = r.id JOIN programs p ON p.id = l.program_id"),
    "people": _through("program_people l ON l.person_id = r.id JOIN programs p ON p.id = l.program_id"),
    "categories": _through("programs p ON p.category_id = r.id"),
    "series": _through("programs p ON p.series_id = r.id"),
}
# A new or deleted tag, person, category or series has no programs: only its links matter.
EVENTS = {
    "programs": ("INSERT", "UPDATE", "DELETE"),
    "program_tags": ("INSERT", "UPDATE", "DELETE"),
    "program_people": ("INSERT", "UPDATE", "DELETE"),
    "tags": ("UPDATE",),
    "people": ("UPDATE",),
    "categories": ("UPDATE",),
    "series": ("UPDATE",),
}
_TRANSITIONS = {
    "INSERT": "NEW TABLE AS changed_new",
    "UPDATE": "OLD TABLE AS changed_old NEW TABLE AS changed_new",
    "DELETE": "OLD TABLE AS changed_old",
}


def upgrade() -> None:
    for statement in (TOUCH_PROGRAM, TOUCH_OTHER, MARK, PROGRAMS):
        op.execute(statement)
    for name, (select_old, select_new) in RELATED.items():
        op.execute(_related(name, select_old, select_new))
    op.execute(
        "CREATE TRIGGER programs_touch BEFORE UPDATE ON programs "
        "FOR EACH ROW EXECUTE FUNCTION programs_touch()"
    )
    for table in ("categories", "series"):
        op.execute(
            f"CREATE TRIGGER {table}_touch BEFORE UPDATE ON {table} "
            "FOR EACH ROW EXECUTE FUNCTION catalog_touch()"
        )
    for table, events in EVENTS.items():
        for event in events:
            op.execute(
                f"CREATE TRIGGER {table}_mark_{event.lower()} AFTER {event} ON {table} "
                f"REFERENCING {_TRANSITIONS[event]} "
                f"FOR EACH STATEMENT EXECUTE FUNCTION {table}_mark()"
            )


def downgrade() -> None:
    for table, events in EVENTS.items():
        for event in events:
            op.execute(f"DROP TRIGGER {table}_mark_{event.lower()} ON {table}")
        op.execute(f"DROP FUNCTION {table}_mark()")
    for table in ("programs", "categories", "series"):
        op.execute(f"DROP TRIGGER {table}_touch ON {table}")
    op.execute("DROP FUNCTION index_mark(bigint[])")
    op.execute("DROP FUNCTION catalog_touch()")
    op.execute("DROP FUNCTION programs_touch()")
