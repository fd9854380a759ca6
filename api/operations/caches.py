"""Operators' route that drops cached answers."""

from litestar import post
from litestar.params import JSONBody

from api.http import transaction
from api.http.auth import OPS
from api.http.errors import Problem
from api.http.reply import JsonResponse
from api.http.request import ApiRequest, actor_of
from api.operations import schemas, states
from catalog.core import audit
from indexer.stores import invalidation


@post(
    "/cache/purge",
    operation_id="purgeCaches",
    status_code=200,
    summary="Drop cached answers",
    description="The answers that show the given programs, or all answers of all processes.",
    opt={"roles": OPS, "errors": ("cache_unavailable",)},
)
async def purge(request: ApiRequest, data: JSONBody[schemas.PurgeIn]) -> JsonResponse[schemas.CountAnswer]:
    """Drop answers; answer with the number of programs, or 0 when all answers were dropped.

    Raises:
        Problem: Redis does not answer, so the other processes keep their answers.
    """
    shared, prefix = request.shared, request.shared.settings.indexer.redis_prefix
    actor, details = actor_of(request), {"programIds": [None, data.program_ids]}
    # Before it is done: the caches have no transaction with the log.
    await transaction.write(request, lambda s: audit.record(s, actor, "purge", "cache", None, details))
    if data.program_ids:
        programs = await transaction.read(request, lambda s: states.current(s, data.program_ids))
        shared.cache.changed(programs)
        published = await invalidation.programs_changed(shared.redis_cache, prefix, programs)
        count = len(programs)
    else:
        shared.cache.clear()
        published, count = await invalidation.forget_everything(shared.redis_cache, prefix), 0
    if not published:
        raise Problem("cache_unavailable", headers={"Retry-After": "2"})
    return JsonResponse(schemas.CountAnswer(data=schemas.CountOut(count=count)))


HANDLERS = [purge]
