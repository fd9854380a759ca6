"""One way to change the record over HTTP: run, commit, then tell the caches."""

from collections.abc import Callable
from typing import Any, TypeVar

from litestar import Request
from sqlalchemy.orm import Session

from catalog import changes
from indexer import invalidation

Result = TypeVar("Result")


async def write(request: Request[Any, Any, Any], work: Callable[[Session], Result]) -> Result:
    """Run `work` in one transaction; after the commit drop what it changed from every cache.

    An exception of `work` rolls everything back.
    """
    state = request.app.state
    async with state.db() as session:
        result: Result = await session.run_sync(work)
        await session.commit()
        changed = changes.take(session.sync_session)
    if changed:
        state.cache.changed(changed)
        settings = state.settings.indexer
        await invalidation.programs_changed(state.redis_cache, settings.redis_prefix, changed)
    return result


async def read(request: Request[Any, Any, Any], work: Callable[[Session], Result]) -> Result:
    """Run `work` on the primary and keep nothing of it."""
    async with request.app.state.db() as session:
        result: Result = await session.run_sync(work)
        return result
