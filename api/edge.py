"""The outermost layer: request ids, limits, measurements, and hot answers before any routing.

A GET whose answer this process holds is given here from memory; everything else goes on to the
framework. Both leave through the same door, so their headers are the same.
"""

import re
import secrets
import time
from collections.abc import Callable
from itertools import count
from typing import Any, cast

import msgspec
from litestar import Litestar

from api import cache as answers
from api import metrics
from api.cache import Answer, Cache
from api.ratelimit import Limiter

Scope = dict[str, Any]
_REQUEST_ID = re.compile(rb"[A-Za-z0-9._-]{1,64}")
SECURITY_HEADERS = [
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"no-referrer"),
    (b"x-frame-options", b"DENY"),
    (b"cross-origin-resource-policy", b"cross-origin"),
]
# Hot addresses remembered at the most: (path, query) -> (cache key, route template).
MAX_HOT = 50_000


class Edge:
    """ASGI application around the framework's."""

    def __init__(self, app: Litestar) -> None:
        self.app = app
        self.state = app.state
        # An id is this process's random half and a number: cheaper than a random one each time.
        self.prefix, self.numbers = secrets.token_hex(12).encode(), count()
        self.hot: dict[tuple[str, bytes], tuple[str, str, str]] = {}
        app.state.edge = self

    def remember(self, scope: Scope, key: str, kind: str) -> None:
        """This address is answered by this cache key: next time without the framework."""
        if len(self.hot) >= MAX_HOT:
            self.hot.clear()
        template = scope.get("path_template") or "unmatched"
        self.hot[(scope["path"], scope["query_string"])] = (key, kind, template)

    async def __call__(self, scope: Scope, receive: Any, send: Callable[..., Any]) -> None:
        """ASGI."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)  # type: ignore[arg-type]
            return
        started = time.perf_counter()
        method: str = scope["method"]
        headers: list[tuple[bytes, bytes]] = scope["headers"]
        request_id = b""
        unchanged = b""
        personal = False
        for name, value in headers:
            if name == b"x-request-id":
                request_id = value
            elif name == b"if-none-match":
                unchanged = value
            elif name in (b"authorization", b"x-api-key"):
                personal = True
        if not _REQUEST_ID.fullmatch(request_id):
            request_id = b"%s%08x" % (self.prefix, next(self.numbers))
        scope.setdefault("state", {})["request_id"] = request_id.decode()
        common = [(b"x-request-id", request_id), *SECURITY_HEADERS]
        limiter = cast("Limiter | None", getattr(self.state, "limiter", None))
        if limiter is not None and not personal:
            refused = limiter.check(scope)
            if refused < 0:
                refused = await limiter.refill(scope)
            if refused:
                await self._refuse(scope, send, refused, common)
                metrics.observe(method, "limited", 429, time.perf_counter() - started)
                return
        if method in ("GET", "HEAD"):
            entry = self.hot.get((scope["path"], scope["query_string"]))
            cache = cast("Cache | None", getattr(self.state, "cache", None))
            if entry is not None and cache is not None:
                answer = cache.peek(entry[0])
                if answer is not None and answer.status == 200:
                    metrics.CACHE.labels(entry[1], "l1").inc()
                    status = await _give(send, answer, method, unchanged, common)
                    metrics.observe(method, entry[2], status, time.perf_counter() - started)
                    return
        status = 500
        if method == "HEAD":
            # The framework's routes know GET: the same answer, told without its body.
            scope["method"] = "GET"

        async def outgoing(message: dict[str, Any]) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                message["headers"] = [*message["headers"], *common]
            elif method == "HEAD":
                message["body"] = b""
            await send(message)

        try:
            await self.app(scope, receive, outgoing)  # type: ignore[arg-type]
        finally:
            template = scope.get("path_template") or "unmatched"
            metrics.observe(method, template, status, time.perf_counter() - started)

    async def _refuse(
        self,
        scope: Scope,
        send: Callable[..., Any],
        seconds: int,
        common: list[tuple[bytes, bytes]],
    ) -> None:
        body = msgspec.json.encode(
            {
                "type": "/docs/errors#rate_limited",
                "title": "Too many requests",
                "status": 429,
                "code": "rate_limited",
                "detail": f"Try again in {seconds} s.",
                "instance": scope["path"],
                "requestId": scope["state"]["request_id"],
                "doc": "/docs/errors#rate_limited",
            }
        )
        headers = [
            (b"content-type", b"application/problem+json"),
            (b"content-length", str(len(body)).encode()),
            (b"cache-control", b"no-store"),
            (b"retry-after", str(seconds).encode()),
        ]
        await send({"type": "http.response.start", "status": 429, "headers": headers + common})
        await send({"type": "http.response.body", "body": body})


async def _give(
    send: Callable[..., Any],
    answer: Answer,
    method: str,
    unchanged: bytes,
    common: list[tuple[bytes, bytes]],
) -> int:
    answer.level = "l1"
    named = answers.headers(answer)
    raw = [(name.lower().encode(), value.encode()) for name, value in named.items()]
    if (
        unchanged
        and answer.status == 200
        and answers.matches(answer.etag, unchanged.decode("latin-1"))
    ):
        await send({"type": "http.response.start", "status": 304, "headers": raw + common})
        await send({"type": "http.response.body", "body": b""})
        return 304
    media = b"application/json" if answer.status == 200 else b"application/problem+json"
    raw += [(b"content-type", media), (b"content-length", str(len(answer.body)).encode())]
    await send({"type": "http.response.start", "status": answer.status, "headers": raw + common})
    await send({"type": "http.response.body", "body": b"" if method == "HEAD" else answer.body})
    return answer.status
