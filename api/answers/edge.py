"""The outermost layer: request ids, limits, measurements, and hot answers before any routing.

A GET whose answer this process holds is given here from memory; everything else goes on to the framework. Both
send what `answer.wire` makes of an answer, so their headers are the same. The server speaks RSGI, which takes an answer in one
call; the framework speaks ASGI, and so do tests and other servers, for which the edge is an ASGI application, too.
"""

import re
import secrets
import time
from collections.abc import Awaitable, Callable
from itertools import count
from typing import cast

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

from api.answers.answer import Answered, told
from api.answers.cache import Cache
from api.answers.front import bridge
from api.answers.front.addresses import untracked
from api.answers.front.asked import Asked, RsgiScope, Text, of_asgi, of_rsgi
from api.answers.front.known import Hot, Known
from api.answers.front.told import ALIVE, ALIVE_TOLD, Told, limited, too_long, unreadable
from api.answers.state import AnsweringState
from api.http.cors import Cors
from api.http.limits.body import METHODS_WITHOUT_BODY, within_deadline
from api.http.limits.rate_limit import UNLIMITED, Budget, Lease, Limiter
from api.http.observed import counting, request_log
from api.http.observed.tally import Tally

_REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{1,64}")
# Counts a request by its method, the template of its route, its status and the seconds it took.
Observe = Callable[[str, str, int, float], None]


class Edge:
    """Application of RSGI and of ASGI around the framework's."""

    def __init__(self, app: Litestar, observe: Observe = counting.observe) -> None:
        """Take the framework's application, whose lifespan makes the cache and the limiter, and what counts requests."""
        self.app, self._observe = app, observe
        self._cache: Cache | None = None
        self._limiter: Limiter | None = None
        self._cors, self._tally = Cors(""), Tally()
        # An id is this process's random half and a number: cheaper than a random one each time.
        self._prefix, self._numbers = secrets.token_hex(12), count()
        self._hot = Known()

    def bind(self, cache: Cache, limiter: Limiter, cors: Cors, tally: Tally) -> None:
        """Take what the application's lifespan made; until then everything goes on to the framework.

        Args:
            cache: Has the answers.
            limiter: Counts requests.
            cors: Says which sites may read answers.
            tally: Counts answers with a note.
        """
        self._cache, self._limiter, self._cors, self._tally = cache, limiter, cors, tally

    def __rsgi__(self, scope: RsgiScope, protocol: bridge.Protocol) -> Awaitable[None]:
        """Answer a request of RSGI: at once from memory, else by a coroutine."""
        if scope.proto != "http":
            protocol.close(403)
            return bridge.DONE
        asked = of_rsgi(scope)
        budget = self._begin(asked)
        lease = UNLIMITED
        if budget is not None:
            found = cast("Limiter", self._limiter).check(budget)
            if found is None:
                return self._refilled(asked, budget, scope, protocol)
            lease = found
        own = self._own(asked, lease)
        answer = self._answer(asked, lease)
        if answer is None:
            return self._bridged(asked, own, scope, protocol)
        body = b"" if asked.method == "HEAD" else answer.body
        protocol.response_bytes(answer.status, [*answer.headers, *own], body)
        self._count(asked, answer, lease)
        return bridge.DONE

    async def _refilled(
        self, asked: Asked, budget: Budget, scope: RsgiScope, protocol: bridge.Protocol
    ) -> None:
        """Answer a request of RSGI for which a lease has to be taken."""
        lease = await self._refill(budget, bridge.scope_of(scope))
        own, answer = self._own(asked, lease), self._answer(asked, lease)
        if answer is None:
            await self._bridged(asked, own, scope, protocol)
            return
        body = b"" if asked.method == "HEAD" else answer.body
        protocol.response_bytes(answer.status, [*answer.headers, *own], body)
        self._count(asked, answer, lease)

    async def _bridged(
        self, asked: Asked, own: list[Text], scope: RsgiScope, protocol: bridge.Protocol
    ) -> None:
        async with bridge.Exchange(scope, protocol) as exchange:
            await self._framework(asked, own, exchange.scope, exchange.receive, exchange.send)

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
        asked = of_asgi(scope)
        budget, lease = self._begin(asked), UNLIMITED
        if budget is not None:
            lease = cast("Limiter", self._limiter).check(budget) or await self._refill(budget, scope)
        own, answer = self._own(asked, lease), self._answer(asked, lease)
        if answer is None:
            await self._framework(asked, own, scope, receive, send)
            return
        await self._tell(asked, answer, own, send)
        self._count(asked, answer, lease)

    async def _tell(self, asked: Asked, answer: Told, own: list[Text], send: Send) -> None:
        headers = bridge.encoded([*answer.headers, *own])
        body = b"" if asked.method == "HEAD" else answer.body
        await send({"type": "http.response.start", "status": answer.status, "headers": headers})
        await send({"type": "http.response.body", "body": body, "more_body": False})

    def _begin(self, asked: Asked) -> Budget | None:
        """Number and name a request; returns the budget that it counts to."""
        asked.started, asked.number = time.perf_counter(), next(self._numbers)
        if not asked.request_id or not _REQUEST_ID.fullmatch(asked.request_id):
            asked.request_id = f"{self._prefix}{asked.number:08x}"
        limiter = self._limiter
        if limiter is None:
            return None
        if asked.authorization or asked.api_key:
            parts = asked.authorization.encode("latin-1"), asked.api_key.encode("latin-1")
            asked.credential = limiter.fingerprint(*parts)
        address = limiter.addresses.at(asked.peer, asked.forwarded)
        asked.budget = limiter.budget_of(asked.path, address, asked.credential)
        return asked.budget

    def _own(self, asked: Asked, lease: Lease) -> list[Text]:
        """The headers that every answer has, of whichever route."""
        shared = self._cors.headers(asked.path, asked.origin)
        return [("x-request-id", asked.request_id), *shared, *lease.headers]

    def _answer(self, asked: Asked, lease: Lease) -> Told | None:
        """Return the answer to a request that needs no route; None for every other one."""
        if lease.wait:
            return limited(asked, lease.wait)
        method = asked.method
        if method in ("GET", "HEAD") and self._cache is not None:
            found = self._from_memory(asked, self._cache)
            if found is not None:
                return found
            if asked.path == ALIVE and not asked.query:
                return ALIVE_TOLD
        elif method == "OPTIONS" and asked.preflight:
            allowed = self._cors.preflight(asked.path, asked.origin)
            if self._cors.headers(asked.path, asked.origin):
                return Told(204, allowed, b"", "preflight")
        return too_long(asked)

    def _from_memory(self, asked: Asked, cache: Cache) -> Told | None:
        address = asked.path, asked.query
        hot = self._hot.get(address)
        if hot is None and asked.query:
            asked.query = untracked(asked.query)
            address = asked.path, asked.query
            hot = self._hot.get(address) or self._hot.otherwise_spelled(address)
        if hot is None:
            return None
        answer = cache.peek(hot.key)
        if answer is None or answer.status != 200:
            return None
        if hot.via is not None and cache.peek(hot.via[0]) is not hot.via[1]:
            # The address may lead elsewhere by now.
            return None
        self._hot.move_to_end(address)
        unchanged = asked.unchanged.encode("latin-1") if asked.unchanged else b""
        encodings = asked.encodings.encode("latin-1") if asked.encodings else b""
        status, headers, body = told(answer, unchanged, encodings, cache.forms)
        if answer.note:
            self._tally.add(answer.note, asked.agent.encode("latin-1"))
        counting.cached(hot.kind, "l1")
        return Told(status, headers, body, hot.template)

    def _count(self, asked: Asked, answer: Told, lease: Lease) -> None:
        """Count an answer that was given here, and write its line."""
        seconds, route = time.perf_counter() - asked.started, answer.route
        self._observe(asked.method, route, answer.status, seconds)
        is_told = not asked.number % request_log.SAMPLE and route != "preflight"
        if is_told or answer.is_news or lease.is_news:
            with bound_contextvars(request_id=asked.request_id):
                request_log.write(None, asked.number, asked.method, route, answer.status, seconds)

    async def _framework(
        self, asked: Asked, own: list[Text], scope: HTTPScope, receive: Receive, send: Send
    ) -> None:
        """Let the framework answer.

        Args:
            asked: The request.
            own: The headers of every answer.
            scope: The request as the framework reads it.
            receive: Gives its body.
            send: Takes the answer.
        """
        method, state, status = asked.method, scope.setdefault("state", {}), 500
        if state.get("unreadable"):
            refused = unreadable(asked, state["unreadable"])
            await self._tell(asked, refused, own, send)
            self._count(asked, refused, UNLIMITED)
            return
        scope["query_string"] = asked.query
        limiter, address = self._limiter, (asked.path, asked.query)
        if limiter is not None:
            limiter.addresses.notice(scope)
        if asked.credential:
            # What `authenticate` must know.
            state |= {"credential": asked.credential, "budget": asked.budget}
        state["request_id"], encoded = asked.request_id, bridge.encoded(own)
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
                    self._hot.answered(address, Hot(*answered, scope.get("path_template") or "unmatched"))
                if method == "OPTIONS" and status == 204:
                    message["headers"] = [(b"allow", self._methods(scope.get("path_template", "")))]
                message["headers"] = [*message["headers"], *encoded]
            elif message["type"] == "http.response.body" and method == "HEAD":
                message["body"] = b""
            await send(message)

        if method not in METHODS_WITHOUT_BODY:
            receive = within_deadline(receive, asked.path)
        with bound_contextvars(request_id=asked.request_id):
            try:
                await self.app(scope, receive, outgoing)
            finally:
                template, seconds = (
                    scope.get("path_template") or "unmatched",
                    time.perf_counter() - asked.started,
                )
                self._observe(method, template, status, seconds)
                request_log.write(scope, asked.number, method, template, status, seconds)

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
