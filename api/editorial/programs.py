"""Editors' addresses for programs."""

from collections.abc import Callable
from datetime import datetime
from typing import Any

import msgspec
from litestar import Request, Response, delete, get, patch, post
from litestar.params import FromPath, JSONBody
from sqlalchemy import select
from sqlalchemy.orm import Session

from api import cursor, database, idempotent
from api.auth import EDITORS, REVIEWERS, principal
from api.discovery.params import MAX_ID, Query
from api.editorial import schemas
from api.errors import Problem, invalid_parameter
from catalog import changes
from catalog.actor import Actor
from catalog.audit import AuditEvent
from catalog.errors import CatalogError, FieldError, NotFound
from catalog.programs import lifecycle, queries, snapshot
from catalog.programs.models import KINDS, MEDIA_TYPES, STATUSES, Program, ProgramRevision
from catalog.vocabulary import lifecycle as vocabulary

Asked = Request[Any, Any, Any]
_encode = msgspec.json.encode
ACTIONS = (
    "submit",
    "approve",
    "reject",
    "unschedule",
    "publish",
    "unpublish",
    "archive",
    "restore",
    "undelete",
)
_REVIEWED = (
    "approve",
    "reject",
    "publish",
    "unpublish",
    "archive",
    "schedule",
    "unschedule",
    "undelete",
    "restore",
)


def actor_of(request: Asked) -> Actor:
    """Who asks, as audit events name them."""
    return principal(request).actor(request.scope["state"]["request_id"])


def expected_rev(request: Asked) -> int | None:
    """The revision an If-Match header names; None without one."""
    header = request.headers.get("if-match")
    if header is None or header.strip() == "*":
        return None
    tag = header.strip().removeprefix("W/").strip('"')
    if not (tag.isascii() and tag.isdigit()) or len(tag) > 18:
        raise Problem(
            "bad_request",
            errors=[FieldError("If-Match", "invalid", 'Must be an ETag such as "3".')],
        )
    return int(tag)


def number(value: int, name: str = "id") -> int:
    """A path id in the range of ids."""
    if not 1 <= value <= MAX_ID:
        raise invalid_parameter(name, "Must be a positive whole number.")
    return value


def encoded(session: Session, program_id: int) -> tuple[bytes, str]:
    """The program as editors see it, and its ETag."""
    row = session.execute(queries.BY_IDS, {"ids": [program_id]}).mappings().one_or_none()
    if row is None or row["deleted_at"] is not None:
        raise NotFound("program", program_id)
    return _encode(schemas.EditorAnswer(data=schemas.editor_program(row))), f'"{row["rev"]}"'


def reply(body: bytes, etag: str = "", status: int = 200) -> Response[bytes]:
    """An answer that nobody may keep."""
    headers = {"Cache-Control": "no-store"} | ({"ETag": etag} if etag else {})
    return Response(body, status_code=status, media_type="application/json", headers=headers)


async def change(
    request: Asked, program_id: int, work: Callable[[Session], Program]
) -> Response[bytes]:
    """Do something to a program and show what it is now."""

    def both(session: Session) -> tuple[bytes, str]:
        work(session)
        return encoded(session, program_id)

    return reply(*await database.write(request, both))


@post(
    "/programs",
    summary="Create a draft",
    description="Idempotent with an Idempotency-Key header.",
    opt={"roles": EDITORS},
)
async def create_program(request: Asked, data: JSONBody[schemas.ProgramIn]) -> Response[bytes]:
    """A new draft."""
    values, actor = schemas.values(data), actor_of(request)

    def work(session: Session) -> idempotent.Created:
        program = lifecycle.create(session, values, actor)
        body, etag = encoded(session, program.id)
        return body, f"/catalog/programs/{program.id}", etag

    return await idempotent.create(request, work)


@get("/programs", summary="List programs in any state", description="Filters: status, categoryId, seriesId, language, kind, mediaType, featured, title (part of it). sort=-updatedAt|updatedAt|-createdAt|createdAt|id|-id; limit ≤ 100; cursor.", opt={"roles": EDITORS})  # fmt: skip
async def list_programs(request: Asked) -> Response[bytes]:
    """A page of programs."""
    query = Query(request.query_params, {"status", "categoryId", "seriesId", "language", "kind", "mediaType", "featured", "title", "sort", "limit", "cursor"})  # fmt: skip
    filters = queries.EditorFilter(
        status=query.one_of("status", STATUSES),
        category_id=query.integer("categoryId", 1, MAX_ID),
        series_id=query.integer("seriesId", 1, MAX_ID),
        language=query.text("language", 20),
        kind=query.one_of("kind", KINDS),
        media_type=query.one_of("mediaType", MEDIA_TYPES),
        title=query.text("title"),
        featured=query.flag("featured"),
    )
    sort = query.one_of("sort", queries.SORTS) or "-updatedAt"
    limit = query.limit()
    secret = request.app.state.settings.api.secret_key.get_secret_value()
    binding = cursor.bound("catalog", sort, str(filters))
    after: Any = None
    given = query.text("cursor", 500)
    if given is not None:
        value, last = cursor.decode(secret, binding, given)
        after = (value if sort.endswith("id") else datetime.fromisoformat(value), last)
    async with request.app.state.db() as session:
        rows = (
            (await session.execute(queries.editor_list(filters, sort, after, limit + 1)))
            .mappings()
            .all()
        )
    following = None
    if len(rows) > limit:
        rows = rows[:limit]
        column = queries.SORTS[sort][0].key
        value = rows[-1][column]
        plain = value.isoformat() if isinstance(value, datetime) else value
        following = cursor.encode(secret, binding, [plain, rows[-1]["id"]])
    page = schemas.EditorList(
        data=[schemas.editor_program(row) for row in rows],
        meta=schemas.ListMeta(limit=limit, next_cursor=following),
    )
    return reply(_encode(page))


@get("/programs/{program_id:int}", summary="One program in any state", opt={"roles": EDITORS})
async def get_program(request: Asked, program_id: FromPath[int]) -> Response[bytes]:
    """A program as editors see it."""
    number(program_id)
    return reply(*await database.read(request, lambda s: encoded(s, program_id)))


@patch("/programs/{program_id:int}", summary="Change fields", description="Send If-Match with the ETag you read: 412 when somebody was faster.", opt={"roles": EDITORS})  # fmt: skip
async def edit_program(
    request: Asked, program_id: FromPath[int], data: JSONBody[schemas.ProgramPatch]
) -> Response[bytes]:
    """Change what is given."""
    number(program_id)
    values, actor, expected = schemas.values(data), actor_of(request), expected_rev(request)
    return await change(
        request,
        program_id,
        lambda s: lifecycle.edit(s, program_id, values, actor, expected_rev=expected),
    )


@delete("/programs/{program_id:int}", status_code=204, summary="Delete", description="It can be brought back with /undelete.", opt={"roles": REVIEWERS})  # fmt: skip
async def delete_program(request: Asked, program_id: FromPath[int]) -> None:
    """Take it away from everybody."""
    number(program_id)
    actor, expected = actor_of(request), expected_rev(request)
    await database.write(
        request, lambda s: lifecycle.delete(s, program_id, actor, expected) and None
    )


def _step(action: str) -> Any:
    roles = REVIEWERS if action in _REVIEWED else EDITORS

    @post(
        f"/programs/{{program_id:int}}/{action}",
        status_code=200,
        name=f"program.{action}",
        operation_id=f"{action}_program",
        summary=f"{action.capitalize()} a program",
        opt={"roles": roles},
    )
    async def step(request: Asked, program_id: FromPath[int]) -> Response[bytes]:
        number(program_id)
        actor, expected = actor_of(request), expected_rev(request)
        if action == "undelete":
            return await change(
                request, program_id, lambda s: lifecycle.undelete(s, program_id, actor)
            )
        function = getattr(lifecycle, action)
        return await change(request, program_id, lambda s: function(s, program_id, actor, expected))

    return step


STEPS = [_step(action) for action in ACTIONS]


@post(
    "/programs/{program_id:int}/schedule",
    status_code=200,
    summary="Publish later",
    opt={"roles": REVIEWERS},
)
async def schedule_program(
    request: Asked, program_id: FromPath[int], data: JSONBody[schemas.ScheduleIn]
) -> Response[bytes]:
    """Publish it by itself at that time."""
    number(program_id)
    at = data.scheduled_publish_at
    if at.tzinfo is None:
        raise Problem(
            "validation_failed",
            errors=[FieldError("scheduledPublishAt", "invalid", "Needs its offset, such as Z.")],
        )
    actor, expected = actor_of(request), expected_rev(request)
    return await change(
        request, program_id, lambda s: lifecycle.schedule(s, program_id, at, actor, expected)
    )


def _revision(row: ProgramRevision) -> schemas.RevisionItem:
    return schemas.RevisionItem(
        rev=row.rev, action=row.action, actor=row.actor, at=row.at, snapshot=row.snapshot
    )


@get(
    "/programs/{program_id:int}/revisions",
    summary="Revisions, newest first",
    opt={"roles": EDITORS},
)
async def list_revisions(request: Asked, program_id: FromPath[int]) -> Response[bytes]:
    """Everything the program ever said (before=rev, limit ≤ 100)."""
    query = Query(request.query_params, {"before", "limit"})
    before, limit = query.integer("before", 1, MAX_ID), query.limit()
    number(program_id)

    def work(session: Session) -> list[schemas.RevisionItem]:
        if session.get(Program, program_id) is None:
            raise NotFound("program", program_id)
        return [
            _revision(row)
            for row in session.scalars(queries.revisions(program_id, before, limit + 1))
        ]

    found = await database.read(request, work)
    following = str(found[limit - 1].rev) if len(found) > limit else None
    page = schemas.RevisionList(
        data=found[:limit], meta=schemas.ListMeta(limit=limit, next_cursor=following)
    )
    return reply(_encode(page))


@get(
    "/programs/{program_id:int}/revisions/diff",
    summary="What changed between two revisions",
    opt={"roles": EDITORS},
)
async def diff_revisions(request: Asked, program_id: FromPath[int]) -> Response[bytes]:
    """from and to are revision numbers."""
    query = Query(request.query_params, {"from", "to"})
    first, second = query.integer("from", 1, MAX_ID), query.integer("to", 1, MAX_ID)
    if first is None or second is None:
        raise invalid_parameter("from" if first is None else "to", "Must be given.")
    number(program_id)

    def work(session: Session) -> dict[str, list[Any]]:
        revisions = [session.get(ProgramRevision, (program_id, rev)) for rev in (first, second)]
        for rev, row in zip((first, second), revisions, strict=True):
            if row is None:
                raise NotFound("revision", rev)
        before, after = revisions
        return snapshot.difference(before.snapshot, after.snapshot)  # type: ignore[union-attr]

    found = await database.read(request, work)
    return reply(_encode(schemas.DiffAnswer(data=found, meta={"from": first, "to": second})))


@post("/programs/{program_id:int}/revisions/{rev:int}/restore", status_code=200, summary="Give back the fields of a revision", opt={"roles": EDITORS})  # fmt: skip
async def restore_revision(
    request: Asked, program_id: FromPath[int], rev: FromPath[int]
) -> Response[bytes]:
    """The state stays as it is now."""
    number(program_id)
    number(rev, "rev")
    actor, expected = actor_of(request), expected_rev(request)
    return await change(
        request,
        program_id,
        lambda s: lifecycle.restore_revision(s, program_id, rev, actor, expected),
    )


def _one(session: Session, data: schemas.BulkIn, program_id: int, actor: Actor) -> schemas.BulkItem:
    try:
        with session.begin_nested():
            if data.action == "publish":
                program = lifecycle.publish(session, program_id, actor)
            elif data.action == "unpublish":
                program = lifecycle.unpublish(session, program_id, actor)
            else:
                held = lifecycle.get(session, program_id)
                tags = snapshot.of(session, held)["tags"]
                program = lifecycle.edit(session, program_id, {"tags": [*tags, *data.tags]}, actor)
    except CatalogError as error:
        return schemas.BulkItem(id=program_id, ok=False, code=error.code, detail=error.detail)
    return schemas.BulkItem(id=program_id, ok=True, rev=program.rev, status=program.status)


@post("/programs/bulk", status_code=200, summary="One step for many programs", description="Every item has its own outcome; one that fails does not stop the others.", opt={"roles": REVIEWERS})  # fmt: skip
async def bulk(request: Asked, data: JSONBody[schemas.BulkIn]) -> Response[bytes]:
    """publish, unpublish or tag."""
    if data.action not in ("publish", "unpublish", "tag"):
        raise Problem(
            "validation_failed",
            errors=[FieldError("action", "invalid", "publish, unpublish or tag.")],
        )
    if data.action == "tag":
        errors = vocabulary.check_names("tags", data.tags, 50) or (
            [] if data.tags else [FieldError("tags", "required", "Must be given.")]
        )
        if errors:
            raise Problem("validation_failed", errors=errors)
    actor = actor_of(request)
    # In ascending order, so that two bulk requests never wait for each other in a ring.
    wanted = sorted(set(data.ids))

    def work(session: Session) -> dict[int, schemas.BulkItem]:
        items = {}
        for program_id in wanted:
            noted = changes.noted(session)
            items[program_id] = _one(session, data, program_id, actor)
            if not items[program_id].ok:
                changes.put_back(session, noted)
        return items

    items = await database.write(request, work)
    ordered = [items[i] for i in dict.fromkeys(data.ids)]
    failed = sum(not item.ok for item in ordered)
    meta = schemas.BulkMeta(succeeded=len(ordered) - failed, failed=failed)
    return reply(_encode(schemas.BulkAnswer(data=ordered, meta=meta)))


@get(
    "/programs/{program_id:int}/audit", summary="What was done to a program", opt={"roles": EDITORS}
)
async def program_audit(request: Asked, program_id: FromPath[int]) -> Response[bytes]:
    """Events, newest first (before=id, limit ≤ 100)."""
    query = Query(request.query_params, {"before", "limit"})
    before, limit = query.integer("before", 1, MAX_ID), query.limit()
    number(program_id)
    statement = select(AuditEvent).where(
        AuditEvent.entity == "program", AuditEvent.entity_id == program_id
    )
    if before is not None:
        statement = statement.where(AuditEvent.id < before)
    async with request.app.state.db() as session:
        rows = (
            await session.scalars(statement.order_by(AuditEvent.id.desc()).limit(limit + 1))
        ).all()
    items = [
        schemas.AuditItem(id=e.id, at=e.at, actor=e.actor_name, actor_id=e.actor_id, action=e.action,
                          entity=e.entity, entity_id=e.entity_id, diff=e.diff, request_id=e.request_id)
        for e in rows[:limit]
    ]  # fmt: skip
    following = str(items[-1].id) if len(rows) > limit else None
    return reply(
        _encode(
            schemas.AuditList(data=items, meta=schemas.ListMeta(limit=limit, next_cursor=following))
        )
    )


HANDLERS = [
    create_program, list_programs, get_program, edit_program, delete_program, *STEPS, schedule_program,
    list_revisions, diff_revisions, restore_revision, bulk, program_audit,
]  # fmt: skip
