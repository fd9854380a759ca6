"""Stand-ins for instances of the API: each notes what it is asked, and answers as a test says."""

import socket
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


@dataclass
class Asked:
    """One request, with the names of its headers in lower case."""

    method: str
    path: str
    headers: Mapping[str, str]


@dataclass
class Upstream:
    """One stand-in.

    Attributes:
        address: As host:port.
        asked: The requests, in order; those for /health/ are left out.
        headers: What every answer has.
        body: What every answer to a GET has.
        dies: Whether it closes the connection of a request that it has read.
    """

    address: str = ""
    asked: list[Asked] = field(default_factory=list)
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b"{}"
    dies: bool = False


@contextmanager
def upstream() -> Iterator[Upstream]:
    """Run one until the block ends."""
    state = Upstream()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def answer(self) -> None:
            self.rfile.read(int(self.headers.get("content-length", 0)))
            if not self.path.startswith("/health/"):
                names = {name.lower(): value for name, value in self.headers.items()}
                state.asked.append(Asked(self.command, self.path, names))
                if state.dies:
                    self.close_connection = True
                    self.connection.shutdown(socket.SHUT_RDWR)
                    return
            self.send_response(200)
            for name, value in state.headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(state.body)))
            self.end_headers()
            self.wfile.write(state.body)

        def log_message(self, *_: object) -> None:
            """Be silent."""

    for method in ("GET", "POST", "PUT", "PATCH"):
        setattr(Handler, f"do_{method}", Handler.answer)
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    state.address = f"127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        yield state
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
