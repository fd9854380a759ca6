"""Strangers' servers on loopback: well-behaved, odd and hostile."""

import contextlib
import gzip
import socket
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

Answer = tuple[int, dict[str, str], bytes]


@dataclass
class Site:
    """Answers by path; a callable gets the request's headers. Remembers what was asked."""

    port: int = 0
    pages: dict[str, Answer | Callable[[str, Any], Answer]] = field(default_factory=dict)
    asked: list[tuple[str, dict[str, str]]] = field(default_factory=list)

    def url(self, path: str = "/") -> str:
        """Return the address of a page."""
        return f"http://127.0.0.1:{self.port}{path}"

    @property
    def trusted(self) -> str:
        """What IMPORT_TRUSTED names, so that this site may be fetched although it is on loopback."""
        return f"127.0.0.1:{self.port}"

    def paths(self) -> list[str]:
        """Return the paths that were asked for, in order."""
        return [path for path, _ in self.asked]


@contextlib.contextmanager
def site(**pages: Any) -> Iterator[Site]:
    """A web server; give pages by path later through `.pages`."""
    found = Site(pages=pages)

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            headers = {k.lower(): v for k, v in self.headers.items()}
            found.asked.append((self.path, headers))
            page = found.pages.get(self.path) or found.pages.get(self.path.partition("?")[0])
            if page is None:
                page = (404, {}, b"nothing")
            status, extra, body = page(self.path, headers) if callable(page) else page
            with contextlib.suppress(OSError):
                self.send_response(status)
                for name, value in ({"Content-Length": str(len(body))} | extra).items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(body)

        def log_message(self, *args: Any) -> None:
            pass

    with serving(Handler) as found.port:
        yield found


@contextlib.contextmanager
def serving(handler: type[BaseHTTPRequestHandler]) -> Iterator[int]:
    """Serve requests on loopback until the block ends; yields the port."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield server.server_address[1]
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


@contextlib.contextmanager
def raw(talk: Callable[[socket.socket, threading.Event], None]) -> Iterator[tuple[int, list[int]]]:
    """A listener that hands every connection to `talk`; yields its port and the connections seen."""
    listener = socket.create_server(("127.0.0.1", 0))
    listener.settimeout(0.02)
    stop, seen, threads = threading.Event(), [], []

    def serve(connection: socket.socket) -> None:
        with connection, contextlib.suppress(OSError):
            talk(connection, stop)

    def accept() -> None:
        while not stop.is_set():
            try:
                connection, peer = listener.accept()
            except TimeoutError:
                continue
            seen.append(peer[1])
            thread = threading.Thread(target=serve, args=(connection,))
            thread.start()
            threads.append(thread)

    acceptor = threading.Thread(target=accept)
    acceptor.start()
    try:
        yield listener.getsockname()[1], seen
    finally:
        stop.set()
        acceptor.join()
        for thread in threads:
            thread.join()
        listener.close()


def hear(connection: socket.socket) -> None:
    """Read the request's headers."""
    got = b""
    while b"\r\n\r\n" not in got:
        chunk = connection.recv(4096)
        if not chunk:
            return
        got += chunk


def trickled_headers(connection: socket.socket, stop: threading.Event) -> None:
    """One byte of a header at a time, for ever."""
    hear(connection)
    connection.sendall(b"HTTP/1.1 200 OK\r\nX-Slow: ")
    while not stop.wait(0.05):
        connection.sendall(b"a")


def trickled_body(connection: socket.socket, stop: threading.Event) -> None:
    """One byte of the body at a time, for ever, with no length."""
    hear(connection)
    connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Type: text/xml\r\n\r\n<rss>")
    while not stop.wait(0.05):
        connection.sendall(b" ")


def silent(connection: socket.socket, stop: threading.Event) -> None:
    """Takes the request and says nothing."""
    hear(connection)
    stop.wait(60)


def endless(connection: socket.socket, stop: threading.Event) -> None:
    """As many bytes as the reader takes."""
    hear(connection)
    connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Type: text/xml\r\n\r\n")
    while not stop.is_set():
        connection.sendall(b"<item/>" * 10_000)


def bomb(megabytes: int, layers: int = 1) -> bytes:
    """So many megabytes of spaces, compressed."""
    packed = gzip.compress(b" " * (megabytes * 1_000_000), 9)
    return b"".join([packed] * layers)
