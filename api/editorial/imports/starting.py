"""Shared by the routes that start an import run: the queueing of the run."""

import asyncio
import logging

from redis.exceptions import RedisError

from api.editorial.imports import schemas
from api.http import transaction
from api.http.reply import JsonResponse
from api.http.request import ApiRequest
from catalog.imports import runs
from indexer import stores
from indexer.importing.running.job import enqueue

log = logging.getLogger(__name__)


async def accepted(request: ApiRequest, run_id: int) -> JsonResponse[schemas.ImportRunAnswer]:
    """Enqueue the job of a run, and answer with the run."""
    await hand_over(request, run_id)
    found = await transaction.read(request, lambda s: schemas.run_out(runs.get(s, run_id)))
    return JsonResponse(schemas.ImportRunAnswer(data=found), location=f"/catalog/imports/{run_id}")


async def hand_over(request: ApiRequest, run_id: int) -> None:
    """Enqueue the job of a run. Without Redis the run only starts later: the scheduler's sweep finds it."""
    url = request.shared.settings.indexer.redis_queue_url

    def enqueue_run() -> None:
        redis = stores.open_sync(url, timeout=1, connect_timeout=0.5)
        try:
            enqueue(redis, run_id)
        except (RedisError, OSError) as error:
            log.warning("import %s waits for the sweep: %s", run_id, error)
        finally:
            redis.close()

    await asyncio.to_thread(enqueue_run)
