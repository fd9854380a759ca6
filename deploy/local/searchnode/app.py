"""The application: every route over one node, and what happens to errors."""

from collections.abc import Awaitable, Callable
from importlib import import_module
from typing import Any

from litestar import Litestar, Request, Response
from litestar.exceptions import HTTPException

from deploy.local.searchnode import left_out
from deploy.local.searchnode.errors import ApiError, unsupported
from deploy.local.searchnode.keys import Keys
from deploy.local.searchnode.node import Node
from deploy.local.searchnode.web import ADDRESSES, MAX_BODY, ROUTES, Call, answer, route

for _name in ("indexes", "documents", "search", "tasks", "keys"):
    import_module(f"deploy.local.searchnode.routes.{_name}")


def _refuse(method: str, path: str, what: str) -> None:
    @route(method, path, None)
    def refuse(call: Call) -> Any:
        raise unsupported(what)


for _method, _path, _what in left_out.addresses():
    # Its own answer is in the routes already where there is more to say.
    if (_method, _path) not in ADDRESSES:
        _refuse(_method, _path, _what)


def _http_error(request: Request[Any, Any, Any], error: HTTPException) -> Response[bytes]:
    if error.status_code == 413:
        too_large = ApiError("payload_too_large", "The provided payload reached the size limit.")
        return answer(413, too_large.body())
    return answer(error.status_code, None)


def _unexpected(request: Request[Any, Any, Any], error: Exception) -> Response[bytes]:
    request.logger.exception("unexpected")
    return answer(500, ApiError("internal", f"Internal: {type(error).__name__}").body())


def create_app(
    node: Node, keys: Keys, on_shutdown: Callable[[], Awaitable[None]] | None = None
) -> Litestar:
    """The application over one node."""
    app = Litestar(
        route_handlers=ROUTES,
        openapi_config=None,
        request_max_body_size=MAX_BODY,
        exception_handlers={HTTPException: _http_error, Exception: _unexpected},
        on_shutdown=[on_shutdown] if on_shutdown else [],
    )
    app.state.node, app.state.api_keys = node, keys
    return app
