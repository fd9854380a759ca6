"""What the framework gets of a server is the same over ASGI and over RSGI."""

import asyncio
import json
import threading
from contextlib import closing
from typing import Any

import pytest
from granian.constants import Interfaces

from api.answers.front import bridge, pacing
from api.answers.front.served import Served
from tests.support.interfaces import BOTH, connect, exchanged, serving
from tests.support.waiting import eventually

_END = b"Host: here\r\nConnection: close\r\n\r\n"
PART = b"x" * 65_536


class App:
    """An application that says what it got, and remembers what became of it."""

    def __init__(self) -> None:
        """Begin with nothing."""
        self.lifespan: list[str] = []
        self.seen: list[dict[str, Any]] = []
        self.messages: list[str] = []
        self.sent = 0

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """ASGI."""
        if scope["type"] == "lifespan":
            for _ in range(2):
                kind = (await receive())["type"]
                self.lifespan.append(kind)
                await send({"type": f"{kind}.complete"})
            return
        if scope["path"] == "/alive":
            await send({"type": "http.response.start", "status": 200, "headers": []})
            await send({"type": "http.response.body", "body": b"", "more_body": False})
            return
        self.seen.append(scope)
        answer: dict[str, Any] = {"/stream": self._stream, "/events": self._events, "/fails": self._fail}
        await answer.get(scope["path"], self._echo)(scope, receive, send)

    async def _echo(self, scope: Any, receive: Any, send: Any) -> None:
        body, parts = b"", 0
        while True:
            message = await receive()
            self.messages.append(message["type"])
            if message["type"] == "http.disconnect":
                return
            body, parts = body + message["body"], parts + 1
            if not message["more_body"]:
                break
        told = {
            name: scope[name]
            for name in ("type", "http_version", "method", "path", "root_path", "scheme", "server")
        }
        told |= {"client": scope["client"][0], "body": body.decode(), "query": scope["query_string"].decode()}
        told["headers"] = [[name.decode(), value.decode("latin-1")] for name, value in scope["headers"]]
        told["server"] = told["server"][0]
        text = json.dumps(told, sort_keys=True).encode()
        headers = [(b"content-length", b"%d" % len(text)), (b"x-one", b"1"), (b"x-one", b"2")]
        await send({"type": "http.response.start", "status": 201, "headers": headers})
        await send({"type": "http.response.body", "body": text, "more_body": False})
        # After the answer there is nobody to wait for.
        assert (await receive())["type"] == "http.disconnect"
        self.messages.append("answered")

    async def _stream(self, _: Any, receive: Any, send: Any) -> None:
        await receive()
        await send({"type": "http.response.start", "status": 200, "headers": []})
        for _ in range(400):
            await send({"type": "http.response.body", "body": PART, "more_body": True})
            self.sent += len(PART)
        await send({"type": "http.response.body", "body": b"end", "more_body": False})

    async def _events(self, _: Any, receive: Any, send: Any) -> None:
        await receive()
        headers = [(b"content-type", b"text/event-stream; charset=utf-8")]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        gone = asyncio.ensure_future(receive())
        await send({"type": "http.response.body", "body": b"data: one\n\n", "more_body": True})
        self.messages.append((await gone)["type"])

    async def _fail(self, _scope: Any, _receive: Any, _send: Any) -> None:
        raise RuntimeError("on purpose")


REQUESTS = {
    "a query": b"GET /a%20b/%D9%82%zz?q=%D9%82&a=1+2 HTTP/1.1\r\nX-A: 1\r\nx-a: 2\r\n" + _END,
    "an old client": b"GET /old HTTP/1.0\r\n\r\n",
    "a head": b"HEAD /head HTTP/1.1\r\n" + _END,
    "another method": b"PURGE /x HTTP/1.1\r\n" + _END,
    "a body": b"POST /x HTTP/1.1\r\nContent-Length: 5\r\n" + _END + b"12345",
    "a body of a GET": b"GET /x HTTP/1.1\r\nContent-Length: 2\r\n" + _END + b"ab",
    "an empty body": b"POST /x HTTP/1.1\r\nContent-Length: 0\r\n" + _END,
    "parts": b"PUT /x HTTP/1.1\r\nTransfer-Encoding: chunked\r\n"
    + _END
    + b"3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n",
    "no body": b"DELETE /x HTTP/1.1\r\n" + _END,
    "a failure": b"GET /fails HTTP/1.1\r\n" + _END,
    "a wrong head": b"GET /x HTTP/1.1\r\nno colon\r\n\r\n",
    "a websocket": b"GET /x HTTP/1.1\r\nUpgrade: nothing\r\n" + _END,
}


def test_requests_and_answers_are_the_same() -> None:
    answers, apps = {}, {}
    for interface in BOTH:
        apps[interface] = app = App()
        with serving(app, interface) as port:
            answers[interface] = {name: exchanged(port, request) for name, request in REQUESTS.items()}
            eventually(lambda app=app: app.messages[-1] == "answered", what="the last one has ended")
        assert app.lifespan == ["lifespan.startup", "lifespan.shutdown"]
    for name in REQUESTS:
        one, other = (answers[interface][name] for interface in BOTH)
        # What servers say of an application that fails is their own; this product's answers itself.
        assert one[0] == other[0] if name == "a failure" else one == other, name
    # Also what is not shown: raw paths alone are written anew.
    one, other = ([{k: type(v) for k, v in scope.items()} for scope in apps[i].seen] for i in BOTH)
    assert [set(scope) - {"raw_path"} for scope in one] == [set(scope) - {"raw_path"} for scope in other]
    assert apps[BOTH[0]].messages == apps[BOTH[1]].messages


@pytest.mark.parametrize("interface", BOTH)
@pytest.mark.parametrize(
    "begun",
    [
        b"POST /x HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\n123",
        b"POST /x HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n",
    ],
)
def test_a_body_that_breaks_off_is_no_whole_body(interface: Interfaces, begun: bytes) -> None:
    app = App()
    with serving(app, interface) as port:
        with connect(port) as connection:
            connection.sendall(begun)
            eventually(lambda: app.messages == ["http.request"], what="the first part")
        eventually(lambda: len(app.messages) == 2, what="the end")
    assert app.messages == ["http.request", "http.disconnect"]


@pytest.mark.parametrize("interface", BOTH)
def test_events_leave_one_by_one_and_end_with_their_reader(interface: Interfaces) -> None:
    app = App()
    with serving(app, interface) as port:
        with connect(port) as connection:
            connection.sendall(b"GET /events HTTP/1.1\r\nHost: a\r\n\r\n")
            received = b""
            while b"data: one" not in received:
                received += connection.recv(65_536)
            assert received.startswith(b"HTTP/1.1 200 OK\r\n")
            assert app.messages == []
        eventually(lambda: app.messages == ["http.disconnect"], what="the reader has gone")


@pytest.mark.slow
@pytest.mark.parametrize("interface", BOTH)
def test_a_stream_does_not_run_ahead_of_its_reader(interface: Interfaces) -> None:
    app, received, more = App(), 0, threading.Event()
    with serving(app, interface) as port, connect(port) as connection:
        connection.sendall(b"GET /stream HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
        eventually(lambda: app.sent > pacing.AHEAD // 2, what="a part of the stream")
        waited = -1
        while waited != app.sent:
            waited = app.sent
            more.wait(1)
        # What the kernel keeps for both ends is some megabytes.
        assert app.sent < 200 * len(PART)
        while part := connection.recv(2**20):
            received += len(part)
        assert app.sent == 400 * len(PART)
        assert received > app.sent


def test_header_values_that_the_server_keeps_are_absent_or_refused() -> None:
    odd = "X-Odd: \xe9\r\nUser-Agent: caf\xe9\r\n".encode("latin-1")
    app = App()
    with serving(app, Interfaces.RSGI) as port:
        exchanged(port, b"GET /x HTTP/1.1\r\n" + odd + _END)
        assert "unreadable" not in app.seen[-1]["state"]
        assert b"user-agent" not in dict(app.seen[-1]["headers"])
        for line, path in ((b"Idempotency-Key: \xe9", b"/x"), (b"Cookie: a=\xd9\x82", b"/studio")):
            exchanged(port, b"POST " + path + b" HTTP/1.1\r\n" + line + b"\r\n" + _END)
            assert app.seen[-1]["state"]["unreadable"] == line.partition(b":")[0].lower().decode()
        exchanged(port, b"GET /ar HTTP/1.1\r\nCookie: a=\xd9\x82\r\n" + _END)
        assert app.seen[-1]["state"] == {}


def test_a_failure_to_start_ends_the_process() -> None:
    async def app(_scope: Any, _receive: Any, send: Any) -> None:
        await send({"type": "lifespan.startup.failed", "message": "on purpose"})

    with closing(asyncio.new_event_loop()) as loop, pytest.raises(SystemExit):
        Served(app).__rsgi_init__(loop)


@pytest.mark.parametrize(
    ("text", "expected"), [("127.0.0.1:80", ("127.0.0.1", 80)), ("[::1]:8000", ("::1", 8000)), ("x", ("", 0))]
)
def test_addresses_are_taken_apart(text: str, expected: tuple[str, int]) -> None:
    assert bridge.address(text) == expected
