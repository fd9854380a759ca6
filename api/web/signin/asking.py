"""How pages of staff ask the API's routes: their own functions, with the person who looks at the page."""

from typing import TypeVar, cast

import msgspec
from litestar.handlers import HTTPRouteHandler

from api.http.errors import Problem
from api.http.reply import JsonResponse
from api.web.signin.staff import StaffRequest

Shape = TypeVar("Shape")


async def call(request: StaffRequest, route: HTTPRouteHandler, **given: object) -> object:
    """Return what a route returns, as it is: an answer in JSON, a stream, or None.

    Args:
        request: Of whom the route needs a role, as it does over HTTP.
        route: A handler of `api.operations` or `api.editorial`.
        **given: The parameters and the body of the route.

    Raises:
        Problem: The role is missing, or the route refuses.
    """
    needed = route.opt.get("roles")
    if needed is not None and not request.user.roles & set(needed):
        raise Problem("forbidden", f"Needs one of: {', '.join(needed)}.")
    return await route.fn(request, **given)


async def ask(request: StaffRequest, route: HTTPRouteHandler, shape: type[Shape], **given: object) -> Shape:
    """Return the answer of a route. That of a route without a body is null.

    Args:
        request: Of whom the route needs a role, as it does over HTTP.
        route: A handler of `api.operations` or `api.editorial`.
        shape: The type of its answer.
        **given: The parameters and the body of the route.

    Raises:
        Problem: The role is missing, or the route refuses.
    """
    answer = cast("JsonResponse[Shape] | None", await call(request, route, **given))
    return msgspec.json.decode(answer.content if answer is not None else b"null", type=shape)
