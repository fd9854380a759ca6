"""A minimal HTTP client over one connection, so that the client adds almost no time to what is measured."""

import json
import socket
import time
from collections.abc import Iterable

_PART = 1 << 18


def seconds_each(
    address: tuple[str, int], key: str, requests: Iterable[tuple[str, dict[str, object]]]
) -> list[float]:
    """Send POST requests one after another, and time each from its first byte sent to the last byte received.

    Encoding a request and decoding its answer do not count.

    Args:
        address: Host and port.
        key: The API key.
        requests: (path, body) of each request.

    Returns:
        The seconds of each request.

    Raises:
        RuntimeError: An answer has another status than 200, or no hits.
    """
    written = [_written(address[0], key, path, body) for path, body in requests]
    found = []
    with socket.create_connection(address, timeout=60) as connection:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for request in written:
            began = time.perf_counter()
            connection.sendall(request)
            head, body = _answer(connection)
            found.append(time.perf_counter() - began)
            if not head.startswith(b"HTTP/1.1 200") or "hits" not in json.loads(body):
                raise RuntimeError(f"{head!r} {body!r}")
    return found


class Line:
    """A connection that is kept open for GET requests."""

    def __init__(self, address: tuple[str, int]) -> None:
        self._host = address[0]
        self._connection = socket.create_connection(address, timeout=60)
        self._connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def get(self, path: str) -> tuple[int, bytes]:
        """Send a GET request. Return the status and the body."""
        self._connection.sendall(f"GET {path} HTTP/1.1\r\nHost: {self._host}\r\n\r\n".encode())
        head, body = _answer(self._connection)
        return int(head.split(b" ", 2)[1]), body

    def close(self) -> None:
        """Close the connection."""
        self._connection.close()


def _written(host: str, key: str, path: str, body: dict[str, object]) -> bytes:
    text = json.dumps(body).encode()
    head = (
        f"POST {path} HTTP/1.1\r\nHost: {host}\r\nAuthorization: Bearer {key}\r\n"
        f"Content-Type: application/json\r\nContent-Length: {len(text)}\r\n\r\n"
    )
    return head.encode() + text


def _answer(connection: socket.socket) -> tuple[bytes, bytes]:
    """Read an answer; Content-Length says how long its body is. Return the head and the body."""
    received = b""
    while b"\r\n\r\n" not in received:
        received += _more(connection)
    head, _, body = received.partition(b"\r\n\r\n")
    after_name = head.lower().partition(b"content-length:")[2]
    length = int(after_name.partition(b"\r\n")[0])
    while len(body) < length:
        body += _more(connection)
    return head, body


def _more(connection: socket.socket) -> bytes:
    part = connection.recv(_PART)
    if not part:
        raise ConnectionError("the server closed the connection within an answer")
    return part
