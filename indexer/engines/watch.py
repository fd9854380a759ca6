"""Tells the searches of an API process which engines there are, and how far each is behind. Run by `api.app`."""

import asyncio
import logging
import time
from collections.abc import Iterable

from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError
from sqlalchemy.ext.asyncio import AsyncEngine

from catalog.core.glances import AsyncGlance
from catalog.indexing import queries
from indexer.engines import targets
from indexer.engines.search import EngineState, SearchPool
from indexer.process.uninterrupted import uninterrupted
from indexer.settings import IndexerSettings

log = logging.getLogger(__name__)
# While an index has its initial fill, PostgreSQL may have to answer: the end of the fill must be noticed soon. The
# pause between two looks grows with the fill, by this share of its time: a long one is not looked at ten times a second.
_FILLING_SECONDS, _FILLING_SHARE = 0.1, 0.2


def states(settings: IndexerSettings, rows: Iterable[queries.EngineRow]) -> list[EngineState]:
    """Return the state of every engine, from the rows of `catalog.indexing.queries.engine_states()`."""
    by_name = {row.name: row for row in rows}
    found = []
    for name, url in targets.resolve_urls(settings, by_name.values()).items():
        row = by_name.get(name)
        if row is None:
            # No sender has registered this engine yet. It may be asked, and answers that it has no index.
            found.append(EngineState(name, url))
        else:
            serving = row.state != "draining"
            found.append(EngineState(name, url, serving, row.filled, float(row.lag)))
    return found


async def watch(pool: SearchPool, database: AsyncEngine, settings: IndexerSettings, timeout_ms: int) -> None:
    """Read the states again and again and hand them to the pool, until cancelled.

    While PostgreSQL is away the pool keeps the last states.

    Args:
        pool: The searches of this process.
        database: PostgreSQL, the primary.
        settings: The pipeline's settings.
        timeout_ms: Milliseconds that PostgreSQL may take.
    """
    glance = AsyncGlance(database, queries.engine_states(), timeout_ms)
    try:
        await _watch(pool, glance, settings)
    finally:
        await glance.close()


async def _watch(pool: SearchPool, glance: AsyncGlance, settings: IndexerSettings) -> None:
    all_filled_at = time.monotonic()
    while True:
        try:
            pool.learn(states(settings, await uninterrupted(glance.rows())))
        except (DBAPIError, PoolTimeoutError, OSError) as error:
            log.debug("the states of the engines cannot be read: %s", type(error).__name__)
        now, pause = time.monotonic(), targets.WATCH_SECONDS
        if all(state.filled for state in pool.states.values()):
            all_filled_at = now
        else:
            pause = min(pause, max(_FILLING_SECONDS, _FILLING_SHARE * (now - all_filled_at)))
        await asyncio.sleep(pause)
