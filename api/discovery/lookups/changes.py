"""The feed of changes, from the journal: what was published, changed or withdrawn behind a cursor.

A cursor is the journal's epoch, a position and, of a reader that began with nothing and is not past it yet, the position up
to which each server that it has read from was: that of its beginning, or of a replica that was behind.
"""

import re
from collections.abc import Sequence

import msgspec
from msgspec import UNSET
from sqlalchemy import RowMapping

from api.answers.answer import Answer
from api.answers.cache import Cache
from api.discovery.lookups.replica import Replica
from api.discovery.lookups.schemas import Change, ChangesAnswer, ChangesMeta
from api.http.errors import Problem
from api.http.schemas import program_detail
from catalog.core.errors import FieldError
from catalog.journal import queries
from catalog.journal.queries import CURSOR, FRESH, Reader

# What asks for the changes from now on.
NOW = "now"
# Seconds for which an answer is kept: a mirror that asks again learns of a change this much later.
KEPT_SECONDS = 1.0
_CURSOR = re.compile(CURSOR, re.ASCII)
_encode = msgspec.json.Encoder().encode


def parse(since: str) -> tuple[str, Reader]:
    """Return the epoch and the reader of a cursor.

    Raises:
        Problem: The text is no cursor.
    """
    if not _CURSOR.fullmatch(since):
        raise Problem(
            "invalid_cursor",
            errors=[FieldError("since", "invalid", "Must be meta.next of an answer, or now.")],
        )
    epoch, *places = since.split(".")
    return epoch, Reader(*map(int, places))


def cursor(epoch: str, reader: Reader) -> str:
    """Return the cursor of a reader."""
    return f"{epoch}.{reader.position}" + (f".{reader.begun}" if reader.begun > reader.position else "")


def change(row: RowMapping) -> Change:
    """Return what an entry says, of a row of `catalog.journal.queries.page`."""
    said = queries.change_of(row)
    program = UNSET if said == "program.withdrawn" else program_detail(row)
    return Change(type=said, id=row["program_id"], at=row["changed_at"], program=program)


class Changes:
    """Pages of the feed."""

    def __init__(self, replica: Replica, cache: Cache) -> None:
        """Keep the collaborators.

        Args:
            replica: Reads the journal.
            cache: Has the tombstones of withdrawn programs, because the replica may be behind.
        """
        self._replica, self._cache = replica, cache

    async def changes(self, since: str | None, limit: int) -> tuple[Answer, str]:
        """Return the changes behind a cursor, and the cursor behind them if there are more; without a cursor, every program.

        Args:
            since: The cursor, or NOW for nothing but the cursor of now.
            limit: How many changes at most.

        Raises:
            Problem: The text is no cursor, or the cursor is older than what is kept.
            DBAPIError: PostgreSQL does not answer, or not in time.
            sqlalchemy.exc.TimeoutError: No connection became free.
        """
        if since == NOW:
            place = (await self._replica.rows(queries.PLACES))[0]
            return _answer([], limit, cursor(place["epoch"], Reader(place["head"])), has_more=False), ""
        epoch, reader = parse(since) if since else (None, Reader(0, FRESH))
        rows = await self._replica.rows(queries.page(reader, limit + 1))
        state, entries = rows[0], [row for row in rows if row["program_id"] is not None]
        if epoch is None:
            epoch, reader = state["epoch"], Reader(0, state["head"])
        elif epoch != state["epoch"] or not reader.is_kept(state["floor"]):
            raise Problem("cursor_expired", "Read the feed from its beginning, without since.")
        reader = reader.behind(state["head"])
        shown, has_more = entries[:limit], len(entries) > limit
        position = shown[-1]["position"] if has_more else max(reader.position, state["head"])
        following = cursor(epoch, reader._replace(position=position))
        answer = _answer(self._shown(shown), limit, following, has_more=has_more)
        return answer, following if has_more else ""

    def _shown(self, rows: Sequence[RowMapping]) -> list[Change]:
        """Return changes without what was withdrawn since, of which a replica may not know yet."""
        found = [change(row) for row in rows]
        withdrawn = self._cache.withdrawn(each.id for each in found if each.program is not UNSET)
        return [
            Change(type="program.withdrawn", id=each.id, at=each.at) if each.id in withdrawn else each
            for each in found
        ]


def _answer(changes: list[Change], limit: int, following: str, *, has_more: bool) -> Answer:
    answer = ChangesAnswer(data=changes, meta=ChangesMeta(limit=limit, next=following, has_more=has_more))
    shown = tuple(each.id for each in changes if each.program is not UNSET)
    return Answer(_encode(answer), ids=shown, max_ttl=KEPT_SECONDS)
