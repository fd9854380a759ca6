"""Everything under /ops, for those who keep it running."""

import asyncio
from typing import Any

import msgspec
from litestar import Request, Response, Router, get, post
from litestar.params import FromPath, JSONBody
from sqlalchemy.orm import Session

from api import database, engines
from api.auth import OPS, authenticate
from api.discovery.params import MAX_ID, Query
from api.editorial.programs import actor_of, number, reply
from api.editorial.schemas import ListMeta
from api.errors import Problem
from api.operations import schemas, states
from catalog import changes, dirty
from catalog.dirty import IndexTarget
from catalog.errors import NotFound
from catalog.indexing import engines as registry
from catalog.indexing import lifecycle, queries
from indexer import index_settings, invalidation, targets

Asked = Request[Any, Any, Any]
_encode = msgspec.json.encode
_PARKED = 100


def _page(request: Asked) -> tuple[int | None, int]:
    query = Query(request.query_params, {"before", "limit"})
    return query.integer("before", 1, MAX_ID), query.limit()


def _job(session: Session, job_id: int) -> schemas.ReindexOut:
    row = session.execute(queries.job(job_id)).one_or_none()
    if row is None:
        raise NotFound("reindex job", job_id)
    return schemas.reindex_out(row[0], row[1], row[3], row[2])


def _answer(found: schemas.ReindexOut, status: int = 200) -> Response[bytes]:
    answer = reply(_encode(schemas.ReindexAnswer(data=found)), status=status)
    answer.headers["Location"] = f"/ops/reindex/{found.id}"
    return answer


@post("/reindex", status_code=202, summary="Rebuild an index", description="A second index is filled beside the live one and put in its place; searches never notice. One at a time; follow it at its Location.", opt={"roles": OPS})  # fmt: skip
async def reindex(request: Asked, data: JSONBody[schemas.ReindexIn]) -> Response[bytes]:
    """A queued job."""
    actor, settings = actor_of(request), request.app.state.settings.indexer

    def work(session: Session) -> schemas.ReindexOut:
        engine = targets.chosen(session, settings, data.engine)
        job = lifecycle.request_rebuild(
            session, engine, data.reason, actor, build=index_settings.BUILD, force=data.force
        )
        return _job(session, job.id)

    return _answer(await database.write(request, work), 202)


@get("/reindex", summary="Rebuilds", description="Newest first (before, limit ≤ 100).", opt={"roles": OPS})  # fmt: skip
async def reindexes(request: Asked) -> Response[bytes]:
    """A page of them."""
    before, limit = _page(request)

    def work(session: Session) -> bytes:
        rows = session.execute(queries.jobs(before, limit + 1)).all()
        found = [schemas.reindex_out(job, n, now, kept) for job, n, kept, now in rows[:limit]]
        following = str(found[-1].id) if len(rows) > limit else None
        return _encode(
            schemas.ReindexList(data=found, meta=ListMeta(limit=limit, next_cursor=following))
        )

    return reply(await database.read(request, work))


@get("/reindex/{job_id:int}", summary="A rebuild", description="Its stage, counts, rate and the seconds it still needs.", opt={"roles": OPS})  # fmt: skip
async def reindex_state(request: Asked, job_id: FromPath[int]) -> Response[bytes]:
    """One job."""
    number(job_id, "jobId")
    return _answer(await database.read(request, lambda s: _job(s, job_id)))


@post("/reindex/{job_id:int}/cancel", status_code=202, summary="Cancel a rebuild", description="It stops before its next step; possible until the indexes are exchanged.", opt={"roles": OPS})  # fmt: skip
async def cancel_reindex(request: Asked, job_id: FromPath[int]) -> Response[bytes]:
    """The job, asked to stop."""
    number(job_id, "jobId")
    actor = actor_of(request)

    def work(session: Session) -> schemas.ReindexOut:
        lifecycle.cancel(session, job_id, actor)
        return _job(session, job_id)

    return _answer(await database.write(request, work), 202)


@post("/reindex/{job_id:int}/rollback", status_code=202, summary="Roll a rebuild back", description="The index from before, which was kept in step, takes its place again.", opt={"roles": OPS})  # fmt: skip
async def roll_back(request: Asked, job_id: FromPath[int]) -> Response[bytes]:
    """The job, on its way back."""
    number(job_id, "jobId")
    actor = actor_of(request)

    def work(session: Session) -> schemas.ReindexOut:
        lifecycle.request_rollback(session, job_id, actor)
        return _job(session, job_id)

    return _answer(await database.write(request, work), 202)


@post("/drift", status_code=202, summary="Audit every index", description="Compares each index with the record; repair=true has sent again what differs.", opt={"roles": OPS})  # fmt: skip
async def audit(request: Asked, data: JSONBody[schemas.DriftIn]) -> Response[bytes]:
    """A queued report for every index."""
    actor, settings = actor_of(request), request.app.state.settings.indexer

    def work(session: Session) -> bytes:
        ids = [target.id for target in targets.kept(session, settings)]
        reports = lifecycle.request_audit(session, ids, actor, repair=data.repair)
        for report in reports:
            session.refresh(report)
        found = [schemas.drift_out(report) for report in reports]
        return _encode(
            schemas.DriftList(data=found, meta=ListMeta(limit=len(found), next_cursor=None))
        )

    return reply(await database.write(request, work), status=202)


@get("/drift", summary="Audits", description="Newest first (before, limit ≤ 100).", opt={"roles": OPS})  # fmt: skip
async def audits(request: Asked) -> Response[bytes]:
    """A page of reports."""
    before, limit = _page(request)

    def work(session: Session) -> bytes:
        rows = session.scalars(queries.reports(before, limit + 1)).all()
        found = [schemas.drift_out(report) for report in rows[:limit]]
        following = str(found[-1].id) if len(rows) > limit else None
        return _encode(
            schemas.DriftList(data=found, meta=ListMeta(limit=limit, next_cursor=following))
        )

    return reply(await database.read(request, work))


@get("/sync", summary="The pipeline", description="Every index with its lag, what waits, and what the engine refuses and why.", opt={"roles": OPS})  # fmt: skip
async def sync(request: Asked) -> Response[bytes]:
    """What waits for what."""

    def work(session: Session) -> bytes:
        rows = session.execute(queries.target_states()).all()
        found = [
            schemas.target_out(
                target, n, aside, oldest, seen, target.settings_hash == index_settings.HASH
            )
            for target, n, aside, oldest, seen in rows
        ]
        names = schemas.ParkedOut.__struct_fields__
        aside = [
            schemas.ParkedOut(**{name: getattr(row, name) for name in names})
            for row in session.scalars(queries.parked(_PARKED))
        ]
        return _encode(schemas.SyncAnswer(data=schemas.SyncOut(targets=found, parked=aside)))

    return reply(await database.read(request, work))


@get("/engines", summary="Engines", description="Who answers searches: state, health as this process sees it, lag.", opt={"roles": OPS})  # fmt: skip
async def list_engines(request: Asked) -> Response[bytes]:
    """Every engine that is kept."""
    return reply(_encode(schemas.EngineList(data=await _engines(request))))


async def _engines(request: Asked) -> list[schemas.EngineOut]:
    pool, settings = request.app.state.search, request.app.state.settings.indexer
    rows = await database.read(request, lambda s: s.execute(queries.engine_states()).all())
    found = engines.states(settings, rows)
    # What ops just did holds for this process at once.
    pool.learn(found)
    healthy = await pool.healthy()
    known = {row.name: row for row in rows}
    return [
        schemas.engine_out(known[s.name], s, healthy.get(s.name, False), not pool.clients[s.name].open)
        for s in found
        if s.name in known
    ]  # fmt: skip


async def _one_engine(request: Asked, name: str) -> Response[bytes]:
    found = [engine for engine in await _engines(request) if engine.name == name]
    return reply(_encode(schemas.EngineList(data=found)))


@post("/engines/{name:str}/drain", status_code=200, summary="Drain an engine", description="No listener is sent to it any more, everywhere within two seconds; it is kept in step.", opt={"roles": OPS})  # fmt: skip
async def drain_engine(
    request: Asked, name: FromPath[str], data: JSONBody[schemas.DrainIn]
) -> Response[bytes]:
    """The engine, draining."""
    actor = actor_of(request)
    await database.write(request, lambda s: registry.drain(s, name, actor, force=data.force))
    return await _one_engine(request, name)


@post("/engines/{name:str}/resume", status_code=200, summary="Resume an engine", description="Listeners are sent to it again as soon as it is in step.", opt={"roles": OPS})  # fmt: skip
async def resume_engine(request: Asked, name: FromPath[str]) -> Response[bytes]:
    """The engine, serving."""
    actor = actor_of(request)
    await database.write(request, lambda s: registry.resume(s, name, actor))
    return await _one_engine(request, name)


@post("/sync/unpark", status_code=200, summary="Try refused documents again", description="Of the programs named, or of all.", opt={"roles": OPS})  # fmt: skip
async def unpark(request: Asked, data: JSONBody[schemas.UnparkIn]) -> Response[bytes]:
    """How many are tried again."""

    def work(session: Session) -> int:
        ids = data.program_ids or None
        return sum(
            dirty.unpark(session, target.id, ids) for target in session.query(IndexTarget).all()
        )

    count = await database.write(request, work)
    return reply(_encode(schemas.CountAnswer(data=schemas.CountOut(count=count))))


@get("/programs/{program_id:int}/index-state", summary="A program in every index", description="Whether it is in step, waits, is refused, missing, stale or there without being published.", opt={"roles": OPS})  # fmt: skip
async def index_state(request: Asked, program_id: FromPath[int]) -> Response[bytes]:
    """One program."""
    number(program_id, "programId")
    settings = request.app.state.settings
    found = await asyncio.to_thread(states.of_program, settings, program_id)
    return reply(_encode(found))


@get("/queues", summary="Queues", description="Jobs waiting, running, failed and to be retried.", opt={"roles": OPS})  # fmt: skip
async def queues(request: Asked) -> Response[bytes]:
    """Every queue."""
    url = request.app.state.settings.indexer.redis_queue_url
    found = await asyncio.to_thread(states.of_queues, url)
    if found is None:
        raise Problem("queue_unavailable", headers={"Retry-After": "2"})
    return reply(_encode(schemas.QueueList(data=found)))


@post("/cache/purge", status_code=200, summary="Forget answers", description="Of the programs named, or every answer in every process.", opt={"roles": OPS})  # fmt: skip
async def purge(request: Asked, data: JSONBody[schemas.PurgeIn]) -> Response[bytes]:
    """How many programs were forgotten; 0 stands for everything."""
    state = request.app.state
    prefix = state.settings.indexer.redis_prefix
    if data.program_ids:
        ids = data.program_ids

        def current(session: Session) -> list[changes.ProgramChange]:
            return states.current(session, ids)

        known = await database.read(request, current)
        state.cache.changed(known)
        told = await invalidation.programs_changed(state.redis_cache, prefix, known)
        count = len(known)
    else:
        state.cache.clear()
        told, count = await invalidation.forget_everything(state.redis_cache, prefix), 0
    if not told:
        raise Problem("cache_unavailable", headers={"Retry-After": "2"})
    return reply(_encode(schemas.CountAnswer(data=schemas.CountOut(count=count))))


router = Router(
    "/ops",
    route_handlers=[
        reindex, reindexes, reindex_state, cancel_reindex, roll_back, audit, audits, sync, unpark,
        list_engines, drain_engine, resume_engine, index_state, queues, purge,
    ],
    before_request=authenticate,
    tags=["operations"],
    security=[{"bearer": []}, {"apiKey": []}],
)  # fmt: skip
