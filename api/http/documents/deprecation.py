"""How a route says that it will go: the headers Deprecation (RFC 9745) and Sunset (RFC 8594), with a link to what comes instead.

A route that is deprecated lists `deprecated(…)` among its `middleware`, and passes `deprecated=True` for the OpenAPI document.
docs/versioning.md has the policy. The edge gives no answer of such a route from memory, because it keeps no headers of routes.
"""

from collections.abc import Callable
from datetime import UTC, datetime
from email.utils import format_datetime

from litestar.types import ASGIApp, Message, Receive, Scope, Send

_LINKED = '<{0}>; rel="deprecation"; type="text/html", <{0}>; rel="sunset"; type="text/html"'


def headers_of(since: datetime, sunset: datetime | None, more: str) -> list[tuple[bytes, bytes]]:
    """Return the headers of a deprecated route.

    Args:
        since: From when on the route should not be used any more.
        sunset: When it will be gone; None while that is open.
        more: Address of the page that says what to use instead.

    Raises:
        ValueError: A time has no offset, or the route would be gone before it is deprecated.
    """
    if since.tzinfo is None or (sunset is not None and sunset.tzinfo is None):
        raise ValueError("A time needs an offset.")
    if sunset is not None and sunset <= since:
        raise ValueError("A route is gone later than it is deprecated.")
    found = [
        (b"deprecation", f"@{int(since.timestamp())}".encode()),
        (b"link", _LINKED.format(more).encode()),
    ]
    if sunset is not None:
        found.append((b"sunset", format_datetime(sunset.astimezone(UTC), usegmt=True).encode()))
    return found


def deprecated(since: datetime, sunset: datetime | None, more: str) -> Callable[[ASGIApp], ASGIApp]:
    """Return the middleware of a deprecated route, which adds the headers to each of its answers.

    Args:
        since: As for `headers_of`.
        sunset: As for `headers_of`.
        more: As for `headers_of`.

    Raises:
        ValueError: A time has no offset, or the route would be gone before it is deprecated.
    """
    added = headers_of(since, sunset, more)

    def around(app: ASGIApp) -> ASGIApp:
        async def announced(scope: Scope, receive: Receive, send: Send) -> None:
            async def outgoing(message: Message) -> None:
                if message["type"] == "http.response.start":
                    # Answers from memory would lack the headers.
                    scope["state"].pop("answered", None)
                    message["headers"] = [*message["headers"], *added]
                await send(message)

            await app(scope, receive, outgoing)

        return announced

    return around
