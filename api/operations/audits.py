"""Operators' routes for drift audits, which compare every index with PostgreSQL."""

from litestar import get, post
from litestar.params import JSONBody
from sqlalchemy.orm import Session

from api.http import transaction
from api.http.auth import OPS
from api.http.parameters import BeforeId, Limit
from api.http.query import DEFAULT_LIMIT
from api.http.reply import JsonResponse
from api.http.request import ApiRequest, actor_of
from api.http.schemas import ListMeta, list_meta
from api.operations import schemas
from catalog.indexing import audits as drift_audits
from catalog.indexing import queries
from indexer.engines import targets


@post(
    "/drift",
    operation_id="startDriftAudit",
    status_code=202,
    summary="Audit every index",
    description="Compares each index with the catalogue. With repair=true the documents that differ are sent again.",
    opt={"roles": OPS},
)
async def audit(request: ApiRequest, data: JSONBody[schemas.DriftIn]) -> JsonResponse[schemas.DriftList]:
    """Queue an audit of every index."""
    actor, settings = actor_of(request), request.shared.settings.indexer

    def work(session: Session) -> schemas.DriftList:
        ids = [target.id for target in targets.list_active(session, settings)]
        reports = drift_audits.request(session, ids, actor, repair=data.repair)
        for report in reports:
            session.refresh(report)
        found = [schemas.drift_out(report) for report in reports]
        return schemas.DriftList(data=found, meta=ListMeta(limit=len(found), next_cursor=None))

    return JsonResponse(await transaction.write(request, work))


@get(
    "/drift",
    operation_id="listDriftAudits",
    summary="Audits",
    description="Newest first (before, limit ≤ 100).",
    opt={"roles": OPS},
)
async def audits(
    request: ApiRequest, before: BeforeId = None, limit: Limit = DEFAULT_LIMIT
) -> JsonResponse[schemas.DriftList]:
    """List audits."""

    def work(session: Session) -> schemas.DriftList:
        rows = session.scalars(queries.audits(before, limit + 1)).all()
        found = [schemas.drift_out(report) for report in rows[:limit]]
        return schemas.DriftList(data=found, meta=list_meta(limit, [report.id for report in rows]))

    return JsonResponse(await transaction.read(request, work))


HANDLERS = [audit, audits]
