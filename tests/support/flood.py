"""Connections that one client holds open, and how fast another client is answered meanwhile."""

import socket
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

from tests.support.client import Client

# What is sent on a connection and no more: a request that is answered, a part of a body, a part of a head.
WHOLE = b"GET /health/live HTTP/1.1\r\nHost: a\r\n\r\n"
HALF_BODY = b"POST /accounts/login HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n{"
HALF_HEAD = b"GET /discovery/categories HTTP/1.1\r\nHost: a\r\nX-Half: "


@contextmanager
def held_open(port: int, count: int, sent: bytes, source: str = "127.0.0.2") -> Iterator[list[socket.socket]]:
    """Hold connections on which a client has sent so much and no more; the server may have closed some.

    Args:
        port: Where the server listens, on 127.0.0.1.
        count: How many.
        sent: What was sent on each.
        source: The client's address.
    """
    with ExitStack() as opened:
        held = []
        for _ in range(count):
            held.append(opened.enter_context(socket.socket()))
            held[-1].settimeout(20)
            held[-1].bind((source, 0))
            held[-1].connect(("127.0.0.1", port))
            held[-1].sendall(sent)
        yield held


def seconds(client: Client, count: int) -> list[float]:
    """Ask so many times, one after another; every answer must be a success. Return the times, the shortest first."""
    found = []
    for _ in range(count):
        began = time.perf_counter()
        answer = client.get("/health/live")
        found.append(time.perf_counter() - began)
        assert answer.status_code == 200
    return sorted(found)


def p99(times: list[float]) -> float:
    """Return the time that 99 of 100 requests took at most."""
    return times[int(len(times) * 0.99)]
