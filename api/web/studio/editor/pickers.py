"""What is offered while somebody types: tags, people and series in the form, programs in the command palette."""

from collections.abc import Awaitable, Callable, Mapping

import msgspec
from litestar import Response, get
from litestar.exceptions import NotFoundException
from litestar.handlers import HTTPRouteHandler
from litestar.params import FromPath

from api.editorial.naming import routes as naming
from api.editorial.naming.schemas import NamedList
from api.http.query import MAX_VALUE
from api.web.signin.asking import ask
from api.web.signin.staff import StaffRequest
from api.web.studio import picking
from api.web.studio.editor.writing import series

# Offers at once.
_MANY = 8
_NAMED: Mapping[str, HTTPRouteHandler] = {str(route.name): route for route in naming.HANDLERS}


class Offer(msgspec.Struct):
    """A row that an input may name. `told` says more of it."""

    id: int
    name: str
    told: str = ""


def _named(route: HTTPRouteHandler) -> Callable[[StaffRequest, str], Awaitable[list[Offer]]]:
    async def find(request: StaffRequest, q: str) -> list[Offer]:
        found = await ask(request, route, NamedList, q=q, limit=_MANY)
        return [Offer(one.id, one.name) for one in found.data]

    return find


async def _series(request: StaffRequest, q: str) -> list[Offer]:
    return [Offer(one.id, one.title) for one in (await series.find(request, q))[:_MANY]]


async def _programs(request: StaffRequest, q: str) -> list[Offer]:
    """Return the programs that fit best, in any state: those of the list of programs, however `q` is spelled."""
    found, text = await picking.find(request, q), request.locale.text
    return [Offer(one.id, one.title, str(text(f"state.{one.status}"))) for one in found[:_MANY]]


_KINDS = {
    "tags": _named(_NAMED["tag.list"]),
    "people": _named(_NAMED["person.list"]),
    "series": _series,
    "programs": _programs,
}


# No page: the browser may not see a new cookie here before it asks again.
@get("/programs/pick/{kind:str}", opt={"exchanges": False})
async def pick(request: StaffRequest, kind: FromPath[str]) -> Response[bytes]:
    """Return what fits the parameter `q`.

    Raises:
        NotFoundException: There is no such kind.
    """
    if kind not in _KINDS:
        raise NotFoundException
    q = request.query_params.get("q", "").strip()[:MAX_VALUE]
    found = await _KINDS[kind](request, q) if q else []
    headers = {"Cache-Control": "no-store"}
    return Response(msgspec.json.encode(found), media_type="application/json", headers=headers)


HANDLERS = [pick]
