"""Editors' routes for import runs: start from an address, list, read, cancel, repeat."""

from typing import Annotated

from litestar import get, post
from litestar.openapi.spec import Example
from litestar.params import JSONBody, QueryParameter
from sqlalchemy.orm import Session

from api.editorial.imports import schemas
from api.editorial.imports.starting import accepted, hand_over
from api.http import idempotent, transaction
from api.http.auth import EDITORS, check_may_publish
from api.http.parameters import BeforeId, DryRun, Id, Limit, OnceKey
from api.http.query import DEFAULT_LIMIT, MAX_ID
from api.http.reply import JsonResponse
from api.http.request import ApiRequest, actor_of
from api.http.schemas import list_meta
from catalog.imports import options as run_options
from catalog.imports import queries, runs, sources
from catalog.imports.models import OUTCOMES, STATUSES

_Status = Annotated[
    str | None,
    QueryParameter(enum=STATUSES, description="Only this status.", examples=[Example(value="running")]),
]
_SourceId = Annotated[
    int | None, QueryParameter(name="sourceId", ge=1, le=MAX_ID, description="Only of this source.")
]
_ParentId = Annotated[
    int | None, QueryParameter(name="parentId", ge=1, le=MAX_ID, description="Only started by this run.")
]
_AppliedFrom = Annotated[
    int | None,
    QueryParameter(name="appliedFrom", ge=1, le=MAX_ID, description="Only runs that carry out this dry run."),
]
_AfterPosition = Annotated[
    int,
    QueryParameter(
        name="after", ge=0, le=MAX_ID, description="Positions after this one.", examples=[Example(value=0)]
    ),
]
_Outcome = Annotated[
    str | None,
    QueryParameter(enum=OUTCOMES, description="Only this outcome.", examples=[Example(value="failed")]),
]
_LAST_POSITION = 2**31 - 1  # the column has 32 bits


@post(
    "/imports",
    status_code=202,
    summary="Import from an address",
    description="Answers at once; follow the run at its Location. With dryRun=true the run reports what would change and writes nothing. Publishing needs a reviewer. Idempotent with an Idempotency-Key header.",
    opt={"roles": EDITORS},
)
async def create_import(
    request: ApiRequest,
    data: JSONBody[schemas.ImportIn],
    dry_run: DryRun = False,
    idempotency_key: OnceKey = None,
) -> JsonResponse[schemas.ImportRunAnswer]:
    """Queue a run that imports from an address."""
    check_may_publish(request, data.options.policy)
    actor = actor_of(request)
    # Stays empty when the key was used before: the job of that run is queued already.
    created_ids: list[int] = []

    def work(session: Session) -> idempotent.Created[schemas.ImportRunAnswer]:
        url = sources.check_url(data.source_type, data.url)
        known = sources.find(session, data.source_type, url)
        namespace = sources.namespace_of(data.source_type, url, data.options)
        run = runs.create(
            session,
            runs.Origin(data.source_type, known.namespace if known is not None else namespace, url),
            data.options,
            actor,
            dry_run=dry_run,
            source=known,
        )
        created_ids.append(run.id)
        answer = schemas.ImportRunAnswer(data=schemas.run_out(run))
        return idempotent.Created(answer, f"/catalog/imports/{run.id}")

    answer = await idempotent.create(request, idempotency_key, work)
    for run_id in created_ids:
        await hand_over(request, run_id)
    return answer


@get("/imports", summary="Imports, newest first", opt={"roles": EDITORS})
async def list_imports(
    request: ApiRequest,
    before: BeforeId = None,
    limit: Limit = DEFAULT_LIMIT,
    status: _Status = None,
    source_id: _SourceId = None,
    parent_id: _ParentId = None,
    applied_from: _AppliedFrom = None,
) -> JsonResponse[schemas.ImportRunList]:
    """List runs."""
    statement = queries.runs(
        before, limit + 1, status=status, source_id=source_id, parent_id=parent_id, applied_from=applied_from
    )
    async with request.shared.db() as session:
        rows = [schemas.run_out(run) for run in await session.scalars(statement)]
    meta = list_meta(limit, [row.id for row in rows])
    return JsonResponse(schemas.ImportRunList(data=rows[:limit], meta=meta))


@get("/imports/{run_id:int}", summary="One import", opt={"roles": EDITORS, "errors": ("not_found",)})
async def get_import(request: ApiRequest, run_id: Id) -> JsonResponse[schemas.ImportRunAnswer]:
    """Return a run with its state, progress and counts."""

    def work(session: Session) -> schemas.ImportRunOut:
        run = runs.get(session, run_id)
        return schemas.run_out(run, session.scalar(queries.count_not_searchable(run_id)))

    return JsonResponse(schemas.ImportRunAnswer(data=await transaction.read(request, work)))


@get(
    "/imports/{run_id:int}/items",
    operation_id="listImportItems",
    summary="The outcome of each item",
    opt={"roles": EDITORS, "errors": ("not_found",)},
)
async def list_items(
    request: ApiRequest,
    run_id: Id,
    after: _AfterPosition = 0,
    limit: Limit = DEFAULT_LIMIT,
    outcome: _Outcome = None,
) -> JsonResponse[schemas.ImportItemList]:
    """List the items of a run by position."""
    position = min(after, _LAST_POSITION)

    def work(session: Session) -> list[schemas.ImportItemOut]:
        runs.get(session, run_id)
        found = session.scalars(queries.items(run_id, position, limit + 1, outcome))
        return [schemas.item_out(item) for item in found]

    rows = await transaction.read(request, work)
    meta = list_meta(limit, [row.position for row in rows])
    return JsonResponse(schemas.ImportItemList(data=rows[:limit], meta=meta))


@post(
    "/imports/{run_id:int}/cancel",
    status_code=200,
    summary="Stop an import",
    description="A waiting run stops at once, a running run after its current batch. Programs that it has written stay.",
    opt={"roles": EDITORS, "errors": ("not_found", "conflict")},
)
async def cancel_import(request: ApiRequest, run_id: Id) -> JsonResponse[schemas.ImportRunAnswer]:
    """Cancel a run; 409 when it has ended."""
    actor = actor_of(request)
    found = await transaction.write(request, lambda s: schemas.run_out(runs.cancel(s, run_id, actor)))
    return JsonResponse(schemas.ImportRunAnswer(data=found))


@post(
    "/imports/{run_id:int}/retry",
    status_code=202,
    summary="Import the failed items again",
    description="Starts a new run with the failed items, or with all items when the run did not reach its end.",
    opt={"roles": EDITORS, "errors": ("not_found", "conflict")},
)
async def retry_import(request: ApiRequest, run_id: Id) -> JsonResponse[schemas.ImportRunAnswer]:
    """Queue a new run; 409 while the run goes on, or when nothing failed."""
    actor = actor_of(request)

    def work(session: Session) -> int:
        run = runs.get(session, run_id)
        check_may_publish(request, run_options.read(run.options).policy)
        return runs.retry(session, run_id, actor).id

    return await accepted(request, await transaction.write(request, work))


@post(
    "/imports/{run_id:int}/apply",
    status_code=202,
    summary="Carry out a dry run",
    description="Starts a new run that writes what the dry run has read, or the items at `positions` alone. The source is not asked again; what the dry run has read is kept for seven days. 409 when another run has written from this source since, or is about to. Idempotent with an Idempotency-Key header.",
    opt={"roles": EDITORS, "errors": ("not_found", "conflict", "validation_failed")},
)
async def apply_import(
    request: ApiRequest,
    run_id: Id,
    data: JSONBody[schemas.ApplyIn | None] = None,
    idempotency_key: OnceKey = None,
) -> JsonResponse[schemas.ImportRunAnswer]:
    """Queue a new run; 409 when the run was no dry run, did not reach its end, or is too old."""
    actor, positions = actor_of(request), data.positions if data is not None else None

    created_ids: list[int] = []

    def work(session: Session) -> idempotent.Created[schemas.ImportRunAnswer]:
        run = runs.get(session, run_id)
        check_may_publish(request, run_options.read(run.options).policy)
        again = runs.apply(session, run_id, positions, actor)
        created_ids.append(again.id)
        answer = schemas.ImportRunAnswer(data=schemas.run_out(again))
        return idempotent.Created(answer, f"/catalog/imports/{again.id}")

    answer = await idempotent.create(request, idempotency_key, work)
    for created_id in created_ids:
        await hand_over(request, created_id)
    return answer


HANDLERS = [create_import, list_imports, get_import, list_items, cancel_import, retry_import, apply_import]
