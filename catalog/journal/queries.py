"""How the journal is read. The caller runs the statements.

A page is one statement: what it tells of a program is as new as the entry that names the program, whichever replica
answers. A change that comes later has an entry of its own, at a higher position.
"""

from typing import Literal, NamedTuple, get_args

from sqlalchemy import RowMapping, func, or_, select, true

from catalog.core.db import AnySelect
from catalog.journal.models import JournalEntry, JournalMark, JournalState
from catalog.programs.models import Program
from catalog.programs.queries import VISIBLE, detail

ChangeType = Literal["program.published", "program.changed", "program.withdrawn"]
CHANGE_TYPES: tuple[ChangeType, ...] = get_args(ChangeType)
# How listeners write an epoch and a reader: `5f0c1a9e.1024`, or `5f0c1a9e.100.1024` while `begun` counts.
CURSOR = r"[0-9a-f]{8}\.\d{1,18}(\.\d{1,18})?"
# What a reader that has nothing yet passes as `begun`: no change or withdrawal until now concerns it.
FRESH = 2**62
_LAST = select(func.coalesce(func.max(JournalEntry.position), 0)).scalar_subquery()
# A withdrawal that is no longer kept may have been the last entry: whoever begins now has nothing to learn of it.
_HEAD = func.greatest(_LAST, JournalState.floor)
# Seconds since the oldest mark that has no entry yet; 0 without any.
BEHIND = select(
    func.coalesce(func.extract("epoch", func.clock_timestamp() - func.min(JournalMark.marked_at)), 0)
)
# The highest position, and the highest one of a withdrawal that is no longer kept.
PLACES = select(_HEAD.label("head"), JournalState.floor, JournalState.epoch)


class Reader(NamedTuple):
    """How far a reader has come.

    Attributes:
        position: It has read every entry up to here.
        begun: Of a reader that began with nothing: the lowest of the highest positions of the servers that it was told by.
            No change up to there concerns it. 0 once it has come past it, or when it began there.
    """

    position: int
    begun: int = 0

    def is_kept(self, floor: int) -> bool:
        """Return whether every withdrawal that this reader has to learn is still kept."""
        return floor <= max(self.position, self.begun)

    def behind(self, head: int) -> "Reader":
        """Return the reader after a page of a server.

        A replica may be behind the server where the reader began, and has told of programs as they were there. So changes
        above its head concern the reader. (Those up to there showed on the same page, so the page itself lacks nothing.)

        Args:
            head: The highest position on that server.
        """
        return self._replace(begun=min(self.begun, head))


def change_of(row: RowMapping) -> ChangeType:
    """Return what an entry says; a program that is not visible any more was withdrawn, whether it has an entry of that or not.

    Args:
        row: Of `page`.
    """
    if row["id"] is None:
        return "program.withdrawn"
    return "program.published" if row["entry_type"] == "published" else "program.changed"


def page(reader: Reader, limit: int) -> AnySelect:
    """Return the entries behind a reader's position, in their order, with `queries.detail()` of the programs that are visible.

    A row also has `epoch`, `floor` and `head` of the journal. When there is no entry, one row has these alone.

    Args:
        reader: How far the reader has come.
        limit: How many entries at most.
    """
    entry = (
        select(
            JournalEntry.program_id,
            JournalEntry.position,
            JournalEntry.type.label("entry_type"),
            JournalEntry.at.label("changed_at"),
        )
        .where(
            JournalEntry.position > reader.position,
            # Whoever begins with nothing is told of each program once: publications show programs as they are now.
            or_(JournalEntry.type == "published", JournalEntry.position > reader.begun),
        )
        .order_by(JournalEntry.position)
        .limit(limit)
        .subquery("entry")
    )
    shown = detail().where(Program.id == entry.c.program_id, *VISIBLE).lateral("shown")
    return (
        select(JournalState.epoch, JournalState.floor, _HEAD.label("head"), *entry.c, *shown.c)
        .select_from(JournalState)
        .outerjoin(entry, true())
        .outerjoin(shown, true())
        .order_by(entry.c.position)
    )


def one(program_id: int) -> AnySelect:
    """Return `page`'s columns for the last entry of one program; no row without an entry."""
    shown = detail().where(Program.id == JournalEntry.program_id, *VISIBLE).lateral("shown")
    return (
        select(
            JournalEntry.program_id,
            JournalEntry.position,
            JournalEntry.type.label("entry_type"),
            JournalEntry.at.label("changed_at"),
            *shown.c,
        )
        .select_from(JournalEntry)
        .outerjoin(shown, true())
        .where(JournalEntry.program_id == program_id)
        .order_by(JournalEntry.position.desc())
        .limit(1)
    )
