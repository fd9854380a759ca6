"""Operators' routes for the search engines: list, drain before maintenance, resume."""

from typing import Annotated

import msgspec
from litestar import get, post
from litestar.params import FromPath, JSONBody

from api.http import transaction
from api.http.auth import OPS
from api.http.reply import JsonResponse
from api.http.request import ApiRequest, actor_of
from api.http.schemas import Body, Model, one_of
from catalog.indexing import engines as registry
from catalog.indexing import queries
from catalog.indexing.models import ENGINE_STATES
from catalog.indexing.queries import EngineRow
from indexer.engines import watch
from indexer.engines.search import EngineState


class EngineOut(Model):
    """An engine and its live index.

    An engine in the state `serving` (not `draining`: somebody drained it) gets searches when its index has all programs (`filled`), it answers this process
    (`healthy`) and it is not far behind (`lagSec`).
    """

    name: Annotated[str, msgspec.Meta(examples=["default"])]
    url: str
    state: Annotated[str, one_of("EngineState", ENGINE_STATES)]
    index: str | None
    filled: bool
    healthy: bool
    breaker_open: bool
    lag_sec: float


class EngineList(Model):
    """Every engine, by name."""

    data: list[EngineOut]


class DrainIn(Body):
    """`force` drains even the only engine that serves. PostgreSQL then answers searches."""

    force: bool = False


def _engine_out(row: EngineRow, state: EngineState, healthy: bool, breaker_open: bool) -> EngineOut:
    """Return an engine as JSON shows it.

    Args:
        row: The engine in the database.
        state: What the pool of this process knows about it.
        healthy: Whether it answered this process just now.
        breaker_open: Whether the circuit breaker of this process is open.
    """
    return EngineOut(
        name=state.name,
        url=state.url,
        state=row.state,
        index=row.index_uid,
        filled=row.filled,
        healthy=healthy,
        breaker_open=breaker_open,
        lag_sec=round(float(row.lag), 3),
    )


async def _read_engines(request: ApiRequest) -> list[EngineOut]:
    pool, settings = request.shared.search, request.shared.settings.indexer
    rows = await transaction.read(request, lambda s: s.execute(queries.engine_states()).all())
    found = watch.states(settings, rows)
    # The other processes read the states of the engines every second.
    pool.learn(found)
    healthy = await pool.healthy()
    by_name = {row.name: row for row in rows}
    return [
        _engine_out(by_name[state.name], state, healthy.get(state.name, False), pool.clients[state.name].open)
        for state in found
        if state.name in by_name
    ]


async def _answer(request: ApiRequest, name: str) -> JsonResponse[EngineList]:
    found = [engine for engine in await _read_engines(request) if engine.name == name]
    return JsonResponse(EngineList(data=found))


@get(
    "/engines",
    summary="Engines",
    description="Each engine with its state, its health as this process sees it, and its lag.",
    opt={"roles": OPS},
)
async def list_engines(request: ApiRequest) -> JsonResponse[EngineList]:
    """List the engines; removed engines are left out."""
    return JsonResponse(EngineList(data=await _read_engines(request)))


@post(
    "/engines/{name:str}/drain",
    status_code=200,
    summary="Drain an engine",
    description="All processes stop sending searches to it within two seconds. Its index stays up to date.",
    opt={"roles": OPS, "errors": ("not_found", "conflict", "last_engine")},
)
async def drain_engine(
    request: ApiRequest, name: FromPath[str], data: JSONBody[DrainIn]
) -> JsonResponse[EngineList]:
    """Stop sending searches to an engine."""
    actor = actor_of(request)
    await transaction.write(request, lambda s: registry.drain(s, name, actor, force=data.force))
    return await _answer(request, name)


@post(
    "/engines/{name:str}/resume",
    status_code=200,
    summary="Resume an engine",
    description="It gets searches again as soon as its index is up to date.",
    opt={"roles": OPS, "errors": ("not_found",)},
)
async def resume_engine(request: ApiRequest, name: FromPath[str]) -> JsonResponse[EngineList]:
    """Send searches to an engine again."""
    actor = actor_of(request)
    await transaction.write(request, lambda s: registry.resume(s, name, actor))
    return await _answer(request, name)


HANDLERS = [list_engines, drain_engine, resume_engine]
