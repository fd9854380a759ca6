"""Keeps the list of programs that somebody looks at under a name, and forgets one."""

from litestar import Response, post
from litestar.params import FromPath

from api.editorial.listing import saved
from api.http.query import MAX_ID
from api.web.signin.asking import ask
from api.web.signin.staff import StaffRequest, redirect
from api.web.studio.listing.address import PROGRAMS, Address, of_query
from api.web.studio.listing.programs import listed
from catalog.core.errors import Conflict, NotFound, ValidationFailed
from catalog.programs.listing.saved import MAX_NAME


def _behind(request: StaffRequest) -> Address:
    """Return the address of the list that the form was on."""
    return of_query(request, PROGRAMS, request.sent.get("list", ""))


@post("/filters", opt={"again": PROGRAMS})
async def keep(request: StaffRequest) -> Response[bytes]:
    """Keep the list, and lead back to it. A name that does not fit is asked for again."""
    address, name = _behind(request), request.sent.get("name", "")
    data = saved.FilterIn(name=name, query=address.filters)
    try:
        await ask(request, saved.save_filter, saved.FilterAnswer, data=data)
    except Conflict as refused:
        # Without a field it is the number of lists.
        reason = "taken" if refused.field == "name" else "full"
        return await listed(request, address, {"named": name, "not_saved": reason}, 409)
    except ValidationFailed as refused:
        reason = "long" if any(error.field == "query" for error in refused.errors) else "wrong"
        return await listed(request, address, {"named": name[:MAX_NAME], "not_saved": reason}, 422)
    return redirect(request, address.path + address.query_string())


@post("/filters/{filter_id:int}/delete", opt={"again": PROGRAMS})
async def forget(request: StaffRequest, filter_id: FromPath[int]) -> Response[bytes]:
    """Forget a list, and lead back to the one that was shown. One that is gone is forgotten already."""
    address = _behind(request)
    try:
        if 1 <= filter_id <= MAX_ID:
            await saved.delete_filter.fn(request, filter_id=filter_id)
    except NotFound:
        pass
    return redirect(request, address.path + address.query_string())


HANDLERS = [keep, forget]
