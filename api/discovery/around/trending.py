"""What is viewed most lately, from the faded sums of views in PostgreSQL: one statement, with the order of an index."""

from dataclasses import dataclass
from typing import cast

import msgspec

from api.answers.answer import Answer
from api.answers.cache import Cache
from api.discovery.around import schemas
from api.discovery.lookups.replica import Replica
from api.discovery.schemas import card
from catalog.programs.around.trends import WINDOWS, trending
from catalog.programs.queries import ProgramRow
from indexer.engines import document

MAX_TRENDING, DEFAULT_TRENDING, DEFAULT_WINDOW = 50, 12, "24h"
# Programs that are read beyond the limit: a replica may still show some that were just withdrawn.
_SPARE = 10
_encode = msgspec.json.Encoder().encode


@dataclass(frozen=True, slots=True)
class TrendingRequest:
    """What is asked for, checked. `category` is an id or a slug; `window` a key of WINDOWS."""

    window: str = DEFAULT_WINDOW
    languages: tuple[str, ...] = ()
    category: str | None = None
    limit: int = DEFAULT_TRENDING

    def key(self) -> str:
        """Return the cache key."""
        return f"trending:{self.window}:{self.languages}:{self.category!r}:{self.limit}"


class Trending:
    """Lists programs by what was viewed lately."""

    def __init__(self, replica: Replica, cache: Cache) -> None:
        """Keep the collaborators.

        Args:
            replica: Reads the programs.
            cache: Has the tombstones of withdrawn programs, because the replica may be behind.
        """
        self._replica, self._cache = replica, cache

    async def trending(self, request: TrendingRequest) -> Answer:
        """Return the programs that are viewed most lately, the most viewed first.

        Raises:
            DBAPIError: PostgreSQL does not answer, or not in time.
            sqlalchemy.exc.TimeoutError: No connection became free.
        """
        window = WINDOWS[request.window]
        statement = trending(window, request.languages, request.category, request.limit + _SPARE)
        rows = await self._replica.rows(statement)
        if self._replica.may_be_behind and self._cache.invalidations.is_behind(rows):
            rows = await self._replica.newest(statement)
        withdrawn = self._cache.withdrawn(row["id"] for row in rows)
        shown = [row for row in rows if row["id"] not in withdrawn][: request.limit]
        answer = schemas.TrendingAnswer(
            data=[card(document.build(cast("ProgramRow", dict(row)))) for row in shown],
            meta=schemas.TrendingMeta(
                window=request.window,
                half_life_hours=int(window.half_life.total_seconds() // 3600),
                limit=request.limit,
            ),
        )
        return Answer(_encode(answer), ids=tuple(row["id"] for row in shown))
