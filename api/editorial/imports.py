"""Editors' addresses for imports: start, follow, cancel, repeat."""

import asyncio
import logging
import tempfile
from typing import Any

import msgspec
from litestar import Request, Response, get, post
from litestar.params import FromPath, JSONBody
from redis import Redis
from redis.exceptions import RedisError
from sqlalchemy.orm import Session

from api import database, idempotent
from api.auth import EDITORS, REVIEWERS, principal
from api.discovery.params import MAX_ID, Query
from api.editorial import import_schemas as schemas
from api.editorial.programs import actor_of, number, reply
from api.editorial.schemas import ListMeta
from api.errors import Problem, invalid_parameter
from catalog.errors import FieldError
from catalog.imports import lifecycle, queries, sources
from catalog.imports.models import FILES, OUTCOMES, STATUSES, ImportRun
from catalog.imports.options import Options
from indexer.importing import documents
from indexer.importing.enqueue import enqueue
from indexer.importing.settings import ImportSettings

Asked = Request[Any, Any, Any]
log = logging.getLogger(__name__)
_encode = msgspec.json.encode
MAX_OPTIONS = 10_000


def may_publish(request: Asked, options: Options) -> None:
    """An import that publishes is a publish: refuse whoever may not. Raises Problem."""
    if options.policy == "publish" and not principal(request).roles & set(REVIEWERS):
        raise Problem("forbidden", f"To publish needs one of: {', '.join(REVIEWERS)}.")


async def accepted(request: Asked, run_id: int) -> Response[bytes]:
    """Hand the run to the workers and answer 202."""
    await hand_over(request, run_id)
    found = await database.read(request, lambda s: schemas.run_out(lifecycle.get(s, run_id)))
    answer = reply(_encode(schemas.ImportRunAnswer(data=found)), status=202)
    answer.headers["Location"] = f"/catalog/imports/{run_id}"
    return answer


async def hand_over(request: Asked, run_id: int) -> None:
    """Tell the workers. A queue that is away only delays the run: the sweep finds it."""
    url = request.app.state.settings.indexer.redis_queue_url

    def tell() -> None:
        redis = Redis.from_url(url, socket_timeout=1, socket_connect_timeout=0.5)
        try:
            enqueue(redis, run_id)
        except (RedisError, OSError) as error:
            log.warning("import %s waits for the sweep: %s", run_id, error)
        finally:
            redis.close()

    await asyncio.to_thread(tell)


@post("/imports", status_code=202, summary="Import from an address", description="Answers at once; follow the run at its Location. dryRun=true says what would change and writes nothing. To publish needs a reviewer. Idempotent with an Idempotency-Key header.", opt={"roles": EDITORS})  # fmt: skip
async def create_import(request: Asked, data: JSONBody[schemas.ImportIn]) -> Response[bytes]:
    """A queued run."""
    dry_run = bool(Query(request.query_params, {"dryRun"}).flag("dryRun"))
    may_publish(request, data.options)
    actor = actor_of(request)

    made: list[int] = []

    def work(session: Session) -> idempotent.Created:
        url = sources.check_url(data.source_type, data.url)
        known = sources.find(session, data.source_type, url)
        namespace = sources.namespace_of(data.source_type, url, data.options)
        run = lifecycle.create(
            session, data.source_type, data.options, actor, url=url, dry_run=dry_run, source=known,
            namespace=known.namespace if known is not None else namespace,
        )  # fmt: skip
        made.append(run.id)
        body = _encode(schemas.ImportRunAnswer(data=schemas.run_out(run)))
        return body, f"/catalog/imports/{run.id}", ""

    answer = await idempotent.create(request, work, status=202)
    for run_id in made:
        await hand_over(request, run_id)
    return answer


def _options(text: str | None) -> Options:
    try:
        return msgspec.json.decode(text or "{}", type=Options)
    except (msgspec.DecodeError, RecursionError) as error:
        raise invalid_parameter("options", str(error)[:300]) from None


@post("/imports/upload", status_code=202, summary="Import a file", description="The body is the file itself; options is the JSON of the same name.", opt={"roles": EDITORS}, request_max_body_size=None)  # fmt: skip
async def upload_import(request: Asked) -> Response[bytes]:
    """A queued run of what was sent."""
    query = Query(request.query_params, {"sourceType", "dryRun", "options", "fileName"})
    kind = query.one_of("sourceType", FILES)
    if kind is None:
        raise invalid_parameter("sourceType", f"Must be one of {', '.join(FILES)}.")
    options, name = _options(query.text("options", MAX_OPTIONS)), query.text("fileName", 200)
    may_publish(request, options)
    if request.headers.get("content-encoding", "identity") != "identity":
        raise Problem("unsupported_media_type", "Send the file as it is, not compressed.")
    most = ImportSettings().max_file_bytes
    # To a file first: a slow sender must not hold a database connection.
    with tempfile.TemporaryFile() as spool:
        size = 0
        async for chunk in request.stream():
            size += len(chunk)
            if size > most:
                raise Problem("body_too_large", f"At most {most // 1_000_000} MB.")
            spool.write(chunk)
        if size == 0:
            errors = [FieldError("", "required", "Send the file as the body.")]
            raise Problem("validation_failed", "The body is empty.", errors=errors)
        spool.seek(0)
        actor, dry_run = actor_of(request), bool(query.flag("dryRun"))

        def work(session: Session) -> int:
            namespace = sources.namespace_of(kind, None, options)
            run = lifecycle.create(
                session, kind, options, actor, file_name=name, dry_run=dry_run, namespace=namespace
            )
            part = 0
            while data := spool.read(documents.PART):
                for packed in documents.pack(data):
                    lifecycle.add_part(session, run.id, 0, part, packed, {})
                    part += 1
                session.expunge_all()
            lifecycle.get(session, run.id).fetched = True
            return run.id

        run_id = await database.write(request, work)
    return await accepted(request, run_id)


@get("/imports", summary="Imports, newest first", opt={"roles": EDITORS})
async def list_imports(request: Asked) -> Response[bytes]:
    """Runs (before=id, limit ≤ 100), optionally of a status, source or parent run."""
    query = Query(request.query_params, {"before", "limit", "status", "sourceId", "parentId"})
    limit = query.limit()
    statement = queries.runs(
        query.integer("before", 1, MAX_ID),
        limit + 1,
        status=query.one_of("status", STATUSES),
        source_id=query.integer("sourceId", 1, MAX_ID),
        parent_id=query.integer("parentId", 1, MAX_ID),
    )
    async with request.app.state.db() as session:
        rows = [schemas.run_out(run) for run in await session.scalars(statement)]
    following = str(rows[limit - 1].id) if len(rows) > limit else None
    meta = ListMeta(limit=limit, next_cursor=following)
    return reply(_encode(schemas.ImportRunList(data=rows[:limit], meta=meta)))


@get("/imports/{run_id:int}", summary="One import", opt={"roles": EDITORS})
async def get_import(request: Asked, run_id: FromPath[int]) -> Response[bytes]:
    """State, progress and counts."""
    number(run_id)

    def work(session: Session) -> schemas.ImportRunOut:
        run = lifecycle.get(session, run_id)
        return schemas.run_out(run, session.scalar(queries.not_yet_searchable(run_id)))

    found = await database.read(request, work)
    return reply(_encode(schemas.ImportRunAnswer(data=found)))


@get("/imports/{run_id:int}/items", summary="What became of each item", opt={"roles": EDITORS})
async def list_items(request: Asked, run_id: FromPath[int]) -> Response[bytes]:
    """Items in order (after=position, limit ≤ 100), optionally of one outcome."""
    number(run_id)
    query = Query(request.query_params, {"after", "limit", "outcome"})
    after, limit = query.integer("after", 0, MAX_ID, 0) or 0, query.limit()
    outcome = query.one_of("outcome", OUTCOMES)
    # A position has 32 bits; nothing stands behind the last of them.
    after = min(after, 2**31 - 1)

    def work(session: Session) -> list[schemas.ImportItemOut]:
        lifecycle.get(session, run_id)
        found = session.scalars(queries.items(run_id, after, limit + 1, outcome))
        return [schemas.item_out(item) for item in found]

    rows = await database.read(request, work)
    following = str(rows[limit - 1].position) if len(rows) > limit else None
    meta = ListMeta(limit=limit, next_cursor=following)
    return reply(_encode(schemas.ImportItemList(data=rows[:limit], meta=meta)))


@post("/imports/{run_id:int}/cancel", status_code=200, summary="Stop an import", description="At once while it waits, after its current batch while it runs. What is written stays.", opt={"roles": EDITORS})  # fmt: skip
async def cancel_import(request: Asked, run_id: FromPath[int]) -> Response[bytes]:
    """409 when it has ended."""
    number(run_id)
    actor = actor_of(request)
    found = await database.write(
        request, lambda s: schemas.run_out(lifecycle.cancel(s, run_id, actor))
    )
    return reply(_encode(schemas.ImportRunAnswer(data=found)))


@post("/imports/{run_id:int}/retry", status_code=202, summary="Import again what failed", description="A new run of the failed items; of everything when it did not reach its end.", opt={"roles": EDITORS})  # fmt: skip
async def retry_import(request: Asked, run_id: FromPath[int]) -> Response[bytes]:
    """409 while it goes on, or when nothing failed."""
    number(run_id)
    actor = actor_of(request)

    def work(session: Session) -> int:
        run: ImportRun = lifecycle.get(session, run_id)
        may_publish(request, msgspec.convert(run.options, Options))
        return lifecycle.retry(session, run_id, actor).id

    return await accepted(request, await database.write(request, work))


HANDLERS = [
    create_import, upload_import, list_imports, get_import, list_items, cancel_import, retry_import,
]  # fmt: skip
