"""Editors' routes for remembered sources: feeds, channels and playlists that are imported on a schedule."""

from typing import Annotated

import msgspec
from litestar import delete, get, patch, post
from litestar.openapi.spec import Example
from litestar.params import JSONBody, QueryParameter
from sqlalchemy.orm import Session

from api.editorial.imports import schemas
from api.editorial.imports.starting import accepted
from api.http import idempotent, transaction
from api.http.auth import EDITORS, check_may_publish
from api.http.parameters import AfterId, DryRun, Id, Limit, OnceKey
from api.http.query import DEFAULT_LIMIT
from api.http.reply import JsonResponse
from api.http.request import ApiRequest, actor_of
from api.http.schemas import list_meta, sent_fields
from catalog.imports import queries, refreshing, sources
from catalog.imports.models import SOURCE_STATES
from catalog.imports.options import Options

_State = Annotated[
    str | None,
    QueryParameter(
        name="state", enum=SOURCE_STATES, description="Only this state.", examples=[Example(value="active")]
    ),
]


@get("/import-sources", operation_id="listImportSources", summary="Remembered feeds", opt={"roles": EDITORS})
async def list_sources(
    request: ApiRequest, after: AfterId = 0, limit: Limit = DEFAULT_LIMIT, only_state: _State = None
) -> JsonResponse[schemas.ImportSourceList]:
    """List sources by id."""
    async with request.shared.db() as session:
        found = await session.scalars(queries.sources(after, limit + 1, only_state))
        rows = [schemas.source_out(row) for row in found]
    meta = list_meta(limit, [row.id for row in rows])
    return JsonResponse(schemas.ImportSourceList(data=rows[:limit], meta=meta))


@post(
    "/import-sources",
    operation_id="createImportSource",
    summary="Remember a feed",
    description="It is imported at once, and then again at the times at which it usually has new items.",
    opt={"roles": EDITORS, "errors": ("conflict",)},
)
async def create_source(
    request: ApiRequest, data: JSONBody[schemas.ImportSourceIn], idempotency_key: OnceKey = None
) -> JsonResponse[schemas.ImportSourceAnswer]:
    """Create a source, due at once."""
    check_may_publish(request, data.options.policy)
    actor = actor_of(request)

    def work(session: Session) -> idempotent.Created[schemas.ImportSourceAnswer]:
        row = sources.create(session, data.source_type, data.url, data.options, actor, title=data.title)
        answer = schemas.ImportSourceAnswer(data=schemas.source_out(row))
        return idempotent.Created(answer, f"/catalog/import-sources/{row.id}")

    return await idempotent.create(request, idempotency_key, work)


@get(
    "/import-sources/{source_id:int}",
    operation_id="getImportSource",
    summary="One remembered feed",
    opt={"roles": EDITORS, "errors": ("not_found",)},
)
async def get_source(request: ApiRequest, source_id: Id) -> JsonResponse[schemas.ImportSourceAnswer]:
    """Return a source."""
    found = await transaction.read(request, lambda s: schemas.source_out(sources.get(s, source_id)))
    return JsonResponse(schemas.ImportSourceAnswer(data=found))


@patch(
    "/import-sources/{source_id:int}",
    operation_id="editImportSource",
    summary="Change, pause or resume a remembered feed",
    opt={"roles": EDITORS, "errors": ("not_found", "conflict")},
)
async def edit_source(
    request: ApiRequest, source_id: Id, data: JSONBody[schemas.ImportSourcePatch]
) -> JsonResponse[schemas.ImportSourceAnswer]:
    """Change the fields that the body has."""
    values, actor = sent_fields(data), actor_of(request)

    def work(session: Session) -> schemas.ImportSourceOut:
        options = data.options
        if isinstance(options, msgspec.UnsetType):
            options = msgspec.convert(sources.get(session, source_id).options, Options)
        check_may_publish(request, options.policy)
        return schemas.source_out(sources.edit(session, source_id, values, actor))

    found = await transaction.write(request, work)
    return JsonResponse(schemas.ImportSourceAnswer(data=found))


@delete(
    "/import-sources/{source_id:int}",
    operation_id="deleteImportSource",
    summary="Forget a feed",
    opt={"roles": EDITORS, "errors": ("not_found",)},
)
async def delete_source(request: ApiRequest, source_id: Id) -> None:
    """Delete a source; its programs and runs stay."""
    actor = actor_of(request)
    await transaction.write(request, lambda s: sources.delete(s, source_id, actor))


@post(
    "/import-sources/{source_id:int}/refresh",
    operation_id="refreshImportSource",
    status_code=202,
    summary="Import a remembered feed now",
    opt={"roles": EDITORS, "errors": ("not_found", "conflict")},
)
async def refresh_source(
    request: ApiRequest, source_id: Id, dry_run: DryRun = False
) -> JsonResponse[schemas.ImportRunAnswer]:
    """Queue a run of a source; 409 while a run of it goes on."""
    actor = actor_of(request)

    def work(session: Session) -> int:
        source = sources.get(session, source_id, lock=True)
        check_may_publish(request, msgspec.convert(source.options, Options).policy)
        return refreshing.start(session, source, actor, trigger="editor", dry_run=dry_run).id

    return await accepted(request, await transaction.write(request, work))


HANDLERS = [list_sources, create_source, get_source, edit_source, delete_source, refresh_source]
