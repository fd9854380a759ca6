"""The processes of the API: a main process that holds the port, and the workers that answer. Run by `thmanyah api`.

Granian lets every worker bind the port with SO_REUSEPORT, so that the kernel spreads connections evenly. A second
server on the same port would get a share too. Therefore the main process first takes the port without SO_REUSEPORT.
"""

import socket
from importlib import import_module
from typing import Any

from granian.constants import HTTPModes, Interfaces, Loops
from granian.http import HTTP1Settings
from granian.server.mp import MPServer

from indexer.process import files, listening, loading
from indexer.process.stopping import Stop, end_with_parent

# What each worker runs, as Granian names it.
APPLICATION = "api.app:rsgi"
# Less than the grace period of the main process, so that it can still kill a worker that hangs.
WORKER_SECONDS = 8
# Milliseconds in which the head of the next request must arrive: half-sent heads and idle connections end then.
HEADER_MS = 15_000
# Bytes of a request's head, and of a part of a body.
MAX_HEAD_BYTES = 128 * 1024


class Server(MPServer):
    """Granian's server on a port that no other process shares. A request to stop ends it."""

    def __init__(self, bound: socket.socket, stop: Stop, workers: int) -> None:
        host, port = bound.getsockname()[:2]
        files.let_open_many_files()
        super().__init__(
            APPLICATION,
            address=host,
            port=port,
            interface=Interfaces.RSGI,
            loop=Loops.uvloop,
            workers=workers,
            factory=True,
            # HTTP/2 has none of the time limits below. Proxies that speak it to browsers speak HTTP/1.1 to servers.
            http=HTTPModes.http1,
            backlog=4096,
            backpressure=files.max_connections(),
            http1_settings=HTTP1Settings(header_read_timeout=HEADER_MS, max_buffer_size=MAX_HEAD_BYTES),
            respawn_failed_workers=True,
            workers_kill_timeout=WORKER_SECONDS,
            log_access=False,
        )
        self._bound = bound
        stop.then(self._end)

    def run(self) -> None:
        """Serve until the stop is requested. Raises SystemExit when workers keep failing."""
        listening.share_with_workers(self._bound)
        self.serve(_worker)

    def signal_handler_interrupt(self, *args: Any, **kwargs: Any) -> None:
        """Do nothing: `Stop` handles the signal, because it also notices signals that arrive before Granian starts."""

    def _end(self) -> None:
        super().signal_handler_interrupt()  # type: ignore[no-untyped-call]  # Granian leaves it untyped


def _worker(*arguments: Any) -> None:
    """Run a worker process, which ends when its parent ends."""
    end_with_parent()
    with loading.quickly(rich=False):
        # Granian imports it too, and then finds it imported.
        import_module(APPLICATION.partition(":")[0])
    MPServer._spawn_rsgi_worker(*arguments)
