"""Keeps a stream from running ahead of its reader: RSGI takes parts without a bound, and they wait in memory.

The kernel says how many bytes of a connection its client has acknowledged. Where it does not tell, on other systems than Linux,
nothing waits.
"""

import asyncio
import os
import socket
import struct

from api.http.limits.connections import FILES, duplicate

# Bytes that the client may be behind, and seconds between two looks at it.
AHEAD, _LOOK_SECONDS = 1024 * 1024, 0.05
# tcpi_bytes_acked in struct tcp_info of <linux/tcp.h>.
_ACKNOWLEDGED, _INFO_BYTES = 120, 128


class Pace:
    """How far a stream is ahead of its reader."""

    def __init__(self, peer: tuple[str, int]) -> None:
        """Begin a stream to the other end of a connection."""
        self._peer, self._sent = peer, 0
        self._number = next((number for number in _files() if _peer(number) == peer), None)
        self._before = self._acknowledged()

    async def wait(self, sent: int) -> None:
        """Count bytes of the stream, and wait until the client has read enough of them or has gone."""
        self._sent += sent
        while self._sent > AHEAD and self._before is not None:
            now = self._acknowledged()
            if now is None or self._sent - (now - self._before) <= AHEAD:
                return
            await asyncio.sleep(_LOOK_SECONDS)

    def _acknowledged(self) -> int | None:
        """Return how many bytes of the connection the client has acknowledged; None when nobody can tell."""
        if self._number is None or _peer(self._number) != self._peer:
            return None
        try:
            with duplicate(self._number) as connection:
                info = connection.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, _INFO_BYTES)
        except OSError:
            return None
        if len(info) < _INFO_BYTES:
            return None
        found: int = struct.unpack_from("Q", info, _ACKNOWLEDGED)[0]
        return found


def _files() -> list[int]:
    return [int(name) for name in os.listdir(FILES)] if os.access(FILES, os.R_OK) else []


def _peer(number: int) -> tuple[str, int] | None:
    """Return the other end of an open file; None when it is no connection."""
    try:
        with duplicate(number) as connection:
            host, port = connection.getpeername()[:2]
    except (OSError, ValueError):
        return None
    return host, port
