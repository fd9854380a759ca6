"""The writes of the journal: entries for marks, in the order of commits; withdrawals that are old; a new epoch.

The scheduler's clock calls `write` every second. Marks get their positions from whoever has the journal's lock, in a
transaction that has nothing else to do, so a position that a reader sees has no lower one behind it that is still to
come: a change whose transaction is open for long gets its position when it has committed.
"""

from sqlalchemy import delete, func, select, text, update
from sqlalchemy.orm import Session

from catalog.core import audit
from catalog.core.actor import Actor
from catalog.journal.models import JournalEntry, JournalMark, JournalState
from catalog.programs.models import Program
from catalog.programs.queries import VISIBLE

# Marks of one transaction.
BATCH = 1_000
_LOCK = "hashtext('journal')"
_VISIBLE = select(Program.id).where(Program.id == func.any(text("CAST(:ids AS bigint[])")), *VISIBLE)
# A program that was never seen has no entry, so nobody learns of a draft that was thrown away.
_ENTRIES = text(
    """
    INSERT INTO journal AS j (program_id, position, is_visible, shown_since, at)
    SELECT n.program_id, n.position, n.is_visible, n.position, clock_timestamp()
    FROM (
      SELECT m.program_id, nextval('journal_seq') AS position, m.program_id = ANY(CAST(:visible AS bigint[])) AS is_visible
      FROM unnest(CAST(:ids AS bigint[])) AS m (program_id)
      LEFT JOIN journal k ON k.program_id = m.program_id
      WHERE k.is_visible OR m.program_id = ANY(CAST(:visible AS bigint[]))) n
    ON CONFLICT (program_id) DO UPDATE SET
      position = excluded.position,
      is_visible = excluded.is_visible,
      shown_since = CASE WHEN j.is_visible THEN j.shown_since ELSE excluded.position END,
      at = excluded.at
    """
)


def write(session: Session, batch: int = BATCH) -> int:
    """Write the entries of the oldest marks; return how many marks there were.

    Args:
        session: A transaction for this alone, which the caller commits.
        batch: How many marks at most.
    """
    if not session.scalar(text(f"SELECT pg_try_advisory_xact_lock({_LOCK})")):
        return 0
    oldest = select(JournalMark.id).order_by(JournalMark.id).limit(batch)
    marked = session.scalars(
        delete(JournalMark).where(JournalMark.id.in_(oldest)).returning(JournalMark.program_id)
    ).all()
    if marked:
        # What has committed the marks is visible to this statement.
        ids = sorted(set(marked))
        visible = session.scalars(_VISIBLE, {"ids": ids}).all()
        session.execute(_ENTRIES, {"ids": ids, "visible": list(visible)})
    return len(marked)


def prune(session: Session, keep_days: int) -> int:
    """Delete the withdrawals that are older than `keep_days` days; return how many.

    Readers that have not come further than the deleted ones have to begin again.
    """
    session.execute(text(f"SELECT pg_advisory_xact_lock({_LOCK})"))
    old = delete(JournalEntry).where(
        ~JournalEntry.is_visible, JournalEntry.at < func.now() - func.make_interval(0, 0, 0, keep_days)
    )
    positions = session.scalars(old.returning(JournalEntry.position)).all()
    if positions:
        session.execute(update(JournalState).values(floor=func.greatest(JournalState.floor, max(positions))))
    return len(positions)


def begin_epoch(session: Session, actor: Actor) -> str:
    """Give the journal a new name, so that readers of the old one begin again; return it.

    After a restored backup, positions are given a second time, and a reader that has seen the first ones would miss the
    second.
    """
    row = session.execute(
        text("UPDATE journal_state SET epoch = substr(md5(gen_random_uuid()::text), 1, 8) RETURNING epoch")
    ).scalar_one()
    audit.record(session, actor, "journal.begin", "journal", None)
    return str(row)
