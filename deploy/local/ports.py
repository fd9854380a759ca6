"""Ports on loopback for one product: chosen once, and no other product's until it ends."""

import fcntl
import socket
import sys
import tempfile
from contextlib import suppress
from pathlib import Path
from typing import Protocol

from deploy.local.errors import LocalStackError
from indexer.process import listening

HOST = "127.0.0.1"
# How many ports above the last wanted one are tried.
SPAN = 200


class _Lock(Protocol):
    """A socket or file that has the lock of a port until it is closed."""

    def close(self) -> None: ...


def is_free(port: int, host: str = HOST) -> bool:
    """Return whether a server may listen there now."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError:
            return False
        return True


def ephemeral() -> int:
    """Return a port that is free now, chosen by the kernel."""
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        port: int = probe.getsockname()[1]
        return port


class Claims:
    """The ports of one product, from choosing to its end.

    A lock for each port keeps other products away from it; that is for servers that bind their port
    themselves. The product's own processes get a bound socket besides, which keeps everybody away.
    """

    def __init__(self) -> None:
        self._locks: dict[int, _Lock] = {}
        self.sockets: dict[str, socket.socket] = {}

    def choose(self, name: str, wanted: list[int], *, host: str = HOST, bind: bool = False) -> int:
        """Take the first of `wanted` that is free, or the next free port above the last of them.

        Args:
            name: What will listen there.
            wanted: Ports, the best first.
            host: The address it will listen on.
            bind: Keep a bound socket in `sockets`, for a process that accepts one.

        Raises:
            LocalStackError: None of `SPAN` ports is free.
        """
        last = wanted[-1]
        candidates: list[int] = [*wanted, *range(last + 1, last + SPAN)]
        for port in candidates:
            if self._take(name, port, host, bind=bind):
                return port
        raise LocalStackError(f"No port from {last} to {last + SPAN - 1} is free for the {name}.")

    def close(self) -> None:
        """Release the ports that were not handed on to a process."""
        for bound in self.sockets.values():
            bound.close()
        for lock in self._locks.values():
            lock.close()
        self.sockets, self._locks = {}, {}

    def _take(self, name: str, port: int, host: str, *, bind: bool) -> bool:
        lock = None if port in self._locks else _lock(port)
        if lock is None:
            return False
        if bind:
            with suppress(listening.CannotListenError):
                self.sockets[name] = listening.bind(host, port)
        if name in self.sockets or (not bind and is_free(port, host)):
            self._locks[port] = lock
            return True
        lock.close()
        return False


def _lock(port: int) -> _Lock | None:
    """The lock of the port, or None when another product has it. It ends when it is closed or its process ends."""
    if sys.platform == "linux":
        # An abstract socket name: like the ports, it belongs to the network namespace.
        name = socket.socket(socket.AF_UNIX)
        try:
            name.bind(f"\0thmanyah-port-{port}")
        except OSError:
            name.close()
            return None
        return name
    file = (Path(tempfile.gettempdir()) / f"thmanyah-port-{port}").open("a")
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        file.close()
        return None
    return file
