"""The writes of the journal: entries for marks, in the order of commits; withdrawals that are old; a new epoch.

The scheduler's clock calls `write` every second. Marks get their positions from whoever has the journal's lock, in a
transaction that has nothing else to do, so a position that a reader sees has no lower one behind it that is still to
come: a change whose transaction is open for long gets its position when it has committed.
"""

from collections.abc import Sequence

from sqlalchemy import ColumnElement, and_, delete, func, insert, or_, select, text, update
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
_WITHOUT = delete(JournalEntry).where(
    or_(
        JournalEntry.program_id == func.any(text("CAST(:turned AS bigint[])")),
        and_(
            JournalEntry.program_id == func.any(text("CAST(:changed AS bigint[])")),
            JournalEntry.type == "changed",
        ),
    )
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
    taken = (
        delete(JournalMark)
        .where(JournalMark.id.in_(oldest))
        .returning(JournalMark.id, JournalMark.program_id)
    )
    marked = sorted(tuple(mark) for mark in session.execute(taken))
    if marked:
        # In the order of their last marks.
        _tell(session, [*dict.fromkeys(program_id for _, program_id in reversed(marked))][::-1])
    return len(marked)


def is_any_marked() -> ColumnElement[bool]:
    """Return the condition that there is something for `write`."""
    return select(JournalMark.id).exists()


def _tell(session: Session, ids: Sequence[int]) -> None:
    """Write what happened to programs since their last entries. What has committed the marks is visible to the statements."""
    told = session.scalars(
        select(JournalEntry.program_id).where(
            JournalEntry.program_id.in_(ids), JournalEntry.type == "published"
        )
    )
    before, now = set(told), set(session.scalars(_VISIBLE, {"ids": ids}))
    # A program that was never seen has no entry, so nobody learns of a draft that was thrown away.
    found = {
        program_id: "changed"
        if program_id in before & now
        else "published"
        if program_id in now
        else "withdrawn"
        for program_id in ids
        if program_id in before | now
    }
    changed = [program_id for program_id, kind in found.items() if kind == "changed"]
    turned = [program_id for program_id, kind in found.items() if kind != "changed"]
    session.execute(_WITHOUT, {"turned": turned, "changed": changed})
    if found:
        session.execute(
            insert(JournalEntry).values(position=func.nextval("journal_seq")),
            [{"program_id": program_id, "type": kind} for program_id, kind in found.items()],
        )


def prune(session: Session, keep_days: int) -> int:
    """Delete the withdrawals that are older than `keep_days` days; return how many.

    Readers that have not come further than the deleted ones have to begin again.
    """
    session.execute(text(f"SELECT pg_advisory_xact_lock({_LOCK})"))
    old = delete(JournalEntry).where(
        JournalEntry.type == "withdrawn",
        JournalEntry.at < func.now() - func.make_interval(0, 0, 0, keep_days),
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
