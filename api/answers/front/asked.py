"""A request as the edge reads it, from either interface of the server."""

from collections.abc import Iterable
from typing import Any, Protocol, cast

from litestar.types import HTTPScope

from api.http.limits.rate_limit import Budget

Text = tuple[str, str]
_READ = frozenset(
    {
        "user-agent",
        "accept-encoding",
        "x-request-id",
        "if-none-match",
        "authorization",
        "x-api-key",
        "origin",
        "access-control-request-method",
        "x-forwarded-for",
    }
)


class Headers(Protocol):
    """The headers of a request of RSGI. A value that has other characters than printable ASCII is in no item."""

    def items(self) -> list[Text]:
        """Return names and values."""
        ...

    def keys(self) -> list[str]:
        """Return the names, also of values that are in no item."""
        ...


class RsgiScope(Protocol):
    """A request of RSGI 1.6. `client` and `server` are an address and a port."""

    proto: str
    http_version: str
    server: str
    client: str
    scheme: str
    method: str
    path: str
    query_string: str
    authority: str | None
    headers: Headers


class Asked:
    """What a request asks for, and the headers that the edge looks at: those that are not there are empty.

    Attributes:
        method: The HTTP method.
        path: The path without escapes.
        query: The query string as it was sent.
        peer: The address of the connection's other end.
        forwarded: All lines of X-Forwarded-For.
        request_id: What the client calls it, and later what it is called.
        number: Which request of this process it is.
        started: When it began, by the clock of durations.
        credential: The fingerprint of its credential; empty without one.
        budget: The budget that it counts to.
    """

    __slots__ = (
        "agent",
        "api_key",
        "authorization",
        "budget",
        "credential",
        "encodings",
        "forwarded",
        "method",
        "number",
        "origin",
        "path",
        "peer",
        "preflight",
        "query",
        "request_id",
        "started",
        "unchanged",
    )

    def __init__(self, method: str, path: str, query: bytes, peer: str, headers: Iterable[Text]) -> None:
        """Read a request.

        Args:
            method: The HTTP method.
            path: The path without escapes.
            query: The query string.
            peer: The address of the connection's other end.
            headers: Names in lower case, and values.
        """
        self.method, self.path, self.query, self.peer = method, path, query, peer
        self.agent = self.request_id = self.unchanged = self.encodings = self.authorization = ""
        self.api_key = self.origin = self.preflight = self.forwarded = ""
        self.number, self.started = 0, 0.0
        self.credential, self.budget = b"", cast("Budget | None", None)
        for name, value in headers:
            if name not in _READ:
                continue
            if name == "user-agent":  # nearly every request has this one and the next
                self.agent = value
            elif name == "accept-encoding":
                self.encodings = value
            elif name == "x-request-id":
                self.request_id = value
            elif name == "if-none-match":
                self.unchanged = value
            elif name == "authorization":
                self.authorization = value
            elif name == "x-api-key":
                self.api_key = value
            elif name == "origin":
                self.origin = value
            elif name == "access-control-request-method":
                self.preflight = value
            elif name == "x-forwarded-for":
                self.forwarded = f"{self.forwarded},{value}" if self.forwarded else value


def of_asgi(scope: HTTPScope) -> Asked:
    """Return a request of ASGI."""
    peer: Any = (scope.get("client") or ("unknown", 0))[0]
    headers = ((name.decode("latin-1"), value.decode("latin-1")) for name, value in scope["headers"])
    return Asked(scope["method"], scope["path"], scope["query_string"], peer, headers)


def of_rsgi(scope: RsgiScope) -> Asked:
    """Return a request of RSGI."""
    query = scope.query_string
    peer = scope.client.rpartition(":")[0]
    if peer[:1] == "[":
        peer = peer[1:-1]
    return Asked(scope.method, scope.path, query.encode() if query else b"", peer, scope.headers.items())
