"""Operators' routes for the pipeline: marks and parked documents of each index, a program's state, job queues."""

import asyncio
from collections.abc import Callable
from typing import TypeVar

from litestar import get, post
from litestar.params import FromPath, JSONBody
from redis.exceptions import RedisError
from sqlalchemy.orm import Session

from api.http import transaction
from api.http.auth import OPS
from api.http.errors import Problem
from api.http.found import index_state as states_of
from api.http.found.schemas import IndexStateAnswer
from api.http.parameters import Id, Limit
from api.http.query import DEFAULT_LIMIT
from api.http.reply import JsonResponse
from api.http.request import ApiRequest, actor_of
from api.operations import schemas, states
from catalog.core import audit
from catalog.core.errors import NotFound
from catalog.indexing import marks, queries
from catalog.indexing.models import IndexDirty, IndexTarget
from indexer.engines import index_settings
from indexer.stores.queues import NAMES

Result = TypeVar("Result")

_MAX_PARKED = 100


def _parked(mark: IndexDirty) -> schemas.ParkedOut:
    return schemas.ParkedOut(
        target_id=mark.target_id,
        program_id=mark.program_id,
        rev=mark.rev,
        error=mark.error,
        marked_at=mark.marked_at,
    )


@get(
    "/sync",
    operation_id="getSyncState",
    summary="The pipeline",
    description="Every index with its lag and its waiting documents, and the documents that the engine refuses, with the reason.",
    opt={"roles": OPS},
)
async def sync(request: ApiRequest) -> JsonResponse[schemas.SyncAnswer]:
    """Return every index with its marks, and the parked documents."""

    def work(session: Session) -> schemas.SyncAnswer:
        found = [
            schemas.target_out(
                target, waiting, parked, oldest, silent, target.settings_hash == index_settings.HASH
            )
            for target, waiting, parked, oldest, silent in session.execute(queries.target_states())
        ]
        refused = [_parked(mark) for mark in session.scalars(queries.parked(_MAX_PARKED))]
        return schemas.SyncAnswer(data=schemas.SyncOut(targets=found, parked=refused))

    return JsonResponse(await transaction.read(request, work))


@post(
    "/sync/unpark",
    operation_id="unparkPrograms",
    status_code=200,
    summary="Try refused documents again",
    description="The documents of the given programs, or all refused documents.",
    opt={"roles": OPS},
)
async def unpark(request: ApiRequest, data: JSONBody[schemas.UnparkIn]) -> JsonResponse[schemas.CountAnswer]:
    """Unpark documents; answer with their number."""
    actor = actor_of(request)

    def work(session: Session) -> int:
        ids = data.program_ids or None
        audit.record(session, actor, "unpark", "index", None, {"programIds": [None, data.program_ids]})
        return sum(marks.unpark(session, target.id, ids) for target in session.query(IndexTarget).all())

    count = await transaction.write(request, work)
    return JsonResponse(schemas.CountAnswer(data=schemas.CountOut(count=count)))


@get(
    "/programs/{program_id:int}/index-state",
    operation_id="getIndexState",
    summary="A program in every index",
    description="For each index: in_step, waiting, parked (refused by the engine), missing, stale, ghost (stored although not published) or unknown.",
    opt={"roles": OPS, "errors": ("not_found",)},
)
async def index_state(request: ApiRequest, program_id: Id) -> JsonResponse[IndexStateAnswer]:
    """Compare a program with its documents in all indexes."""
    settings = request.shared.settings
    known = await transaction.read(request, lambda s: states_of.known(s, settings, program_id))
    return JsonResponse(await asyncio.to_thread(states_of.of_program, settings, program_id, known))


@get(
    "/queues",
    operation_id="listQueues",
    summary="Queues",
    description="The numbers of waiting, running, failed and retrying jobs.",
    opt={"roles": OPS, "errors": ("queue_unavailable",)},
)
async def queues(request: ApiRequest) -> JsonResponse[schemas.QueueList]:
    """Count the jobs of every queue.

    Raises:
        Problem: Redis does not answer.
    """
    return JsonResponse(schemas.QueueList(data=await ask_queue(request, states.of_queues)))


async def ask_queue(request: ApiRequest, ask: Callable[[str], Result]) -> Result:
    """Run a function of the queue's address in a thread.

    Raises:
        Problem: Redis does not answer.
    """
    try:
        return await asyncio.to_thread(ask, request.shared.settings.indexer.redis_queue_url)
    except (RedisError, OSError):
        raise Problem("queue_unavailable", headers={"Retry-After": "2"}) from None


def _checked(queue: str) -> str:
    if queue not in NAMES:
        raise NotFound("queue", queue)
    return queue


async def _log(request: ApiRequest, action: str, queue: str, ids: list[str]) -> None:
    """Write into the audit log what is about to be done in Redis, which has no transaction with it."""
    actor, details = actor_of(request), {"queue": [None, queue], "jobIds": [None, ids]}
    await transaction.write(request, lambda s: audit.record(s, actor, action, "queue", None, details))


@get(
    "/queues/{queue:str}/failed",
    operation_id="listFailedJobs",
    summary="Failed jobs",
    description="The jobs that failed for good, the latest first, with arguments, reason and traceback.",
    opt={"roles": OPS, "errors": ("not_found", "queue_unavailable")},
)
async def failed_jobs(
    request: ApiRequest, queue: FromPath[str], limit: Limit = DEFAULT_LIMIT
) -> JsonResponse[schemas.FailedJobList]:
    """List the failed jobs of a queue."""
    name = _checked(queue)
    found = await ask_queue(request, lambda url: states.failed_jobs(url, name, limit))
    return JsonResponse(schemas.FailedJobList(data=found))


@post(
    "/queues/{queue:str}/retry",
    status_code=200,
    summary="Run failed jobs again",
    description="The given jobs, or all failed jobs of the queue.",
    opt={"roles": OPS, "errors": ("not_found", "queue_unavailable")},
)
async def retry_jobs(
    request: ApiRequest, queue: FromPath[str], data: JSONBody[schemas.JobsIn]
) -> JsonResponse[schemas.CountAnswer]:
    """Put failed jobs back into their queue; answer with their number."""
    name = _checked(queue)
    await _log(request, "retry", name, data.job_ids)
    count = await ask_queue(request, lambda url: states.retry(url, name, data.job_ids))
    return JsonResponse(schemas.CountAnswer(data=schemas.CountOut(count=count)))


@post(
    "/queues/{queue:str}/cancel",
    status_code=200,
    summary="Delete jobs",
    description="The given jobs, waiting or failed; without jobs, all that wait. A job that runs goes on.",
    opt={"roles": OPS, "errors": ("not_found", "queue_unavailable")},
)
async def cancel_jobs(
    request: ApiRequest, queue: FromPath[str], data: JSONBody[schemas.JobsIn]
) -> JsonResponse[schemas.CountAnswer]:
    """Delete jobs from their queue; answer with their number."""
    name = _checked(queue)
    await _log(request, "cancel", name, data.job_ids)
    count = await ask_queue(request, lambda url: states.cancel(url, name, data.job_ids))
    return JsonResponse(schemas.CountAnswer(data=schemas.CountOut(count=count)))


HANDLERS = [sync, unpark, index_state, queues, failed_jobs, retry_jobs, cancel_jobs]
