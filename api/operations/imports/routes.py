"""Operators' routes for imports: stop a run, repeat what failed, pause and resume a source, make it due now.

Nothing is enqueued here: the scheduler finds new runs and due sources every two seconds.
"""

from litestar import post
from sqlalchemy.orm import Session

from api.http import transaction
from api.http.auth import OPS, check_may_publish
from api.http.parameters import Id
from api.http.reply import JsonResponse
from api.http.request import ApiRequest, actor_of
from api.operations.reading import schemas
from catalog.imports import options, runs, sources
from catalog.imports.models import ImportRun, ImportSource


def _title(session: Session, run: ImportRun) -> str | None:
    source = session.get(ImportSource, run.source_id) if run.source_id is not None else None
    return source.title if source is not None else None


@post(
    "/imports/{run_id:int}/cancel",
    operation_id="stopImport",
    status_code=200,
    summary="Stop an import",
    description="A waiting run stops at once, a running run after its current batch. Programs that it has written stay.",
    opt={"roles": OPS, "errors": ("not_found", "conflict")},
)
async def cancel_import(request: ApiRequest, run_id: Id) -> JsonResponse[schemas.RunAnswer]:
    """Cancel a run; 409 when it has ended."""
    actor = actor_of(request)

    def work(session: Session) -> schemas.RunOut:
        run = runs.cancel(session, run_id, actor)
        return schemas.run_out(run, _title(session, run))

    return JsonResponse(schemas.RunAnswer(data=await transaction.write(request, work)))


@post(
    "/imports/{run_id:int}/retry",
    operation_id="repeatImport",
    status_code=202,
    summary="Import the failed items again",
    description="Starts a new run with the failed items, or with all items when the run did not reach its end. One that publishes needs a reviewer.",
    opt={"roles": OPS, "errors": ("not_found", "conflict")},
)
async def retry_import(request: ApiRequest, run_id: Id) -> JsonResponse[schemas.RunAnswer]:
    """Create a new run; 409 while the run goes on, or when nothing failed.

    Raises:
        Problem: The import publishes, and the sender is no reviewer.
    """
    actor = actor_of(request)

    def work(session: Session) -> schemas.RunOut:
        run = runs.get(session, run_id)
        check_may_publish(request, options.read(run.options).policy)
        again = runs.retry(session, run_id, actor)
        return schemas.run_out(again, _title(session, again))

    return JsonResponse(schemas.RunAnswer(data=await transaction.write(request, work)))


async def _set_state(request: ApiRequest, source_id: int, state: str) -> JsonResponse[schemas.SourceAnswer]:
    actor = actor_of(request)
    found = await transaction.write(
        request, lambda s: schemas.source_out(sources.edit(s, source_id, {"state": state}, actor))
    )
    return JsonResponse(schemas.SourceAnswer(data=found))


@post(
    "/import-sources/{source_id:int}/pause",
    operation_id="pauseImportSource",
    status_code=200,
    summary="Pause a source",
    description="It is not imported until somebody resumes it. A run that goes on is not stopped.",
    opt={"roles": OPS, "errors": ("not_found",)},
)
async def pause_source(request: ApiRequest, source_id: Id) -> JsonResponse[schemas.SourceAnswer]:
    """Pause a source."""
    return await _set_state(request, source_id, "paused")


@post(
    "/import-sources/{source_id:int}/resume",
    operation_id="resumeImportSource",
    status_code=200,
    summary="Resume a source",
    description="Its failures are forgotten, and it is due at once.",
    opt={"roles": OPS, "errors": ("not_found",)},
)
async def resume_source(request: ApiRequest, source_id: Id) -> JsonResponse[schemas.SourceAnswer]:
    """Make a source active."""
    return await _set_state(request, source_id, "active")


@post(
    "/import-sources/{source_id:int}/due",
    operation_id="makeImportSourceDue",
    status_code=200,
    summary="Import a source at once",
    description="The scheduler imports it within seconds, as at any other time. 409 when it is paused.",
    opt={"roles": OPS, "errors": ("not_found", "conflict")},
)
async def make_due(request: ApiRequest, source_id: Id) -> JsonResponse[schemas.SourceAnswer]:
    """Make an active source due now."""
    actor = actor_of(request)
    found = await transaction.write(
        request, lambda s: schemas.source_out(sources.make_due(s, source_id, actor))
    )
    return JsonResponse(schemas.SourceAnswer(data=found))


HANDLERS = [cancel_import, retry_import, pause_source, resume_source, make_due]
