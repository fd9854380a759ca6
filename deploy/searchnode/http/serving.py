"""Serves an application on a port until the process is asked to stop. `cli.py` calls it."""

import asyncio
import errno
import os
import signal
import socket
import threading
import time
from typing import Any

from granian._granian import SocketHolder
from granian.constants import Interfaces
from granian.server.embed import Server
from litestar import Litestar

# Set by a supervisor that has bound the port already: the number of the inherited socket.
INHERITED_SOCKET = "THMANYAH_SOCKET"
# Connections that wait to be accepted.
_BACKLOG = 128
# Seconds that requests may take after the process was asked to stop.
_GRACE_SECONDS = 10.0
# Seconds within which a second signal counts as the first: `timeout` and shells send it twice.
_SAME_SIGNAL_SECONDS = 1.0


class PortError(Exception):
    """The node cannot listen where it should. The message says why."""


def bind(host: str, port: int) -> socket.socket:
    """Return a socket on a port that no other process listens on, or the one a supervisor bound.

    Raises:
        PortError: The port is taken, or the address cannot be listened on.
    """
    inherited = os.environ.pop(INHERITED_SOCKET, "")
    if inherited:
        return socket.socket(fileno=int(inherited))
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        bound = socket.socket(family, kind, protocol)
        bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        bound.bind(address)
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            raise PortError(f"port {port} is taken by another process") from error
        raise PortError(f"cannot listen on {host} port {port}: {error.strerror}") from error
    bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 0)
    return bound


class _Server(Server):
    """Granian's server on a socket that is bound already; by itself it would share a taken port."""

    def __init__(self, app: Litestar, bound: socket.socket) -> None:
        host, port = bound.getsockname()[:2]
        super().__init__(app, address=host, port=port, interface=Interfaces.ASGI, log_access=False)
        self._bound = bound

    def _init_shared_socket(self) -> None:
        # Without this option the kernel would refuse while connections of an earlier node are closing.
        self._bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self._bound.listen(_BACKLOG)
        # The arguments: the descriptor, whether it is a Unix socket, the backlog.
        holder: Any = SocketHolder(self._bound.detach(), False, _BACKLOG)  # type: ignore[call-arg]  # its stub names none
        self._shd = holder


async def serve(app: Litestar, bound: socket.socket, listening: str) -> None:
    """Serve until SIGINT or SIGTERM; requests under way may finish within the time of grace.

    Args:
        app: The application.
        bound: The socket, as `bind` returns it.
        listening: What to print once the signals are handled.
    """
    server = _Server(app, bound)
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    first_signal_at = 0.0

    def end() -> None:
        nonlocal first_signal_at
        if stop.is_set():
            if time.monotonic() - first_signal_at > _SAME_SIGNAL_SECONDS:
                os._exit(1)
            return
        first_signal_at = time.monotonic()
        stop.set()
        # Work that is not done by then may be cut off: the store survives it like a power cut.
        last = threading.Timer(_GRACE_SECONDS, os._exit, [1])
        last.daemon = True
        last.start()

    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, end)
    serving = asyncio.create_task(server.serve())
    stopping = asyncio.create_task(stop.wait())
    print(listening, flush=True)  # noqa: T201 - the command's output, which supervisors wait for
    await asyncio.wait({serving, stopping}, return_when=asyncio.FIRST_COMPLETED)
    if serving.done():
        serving.result()
        return
    server.stop()  # type: ignore[no-untyped-call]  # Granian does not annotate it
    await serving
