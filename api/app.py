"""Where the parts meet: the only place of this layer that builds anything."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import cache
from typing import Any

from litestar import Litestar
from redis.asyncio import Redis

from api import engines, health, metrics, openapi
from api.accounts import routes as accounts
from api.cache import Cache
from api.discovery import routes as discovery
from api.discovery.fallback import Fallback
from api.discovery.service import Discovery
from api.docs import DOCS_ROUTES
from api.edge import Edge
from api.editorial import routes as editorial
from api.errors import HANDLERS, ApiRequest
from api.operations import routes as operations
from api.ratelimit import Limiter
from api.settings import Settings
from api.views import ViewBuffer
from catalog.db import (
    async_session_factory,
    make_async_engine,
    make_async_read_engine,
    make_async_search_engine,
)
from indexer.search import SearchPool


def _redis(url: str, timeout: float) -> "Redis":
    return Redis.from_url(
        url, socket_timeout=timeout, socket_connect_timeout=timeout, max_connections=200
    )


async def _end(task: "asyncio.Task[None]") -> None:
    """Cancel until it ends: the Redis client may take a cancellation for a timeout of its own."""
    while not task.done():
        task.cancel()
        await asyncio.wait({task}, timeout=0.1)


@asynccontextmanager
async def _lifespan(app: Litestar) -> AsyncIterator[None]:
    """Open what requests share. Nothing here waits for a server to be up."""
    state = app.state
    settings: Settings = state.settings
    primary = make_async_engine(settings.catalog)
    replica = make_async_read_engine(settings.catalog)
    state.db, state.db_read = async_session_factory(primary), async_session_factory(replica)
    state.redis_cache = _redis(settings.indexer.redis_cache_url, settings.indexer.redis_timeout)
    state.redis_queue = _redis(settings.indexer.redis_queue_url, settings.indexer.redis_timeout)
    # Listening waits for messages: a line of its own, without the short timeout.
    line = Redis.from_url(
        settings.indexer.redis_cache_url, socket_connect_timeout=1, socket_timeout=5
    )
    prefix = settings.indexer.redis_prefix
    state.cache = Cache(state.redis_cache, prefix, max_bytes=settings.api.l1_bytes)
    state.limiter = Limiter(
        state.redis_cache, prefix, settings.api.rate_per_minute, settings.api.trusted_proxies
    )
    state.views = ViewBuffer(state.redis_cache, prefix)
    state.search = SearchPool(settings.indexer)
    await state.search.start()
    secret = settings.api.secret_key.get_secret_value()
    searched = make_async_search_engine(settings.catalog, settings.api.fallback_concurrency)
    fallback = Fallback(
        async_session_factory(searched),
        timeout=settings.api.fallback_timeout_ms / 1000,
        concurrency=settings.api.fallback_concurrency,
    )
    state.discovery = Discovery(state.search, fallback, state.cache, state.db_read, secret)
    tasks = [
        asyncio.create_task(state.cache.listen(line)),
        asyncio.create_task(state.views.run()),
        asyncio.create_task(engines.watch(state.search, state.db, settings.indexer)),
        asyncio.create_task(health.check_settings(state.db)),
    ]
    try:
        yield
    finally:
        for task in tasks:
            await _end(task)
        await state.search.close()
        for connection in (state.redis_cache, state.redis_queue, line):
            await connection.aclose()
        await primary.dispose()
        await replica.dispose()
        await searched.dispose()


def _handlers(settings: Settings) -> list[Any]:
    """Everything that is documented."""
    found: list[Any] = [
        discovery.router, editorial.router, accounts.open_router, accounts.router, operations.router,
        health.router,
    ]  # fmt: skip
    if settings.api.expose_metrics:
        found.append(metrics.router)
    return found


def create_app(settings: Settings | None = None) -> Litestar:
    """The framework's application. Raises pydantic.ValidationError on wrong settings."""
    settings = settings or Settings.from_env()
    handlers = _handlers(settings)
    app = Litestar(
        route_handlers=[*handlers, *DOCS_ROUTES] if settings.api.expose_docs else handlers,
        lifespan=[_lifespan],
        exception_handlers=HANDLERS,
        request_class=ApiRequest,
        # The framework would serve pages of its own that load scripts from elsewhere.
        openapi_config=None,
        request_max_body_size=settings.api.max_body_bytes,
        logging_config=None,
    )
    app.state.openapi = cache(lambda: openapi.document(handlers))
    app.state.settings = settings
    return app


def asgi() -> Edge:
    """What the server runs: the application behind its edge, set up from the environment."""
    return Edge(create_app())
