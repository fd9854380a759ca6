"""Editors' routes that list programs: those in every state, and deleted ones."""

from litestar import get
from litestar.datastructures import MultiDict
from sqlalchemy.exc import DBAPIError

from api.editorial.listing import pages, params, schemas
from api.editorial.listing.search import CANCELED
from api.http import transaction
from api.http.auth import EDITORS
from api.http.errors import Problem
from api.http.reply import JsonResponse
from api.http.request import ApiRequest, actor_of

_ERRORS = ("invalid_cursor", "search_unavailable")
_FILTERS = (
    "q finds what listeners find with the same words (typos, joined letters, other scripts and layouts, synonyms), in "
    "every state. Filters: status, categoryId, seriesId, language, kind, mediaType, tag, person (each may have several "
    "values), title (a part of it), featured, createdAfter and createdBefore (also updated, released, published, "
    "scheduled, expires; in the time zone tz), createdBy, editedBy, changed, pending, commented, searchable. sort by any column; "
    "counts=true; limit ≤ 100; cursor."
)


async def _page(request: ApiRequest, sent: MultiDict[str], *, trashed: bool) -> pages.Page:
    """Return a page of a list.

    Args:
        request: Of whom asks.
        sent: The parameters of the list.
        trashed: The list is the trash.

    Raises:
        Problem: A list with words took too long.
        DBAPIError: PostgreSQL failed in another way.
    """
    asked = params.list_request(sent, str(actor_of(request)), trashed=trashed)
    api = request.shared.settings.api
    secret, seconds = api.secret_key.get_secret_value(), api.fallback_timeout_ms / 1000
    try:
        return await transaction.read(request, lambda s: pages.read(s, asked, secret, seconds))
    except DBAPIError as error:
        if getattr(error.orig, "sqlstate", None) != CANCELED or not asked.q:
            raise
        detail = "These words take too long to look for: narrow the list, or write them in full."
        raise Problem("search_unavailable", detail, headers={"Retry-After": "2"}) from error


async def programs(request: ApiRequest, sent: MultiDict[str]) -> schemas.EditorList:
    """Return a page of programs in any state. `sent` has the parameters of `params.LIST`."""
    page = await _page(request, sent, trashed=False)
    return schemas.EditorList(data=[schemas.listed(row, marks) for row, marks in page.rows], meta=page.meta)


async def trash(request: ApiRequest, sent: MultiDict[str]) -> schemas.TrashList:
    """Return a page of deleted programs. `sent` has the parameters of `params.TRASH`."""
    page = await _page(request, sent, trashed=True)
    return schemas.TrashList(data=[schemas.trashed(row, marks) for row, marks in page.rows], meta=page.meta)


@get(
    "/programs",
    summary="List programs in any state",
    description=_FILTERS,
    opt={"roles": EDITORS, "errors": _ERRORS, "parameters": params.LIST},
)
async def list_programs(request: ApiRequest) -> JsonResponse[schemas.EditorList]:
    """List programs, a page at a time; deleted programs are left out."""
    return JsonResponse(await programs(request, request.query_params))


@get(
    "/programs/trash",
    operation_id="listTrash",
    summary="List deleted programs",
    description="Those that were deleted last come first. /undelete brings one back. Nothing is ever removed from the trash by "
    "itself. " + _FILTERS,
    opt={"roles": EDITORS, "errors": _ERRORS, "parameters": params.TRASH},
)
async def list_trash(request: ApiRequest) -> JsonResponse[schemas.TrashList]:
    """List deleted programs, a page at a time."""
    return JsonResponse(await trash(request, request.query_params))


HANDLERS = [list_programs, list_trash]
