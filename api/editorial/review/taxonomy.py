"""Editors' routes for the pending revisions of series and categories."""

from litestar import get, patch, post
from litestar.handlers import HTTPRouteHandler
from litestar.params import JSONBody
from sqlalchemy.orm import Session

from api.editorial import taxonomy_schemas as schemas
from api.editorial.pending_schemas import PendingAnswer
from api.editorial.review import routes
from api.editorial.schemas import ActionIn
from api.editorial.taxonomy import category_answer, read_category, read_series, series_answer
from api.http import transaction
from api.http.auth import EDITORS, REVIEWERS
from api.http.parameters import Id, IfMatch
from api.http.reply import JsonResponse
from api.http.request import ApiRequest, actor_of, expected_rev
from catalog.review import pending, previews
from catalog.taxonomy.pending import CATEGORIES, SERIES

_EDIT = "Begins one when there is none. A change takes a submission back. If-Match is the ETag of the pending revision."
_PREVIEW = "409 or 422 when it could not be published."


@patch(
    "/series/{row_id:int}/pending",
    summary="Change the pending revision of a series",
    description=_EDIT,
    opt={"roles": EDITORS, "errors": ("not_found", "conflict")},
)
async def edit_pending_series(
    request: ApiRequest, row_id: Id, data: JSONBody[schemas.SeriesPatch], if_match: IfMatch = None
) -> JsonResponse[PendingAnswer]:
    """Change the fields that the body has in the pending revision; listeners see nothing of it."""
    values, actor, expected = schemas.values(data), actor_of(request), expected_rev(if_match)
    return await routes.change(
        request,
        SERIES,
        row_id,
        lambda s: pending.propose(s, SERIES, row_id, values, actor, expected_rev=expected),
    )


@patch(
    "/categories/{row_id:int}/pending",
    summary="Change the pending revision of a category",
    description=_EDIT,
    opt={"roles": EDITORS, "errors": ("not_found", "conflict")},
)
async def edit_pending_category(
    request: ApiRequest, row_id: Id, data: JSONBody[schemas.CategoryPatch], if_match: IfMatch = None
) -> JsonResponse[PendingAnswer]:
    """Change the fields that the body has in the pending revision; listeners see nothing of it."""
    values, actor, expected = schemas.values(data), actor_of(request), expected_rev(if_match)
    return await routes.change(
        request,
        CATEGORIES,
        row_id,
        lambda s: pending.propose(s, CATEGORIES, row_id, values, actor, expected_rev=expected),
    )


@get(
    "/series/{row_id:int}/pending/preview",
    summary="The series as publishing the pending revision would make it",
    description=_PREVIEW,
    opt={"roles": EDITORS, "errors": ("not_found", "conflict", "validation_failed")},
)
async def preview_pending_series(request: ApiRequest, row_id: Id) -> JsonResponse[schemas.SeriesAnswer]:
    """Return the series with its pending changes."""
    actor = actor_of(request)

    def work(session: Session) -> schemas.SeriesAnswer:
        with previews.applied(session, SERIES, row_id, actor):
            return read_series(session, row_id)

    return JsonResponse(await transaction.read(request, work))


@get(
    "/categories/{row_id:int}/pending/preview",
    summary="The category as publishing the pending revision would make it",
    description=_PREVIEW,
    opt={"roles": EDITORS, "errors": ("not_found", "conflict", "validation_failed")},
)
async def preview_pending_category(request: ApiRequest, row_id: Id) -> JsonResponse[schemas.CategoryAnswer]:
    """Return the category with its pending changes."""
    actor = actor_of(request)

    def work(session: Session) -> schemas.CategoryAnswer:
        with previews.applied(session, CATEGORIES, row_id, actor):
            return read_category(session, row_id)

    return JsonResponse(await transaction.read(request, work))


def _apply_series(action: str) -> HTTPRouteHandler:
    @post(
        f"/series/{{row_id:int}}/pending/{action}",
        status_code=200,
        name=f"series.pending.{action}",
        operation_id=f"{action}_pending_series",
        summary=routes.APPLY_SUMMARIES[action],
        description=routes.APPLY_DESCRIPTION,
        opt={"roles": REVIEWERS, "errors": routes.APPLY_ERRORS},
    )
    async def step(
        request: ApiRequest, row_id: Id, data: JSONBody[ActionIn | None] = None, if_match: IfMatch = None
    ) -> JsonResponse[schemas.SeriesAnswer]:
        actor, expected = actor_of(request), expected_rev(if_match)
        comment = data.comment if data is not None else ""

        def work(session: Session) -> schemas.SeriesAnswer:
            pending.apply(session, SERIES, row_id, action, actor, expected, comment=comment)
            return read_series(session, row_id)

        return series_answer(await transaction.write(request, work))

    return step


def _apply_category(action: str) -> HTTPRouteHandler:
    @post(
        f"/categories/{{row_id:int}}/pending/{action}",
        status_code=200,
        name=f"category.pending.{action}",
        operation_id=f"{action}_pending_category",
        summary=routes.APPLY_SUMMARIES[action],
        description=routes.APPLY_DESCRIPTION,
        opt={"roles": REVIEWERS, "errors": routes.APPLY_ERRORS},
    )
    async def step(
        request: ApiRequest, row_id: Id, data: JSONBody[ActionIn | None] = None, if_match: IfMatch = None
    ) -> JsonResponse[schemas.CategoryAnswer]:
        actor, expected = actor_of(request), expected_rev(if_match)
        comment = data.comment if data is not None else ""

        def work(session: Session) -> schemas.CategoryAnswer:
            pending.apply(session, CATEGORIES, row_id, action, actor, expected, comment=comment)
            return read_category(session, row_id)

        return category_answer(await transaction.write(request, work))

    return step


HANDLERS = [
    *routes.routes("/series", SERIES),
    edit_pending_series,
    preview_pending_series,
    *map(_apply_series, routes.APPLY_SUMMARIES),
    *routes.routes("/categories", CATEGORIES),
    edit_pending_category,
    preview_pending_category,
    *map(_apply_category, routes.APPLY_SUMMARIES),
]
