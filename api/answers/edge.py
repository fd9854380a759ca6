"""The outermost layer: request ids, limits, measurements, and hot answers before any routing.

A GET whose answer this process holds is given here from memory; everything else goes on to the framework. Both
send what `answer.wire` makes of an answer, so their headers are the same.
"""

import re
import secrets
import sys
import time
from collections import OrderedDict
from collections.abc import Callable
from itertools import count
from typing import NamedTuple, cast

from litestar import Litestar
from litestar.enums import ScopeType
from litestar.types import (
    HTTPScope,
    LifeSpanReceive,
    LifeSpanScope,
    LifeSpanSend,
    LifeSpanSendMessage,
    Message,
    Receive,
    Scope,
    Send,
)
from structlog.contextvars import bound_contextvars

from api.answers.answer import Answer, Answered, Found, Kind, wire
from api.answers.cache import Cache
from api.answers.encodings import Header
from api.answers.state import AnsweringState
from api.http.cors import Cors
from api.http.errors import MEDIA_TYPE, Problem
from api.http.limits.body import METHODS_WITHOUT_BODY, within_deadline
from api.http.limits.rate_limit import UNLIMITED, Budget, Lease, Limiter, needs_credential
from api.http.observed import counting, request_log
from api.http.observed.tally import Tally

_REQUEST_ID = re.compile(rb"[A-Za-z0-9._-]{1,64}")
# Bytes of hot addresses; those not asked for longest go first. An address costs so much beside its texts (measured
# with tracemalloc).
MAX_HOT_BYTES = 8 * 1024 * 1024
_HOT_BYTES = 450
# Characters of a path and bytes of a query string together. Listeners need at most about 7,000; an upload has its
# options in the query string, and a list of the studio its filters.
MAX_TARGET, MAX_SIGNED_IN_TARGET = 8192, 65_536
# Parameters by which others follow listeners: they change no answer.
_TRACKING = re.compile(rb"(?:^|&)(?:utm_[^=&]*|fbclid|gclid|_)(?:=[^&]*)?(?=&|$)")
# Counts a request by its method, the template of its route, its status and the seconds it took.
Observe = Callable[[str, str, int, float], None]


class _Hot(NamedTuple):
    """What an address is answered with, as a route left it, and the template of that route."""

    key: str
    kind: Kind
    via: tuple[str, Answer] | None
    template: str


class Edge:
    """ASGI application around the framework's."""

    def __init__(self, app: Litestar, observe: Observe = counting.observe) -> None:
        """Take the framework's application, whose lifespan makes the cache and the limiter, and what counts requests."""
        self.app, self._observe = app, observe
        self._cache: Cache | None = None
        self._limiter: Limiter | None = None
        self._cors, self._tally = Cors(""), Tally()
        # An id is this process's random half and a number: cheaper than a random one each time.
        self._prefix, self._numbers = secrets.token_hex(12).encode(), count()
        self._hot: OrderedDict[tuple[str, bytes], _Hot] = OrderedDict()
        self._hot_bytes = 0

    def bind(self, cache: Cache, limiter: Limiter, cors: Cors, tally: Tally) -> None:
        """Take what the application's lifespan made; until then everything goes on to the framework.

        Args:
            cache: Has the answers.
            limiter: Counts requests.
            cors: Says which sites may read answers.
            tally: Counts answers with a note.
        """
        self._cache, self._limiter, self._cors, self._tally = cache, limiter, cors, tally

    async def __call__(
        self,
        scope: "Scope | LifeSpanScope",
        receive: "Receive | LifeSpanReceive",
        send: "Send | LifeSpanSend",
    ) -> None:
        """ASGI."""
        if scope["type"] == ScopeType.HTTP:
            await self._http(cast("HTTPScope", scope), cast("Receive", receive), cast("Send", send))
        elif scope["type"] == "lifespan":
            await self._lifespan(cast("LifeSpanScope", scope), receive, cast("LifeSpanSend", send))
        else:
            await self.app(scope, receive, send)

    async def _lifespan(
        self, scope: LifeSpanScope, receive: "Receive | LifeSpanReceive", send: LifeSpanSend
    ) -> None:
        async def started(message: LifeSpanSendMessage) -> None:
            if message["type"] == "lifespan.startup.complete":
                shared: AnsweringState = self.app.state.shared
                self.bind(shared.cache, shared.limiter, shared.cors, shared.tally)
            await send(message)

        await self.app(scope, receive, started)

    async def _http(self, scope: HTTPScope, receive: Receive, send: Send) -> None:
        started = time.perf_counter()
        method: str = scope["method"]
        address = scope["path"], scope["query_string"]
        agent = request_id = unchanged = encodings = authorization = api_key = origin = preflight = b""
        for name, value in scope["headers"]:
            if name == b"user-agent":  # nearly every request has this one and the next
                agent = value
            elif name == b"accept-encoding":
                encodings = value
            elif name == b"x-request-id":
                request_id = value
            elif name == b"if-none-match":
                unchanged = value
            elif name == b"authorization":
                authorization = value
            elif name == b"x-api-key":
                api_key = value
            elif name == b"origin":
                origin = value
            elif name == b"access-control-request-method":
                preflight = value
        number = next(self._numbers)
        if not _REQUEST_ID.fullmatch(request_id):
            request_id = b"%s%08x" % (self._prefix, number)
        state, lease = scope.setdefault("state", {}), UNLIMITED
        if self._limiter is not None:
            budget = _budget(self._limiter, scope, authorization, api_key)
            if budget is not None:
                lease = self._limiter.check(budget) or await self._refill(budget, scope)
        cors = self._cors.headers(scope["path"], origin)
        own = [(b"x-request-id", request_id), *cors, *lease.headers]
        if lease.wait:
            await _send_answer(send, method, *_limited(scope, request_id, lease.wait), own)
            seconds = time.perf_counter() - started
            self._observe(method, "limited", 429, seconds)
            if lease.is_news or not number % request_log.SAMPLE:
                _log(scope, number, request_id, method, "limited", 429, seconds)
            return
        if method == "OPTIONS" and preflight and cors:
            own += self._cors.preflight(scope["path"], origin)
            await _send_answer(send, method, 204, [], b"", own)
            self._observe(method, "preflight", 204, time.perf_counter() - started)
            return
        if method in ("GET", "HEAD") and self._cache is not None:
            hot = self._hot.get(address)
            if hot is None and address[1]:
                scope["query_string"] = _TRACKING.sub(b"", address[1]).removeprefix(b"&")
                address = address[0], scope["query_string"]
                hot = self._hot.get(address)
            answer = self._cache.peek(hot.key) if hot is not None else None
            if hot is not None and hot.via is not None and self._cache.peek(hot.via[0]) is not hot.via[1]:
                # The address may lead elsewhere by now.
                answer = None
            if hot is not None and answer is not None and answer.status == 200:
                self._hot.move_to_end(address)
                status, headers, body = wire(Found(answer, "l1"), unchanged, encodings, self._cache.forms)
                await _send_answer(send, method, status, headers, body, own)
                if answer.note:
                    self._tally.add(answer.note, agent)
                counting.cached(hot.kind, "l1")
                seconds = time.perf_counter() - started
                self._observe(method, hot.template, status, seconds)
                if not number % request_log.SAMPLE:
                    _log(scope, number, request_id, method, hot.template, status, seconds)
                return
        if len(address[0]) + len(address[1]) > MAX_TARGET and (limit := _passed_limit(address)):
            refusal = _refusal(Problem("target_too_long", f"At most {limit}."), "", request_id)
            await _send_answer(send, method, *refusal, own)
            seconds = time.perf_counter() - started
            self._observe(method, "too_long", 414, seconds)
            _log(scope, number, request_id, method, "too_long", 414, seconds)
            return
        if self._limiter is not None:
            self._limiter.addresses.notice(scope)
        state["request_id"] = request_id.decode()
        status = 500
        if method == "HEAD":
            # The framework's routes know GET: the same answer, sent without its body.
            scope["method"] = "GET"

        async def outgoing(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                answered: Answered | None = state.get("answered")
                if answered is not None:
                    # Before the answer leaves: who has it and asks again is answered from memory.
                    self._remember(address, _Hot(*answered, scope.get("path_template") or "unmatched"))
                if method == "OPTIONS" and status == 204:
                    message["headers"] = [(b"allow", self._methods(scope.get("path_template", "")))]
                message["headers"] = [*message["headers"], *own]
            elif message["type"] == "http.response.body" and method == "HEAD":
                message["body"] = b""
            await send(message)

        if method not in METHODS_WITHOUT_BODY:
            receive = within_deadline(receive, address[0])
        with bound_contextvars(request_id=state["request_id"]):
            try:
                await self.app(scope, receive, outgoing)
            finally:
                template, seconds = scope.get("path_template") or "unmatched", time.perf_counter() - started
                self._observe(method, template, status, seconds)
                request_log.write(scope, number, method, template, status, seconds)

    def _methods(self, template: str) -> bytes:
        """The methods that a route has. The framework's own list has those of its first handler alone."""
        found = {
            method for route in self.app.routes if route.path_format == template for method in route.methods
        }
        return ", ".join(sorted(found | ({"HEAD"} if "GET" in found else set()))).encode()

    async def _refill(self, budget: Budget, scope: HTTPScope) -> Lease:
        """Take a lease of a budget. Happens seldom enough to look at the request's other headers too."""
        limiter = cast("Limiter", self._limiter)
        limiter.addresses.notice(scope)
        return await limiter.refill(budget)

    def _remember(self, address: tuple[str, bytes], hot: _Hot) -> None:
        """Answer this address from memory from now on, without the framework."""
        old = self._hot.pop(address, None)
        if old is not None:
            self._hot_bytes -= _size(address, old)
        self._hot[address] = hot
        self._hot_bytes += _size(address, hot)
        while self._hot_bytes > MAX_HOT_BYTES:
            self._hot_bytes -= _size(*self._hot.popitem(last=False))


def _log(
    scope: HTTPScope, number: int, request_id: bytes, method: str, route: str, status: int, seconds: float
) -> None:
    """Write the line of a request that the framework does not see."""
    with bound_contextvars(request_id=request_id.decode()):
        request_log.write(scope, number, method, route, status, seconds)


def _size(address: tuple[str, bytes], hot: _Hot) -> int:
    """Bytes that a hot address costs; the answer itself is the cache's."""
    via = sys.getsizeof(hot.via[0]) if hot.via is not None else 0
    return _HOT_BYTES + sys.getsizeof(address[0]) + sys.getsizeof(address[1]) + sys.getsizeof(hot.key) + via


async def _send_answer(
    send: Send, method: str, status: int, headers: list[Header], body: bytes, own: list[Header]
) -> None:
    await send({"type": "http.response.start", "status": status, "headers": headers + own})
    await send({"type": "http.response.body", "body": b"" if method == "HEAD" else body, "more_body": False})


def _budget(limiter: Limiter, scope: HTTPScope, authorization: bytes, api_key: bytes) -> Budget | None:
    """The budget that a request counts to; leaves what `authenticate` must know in its state."""
    if not (authorization or api_key):
        return limiter.budget(scope, b"")
    credential = limiter.fingerprint(authorization, api_key)
    budget = limiter.budget(scope, credential)
    scope["state"] |= {"credential": credential, "budget": budget}
    return budget


def _limited(scope: HTTPScope, request_id: bytes, seconds: int) -> tuple[int, list[Header], bytes]:
    """The parts of the response to a request over its budget."""
    problem = Problem("rate_limited", f"Try again in {seconds} s.", headers={"Retry-After": str(seconds)})
    return _refusal(problem, scope["path"], request_id)


def _passed_limit(address: tuple[str, bytes]) -> str:
    """Return the limit that an address is longer than; nothing when it is not too long."""
    path, query = address
    if len(path) > MAX_TARGET:
        return f"{MAX_TARGET} bytes of path"
    signed_in = needs_credential(path) or path.startswith(("/studio/", "/ops/board/"))
    longest = MAX_SIGNED_IN_TARGET if signed_in else MAX_TARGET
    return f"{longest} bytes of path and query string" if len(path) + len(query) > longest else ""


def _refusal(problem: Problem, path: str, request_id: bytes) -> tuple[int, list[Header], bytes]:
    body = problem.encode(path[:MAX_TARGET], request_id.decode())
    headers = [
        (b"content-type", MEDIA_TYPE.encode()),
        (b"content-length", b"%d" % len(body)),
        *((name.lower().encode(), value.encode()) for name, value in problem.headers.items()),
    ]
    return problem.status, headers, body
