"""Serves /metrics of a process that answers no HTTP otherwise: the sender, the worker, the scheduler."""

import os
from socketserver import ThreadingMixIn
from threading import Thread
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer, make_server

from prometheus_client import make_wsgi_app

from indexer.process import listening


class _Server(ThreadingMixIn, WSGIServer):
    daemon_threads = True
    allow_reuse_port = False


class _Quiet(WSGIRequestHandler):
    def log_message(self, format: str, *arguments: object) -> None:
        """Scrapes are not worth a line."""


def serve(host: str, port: int) -> None:
    """Serve the metrics of this process in a thread; not at all on port 0.

    Raises:
        CannotListenError: The port is taken, or the address is not one of this machine.
    """
    if not port:
        return
    try:
        server = make_server(host, port, make_wsgi_app(), _Server, _Quiet)
    except OSError as error:
        raise listening.CannotListenError(listening.refusal(host, port, error)) from error
    # A forked job may outlive its worker, and must not keep the port then.
    os.register_at_fork(after_in_child=server.socket.close)
    Thread(target=server.serve_forever, name="metrics", daemon=True).start()
