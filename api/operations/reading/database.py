"""Routes that read PostgreSQL: the audit log, imports and sources, programs of any state by id or title."""

from typing import Annotated

from litestar import get
from litestar.openapi.spec import Example
from litestar.params import QueryParameter
from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from api.http import transaction
from api.http.auth import OPS
from api.http.parameters import BeforeId, Limit
from api.http.query import DEFAULT_LIMIT, MAX_ID, MAX_VALUE
from api.http.reply import JsonResponse
from api.http.request import ApiRequest
from api.http.schemas import list_meta
from api.operations.reading import schemas
from catalog.core.audit import AuditEvent
from catalog.imports import queries as imports
from catalog.imports.models import ImportSource
from catalog.programs.models import Program, ProgramRedirect
from catalog.programs.queries import VISIBLE, has_text

_RUNS, _SOURCES, _FOUND = 10, 50, 10
_Words = Annotated[
    str,
    QueryParameter(
        name="q",
        max_length=MAX_VALUE,
        description="An id, or a part of the title.",
        examples=[Example(value="coffee")],
    ),
]


def _logged(event: AuditEvent) -> schemas.LoggedOut:
    return schemas.LoggedOut(
        id=event.id,
        at=event.at,
        actor_kind=event.actor_kind,
        actor_id=event.actor_id,
        actor=event.actor_name,
        action=event.action,
        entity=event.entity,
        entity_id=event.entity_id,
        diff=event.diff,
        request_id=event.request_id,
    )


@get(
    "/audit-log",
    operation_id="listAuditLog",
    summary="The audit log",
    description="Who changed what, newest first (before, limit ≤ 100).",
    opt={"roles": OPS},
)
async def audit_log(
    request: ApiRequest, before: BeforeId = None, limit: Limit = DEFAULT_LIMIT
) -> JsonResponse[schemas.LogAnswer]:
    """List events of the audit log."""
    statement = select(AuditEvent).order_by(AuditEvent.id.desc()).limit(limit + 1)
    if before is not None:
        statement = statement.where(AuditEvent.id < before)
    found = await transaction.read(request, lambda s: [_logged(event) for event in s.scalars(statement)])
    meta = list_meta(limit, [event.id for event in found])
    return JsonResponse(schemas.LogAnswer(data=found[:limit], meta=meta))


@get(
    "/programs",
    operation_id="findPrograms",
    summary="Programs of any state",
    description="Those with the id or a part of the title, deleted ones too: at most ten, first the one with the id, then the newest.",
    opt={"roles": OPS},
)
async def find_programs(request: ApiRequest, q: _Words) -> JsonResponse[schemas.FoundList]:
    """Find programs, whether listeners may see them or not."""
    words = q.strip()
    by_id = int(words) if words.isascii() and words.isdigit() and int(words) <= MAX_ID else None
    wanted = or_(has_text(Program.title, words), Program.id == by_id)
    statement = (
        select(Program, or_(*(~condition for condition in VISIBLE)), ProgramRedirect.into_id)
        .outerjoin(ProgramRedirect, ProgramRedirect.program_id == Program.id)
        .where(wanted)
        .order_by((Program.id == by_id).desc(), Program.id.desc())
        .limit(_FOUND)
    )

    def work(session: Session) -> schemas.FoundList:
        rows = session.execute(statement)
        return schemas.FoundList(data=[_found(row, bool(hidden), into) for row, hidden, into in rows])

    return JsonResponse(await transaction.read(request, work))


def _found(row: Program, hidden: bool, into: int | None) -> schemas.FoundOut:
    return schemas.FoundOut(
        id=row.id,
        title=row.title,
        slug=row.slug,
        status=row.status,
        rev=row.rev,
        visible=not hidden,
        is_deleted=row.deleted_at is not None,
        scheduled_publish_at=row.scheduled_publish_at,
        expire_at=row.expire_at,
        merged_into=into,
    )


@get(
    "/imports",
    operation_id="getImportHealth",
    summary="Imports and sources",
    description="The last imports, and the sources that fail or are paused, without their addresses.",
    opt={"roles": OPS},
)
async def list_imports(request: ApiRequest) -> JsonResponse[schemas.ImportsAnswer]:
    """List imports and the sources that need somebody."""
    latest = imports.runs(None, _RUNS, status=None, source_id=None, parent_id=None)
    troubled = (
        imports.sources(0, _SOURCES)
        .where(or_(ImportSource.failures > 0, ImportSource.state != "active"))
        .order_by(None)
        .order_by(ImportSource.failures.desc(), ImportSource.id)
    )

    def work(session: Session) -> schemas.ImportsOut:
        runs = session.scalars(latest).all()
        ids = [run.source_id for run in runs if run.source_id is not None]
        named = session.execute(
            select(ImportSource.id, ImportSource.title).where(ImportSource.id.in_(ids))
        ).all()
        titles = {row[0]: row[1] for row in named}
        return schemas.ImportsOut(
            runs=[schemas.run_out(run, titles.get(run.source_id or 0)) for run in runs],
            sources=[schemas.source_out(source) for source in session.scalars(troubled)],
        )

    return JsonResponse(schemas.ImportsAnswer(data=await transaction.read(request, work)))


HANDLERS = [audit_log, find_programs, list_imports]
