"""The routes /health/live, /health/startup and /health/ready: the state of each dependency, and how long its answer took.

The edge answers /health/live itself (`api.answers.front.told`), with the same bytes.
"""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable

from litestar import Router, get
from litestar.openapi.datastructures import ResponseSpec
from sqlalchemy import select, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker

from api.http.reply import JsonResponse
from api.http.request import ApiRequest
from api.http.schemas import Model
from catalog.indexing.models import IndexTarget
from catalog.indexing.states import MAIN
from catalog.schema import readiness
from indexer import stores
from indexer.engines import index_settings
from indexer.process.uninterrupted import uninterrupted
from indexer.process.waiting import FIRST_PAUSE, LONGEST_PAUSE

log = logging.getLogger(__name__)

TIMEOUT = 1.0
# Without these nothing can be served; without the others it is slower or partly missing.
REQUIRED = {"database"}
STALE_SENDER_SECONDS = 15


class _NotServingError(Exception):
    """A dependency cannot be used; the text says why, for operators."""


class Dependency(Model):
    """A dependency: up or down, and how many milliseconds the check took."""

    name: str
    up: bool
    required: bool
    latency_ms: float
    detail: str = ""


class Ready(Model):
    """ok, degraded (something optional is down) or unavailable. `detail` is what an operator should mend."""

    status: str
    dependencies: list[Dependency]
    detail: str = ""


async def _probe(name: str, check: Callable[[], Awaitable[str]]) -> Dependency:
    started = time.perf_counter()
    up, detail = True, ""
    try:
        detail = await asyncio.wait_for(check(), TIMEOUT)
    except _NotServingError as error:
        up, detail = False, str(error)
    except Exception as error:
        up, detail = False, type(error).__name__
    return Dependency(
        name=name,
        up=up,
        required=name in REQUIRED,
        latency_ms=round((time.perf_counter() - started) * 1000, 2),
        detail=detail,
    )


async def other_settings(session: AsyncSession) -> bool:
    """Return whether a live index has settings of another build. It may refuse queries of this process."""
    found = await session.scalars(select(IndexTarget.settings_hash).where(IndexTarget.state.in_(MAIN)))
    return bool(set(found) - {"", index_settings.HASH})


async def check_settings(sessions: async_sessionmaker[AsyncSession]) -> None:
    """Log a warning when a live index has settings of another build, or when that cannot be checked."""
    try:
        async with sessions() as session:
            if await other_settings(session):
                log.warning("the live index has settings of another build; rebuild it: thmanyah reindex")
    except (DBAPIError, PoolTimeoutError) as error:
        log.warning("the index's settings could not be checked: %s", type(error).__name__)


class Started(Model):
    """started, or starting: then `waitingFor` says for what, and why."""

    status: str
    waiting_for: str = ""


class Startup:
    """Whether this process has found a database with its schema. Until then nothing can be served but what is cached."""

    def __init__(self) -> None:
        self.waiting_for = "PostgreSQL"

    async def run(self, sessions: async_sessionmaker[AsyncSession]) -> None:
        """Ask the primary with growing pauses until it is ready; each refusal is a line in the log."""
        pause = FIRST_PAUSE
        while True:
            try:
                await uninterrupted(_require_newest(sessions))
                break
            except (DBAPIError, PoolTimeoutError, OSError, readiness.SchemaBehindError) as error:
                reason = str(error).partition("\n")[0]
                self.waiting_for = f"PostgreSQL: {reason}"
                log.warning("waiting for %s, asking again in %.1f s: %s", "PostgreSQL", pause, reason)
            await asyncio.sleep(pause)
            pause = min(LONGEST_PAUSE, 2 * pause)
        self.waiting_for = ""
        await uninterrupted(check_settings(sessions))


async def _require_newest(sessions: async_sessionmaker[AsyncSession]) -> None:
    async with sessions() as session:
        readiness.require_newest((await session.execute(readiness.VERSION)).scalar())


@get(
    "/health/startup",
    operation_id="getStartup",
    summary="Started",
    description="503 until PostgreSQL has answered with the schema of this build.",
    tags=["operations"],
    responses={503: ResponseSpec(Started, description="Not started yet.", generate_examples=False)},
    opt={"probe": True},
)
async def startup(request: ApiRequest) -> JsonResponse[Started]:
    """Say whether the process has started."""
    found: Startup = request.app.state.startup
    if not found.waiting_for:
        return JsonResponse(Started(status="started"))
    # The reason may name servers: it is for the log.
    answer = JsonResponse(Started(status="starting", waiting_for=found.waiting_for.partition(":")[0]))
    answer.status_code = 503
    return answer


@get("/health/live", operation_id="getLiveness", summary="Alive", tags=["operations"], opt={"probe": True})
async def live() -> dict[str, str]:
    """Answer, which shows that the process is alive."""
    return {"status": "ok"}


@get(
    "/health/ready",
    operation_id="getReadiness",
    summary="Ready",
    description="503 only when nothing can be served.",
    tags=["operations"],
    responses={503: ResponseSpec(Ready, description="Nothing can be served.", generate_examples=False)},
    opt={"probe": True},
)
async def ready(request: ApiRequest) -> JsonResponse[Ready]:
    """Check every dependency, all at the same time."""
    state = request.shared

    async def database() -> str:
        async with state.db() as session:
            await session.execute(text("SELECT 1"))
        return ""

    async def replica() -> str:
        replicas = state.servers.replicas
        if replicas and not any(server.usable for server in replicas):
            raise _NotServingError("; ".join(f"{server.name}: {server.reason}" for server in replicas))
        return "; ".join(
            f"{server.name}: {server.reason or f'{server.behind:.1f} s behind'}" for server in replicas
        )

    async def cache() -> str:
        await state.redis_cache.ping()
        advice = stores.cache_advice(
            state.settings.indexer.redis_cache_url, await stores.info(state.redis_cache)
        )
        if advice:
            raise _NotServingError(advice)
        lost = await stores.lost_slots(state.redis_cache)
        if lost:
            raise _NotServingError(f"the cluster has no server for {lost} of 16384 slots")
        return ""

    async def queue() -> str:
        await state.redis_queue.ping()
        info = await stores.info(state.redis_queue)
        if stores.is_cluster(info):
            raise _NotServingError(stores.queue_advice(info))
        return stores.queue_advice(info)

    async def engine() -> str:
        found = await state.search.healthy()
        silent = sorted(name for name, up in found.items() if not up)
        if len(silent) == len(found):
            raise ConnectionError
        if silent:
            return f"no answer from {', '.join(silent)}"
        return "none is asked just now" if state.search.open else ""

    async def sender() -> str:
        async with state.db() as session:
            age = (
                await session.execute(
                    text(
                        "SELECT extract(epoch FROM clock_timestamp() - min(heartbeat_at)) FROM index_targets "
                        "WHERE state IN ('empty', 'filling', 'live')"
                    )
                )
            ).scalar_one()
            other = await other_settings(session)
        if age is None or age > STALE_SENDER_SECONDS:
            raise TimeoutError
        seen = f"last seen {float(age):.1f} s ago"
        return f"{seen}; the index has settings of another build" if other else seen

    checks = {
        "database": database,
        "replica": replica,
        "cache": cache,
        "queue": queue,
        "engine": engine,
        "sender": sender,
    }
    found = await asyncio.gather(*(_probe(name, check) for name, check in checks.items()))
    lost = [d for d in found if not d.up]
    status = "unavailable" if any(d.required for d in lost) else "degraded" if lost else "ok"
    told = state.limiter.addresses.detail()
    answer = JsonResponse(Ready(status=status, dependencies=list(found), detail=told))
    if status == "unavailable":
        answer.status_code = 503
    return answer


router = Router("/", route_handlers=[live, startup, ready])
