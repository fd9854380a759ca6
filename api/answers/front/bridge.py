"""ASGI over RSGI: the framework gets a request of RSGI as it would get it of a server that speaks ASGI.

RSGI differs in four things, which are evened out here as far as the server lets us:

- The end of a body and a client that hangs up within it look alike, an empty part. Behind the end nothing more can be asked for.
- A stream takes everything at once: `pacing` waits until the client has read enough of it.
- Header values with other characters than printable ASCII are kept from applications. Where one of them says what is asked for or
  who asks, the request is refused (`unreadable`); otherwise it counts as absent.
- There is no `raw_path`: it is written anew from the path.
"""

import asyncio
from collections.abc import AsyncIterable, Awaitable, Iterable, Iterator
from contextlib import suppress
from typing import Any, cast
from typing import Protocol as Typed
from urllib.parse import quote

from litestar.types import HTTPScope, Message, ReceiveMessage

from api.answers.encodings import Header
from api.answers.front.asked import RsgiScope, Text
from api.answers.front.pacing import Pace

_GONE: ReceiveMessage = {"type": "http.disconnect"}
_EVENTS = "text/event-stream"
# Headers without which a request means something else, and paths on which a cookie says who asks.
_NEEDED = frozenset(
    {"authorization", "content-encoding", "content-type", "idempotency-key", "if-match", "x-api-key"}
)
_STAFF = ("/studio", "/ops/board", "/sign-in")
_BODILESS = frozenset({"GET", "HEAD", "OPTIONS"})


class Transport(Typed):
    """A stream of a response."""

    def send_bytes(self, data: bytes) -> Awaitable[None]:
        """Send a part."""
        ...


class Protocol(AsyncIterable[bytes], Typed):
    """What RSGI gives to answer one request with."""

    def __anext__(self) -> Awaitable[bytes]:
        """Return the next part of the body; empty at its end."""
        ...

    def client_disconnect(self) -> Awaitable[None]:
        """Wait until the client hangs up."""
        ...

    def response_bytes(self, status: int, headers: list[Text], body: bytes) -> None:
        """Send a response.

        Args:
            status: The HTTP status.
            headers: Names and values.
            body: The whole body.
        """
        ...

    def response_stream(self, status: int, headers: list[Text]) -> Transport:
        """Begin a response of several parts."""
        ...

    def close(self, status: int) -> None:
        """Refuse a WebSocket."""
        ...


class _Done:
    """An awaitable of what is done already: a coroutine costs more."""

    __slots__ = ()

    def __await__(self) -> Iterator[None]:
        return iter(())


DONE = cast("Awaitable[None]", _Done())


def encoded(headers: Iterable[Text]) -> list[Header]:
    """Return headers as ASGI has them."""
    return [(name.encode("latin-1"), value.encode("latin-1")) for name, value in headers]


def unreadable(scope: RsgiScope) -> str:
    """Return the name of a header that the request depends on and the server keeps from us; empty when there is none."""
    missing = set(scope.headers.keys()) - {name for name, _ in scope.headers.items()}
    if "cookie" in missing and scope.path.startswith(_STAFF):
        return "cookie"
    return min(missing & _NEEDED, default="")


def scope_of(scope: RsgiScope) -> HTTPScope:
    """Return a request of RSGI as ASGI has it."""
    headers = encoded(scope.headers.items())
    if not any(name == b"host" for name, _ in headers):
        headers.insert(0, (b"host", (scope.authority or "").encode("latin-1")))
    path, name = scope.path, unreadable(scope)
    made: Any = {
        "type": "http",
        "asgi": {"version": "3.0", "spec_version": "2.3"},
        "http_version": scope.http_version,
        "server": address(scope.server),
        "client": address(scope.client),
        "scheme": scope.scheme,
        "method": scope.method,
        "root_path": "",
        "path": path,
        "raw_path": quote(path).encode(),
        "query_string": scope.query_string.encode(),
        "headers": headers,
        "extensions": {},
        "state": {"unreadable": name} if name else {},
    }
    found: HTTPScope = made
    return found


def address(text: str) -> tuple[str, int]:
    """Return the address and the port in a text such as `127.0.0.1:80` or `[::1]:80`."""
    host, _, port = text.rpartition(":")
    return host.removeprefix("[").removesuffix("]"), int(port) if port.isdigit() else 0


class Exchange:
    """One request and its response, as the two ends of an ASGI application."""

    def __init__(self, scope: RsgiScope, protocol: Protocol) -> None:
        """Read the head of a request."""
        self.scope = scope_of(scope)
        self._protocol = protocol
        names = {name for name, _ in self.scope["headers"]}
        has_body = (
            scope.method not in _BODILESS or b"content-length" in names or b"transfer-encoding" in names
        )
        # `parts` is None before the body is asked for, and once it is complete `complete` is set.
        self._parts: Any = None
        self._is_complete = not has_body
        self._told_complete = False
        self._ended = asyncio.Event()
        self._start: tuple[int, list[Text]] = 500, []
        self._stream: Transport | None = None
        self._pace: Pace | None = None

    async def __aenter__(self) -> "Exchange":
        return self

    async def __aexit__(self, *_: object) -> None:
        # Without its transport a stream ends.
        self._stream = None
        self._ended.set()

    async def receive(self) -> ReceiveMessage:
        """Return the next part of the body, or that the client has gone or been answered."""
        if self._is_complete:
            if self._told_complete:
                return await self._until_gone()
            self._told_complete = True
            return {"type": "http.request", "body": b"", "more_body": False}
        if self._parts is None:
            self._parts = aiter(self._protocol)
        part = await self._protocol.__anext__()
        if part:
            return {"type": "http.request", "body": part, "more_body": True}
        self._is_complete = True
        try:
            more = self._protocol.__anext__()
        except StopAsyncIteration:
            self._told_complete = True
            return {"type": "http.request", "body": b"", "more_body": False}
        # The body broke off.
        self._told_complete = True
        self._ended.set()
        with suppress(Exception):
            await more
        return _GONE

    async def _until_gone(self) -> ReceiveMessage:
        if not self._ended.is_set():

            async def gone() -> None:
                await self._protocol.client_disconnect()

            waits = [asyncio.ensure_future(gone()), asyncio.ensure_future(self._ended.wait())]
            try:
                await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
            finally:
                for task in waits:
                    task.cancel()
        return _GONE

    async def send(self, message: Message) -> None:
        """Take a part of the response."""
        if message["type"] == "http.response.start":
            headers = [
                (name.decode("latin-1"), value.decode("latin-1")) for name, value in message["headers"]
            ]
            self._start = message["status"], headers
            # Events leave one by one, and the head before the first of them.
            if any(name == "content-type" and value.startswith(_EVENTS) for name, value in headers):
                self._stream = self._protocol.response_stream(*self._start)
        elif message["type"] == "http.response.body":
            await self._send_part(message.get("body", b""), more=message.get("more_body", False))

    async def _send_part(self, part: bytes, *, more: bool) -> None:
        if self._stream is None and not more:
            self._protocol.response_bytes(*self._start, part)
            self._ended.set()
            return
        if self._stream is None:
            self._stream = self._protocol.response_stream(*self._start)
            self._pace = Pace(self.scope["client"] or ("", 0))
        if part:
            # To a client that has gone nothing is sent; the application hears of it from `receive`.
            with suppress(Exception):
                await self._stream.send_bytes(part)
            if self._pace is not None:
                await self._pace.wait(len(part))
        if not more:
            self._stream = None
            self._ended.set()
