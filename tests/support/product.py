"""The product inside the test's process, behind a real socket, over the test's own stores."""

import asyncio
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import requests
from granian.constants import Interfaces
from granian.server.embed import Server

from api.app import create_app
from api.edge import Edge
from api.settings import Settings
from deploy.local import ports
from indexer import place
from indexer.invalidation import Invalidator
from tests.support.threads import alongside


class Client:
    """Somebody with a browser: a base address and, once signed in, a token."""

    def __init__(self, base: str, **headers: str) -> None:
        self.base = base
        self.session = requests.Session()
        self.session.headers.update(headers)

    def ask(self, method: str, path: str, **arguments: Any) -> requests.Response:
        return self.session.request(
            method, self.base + path, timeout=30, allow_redirects=False, **arguments
        )

    def get(self, path: str, **params: Any) -> requests.Response:
        return self.ask("GET", path, params=params)

    def post(self, path: str, body: Any = None, **headers: str) -> requests.Response:
        return self.ask("POST", path, json=body, headers=headers)

    def patch(self, path: str, body: Any = None, **headers: str) -> requests.Response:
        return self.ask("PATCH", path, json=body, headers=headers)

    def delete(self, path: str, **headers: str) -> requests.Response:
        return self.ask("DELETE", path, headers=headers)


@contextmanager
def serve(settings: Settings) -> Iterator[tuple[Client, Edge]]:
    """The API on a port of its own; ends with the block."""
    port = ports.ephemeral()
    edge = Edge(create_app(settings))
    started: threading.Event = threading.Event()
    loops: list[asyncio.AbstractEventLoop] = []
    server = Server(edge, address="127.0.0.1", port=port, interface=Interfaces.ASGI)

    async def run() -> None:
        loops.append(asyncio.get_running_loop())
        started.set()
        await server.serve()

    thread = threading.Thread(target=lambda: asyncio.run(run()), daemon=True)
    thread.start()
    started.wait(10)
    client = Client(f"http://127.0.0.1:{port}")
    for _ in range(500):
        try:
            if client.get("/health/live").status_code == 200:
                break
        except requests.ConnectionError:
            threading.Event().wait(0.01)
    try:
        yield client, edge
    finally:
        client.session.close()
        loops[0].call_soon_threadsafe(server.stop)
        thread.join(20)
        assert not thread.is_alive()


@contextmanager
def sending(settings: Settings, cache: Any = None) -> Iterator[threading.Thread]:
    """The sender beside it."""
    invalidator = Invalidator(cache, settings.indexer.redis_prefix) if cache is not None else None
    with alongside(
        lambda stop: place.supervise(settings.catalog, settings.indexer, invalidator, stop)
    ) as thread:
        yield thread
