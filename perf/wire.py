"""Requests over one bare connection, timed so that the client costs next to nothing."""

import json
import socket
import time
from collections.abc import Iterable
from typing import Any

_PART = 1 << 18


def seconds_each(
    address: tuple[str, int], key: str, requests: Iterable[tuple[str, dict[str, Any]]]
) -> list[float]:
    """Seconds of each POST (path, body), from the first byte sent to the last received.

    Requests are written before and answers are looked at after. Every answer must be a 200.
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
    """A connection kept open for GETs that are told apart by their path."""

    def __init__(self, address: tuple[str, int]) -> None:
        self._host = address[0]
        self._connection = socket.create_connection(address, timeout=60)
        self._connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def get(self, path: str) -> tuple[int, bytes]:
        """Status and body."""
        self._connection.sendall(f"GET {path} HTTP/1.1\r\nHost: {self._host}\r\n\r\n".encode())
        head, body = _answer(self._connection)
        return int(head.split(b" ", 2)[1]), body

    def close(self) -> None:
        """End it."""
        self._connection.close()


def _written(host: str, key: str, path: str, body: dict[str, Any]) -> bytes:
    text = json.dumps(body).encode()
    head = (
        f"POST {path} HTTP/1.1\r\nHost: {host}\r\nAuthorization: Bearer {key}\r\n"
        f"Content-Type: application/json\r\nContent-Length: {len(text)}\r\n\r\n"
    )
    return head.encode() + text


def _answer(connection: socket.socket) -> tuple[bytes, bytes]:
    """Head and body, as long as the head says."""
    received = b""
    while b"\r\n\r\n" not in received:
        received += _more(connection)
    head, _, body = received.partition(b"\r\n\r\n")
    told = head.lower().partition(b"content-length:")[2]
    length = int(told.partition(b"\r\n")[0])
    while len(body) < length:
        body += _more(connection)
    return head, body


def _more(connection: socket.socket) -> bytes:
    part = connection.recv(_PART)
    if not part:
        raise ConnectionError("the server closed the connection within an answer")
    return part
