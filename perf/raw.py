"""Applications that answer with so many bytes and do nothing else: what the server itself takes. `perf.bench` starts them.

`/bytes/500` is answered with 500 bytes, and with as many headers as an answer of the product.
"""

import os
from functools import cache
from typing import Any

_HEADERS = (
    ("content-type", "application/json"),
    ("etag", 'W/"0123456789abcdef"'),
    ("cache-control", "public, max-age=5, s-maxage=5, stale-while-revalidate=5"),
    ("vary", "accept-encoding"),
    ("x-cache", "l1"),
    ("x-request-id", "0123456789abcdef01234567000000aa"),
    ("x-content-type-options", "nosniff"),
    ("referrer-policy", "no-referrer"),
    ("x-frame-options", "DENY"),
    ("cross-origin-resource-policy", "cross-origin"),
)


@cache
def _answer(path: str) -> tuple[list[tuple[str, str]], list[tuple[bytes, bytes]], bytes]:
    """The headers for both interfaces, and the body."""
    size = int(path.rpartition("/")[2])
    headers = [*_HEADERS, ("content-length", str(size))]
    encoded = [(name.encode(), value.encode()) for name, value in headers]
    return headers, encoded, os.urandom(size // 2 + 1).hex().encode()[:size]


async def asgi(scope: dict[str, Any], _receive: object, send: Any) -> None:
    """Answer a request of ASGI.

    Args:
        scope: Has the path.
        _receive: Gives the body.
        send: Takes the answer.
    """
    _, headers, body = _answer(scope["path"])
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": body, "more_body": False})


async def rsgi(scope: Any, protocol: Any) -> None:
    """Answer a request of RSGI."""
    headers, _, body = _answer(scope.path)
    protocol.response_bytes(200, headers, body)
