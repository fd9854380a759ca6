"""What the record knows of the engines, told to the searches of this process."""

import asyncio
import logging
from collections.abc import Iterable
from typing import Any

from sqlalchemy import Row
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker

from catalog.indexing import queries
from indexer import targets
from indexer.search import EngineState, SearchPool
from indexer.settings import IndexerSettings

log = logging.getLogger(__name__)
# While an index is being filled PostgreSQL answers: no longer than necessary.
_SOON_SECONDS = 0.1


def states(settings: IndexerSettings, rows: Iterable[Row[Any]]) -> list[EngineState]:
    """Of every engine that is kept, from the rows of `queries.engine_states()`."""
    known = {row.name: row for row in rows}
    found = []
    for name, url in targets.addresses(settings, known.values()).items():
        row = known.get(name)
        if row is None:
            # Nobody sends yet: it may be asked, and says itself that it has no index.
            found.append(EngineState(name, url))
        else:
            serving = row.state != "draining"
            found.append(EngineState(name, url, serving, row.filled, float(row.lag)))
    return found


async def watch(
    pool: SearchPool, sessions: async_sessionmaker[AsyncSession], settings: IndexerSettings
) -> None:
    """Tell the pool again and again; what was known holds on while PostgreSQL does not say."""
    while True:
        try:
            async with sessions() as session:
                rows = (await session.execute(queries.engine_states())).all()
            pool.learn(states(settings, rows))
        except (DBAPIError, PoolTimeoutError, OSError) as error:
            log.debug("the engines' states are not known: %s", type(error).__name__)
        filled = all(state.filled for state in pool.states.values())
        await asyncio.sleep(targets.LOOK_SECONDS if filled else _SOON_SECONDS)
