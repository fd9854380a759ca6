"""An application of ASGI behind a real server that speaks ASGI or RSGI to it."""

import asyncio
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from granian.constants import Interfaces
from granian.server.embed import Server
from litestar.types import ASGIApp

from api.answers.front.served import Served
from deploy.local import ports
from tests.support.waiting import eventually

BOTH = (Interfaces.ASGI, Interfaces.RSGI)


class _Requests:
    """What the server calls for each request; the lifespan is begun and ended around it."""

    def __init__(self, served: Served) -> None:
        self._served = served

    async def __rsgi__(self, scope: Any, protocol: Any) -> None:
        """Answer one request."""
        await self._served.__rsgi__(scope, protocol)


@contextmanager
def serving(app: ASGIApp, interface: Interfaces) -> Iterator[int]:
    """Serve an application until the block ends; give its port. `/alive` must be answered.

    Args:
        app: The application.
        interface: What the server speaks.
    """
    port, loops, started = ports.ephemeral(), list[asyncio.AbstractEventLoop](), threading.Event()
    is_asgi = interface is Interfaces.ASGI

    async def run() -> None:
        loops.append(asyncio.get_running_loop())
        served = Served(app)
        target = app if is_asgi else _Requests(served)
        servers.append(Server(target, address="127.0.0.1", port=port, interface=interface))
        if not is_asgi:
            await served.begin()
        started.set()
        await servers[0].serve()
        if not is_asgi:
            await served.end()

    servers: list[Server] = []
    thread = threading.Thread(target=lambda: asyncio.run(run()), daemon=True)
    thread.start()
    assert started.wait(60)
    eventually(lambda: _alive(port), what="the server answers")
    try:
        yield port
    finally:
        loops[0].call_soon_threadsafe(servers[0].stop)
        thread.join(60)
        assert not thread.is_alive()


def _alive(port: int) -> bool:
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=2) as connection:
            connection.sendall(b"GET /alive HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
            return connection.recv(65_536) != b""
    except OSError:
        return False


def connect(port: int) -> socket.socket:
    """Return a connection to the server."""
    return socket.create_connection(("127.0.0.1", port), timeout=30)


def exchanged(port: int, request: bytes) -> tuple[bytes, dict[bytes, bytes], bytes]:
    """Send a request as it is, and return the status line, the headers without the date, and the body as it was sent."""
    with connect(port) as connection:
        connection.sendall(request)
        received = b""
        while part := connection.recv(65_536):
            received += part
    head, _, body = received.partition(b"\r\n\r\n")
    status, *lines = head.split(b"\r\n")
    headers = {name.lower(): value.strip() for name, _, value in (line.partition(b":") for line in lines)}
    headers.pop(b"date", None)
    return status, headers, body
