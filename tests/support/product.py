"""The product inside the test's process, behind a real socket, over the test's own stores."""

import asyncio
import threading
from collections.abc import Hashable, Iterator
from contextlib import contextmanager
from typing import Any

import requests
from granian.constants import Interfaces
from granian.server.embed import Server
from litestar import Litestar
from litestar.enums import ScopeType
from litestar.types import Receive, Scope, Send

from api.answers.edge import Edge
from api.answers.front.served import Served
from api.app import create_app
from api.settings import ApiSettings, Settings
from deploy.local import ports
from indexer.sender import leadership
from indexer.stores.invalidation import Invalidator
from tests.support.client import Client
from tests.support.threads import alongside
from tests.support.waiting import eventually

# Applications that no test uses now, with what of the settings they were built from.
_idle: list[tuple[Hashable, Litestar]] = []


@contextmanager
def _application(settings: Settings) -> Iterator[Litestar]:
    """Lend an application over these stores.

    Half of the processor time of a small test went into registering the API's routes. They follow from
    few settings, so the next test with the same ones gets the same application; its lifespan opens everything anew.
    """
    built_from = _built_from(settings.api)
    found = next((pair for pair in _idle if pair[0] == built_from), None)
    if found is None:
        found = (built_from, create_app(settings))
    else:
        _idle.remove(found)
    app = found[1]
    app.state.settings = settings
    yield app
    # Only after a test that ended its lifespan in order.
    _idle.append(found)


def _built_from(settings: ApiSettings) -> Hashable:
    """Return all that `create_app` reads; requests read the other settings from what the lifespan opened."""
    return settings.shows_docs, settings.shows_metrics, settings.max_body_bytes


@contextmanager
def serve(settings: Settings, interface: Interfaces = Interfaces.RSGI) -> Iterator[tuple[Client, Edge]]:
    """Serve the API on a port of its own until the block ends; give a client of it and its edge.

    Args:
        settings: The layers' settings.
        interface: What server and edge speak: RSGI, as in production, or ASGI.
    """
    with _application(settings) as app:
        edge = Edge(app)
        with _listening(edge, interface) as client:
            yield client, edge


class _Unanswered:
    """The edge, and how many of its requests are not answered yet."""

    def __init__(self, edge: Edge) -> None:
        self._edge = edge
        self.requests = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request, or run for as long as the application lives."""
        number = 1 if scope["type"] == ScopeType.HTTP else 0
        self.requests += number
        try:
            await self._edge(scope, receive, send)
        finally:
            self.requests -= number

    async def __rsgi__(self, scope: Any, protocol: Any) -> None:
        """Answer one request."""
        self.requests += 1
        try:
            await self._edge.__rsgi__(scope, protocol)
        finally:
            self.requests -= 1


@contextmanager
def _listening(edge: Edge, interface: Interfaces) -> Iterator[Client]:
    port = ports.ephemeral()
    started: threading.Event = threading.Event()
    loops: list[asyncio.AbstractEventLoop] = []
    unanswered = _Unanswered(edge)
    server = Server(unanswered, address="127.0.0.1", port=port, interface=interface)

    async def run() -> None:
        loops.append(asyncio.get_running_loop())
        started.set()
        if interface is Interfaces.ASGI:
            await server.serve()
            return
        # A process does this before and after its loop runs; here the loop is running.
        served = Served(edge)
        await served.begin()
        await server.serve()
        await served.end()

    thread = threading.Thread(target=lambda: asyncio.run(run()), daemon=True)
    thread.start()
    assert started.wait(60)
    client = Client(f"http://127.0.0.1:{port}")

    def answers() -> bool:
        try:
            return client.get("/health/live").status_code == 200
        except requests.ConnectionError:
            return False

    try:
        eventually(answers, what="the API answers")
        yield client
    finally:
        client.session.close()
        # What a browser that was closed had asked for is still read. The server's stop does not wait for it, and its
        # connection to the database would be dropped open.
        eventually(lambda: not unanswered.requests, what="the last answers")
        loops[0].call_soon_threadsafe(server.stop)
        thread.join(60)
        assert not thread.is_alive()


@contextmanager
def sending(settings: Settings, cache: Any = None) -> Iterator[threading.Thread]:
    """Run the senders of all targets until the block ends; `cache` is the Redis that hears of changes."""
    invalidator = Invalidator(cache, settings.indexer.redis_prefix) if cache is not None else None
    with alongside(
        lambda stop: leadership.supervise(settings.catalog, settings.indexer, invalidator, stop)
    ) as thread:
        yield thread
