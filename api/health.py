"""Is it alive, and is it ready: each dependency with its state and how long it took to answer."""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable
from typing import Any

import msgspec
from litestar import Request, Response, Router, get
from sqlalchemy import select, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker

from api.schemas import Model
from catalog.dirty import IndexTarget
from indexer import index_settings

log = logging.getLogger(__name__)

Asked = Request[Any, Any, Any]
TIMEOUT = 1.0
# Without these nothing can be served; without the others it is slower or partly missing.
REQUIRED = {"database"}
STALE_SENDER_SECONDS = 15


class Dependency(Model):
    """One part: up or down, and the milliseconds it took to say so."""

    name: str
    up: bool
    required: bool
    latency_ms: float
    detail: str = ""


class Ready(Model):
    """ok, degraded (something optional is down) or unavailable."""

    status: str
    dependencies: list[Dependency]


async def _probe(name: str, check: Callable[[], Awaitable[str]]) -> Dependency:
    started = time.perf_counter()
    up, detail = True, ""
    try:
        detail = await asyncio.wait_for(check(), TIMEOUT)
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
    """Has a live index settings of another build than this process's? What it asks may then be refused."""
    found = await session.scalars(
        select(IndexTarget.settings_hash).where(IndexTarget.state == "live")
    )
    return bool(set(found) - {"", index_settings.HASH})


async def check_settings(sessions: async_sessionmaker[AsyncSession]) -> None:
    """Say at the start when the index does not fit; a database that is away says nothing."""
    try:
        async with sessions() as session:
            if await other_settings(session):
                log.warning(
                    "the live index has settings of another build; rebuild it: thmanyah reindex"
                )
    except (DBAPIError, PoolTimeoutError) as error:
        log.warning("the index's settings could not be checked: %s", type(error).__name__)


@get("/health/live", summary="Alive", tags=["operations"])
async def live() -> dict[str, str]:
    """The process answers."""
    return {"status": "ok"}


@get(
    "/health/ready",
    summary="Ready",
    description="503 only when nothing can be served.",
    tags=["operations"],
)
async def ready(request: Asked) -> Response[bytes]:
    """Every dependency."""
    state = request.app.state

    async def database() -> str:
        async with state.db() as session:
            await session.execute(text("SELECT 1"))
        return ""

    async def replica() -> str:
        async with state.db_read() as session:
            await session.execute(text("SELECT 1"))
        return ""

    async def cache() -> str:
        await state.redis_cache.ping()
        return ""

    async def queue() -> str:
        await state.redis_queue.ping()
        return ""

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
            age = (await session.execute(text(
                "SELECT extract(epoch FROM clock_timestamp() - min(heartbeat_at)) FROM index_targets "
                "WHERE state = 'live'"
            ))).scalar_one()  # fmt: skip
            other = await other_settings(session)
        if age is None or age > STALE_SENDER_SECONDS:
            raise TimeoutError
        seen = f"last seen {float(age):.1f} s ago"
        return f"{seen}; the index has settings of another build" if other else seen

    checks = {
        "database": database, "replica": replica, "cache": cache, "queue": queue,
        "engine": engine, "sender": sender,
    }  # fmt: skip
    found = await asyncio.gather(*(_probe(name, check) for name, check in checks.items()))
    lost = [d for d in found if not d.up]
    status = "unavailable" if any(d.required for d in lost) else "degraded" if lost else "ok"
    body = msgspec.json.encode(Ready(status=status, dependencies=list(found)))
    code = 503 if status == "unavailable" else 200
    return Response(
        body, status_code=code, media_type="application/json", headers={"Cache-Control": "no-store"}
    )


router = Router("/", route_handlers=[live, ready])
