"""Closes connections when one address holds too many, or when all of them leave little room for others.

The server accepts connections and ends slow ones after some seconds (`api.server`). It does not know whose they are.
So each worker process looks once a second at its open connections and asks the kernel how long each has been silent:
idle connections are closed first, those idle longest before others. A client whose idle connection is closed opens
another one for its next request, as after any keep-alive timeout.

Linux alone tells which files a process has open; elsewhere nothing is closed here.
"""

import asyncio
import contextlib
import logging
import os
import socket
import struct
from collections import defaultdict
from collections.abc import AsyncIterator, Iterable
from typing import NamedTuple

from api.http.limits.client_address import ClientAddresses
from api.http.observed import metrics

log = logging.getLogger(__name__)

# Shares of the limit: beyond the first, connections are closed until the second is left.
_FULL, _ROOMY = 0.9, 0.75
_LOOK_SECONDS = 1.0
# Milliseconds after which a client that sends no more of its request is as good as an idle one.
_STALLED_MS = 5000
# Connections that are looked at before other work of the process has its turn.
_AT_A_TIME = 64
FILES = "/proc/self/fd"
# struct tcp_info of <linux/tcp.h>: tcpi_last_data_sent and tcpi_last_data_recv, in milliseconds.
_INFO_BYTES, _LAST_SENT, _LAST_RECEIVED = 56, 44, 52


class Connection(NamedTuple):
    """A client's connection.

    Attributes:
        number: The number of its file.
        peer: The address and the port of its other end.
        client: Whose it is; None when it is a trusted proxy's, so that of many clients.
        is_asking: Whether a part of a request came after the last answer: it is being received or answered.
        silent: Milliseconds since something came or went.
    """

    number: int
    peer: tuple[str, int]
    client: str | None
    is_asking: bool
    silent: int


class Connections:
    """The clients' connections of this process."""

    def __init__(self, port: int, addresses: ClientAddresses, per_address: int, limit: int) -> None:
        """Nothing is looked at before `run`.

        Args:
            port: The port that the clients connect to.
            addresses: Tells clients and trusted proxies apart.
            per_address: Connections that a client may have; 0 for any number.
            limit: Connections that this process accepts.
        """
        self.port, self.addresses, self.per_address, self.limit = port, addresses, per_address, limit

    async def run(self) -> None:
        """Look at the connections once a second until cancelled."""
        if not os.access(FILES, os.R_OK):
            log.info("the system does not list open files: connections of an address are not limited")
            return
        while True:
            await asyncio.sleep(_LOOK_SECONDS)
            await self.shed()

    async def shed(self) -> int:
        """Close what is too much now; return how many connections were closed."""
        found = [connection async for connection in self.open()]
        metrics.CONNECTIONS.set(len(found))
        clients: defaultdict[str, list[Connection]] = defaultdict(list)
        for connection in found:
            if connection.client is not None:
                clients[connection.client].append(connection)
        excess: set[Connection] = set()
        if self.per_address:
            for held in clients.values():
                if len(held) > self.per_address:
                    excess.update(_dispensable(held)[: len(held) - self.per_address])
        closed = _close(excess, "address")
        left = [connection for connection in found if connection not in excess]
        if len(left) > _FULL * self.limit:
            idle = [c for c in left if not c.is_asking or c.silent >= _STALLED_MS]
            closed += _close(_dispensable(idle)[: len(left) - int(_ROOMY * self.limit)], "limit")
        return closed

    async def open(self) -> AsyncIterator[Connection]:
        """Yield the clients' connections."""
        with os.scandir(FILES) as entries:
            for n, entry in enumerate(entries):
                if n % _AT_A_TIME == 0:
                    await asyncio.sleep(0)
                # The file may be closed by now, or be none that is connected.
                with contextlib.suppress(OSError), duplicate(int(entry.name)) as connection:
                    if connection.family not in (socket.AF_INET, socket.AF_INET6):
                        continue
                    if connection.getsockname()[1] != self.port:
                        continue
                    peer = connection.getpeername()[:2]
                    info = connection.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, _INFO_BYTES)
                    (sent,) = struct.unpack_from("I", info, _LAST_SENT)
                    (received,) = struct.unpack_from("I", info, _LAST_RECEIVED)
                    client = self.addresses.connected(peer[0])
                    yield Connection(int(entry.name), peer, client, received < sent, min(sent, received))


def duplicate(number: int) -> socket.socket:
    """Return the socket of an open file as another file, so that the first one stays the server's.

    Raises:
        OSError: The file is closed, or no socket.
    """
    copy = os.dup(number)
    try:
        return socket.socket(fileno=copy)
    except OSError:
        os.close(copy)
        raise


def _dispensable(connections: Iterable[Connection]) -> list[Connection]:
    """Return the connections in the order in which they are closed."""
    return sorted(connections, key=lambda c: (c.is_asking, -c.silent))


def _close(connections: Iterable[Connection], reason: str) -> int:
    """End connections for both sides, and count them; the server notices and frees them."""
    closed = 0
    for connection in connections:
        # Its number may be another connection's by now.
        with contextlib.suppress(OSError), duplicate(connection.number) as found:
            if found.getpeername()[:2] == connection.peer:
                found.shutdown(socket.SHUT_RDWR)
                closed += 1
    if closed:
        metrics.CONNECTIONS_CLOSED.labels(reason).inc(closed)
        log.warning("closed %d connections", closed, extra={"reason": reason})
    return closed
