"""The application as a server that speaks RSGI runs it: its lifespan, and each of its requests."""

import asyncio
import logging
import sys
from collections.abc import Awaitable
from typing import Any

from granian.asgi import LifespanProtocol
from litestar.types import ASGIApp

from api.answers.front.asked import RsgiScope
from api.answers.front.bridge import DONE, Exchange, Protocol

log = logging.getLogger(__name__)


class Served:
    """An application of ASGI behind RSGI. One that speaks RSGI itself, such as the edge, is asked directly."""

    def __init__(self, app: ASGIApp) -> None:
        """Take the application."""
        self._app = app
        self._lifespan: Any = LifespanProtocol(app)  # type: ignore[no-untyped-call]  # Granian leaves it untyped
        self.__rsgi__ = getattr(app, "__rsgi__", self._bridged)

    def __rsgi_init__(self, loop: asyncio.AbstractEventLoop) -> None:
        """Begin the application's lifespan, before the first request. A failure ends the process."""
        loop.run_until_complete(self.begin())
        if self._lifespan.interrupt:
            log.error("the application did not start", exc_info=self._lifespan.exc)
            sys.exit(1)

    def __rsgi_del__(self, loop: asyncio.AbstractEventLoop) -> None:
        """End the lifespan, after the last request."""
        loop.run_until_complete(self.end())

    async def begin(self) -> None:
        """Begin the lifespan."""
        await self._lifespan.startup()

    async def end(self) -> None:
        """End the lifespan."""
        await self._lifespan.shutdown()

    def _bridged(self, scope: RsgiScope, protocol: Protocol) -> Awaitable[None]:
        if scope.proto != "http":
            protocol.close(403)
            return DONE
        return self._ask(scope, protocol)

    async def _ask(self, scope: RsgiScope, protocol: Protocol) -> None:
        async with Exchange(scope, protocol) as exchange:
            await self._app(exchange.scope, exchange.receive, exchange.send)
