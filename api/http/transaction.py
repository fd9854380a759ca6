"""The transaction of a request: run, commit, then drop the changed programs and taxonomy from all caches.

Every route that reads or writes the primary uses it.
"""

from collections.abc import Callable, Sequence
from typing import Any, TypeVar

from sqlalchemy import Select
from sqlalchemy.orm import Session

from api.http.request import ApiRequest
from api.http.schemas import ListMeta, list_meta
from catalog.core import changes
from indexer.stores import invalidation

Result = TypeVar("Result")
# An entity with an id.
Row = TypeVar("Row", bound=Any)


async def write(request: ApiRequest, work: Callable[[Session], Result]) -> Result:
    """Run `work` in one transaction on the primary and commit. Then drop what it changed from the caches of all processes.

    An exception of `work` rolls the transaction back; the caller gets the exception.

    Returns:
        What `work` returned.
    """
    shared = request.shared
    async with shared.db() as session:
        result: Result = await session.run_sync(work)
        await session.commit()
        programs = changes.take(session.sync_session)
        taxonomy = changes.take_taxonomy(session.sync_session)
        curation = changes.take_curation(session.sync_session)
    prefix = shared.settings.indexer.redis_prefix
    if programs:
        shared.cache.changed(programs)
        await invalidation.programs_changed(shared.redis_cache, prefix, programs)
    if taxonomy:
        shared.cache.taxonomy_changed(taxonomy)
        await invalidation.taxonomy_changed(shared.redis_cache, prefix, taxonomy)
    if curation:
        shared.cache.curation_changed(await invalidation.curation_changed(shared.redis_cache, prefix))
    return result


async def read(request: ApiRequest, work: Callable[[Session], Result]) -> Result:
    """Run `work` on the primary, and roll back any change.

    Returns:
        What `work` returned.
    """
    async with request.shared.db() as session:
        result: Result = await session.run_sync(work)
        return result


async def page(request: ApiRequest, statement: Select[Row], limit: int) -> tuple[Sequence[Row], ListMeta]:
    """Return a page of rows by id from the primary, and its meta.

    Args:
        request: Reads with its database.
        statement: Selects the rows behind the page before, in the order of their ids.
        limit: How many at most.
    """
    async with request.shared.db() as session:
        rows = (await session.scalars(statement.limit(limit + 1))).all()
    return rows[:limit], list_meta(limit, [row.id for row in rows])
