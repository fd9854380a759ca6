"""Routes as values, and how a route becomes a handler of Litestar. `app.py` makes the handlers."""

import asyncio
from collections.abc import Callable
from typing import NamedTuple

import msgspec
from litestar import Response
from litestar.handlers import HTTPRouteHandler

from deploy.searchnode.errors import ApiError
from deploy.searchnode.http.call import Call, HttpRequest
from deploy.searchnode.http.keys import Keys
from deploy.searchnode.tasks.node import Node
from deploy.searchnode.unsupported import Method


class Route(NamedTuple):
    """One address.

    `path` is Litestar's, `action` what a key must allow (None: no key is needed). `answer` returns a
    value that msgspec can encode. A `quick` route never waits for the disk and is answered at once; the
    others have threads of their own, so that searches need not wait for them.
    """

    method: Method
    path: str
    action: str | None
    answer: Callable[[Call], object]
    status: int = 200
    quick: bool = False


def handler(route: Route, node: Node, keys: Keys) -> HTTPRouteHandler:
    """Return the Litestar handler of a route.

    Args:
        route: The route.
        node: The node that answers.
        keys: Its API keys.
    """

    def respond(request: HttpRequest, body: bytes) -> Response[bytes]:
        try:
            call = Call(request, body, node, keys)
            if route.action is not None:
                call.authorise(route.action, call.path.get("uid"))
            return json_response(route.status, route.answer(call))
        except ApiError as error:
            return json_response(error.status, error.body())

    async def handle(request: HttpRequest) -> Response[bytes]:
        body = await request.body() if route.method != "GET" else b""
        if route.quick:
            return respond(request, body)
        return await asyncio.to_thread(respond, request, body)

    handle.__name__ = f"{route.method.lower()}_{route.answer.__name__}"
    return HTTPRouteHandler(route.path, http_method=route.method, status_code=200)(handle)


def json_response(status: int, value: object) -> Response[bytes]:
    """Return a JSON answer; without content when the status is 204 or the value is None."""
    body = b"" if status == 204 or value is None else msgspec.json.encode(value)
    return Response(body, status_code=status, media_type="application/json")
