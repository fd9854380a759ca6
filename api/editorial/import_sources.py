"""Editors' addresses for remembered sources, and for what a program's source says."""

from typing import Any

import msgspec
from litestar import Request, Response, delete, get, patch, post
from litestar.params import FromPath, JSONBody
from sqlalchemy.orm import Session

from api import database, idempotent
from api.auth import EDITORS
from api.discovery.params import MAX_ID, Query
from api.editorial import import_schemas as schemas
from api.editorial.imports import accepted, may_publish
from api.editorial.programs import actor_of, number, reply
from api.editorial.schemas import ListMeta
from catalog.imports import queries, sources
from catalog.imports.models import SOURCE_STATES
from catalog.imports.options import Options

Asked = Request[Any, Any, Any]
_encode = msgspec.json.encode


@get("/import-sources", summary="Remembered feeds", opt={"roles": EDITORS})
async def list_sources(request: Asked) -> Response[bytes]:
    """Sources by id (after=id, limit ≤ 100), optionally of one state."""
    query = Query(request.query_params, {"after", "limit", "state"})
    limit = query.limit()
    after = query.integer("after", 0, MAX_ID, 0) or 0
    statement = queries.sources(after, limit + 1, query.one_of("state", SOURCE_STATES))
    async with request.app.state.db() as session:
        rows = [schemas.source_out(row) for row in await session.scalars(statement)]
    following = str(rows[limit - 1].id) if len(rows) > limit else None
    meta = ListMeta(limit=limit, next_cursor=following)
    return reply(_encode(schemas.ImportSourceList(data=rows[:limit], meta=meta)))


@post("/import-sources", summary="Remember a feed", description="It is imported at once, then again when it usually has something new.", opt={"roles": EDITORS})  # fmt: skip
async def create_source(request: Asked, data: JSONBody[schemas.ImportSourceIn]) -> Response[bytes]:
    """A new source."""
    may_publish(request, data.options)
    actor = actor_of(request)

    def work(session: Session) -> idempotent.Created:
        row = sources.create(
            session, data.source_type, data.url, data.options, actor, title=data.title
        )
        body = _encode(schemas.ImportSourceAnswer(data=schemas.source_out(row)))
        return body, f"/catalog/import-sources/{row.id}", ""

    return await idempotent.create(request, work)


@get("/import-sources/{source_id:int}", summary="One remembered feed", opt={"roles": EDITORS})
async def get_source(request: Asked, source_id: FromPath[int]) -> Response[bytes]:
    """A source."""
    number(source_id)
    found = await database.read(request, lambda s: schemas.source_out(sources.get(s, source_id)))
    return reply(_encode(schemas.ImportSourceAnswer(data=found)))


@patch("/import-sources/{source_id:int}", summary="Change, pause or resume a remembered feed", opt={"roles": EDITORS})  # fmt: skip
async def edit_source(
    request: Asked, source_id: FromPath[int], data: JSONBody[schemas.ImportSourcePatch]
) -> Response[bytes]:
    """Change what is given."""
    number(source_id)
    given = {n: getattr(data, n) for n in data.__struct_fields__}
    values = {n: v for n, v in given.items() if v is not msgspec.UNSET}
    actor = actor_of(request)

    def work(session: Session) -> schemas.ImportSourceOut:
        options = values.get("options")
        held = sources.get(session, source_id).options
        may_publish(request, options if options is not None else msgspec.convert(held, Options))
        return schemas.source_out(sources.edit(session, source_id, values, actor))

    found = await database.write(request, work)
    return reply(_encode(schemas.ImportSourceAnswer(data=found)))


@delete("/import-sources/{source_id:int}", summary="Forget a feed", opt={"roles": EDITORS})
async def delete_source(request: Asked, source_id: FromPath[int]) -> None:
    """Its programs and runs stay."""
    number(source_id)
    actor = actor_of(request)
    await database.write(request, lambda s: sources.delete(s, source_id, actor))


@post("/import-sources/{source_id:int}/refresh", status_code=202, summary="Import a remembered feed now", opt={"roles": EDITORS})  # fmt: skip
async def refresh_source(request: Asked, source_id: FromPath[int]) -> Response[bytes]:
    """409 while a run of it goes on."""
    number(source_id)
    dry_run = bool(Query(request.query_params, {"dryRun"}).flag("dryRun"))
    actor = actor_of(request)

    def work(session: Session) -> int:
        source = sources.get(session, source_id, lock=True)
        may_publish(request, msgspec.convert(source.options, Options))
        return sources.start(session, source, actor, trigger="editor", dry_run=dry_run).id

    return await accepted(request, await database.write(request, work))


HANDLERS = [list_sources, create_source, get_source, edit_source, delete_source, refresh_source]
