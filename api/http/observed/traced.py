"""A span for each request, around the edge. `api.app` puts it there when traces are on, and leaves it out otherwise.

A span says what the log says of a request: method, route, status. It has no address, query, header or body.
"""

from litestar.enums import ScopeType
from litestar.types import ASGIApp, HTTPScope, Message, Receive, Scope, Send

from api.http.observed import counting
from catalog.core import tracing
from catalog.core.actor import current_request_id

# Probes and scrapes are asked for all the time, and nobody looks for one of them.
_UNTRACED = ("/health/", "/metrics")
_OURS = 500


def observe(method: str, route: str, status: int, seconds: float) -> None:
    """Count a request as `counting.observe` does, with its trace, and say in its span what it was.

    Args:
        method: The HTTP method.
        route: The path template of the route.
        status: The HTTP status of the answer.
        seconds: How long it took.
    """
    span = tracing.current()
    exemplar = span.exemplar()
    counting.observe(method, route, status, seconds, exemplar)
    if exemplar is None:
        # Most requests are not recorded, unless every trace is.
        return
    method = method if method in counting.METHODS else "OTHER"
    span.rename(f"{method} {route}")
    span.note({"http.request.method": method, "http.route": route, "http.response.status_code": status})
    request_id = current_request_id()
    if request_id:
        span.note({"thmanyah.request_id": request_id})
    if status >= _OURS:
        span.failed(str(status))


class Traced:
    """ASGI application around the edge, which counts requests by `observe`."""

    def __init__(self, edge: ASGIApp) -> None:
        self._edge = edge

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """ASGI."""
        if scope["type"] != ScopeType.HTTP or scope["path"].startswith(_UNTRACED):
            await self._edge(scope, receive, send)
            return
        with tracing.span("request", kind="server", parent=_parent(scope)) as span:
            if span.exemplar() is None:
                await self._edge(scope, receive, send)
                return

            async def outgoing(message: Message) -> None:
                if message["type"] == "http.response.start":
                    for name, value in message["headers"]:
                        if name == b"x-cache":
                            span.note({"thmanyah.answer_level": value.decode()})
                await send(message)

            await self._edge(scope, receive, outgoing)


def _parent(scope: HTTPScope) -> tracing.Carrier:
    """The client's span, whose trace goes on here; `tracestate` may hold anything, and is left out."""
    for name, value in scope["headers"]:
        if name == b"traceparent":
            return {"traceparent": value.decode("latin-1")}
    return {}
