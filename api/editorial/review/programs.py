"""Editors' routes for the pending revision of a program."""

from litestar import get, patch, post
from litestar.handlers import HTTPRouteHandler
from litestar.params import JSONBody
from sqlalchemy.orm import Session

from api.editorial import schemas
from api.editorial.pending_schemas import PendingAnswer
from api.editorial.programs import change_program
from api.editorial.review import routes
from api.http import transaction
from api.http.auth import EDITORS, REVIEWERS
from api.http.parameters import Id, IfMatch
from api.http.reply import JsonResponse
from api.http.request import ApiRequest, actor_of, expected_rev
from api.http.schemas import ProgramData, program_detail
from catalog.programs import pending as program_pending
from catalog.programs import queries
from catalog.programs.pending import PROGRAMS
from catalog.review import pending, previews


@patch(
    "/programs/{row_id:int}/pending",
    summary="Change the pending revision of a program",
    description="Begins one when there is none. The program has to be published or scheduled; any other is changed itself. A change takes a submission back. If-Match is the ETag of the pending revision.",
    opt={"roles": EDITORS, "errors": ("not_found", "illegal_transition", "conflict")},
)
async def edit_pending_program(
    request: ApiRequest, row_id: Id, data: JSONBody[schemas.ProgramPatch], if_match: IfMatch = None
) -> JsonResponse[PendingAnswer]:
    """Change the fields that the body has in the pending revision; listeners see nothing of it."""
    values, actor, expected = schemas.values(data), actor_of(request), expected_rev(if_match)
    return await routes.change(
        request, PROGRAMS, row_id, lambda s: program_pending.propose(s, row_id, values, actor, expected)
    )


@get(
    "/programs/{row_id:int}/pending/preview",
    summary="The program as publishing the pending revision would make it",
    description="In the shape that listeners get. 409 or 422 when it could not be published.",
    opt={"roles": EDITORS, "errors": ("not_found", "conflict", "validation_failed")},
)
async def preview_pending_program(request: ApiRequest, row_id: Id) -> JsonResponse[ProgramData]:
    """Return the program with its pending changes."""
    actor = actor_of(request)

    def work(session: Session) -> ProgramData:
        with previews.applied(session, PROGRAMS, row_id, actor):
            row = session.execute(queries.BY_IDS, {"ids": [row_id]}).mappings().one()
        return ProgramData(data=program_detail(row))

    return JsonResponse(await transaction.read(request, work))


def _apply(action: str) -> HTTPRouteHandler:
    @post(
        f"/programs/{{row_id:int}}/pending/{action}",
        status_code=200,
        name=f"program.pending.{action}",
        operation_id=f"{action}_pending_program",
        summary=routes.APPLY_SUMMARIES[action],
        description=routes.APPLY_DESCRIPTION,
        opt={"roles": REVIEWERS, "errors": routes.APPLY_ERRORS},
    )
    async def step(
        request: ApiRequest,
        row_id: Id,
        data: JSONBody[schemas.ActionIn | None] = None,
        if_match: IfMatch = None,
    ) -> JsonResponse[schemas.EditorAnswer]:
        actor, expected = actor_of(request), expected_rev(if_match)
        comment = data.comment if data is not None else ""
        return await change_program(
            request,
            row_id,
            lambda s: pending.apply(s, PROGRAMS, row_id, action, actor, expected, comment=comment),
        )

    return step


HANDLERS = [
    *routes.routes("/programs", PROGRAMS),
    edit_pending_program,
    preview_pending_program,
    *map(_apply, routes.APPLY_SUMMARIES),
]
