"""Operators' routes for rebuilds of an index: request, follow, cancel and roll back a rebuild."""

from litestar import get, post
from litestar.params import JSONBody
from sqlalchemy.orm import Session

from api.http import transaction
from api.http.auth import OPS
from api.http.parameters import BeforeId, Id, Limit
from api.http.query import DEFAULT_LIMIT
from api.http.reply import JsonResponse
from api.http.request import ApiRequest, actor_of
from api.http.schemas import list_meta
from api.operations import schemas
from catalog.core.errors import NotFound
from catalog.indexing import queries, rebuilds
from indexer.engines import index_settings, targets


def _read_job(session: Session, job_id: int) -> schemas.ReindexOut:
    row = session.execute(queries.rebuild(job_id)).one_or_none()
    if row is None:
        raise NotFound("reindex job", job_id)
    job, waiting, previous_is_kept, now = row
    return schemas.reindex_out(job, waiting, now, previous_is_kept)


def _answer(found: schemas.ReindexOut) -> JsonResponse[schemas.ReindexAnswer]:
    return JsonResponse(schemas.ReindexAnswer(data=found), location=f"/ops/reindex/{found.id}")


@post(
    "/reindex",
    operation_id="startReindex",
    status_code=202,
    summary="Rebuild an index",
    description="Fills a second index beside the live one and swaps the two; searches go on. Only one rebuild runs at a time. Follow it at its Location.",
    opt={"roles": OPS, "errors": ("not_found", "conflict")},
)
async def reindex(
    request: ApiRequest, data: JSONBody[schemas.ReindexIn]
) -> JsonResponse[schemas.ReindexAnswer]:
    """Queue a rebuild."""
    actor, settings = actor_of(request), request.shared.settings.indexer

    def work(session: Session) -> schemas.ReindexOut:
        engine = targets.resolve_engine(session, settings, data.engine)
        job = rebuilds.request(
            session, engine, data.reason, actor, build=index_settings.BUILD, force=data.force
        )
        return _read_job(session, job.id)

    return _answer(await transaction.write(request, work))


@get(
    "/reindex",
    operation_id="listReindexes",
    summary="Rebuilds",
    description="Newest first (before, limit ≤ 100).",
    opt={"roles": OPS},
)
async def reindexes(
    request: ApiRequest, before: BeforeId = None, limit: Limit = DEFAULT_LIMIT
) -> JsonResponse[schemas.ReindexList]:
    """List rebuilds."""

    def work(session: Session) -> schemas.ReindexList:
        rows = session.execute(queries.rebuilds(before, limit + 1)).all()
        found = [
            schemas.reindex_out(job, waiting, now, previous_is_kept)
            for job, waiting, previous_is_kept, now in rows
        ]
        meta = list_meta(limit, [job.id for job in found])
        return schemas.ReindexList(data=found[:limit], meta=meta)

    return JsonResponse(await transaction.read(request, work))


@get(
    "/reindex/{job_id:int}",
    operation_id="getReindex",
    summary="A rebuild",
    description="Its state, the number of documents, their rate, and the seconds that remain.",
    opt={"roles": OPS, "errors": ("not_found",)},
)
async def reindex_state(request: ApiRequest, job_id: Id) -> JsonResponse[schemas.ReindexAnswer]:
    """Return a rebuild."""
    return _answer(await transaction.read(request, lambda s: _read_job(s, job_id)))


@post(
    "/reindex/{job_id:int}/cancel",
    status_code=202,
    summary="Cancel a rebuild",
    description="It stops before its next step. After the swap of the indexes it cannot be cancelled.",
    opt={"roles": OPS, "errors": ("not_found", "conflict")},
)
async def cancel_reindex(request: ApiRequest, job_id: Id) -> JsonResponse[schemas.ReindexAnswer]:
    """Ask a rebuild to stop."""
    actor = actor_of(request)

    def work(session: Session) -> schemas.ReindexOut:
        rebuilds.cancel(session, job_id, actor)
        return _read_job(session, job_id)

    return _answer(await transaction.write(request, work))


@post(
    "/reindex/{job_id:int}/rollback",
    operation_id="rollBackReindex",
    status_code=202,
    summary="Roll a rebuild back",
    description="The previous index, which was kept up to date, becomes the live index again.",
    opt={"roles": OPS, "errors": ("not_found", "conflict")},
)
async def roll_back(request: ApiRequest, job_id: Id) -> JsonResponse[schemas.ReindexAnswer]:
    """Request a rollback: the index from before the rebuild becomes live again."""
    actor = actor_of(request)

    def work(session: Session) -> schemas.ReindexOut:
        rebuilds.request_rollback(session, job_id, actor)
        return _read_job(session, job_id)

    return _answer(await transaction.write(request, work))


HANDLERS = [reindex, reindexes, reindex_state, cancel_reindex, roll_back]
