"""The application: every route over one node, and what happens to errors. `cli.py` serves it."""

from litestar import Litestar, Response
from litestar.exceptions import HTTPException

from deploy.searchnode.errors import ApiError, NotSupported
from deploy.searchnode.http.call import Call, HttpRequest
from deploy.searchnode.http.keys import Keys
from deploy.searchnode.http.routes import documents, indexes, keys, search, server, settings, tasks
from deploy.searchnode.http.routing import Route, handler, json_response
from deploy.searchnode.tasks.node import Node
from deploy.searchnode.unsupported import Method, addresses

# The largest body, in bytes.
MAX_BODY = 100 * 1024 * 1024
_SUPPORTED = (
    *server.ROUTES,
    *indexes.ROUTES,
    *settings.ROUTES,
    *documents.ROUTES,
    *search.ROUTES,
    *tasks.ROUTES,
    *keys.ROUTES,
)


def _refusal(method: Method, path: str, feature: str) -> Route:
    def refuse(call: Call) -> object:
        raise NotSupported(feature)

    return Route(method, path, None, refuse)


def routes() -> list[Route]:
    """Return every route: those with an answer, and those of features that are not supported."""
    known = {(route.method, route.path) for route in _SUPPORTED}
    # An unsupported address that asks for a key has a route of its own (`documents/edit`).
    refused = [_refusal(*address) for address in addresses() if address[:2] not in known]
    return [*_SUPPORTED, *refused]


def _http_error(request: HttpRequest, error: HTTPException) -> Response[bytes]:
    if error.status_code == 413:
        too_large = ApiError("payload_too_large", "The provided payload reached the size limit.")
        return json_response(413, too_large.body())
    return json_response(error.status_code, None)


def _unexpected(request: HttpRequest, error: Exception) -> Response[bytes]:
    request.logger.exception("A request failed unexpectedly.")
    return json_response(500, ApiError("internal", f"Internal: {type(error).__name__}").body())


def create_app(node: Node, keys: Keys, max_body: int = MAX_BODY) -> Litestar:
    """Return the application of one node; the worker of the node need not run yet.

    Args:
        node: The node.
        keys: Who may do what.
        max_body: Bytes that a request may have.
    """
    return Litestar(
        route_handlers=[handler(route, node, keys) for route in routes()],
        openapi_config=None,
        # The framework's own would pass messages through a queue: the last ones of a process would be lost.
        logging_config=None,
        request_max_body_size=max_body,
        exception_handlers={HTTPException: _http_error, Exception: _unexpected},
    )
