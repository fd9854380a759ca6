"""Editors' routes for the states of a program: one for each action of `catalog.review.states.PROGRAM`."""

from litestar import post
from litestar.handlers import HTTPRouteHandler
from litestar.params import JSONBody

from api.editorial import schemas
from api.editorial.programs import change_program
from api.editorial.review.times import require_offset
from api.http.auth import EDITORS, REVIEWERS
from api.http.parameters import Id, IfMatch
from api.http.reply import JsonResponse
from api.http.request import ApiRequest, actor_of, expected_rev
from catalog.programs import lifecycle


def _transition(action: str, roles: tuple[str, ...], *own_errors: str) -> HTTPRouteHandler:
    @post(
        f"/programs/{{program_id:int}}/{action}",
        status_code=200,
        name=f"program.{action}",
        operation_id=f"{action}_program",
        summary=f"{action.capitalize()} a program",
        opt={"roles": roles, "errors": ("not_found", "illegal_transition", *own_errors)},
    )
    async def step(
        request: ApiRequest,
        program_id: Id,
        data: JSONBody[schemas.ActionIn | None] = None,
        if_match: IfMatch = None,
    ) -> JsonResponse[schemas.EditorAnswer]:
        actor, expected = actor_of(request), expected_rev(if_match)
        comment = data.comment if data is not None else ""
        return await change_program(
            request,
            program_id,
            lambda s: lifecycle.transition(s, program_id, action, actor, expected, comment=comment),
        )

    return step


TRANSITIONS = [
    _transition("submit", EDITORS),
    _transition("approve", REVIEWERS, "revision_required"),
    _transition("reject", REVIEWERS),
    _transition("unschedule", REVIEWERS),
    _transition("publish", REVIEWERS, "revision_required"),
    _transition("unpublish", REVIEWERS),
    _transition("archive", REVIEWERS),
    _transition("restore", REVIEWERS),
    _transition("undelete", REVIEWERS),
]


@post(
    "/programs/{program_id:int}/schedule",
    status_code=200,
    summary="Publish later",
    opt={"roles": REVIEWERS, "errors": ("not_found", "illegal_transition", "revision_required")},
)
async def schedule_program(
    request: ApiRequest, program_id: Id, data: JSONBody[schemas.ScheduleIn], if_match: IfMatch = None
) -> JsonResponse[schemas.EditorAnswer]:
    """Set the time at which the scheduler publishes a program."""
    at = data.scheduled_publish_at
    require_offset(at)
    actor, expected = actor_of(request), expected_rev(if_match)
    return await change_program(
        request, program_id, lambda s: lifecycle.transition(s, program_id, "schedule", actor, expected, at=at)
    )


HANDLERS = [*TRANSITIONS, schedule_program]
