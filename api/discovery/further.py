"""The routes of listeners that lead on from a program. `api.discovery.routes` serves them."""

import msgspec
from litestar import get
from litestar.params import FromPath

from api.answers.answer import Reply
from api.discovery import documented, replies
from api.discovery.around.related import DEFAULT_RELATED, MAX_RELATED
from api.discovery.around.schemas import RelatedAnswer
from api.discovery.state import DiscoveryRequest
from api.http.errors import Problem
from api.http.query import QueryString


@get(
    "/programs/{program_id:str}/related",
    summary="Related programs",
    description="What stands beside a program in its series, shares its people, tags or words of its title, or is viewed "
    "most in its category and language; because says why each is offered. The nearest come first, and a larger limit "
    "adds others behind them. The id of a program that was merged into another program redirects."
    + documented.DEGRADED,
    responses=documented.answers(RelatedAnswer, moves=True),
    opt={"parameters": documented.RELATED, "errors": ("not_found", "search_unavailable")},
)
async def related(request: DiscoveryRequest, program_id: FromPath[str]) -> Reply:
    """Return programs that have something in common with a program.

    Raises:
        Problem: No visible program has the id.
    """
    query = QueryString(request.query_params, {"limit"})
    row_id, shared = replies.row_id(program_id, "id"), request.shared
    limit = query.integer("limit", 1, MAX_RELATED, DEFAULT_RELATED) or DEFAULT_RELATED
    key = f"related:{row_id}:{limit}"
    try:
        return await replies.cached(request, key, "page", lambda: shared.related.related(row_id, limit))
    except Problem as problem:
        if problem.code != "not_found":
            raise
        merged = await replies.page(request, f"merged:{row_id}", lambda: shared.programs.merged(row_id))
        if merged.status == 404:
            raise
        below = f"/related?limit={limit}" if "limit" in query.values else "/related"
        return replies.moved(str(msgspec.json.decode(merged.body, type=int)), below)


HANDLERS = [related]
