"""The composition root of the API: it opens connections and pools, and builds the application and its routes.

`api.server` runs `asgi` in each worker process; tests call `create_app`. No other module of the API opens a connection
that requests share.
"""

import asyncio
from collections.abc import AsyncIterator, Coroutine, Sequence
from contextlib import AsyncExitStack, asynccontextmanager

from litestar import Litestar, Router
from litestar.datastructures import State
from redis.asyncio import Redis

from api import openapi
from api.accounts import routes as accounts
from api.answers.cache import Cache
from api.answers.edge import Edge
from api.answers.front.served import Served
from api.answers.listener import Listener
from api.answers.state import fixed
from api.discovery import routes as discovery
from api.discovery.around.chance import Chance
from api.discovery.around.places import Places
from api.discovery.around.popular import PopularSearches
from api.discovery.around.preview import Previews
from api.discovery.around.related import Related
from api.discovery.around.trending import Trending
from api.discovery.counted.asked import Asked
from api.discovery.counted.events import Events
from api.discovery.counted.hiding import Hiding
from api.discovery.counted.views import ViewBuffer
from api.discovery.facets.counting import Counting
from api.discovery.facets.labels import Facets
from api.discovery.lookups.changes import Changes
from api.discovery.lookups.collections import Collections
from api.discovery.lookups.curated import Curated
from api.discovery.lookups.programs import Programs
from api.discovery.lookups.replica import Replica
from api.discovery.lookups.taxonomy import Taxonomy
from api.discovery.lookups.vocabulary import Vocabulary
from api.discovery.searching.fallback import Fallback
from api.discovery.searching.ladder import Ladder
from api.discovery.searching.named import Names
from api.discovery.searching.service import Searches
from api.discovery.searching.suggestions import Suggestions
from api.discovery.state import DiscoveryState
from api.discovery.subjects.service import Subjects
from api.discovery.subjects.values import FacetValues
from api.editorial import routes as editorial
from api.http.cors import Cors
from api.http.documents.docs import docs_routes
from api.http.error_handlers import HANDLERS
from api.http.limits.client_address import ClientAddresses
from api.http.limits.connections import Connections
from api.http.limits.rate_limit import Limiter
from api.http.observed.counting import keep_publishing, publish
from api.http.observed.tally import Tally
from api.http.observed.traced import Traced, observe
from api.http.request import ApiRequest
from api.operations import health, metrics
from api.operations import routes as operations
from api.operations.reading.hour import Hour
from api.settings import Settings
from api.web import routes as web
from api.web.rendering.templates import template_config
from catalog.core import tracing
from catalog.core.db import async_session_factory, make_async_engine
from catalog.replicas.servers import ReadServers
from indexer import stores
from indexer.engines import watch
from indexer.engines.search import SearchPool
from indexer.process import logs, telemetry
from indexer.process.files import max_connections


def _redis(opened: AsyncExitStack, url: str, *, timeout: float, connect_timeout: float) -> "Redis":
    """Open a Redis client, which `opened` closes. Timeouts are in seconds."""
    client = stores.open_async(url, timeout=timeout, connect_timeout=connect_timeout)
    opened.push_async_callback(stores.close, client)
    return client


def _run(opened: AsyncExitStack, work: Coroutine[None, None, None]) -> None:
    """Run `work` as a task beside the requests, until the application shuts down."""
    task = asyncio.create_task(work)
    opened.push_async_callback(_end, task)


async def _end(task: "asyncio.Task[None]") -> None:
    """Cancel a task again and again until it ends: the Redis client may swallow a cancellation as its own timeout."""
    while not task.done():
        task.cancel()
        await asyncio.wait({task}, timeout=0.1)


async def _open(opened: AsyncExitStack, settings: Settings) -> DiscoveryState:
    """Open what all requests share; `opened` closes it. No server has to be up for this."""
    layer = settings.indexer
    timeout = layer.redis_timeout
    redis_cache = _redis(opened, layer.redis_cache_url, timeout=timeout, connect_timeout=timeout)
    redis_queue = _redis(opened, layer.redis_queue_url, timeout=timeout, connect_timeout=timeout)
    database = make_async_engine(settings.catalog)
    opened.push_async_callback(database.dispose)
    servers = ReadServers(settings.catalog, settings.api.fallback_concurrency)
    opened.push_async_callback(servers.close)
    _run(opened, servers.watch())
    search = SearchPool(layer)
    await search.start()
    opened.push_async_callback(search.close)
    _run(opened, watch.watch(search, database, layer, settings.catalog.statement_timeout_ms))
    cached = Cache(redis_cache, layer.redis_prefix, max_bytes=settings.api.l1_bytes)
    opened.push_async_callback(cached.close)
    replica = Replica(servers, settings.catalog.statement_timeout_ms / 1000 or None)
    secret = settings.api.secret_key.get_secret_value()
    facets = Facets(replica, cached.invalidations)
    production = settings.api.environment == "production"
    addresses = ClientAddresses(settings.api.trusted_proxies, production=production)
    held = Connections(settings.api.port, addresses, settings.api.connections_per_address, max_connections())
    _run(opened, held.run())
    vocabulary = Vocabulary(replica)
    _run(opened, vocabulary.run())
    fallback = Fallback(
        servers,
        timeout=settings.api.fallback_timeout_ms / 1000,
        concurrency=settings.api.fallback_concurrency,
    )
    hiding = Hiding(secret)
    tally, events = Tally(), Events(hiding, settings.api.events_one_in)
    asked = Asked(redis_cache, layer.redis_prefix, tally, events, hiding)
    _run(opened, asked.run())
    taxonomy = Taxonomy(search, replica, cached)
    suggestions = Suggestions(search, vocabulary, fallback, cached, asked, taxonomy)
    curated = Curated(replica, cached.invalidations)
    ladder = Ladder(search, vocabulary, curated)
    programs = Programs(replica, cached)
    values = FacetValues(Counting(search), facets, fallback, vocabulary, secret)
    names = Names(vocabulary, cached)
    searches = Searches(
        search, ladder, suggestions, names, fallback, facets, curated, cached, vocabulary, secret
    )
    return DiscoveryState(
        settings=settings,
        db=async_session_factory(database),
        servers=servers,
        redis_cache=redis_cache,
        redis_queue=redis_queue,
        limiter=Limiter(redis_cache, layer.redis_prefix, settings.api.rate_per_minute, addresses),
        search=search,
        cache=cached,
        cors=Cors(settings.api.cors_origins),
        tally=tally,
        searches=searches,
        facet_values=values,
        subjects=Subjects(values, searches, replica, cached),
        previews=Previews(search, searches, curated, cached),
        places=Places(search, searches, curated, cached),
        suggestions=suggestions,
        programs=programs,
        taxonomy=taxonomy,
        collections=Collections(replica, cached),
        changes=Changes(replica, cached),
        views=ViewBuffer(redis_cache, layer.redis_prefix, hiding),
        asked=asked,
        events=events,
        vocabulary=vocabulary,
        related=Related(search, fallback, vocabulary, programs, cached, settings.api.program_ttl),
        trending=Trending(replica, cached),
        chance=Chance(replica, cached),
        popular_searches=PopularSearches(search, cached, asked, settings.api.popular_blocked_words),
    )


@asynccontextmanager
async def _lifespan(app: Litestar) -> AsyncIterator[None]:
    settings: Settings = app.state.settings
    async with AsyncExitStack() as opened:
        # Last of all: it exports the spans of what ends before.
        opened.push_async_callback(asyncio.to_thread, tracing.close)
        opened.callback(publish)
        _run(opened, keep_publishing())
        shared = await _open(opened, settings)
        # The listener has its own client, because it waits longer for a message than commands wait for an answer.
        waiting = _redis(opened, settings.indexer.redis_cache_url, timeout=5, connect_timeout=1)
        _run(opened, Listener(shared.cache, waiting).run())
        _run(opened, shared.views.run())
        _run(opened, Hour(shared).run())
        app.state.startup = health.Startup()
        _run(opened, app.state.startup.run(shared.db))
        app.state.shared = shared
        yield


def routers(settings: Settings) -> Sequence[Router]:
    """Return the routers with every route that the OpenAPI document describes."""
    found = [
        discovery.router,
        editorial.router,
        accounts.open_router,
        accounts.router,
        operations.router,
        health.router,
    ]
    if settings.api.shows_metrics:
        found.append(metrics.router)
    return found


def create_app(settings: Settings | None = None) -> Litestar:
    """Build the framework's application; its lifespan opens what requests share as `app.state.shared`.

    The lifespan opens the stores that `app.state.settings` names when it begins. An application whose lifespan
    has ended may begin another one, over other stores.

    Args:
        settings: Read from the environment when None.

    Raises:
        pydantic.ValidationError: The environment has wrong settings.
    """
    settings = settings or Settings.from_env()
    documented = routers(settings)
    docs = [*docs_routes(), fixed("/openapi.json", lambda: openapi.encoded(documented))]
    return Litestar(
        route_handlers=[*documented, *(docs if settings.api.shows_docs else ()), *web.routes()],
        lifespan=[_lifespan],
        state=State({"settings": settings}),
        exception_handlers=HANDLERS,
        request_class=ApiRequest,
        # `api.http.documents.docs` serves the document: the pages of the framework load scripts from other hosts.
        openapi_config=None,
        template_config=template_config(),
        request_max_body_size=settings.api.max_body_bytes,
        logging_config=None,
    )


def asgi() -> Edge | Traced:
    """Build the application behind its edge, with settings from the environment, for servers that speak ASGI."""
    settings = Settings.from_env()
    logs.configure(settings.indexer.log_format)
    if telemetry.start("api", quiet=True):
        return Traced(Edge(create_app(settings), observe))
    return Edge(create_app(settings))


def rsgi() -> Served:
    """Build the same application for servers that speak RSGI. Granian calls this in each worker."""
    return Served(asgi())
