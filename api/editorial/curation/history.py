"""Editors' routes that say what was done to a collection, a pin or a synonym, after it was deleted, too."""

from litestar import get

from api.editorial.revisions import audit_events
from api.editorial.schemas import AuditList
from api.http.auth import EDITORS
from api.http.parameters import BeforeId, Id, Limit
from api.http.query import DEFAULT_LIMIT
from api.http.reply import JsonResponse
from api.http.request import ApiRequest

Answer = JsonResponse[AuditList]


@get(
    "/collections/{collection_id:int}/audit",
    operation_id="listCollectionAudit",
    summary="What was done to a collection",
    opt={"roles": EDITORS},
)
async def collection_audit(
    request: ApiRequest, collection_id: Id, before: BeforeId = None, limit: Limit = DEFAULT_LIMIT
) -> Answer:
    """List the audit events of a collection, newest first."""
    return await audit_events(request, "collection", collection_id, before, limit)


@get(
    "/pins/{pin_id:int}/audit",
    operation_id="listPinAudit",
    summary="What was done to a pin",
    opt={"roles": EDITORS},
)
async def pin_audit(
    request: ApiRequest, pin_id: Id, before: BeforeId = None, limit: Limit = DEFAULT_LIMIT
) -> Answer:
    """List the audit events of a pin, newest first."""
    return await audit_events(request, "pin", pin_id, before, limit)


@get(
    "/synonyms/{synonym_id:int}/audit",
    operation_id="listSynonymAudit",
    summary="What was done to a synonym",
    opt={"roles": EDITORS},
)
async def synonym_audit(
    request: ApiRequest, synonym_id: Id, before: BeforeId = None, limit: Limit = DEFAULT_LIMIT
) -> Answer:
    """List the audit events of a synonym, newest first."""
    return await audit_events(request, "synonym", synonym_id, before, limit)


HANDLERS = [collection_audit, pin_audit, synonym_audit]
