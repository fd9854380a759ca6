"""A program by chance: one statement of PostgreSQL, never cached."""

from collections.abc import Sequence

from sqlalchemy import RowMapping

from api.answers.cache import Cache
from api.discovery.lookups.replica import Replica
from api.discovery.narrowing.filters import Filters
from api.discovery.searching.asking.sql import conditions
from api.http.schemas import ProgramDetail, program_detail
from catalog.programs.around.categories import category_id
from catalog.programs.around.draw import draw
from catalog.programs.models import Program


class Chance:
    """Draws visible programs, each with the same chance."""

    def __init__(self, replica: Replica, cache: Cache) -> None:
        """Keep the collaborators.

        Args:
            replica: Reads the program.
            cache: Has the tombstones of withdrawn programs, because the replica may be behind.
        """
        self._replica, self._cache = replica, cache

    async def one(self, filters: Filters, category: str | None) -> ProgramDetail | None:
        """Return a program by chance, or None when none meets the filters.

        Args:
            filters: What the program has to meet.
            category: The id or slug of its category, too.

        Raises:
            DBAPIError: PostgreSQL does not answer, or not in time.
            sqlalchemy.exc.TimeoutError: No connection became free.
        """
        wanted = conditions(filters)
        if category is not None:
            wanted.append(Program.category_id == category_id(category))
        statement = draw(wanted)
        rows = await self._replica.rows(statement)
        if self._is_old(rows):
            rows = await self._replica.newest(statement)
        return program_detail(rows[0]) if rows and not self._withdrawn(rows) else None

    def _is_old(self, rows: Sequence[RowMapping]) -> bool:
        """Return whether a replica shows what was changed or withdrawn since."""
        known = self._cache.invalidations
        return self._replica.may_be_behind and (self._withdrawn(rows) or known.is_behind(rows))

    def _withdrawn(self, rows: Sequence[RowMapping]) -> bool:
        return bool(self._cache.invalidations.withdrawn([row["id"] for row in rows]))
