"""Editors' routes for the history of a program: revisions, their differences, audit events."""

from typing import Annotated

from litestar import get, post
from litestar.openapi.spec import Example
from litestar.params import QueryParameter
from sqlalchemy import select
from sqlalchemy.orm import Session

from api.editorial import schemas
from api.editorial.programs import WAITS, edit_fields
from api.http import transaction
from api.http.auth import EDITORS
from api.http.parameters import BeforeId, Id, IfMatch, Limit
from api.http.query import DEFAULT_LIMIT, MAX_ID
from api.http.reply import JsonResponse
from api.http.request import ApiRequest, actor_of, expected_rev
from api.http.schemas import list_meta
from catalog.core.audit import AuditEvent
from catalog.core.errors import NotFound
from catalog.programs import pending, queries, snapshot
from catalog.programs.models import Program, ProgramRevision

_From = Annotated[
    int,
    QueryParameter(
        name="from", ge=1, le=MAX_ID, description="The older revision.", examples=[Example(value=1)]
    ),
]
_To = Annotated[
    int,
    QueryParameter(
        name="to", ge=1, le=MAX_ID, description="The newer revision.", examples=[Example(value=2)]
    ),
]


@get(
    "/programs/{program_id:int}/revisions",
    summary="Revisions, newest first",
    opt={"roles": EDITORS, "errors": ("not_found",)},
)
async def list_revisions(
    request: ApiRequest, program_id: Id, before: BeforeId = None, limit: Limit = DEFAULT_LIMIT
) -> JsonResponse[schemas.RevisionList]:
    """List the revisions of a program, deleted programs included."""

    def work(session: Session) -> list[schemas.RevisionItem]:
        if session.get(Program, program_id) is None:
            raise NotFound("program", program_id)
        rows = session.scalars(queries.revisions(program_id, before, limit + 1))
        return [schemas.revision_item(row) for row in rows]

    found = await transaction.read(request, work)
    meta = list_meta(limit, [item.rev for item in found])
    return JsonResponse(schemas.RevisionList(data=found[:limit], meta=meta))


@get(
    "/programs/{program_id:int}/revisions/diff",
    summary="What changed between two revisions",
    opt={"roles": EDITORS, "errors": ("not_found",)},
)
async def diff_revisions(
    request: ApiRequest, program_id: Id, from_: _From, to: _To
) -> JsonResponse[schemas.DiffAnswer]:
    """Compare two revisions of a program, field by field."""

    def read_revision(session: Session, rev: int) -> ProgramRevision:
        row = session.get(ProgramRevision, (program_id, rev))
        if row is None:
            raise NotFound("revision", rev)
        return row

    def work(session: Session) -> dict[str, list[object]]:
        before, after = read_revision(session, from_), read_revision(session, to)
        return snapshot.difference(before.snapshot, after.snapshot)

    found = await transaction.read(request, work)
    return JsonResponse(schemas.DiffAnswer(data=found, meta={"from": from_, "to": to}))


@post(
    "/programs/{program_id:int}/revisions/{rev:int}/restore",
    status_code=200,
    summary="Restore the fields of a revision",
    description="As a change of these fields: 202 when it waits for a reviewer.",
    opt={"roles": EDITORS, "errors": ("not_found", "conflict")},
    responses=WAITS,
)
async def restore_revision(
    request: ApiRequest, program_id: Id, rev: Id, if_match: IfMatch = None
) -> JsonResponse[schemas.EditorAnswer]:
    """Give a program's fields the values they had at a revision; its state stays as it is now."""
    actor, expected = actor_of(request), expected_rev(if_match)
    return await edit_fields(
        request,
        program_id,
        lambda s, rights: pending.restore_revision(s, program_id, rev, actor, rights, expected),
    )


@get(
    "/programs/{program_id:int}/audit",
    operation_id="listProgramAudit",
    summary="What was done to a program",
    opt={"roles": EDITORS},
)
async def program_audit(
    request: ApiRequest, program_id: Id, before: BeforeId = None, limit: Limit = DEFAULT_LIMIT
) -> JsonResponse[schemas.AuditList]:
    """List the audit events of a program, newest first."""
    return await audit_events(request, "program", program_id, before, limit)


async def audit_events(
    request: ApiRequest, entity: str, row_id: int, before: int | None, limit: int
) -> JsonResponse[schemas.AuditList]:
    """Return a page of the audit events of a row, newest first.

    Args:
        request: Reads with its database.
        entity: The kind of row.
        row_id: The row.
        before: Only events that are older than this one.
        limit: How many at most.
    """
    statement = select(AuditEvent).where(AuditEvent.entity == entity, AuditEvent.entity_id == row_id)
    if before is not None:
        statement = statement.where(AuditEvent.id < before)
    rows, meta = await transaction.page(request, statement.order_by(AuditEvent.id.desc()), limit)
    return JsonResponse(schemas.AuditList(data=[schemas.audit_item(event) for event in rows], meta=meta))


HANDLERS = [list_revisions, diff_revisions, restore_revision, program_audit]
