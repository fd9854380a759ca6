"""Lookups of programs by id or slug, and of the program that a merged program was merged into."""

from collections.abc import Sequence

import msgspec
from msgspec import UNSET
from sqlalchemy import Executable, RowMapping

from api.answers.answer import NOT_FOUND, Answer
from api.answers.cache import Cache
from api.discovery import schemas
from api.discovery.lookups.replica import Replica
from api.http.schemas import ProgramData, ProgramDetail, program_detail
from catalog.programs import public, queries

_encode = msgspec.json.Encoder().encode


class Programs:
    """Lookups of programs that listeners may see."""

    def __init__(self, replica: Replica, cache: Cache) -> None:
        """Keep the collaborators.

        Args:
            replica: Reads the programs.
            cache: Has the tombstones of withdrawn programs, because the replica may be behind.
        """
        self.replica, self.cache = replica, cache

    async def program(self, program_id: int) -> Answer:
        """Return one program, or NOT_FOUND."""
        rows = await self._rows([program_id])
        return program_answer(rows[0]) if rows else NOT_FOUND

    async def _rows(self, ids: Sequence[int]) -> Sequence[RowMapping]:
        """Return the visible programs among `ids`, never older than a change that this process knows."""
        rows = await self.replica.rows(queries.VISIBLE_BY_IDS, ids=list(ids))
        if self.replica.may_be_behind and self.cache.invalidations.is_behind(rows, ids):
            rows = await self.replica.newest(queries.VISIBLE_BY_IDS, ids=list(ids))
        return rows

    async def _found(self, statement: Executable, **parameters: object) -> Sequence[RowMapping]:
        """Return what a statement finds. A replica that finds nothing soon after a change is not believed."""
        rows = await self.replica.rows(statement, **parameters)
        known = self.cache.invalidations
        if not self.replica.may_be_behind or not (
            known.is_behind(rows) if rows else known.changed_within(self.replica.behind_seconds)
        ):
            return rows
        return await self.replica.newest(statement, **parameters)

    async def merged(self, program_id: int) -> Answer:
        """Return the id of the program that this one was merged into, or NOT_FOUND."""
        rows = await self._found(queries.VISIBLE_REDIRECTS, ids=[program_id])
        return _ids_answer(rows, "id")

    async def slug(self, slug: str) -> Answer:
        """Return `[id, current slug]` of the program that has or had a slug, or NOT_FOUND."""
        rows = await self._found(queries.VISIBLE_BY_SLUG, slug=slug)
        return _ids_answer(rows, "id", "slug")

    async def gone(self, key: str) -> bool:
        """Return whether an id or slug belongs to a program that was published and taken away for good."""
        if key.isascii() and key.isdigit():
            return bool(await self.replica.rows(public.GONE_BY_IDS, ids=[int(key)]))
        return bool(await self.replica.rows(public.GONE_BY_SLUG, slug=key))

    async def neighbours(
        self, series_id: int, program_id: int
    ) -> tuple[ProgramDetail | None, ProgramDetail | None]:
        """Return the programs before and after a program of a series; None at its ends.

        Args:
            series_id: The series.
            program_id: The program.
        """
        rows = await self.replica.rows(public.series_neighbours(series_id, program_id))
        before, after = (rows[0]["before"], rows[0]["after"]) if rows else (None, None)
        found = await self._visible([i for i in (before, after) if i is not None])
        return found.get(before or 0), found.get(after or 0)

    async def batch(self, ids: Sequence[int]) -> schemas.BatchAnswer:
        """Return programs in the order of `ids`; a merged id stands for the program that stayed. Each counts once."""
        wanted = list(dict.fromkeys(ids))
        found = await self._visible(wanted)
        absent = [i for i in wanted if i not in found]
        moved: dict[int, int] = {}
        if absent:
            redirects = await self._found(queries.VISIBLE_REDIRECTS, ids=absent)
            moved = {row["program_id"]: row["id"] for row in redirects}
        if moved:
            found |= await self._visible([i for i in moved.values() if i not in found])
        moved = {old: new for old, new in moved.items() if new in found}
        shown = list(dict.fromkeys(moved.get(i, i) for i in wanted))
        return schemas.BatchAnswer(
            data=[found[i] for i in shown if i in found],
            meta=schemas.BatchMeta(
                missing=[i for i in wanted if i not in found and i not in moved],
                moved={str(old): new for old, new in moved.items()} or UNSET,
            ),
        )

    async def _visible(self, ids: Sequence[int]) -> dict[int, ProgramDetail]:
        rows = await self._rows(ids)
        found = {row["id"]: program_detail(row) for row in rows}
        for program_id in self.cache.withdrawn(found):
            del found[program_id]
        return found


def program_answer(row: RowMapping) -> Answer:
    """Return the answer of a lookup, from a row of `queries.detail()`. Warming stores the same bytes."""
    data = ProgramData(data=program_detail(row))
    return Answer(_encode(data), rev=row["rev"], ids=(row["id"],))


def _ids_answer(rows: Sequence[RowMapping], *columns: str) -> Answer:
    if not rows:
        return NOT_FOUND
    values = [rows[0][column] for column in columns]
    return Answer(_encode(values[0] if len(values) == 1 else values), ids=(rows[0]["id"],))
