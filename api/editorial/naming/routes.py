"""The routes of tags and of people, which are the same."""

from typing import Annotated

from litestar import delete, get, patch, post
from litestar.handlers import HTTPRouteHandler
from litestar.openapi.spec import Example
from litestar.params import JSONBody, QueryParameter
from sqlalchemy import select
from sqlalchemy.orm import Session

from api.editorial.naming import schemas
from api.editorial.revisions import audit_events
from api.editorial.schemas import AuditList
from api.http import idempotent, transaction
from api.http.auth import EDITORS, REVIEWERS
from api.http.parameters import AfterId, BeforeId, Id, Limit, OnceKey
from api.http.query import DEFAULT_LIMIT, MAX_ID, MAX_VALUE
from api.http.reply import JsonResponse
from api.http.request import ApiRequest, actor_of
from api.http.schemas import list_meta
from catalog.core.errors import NotFound
from catalog.programs.fallback.conditions import name_has
from catalog.programs.fallback.words import split
from catalog.taxonomy import joining, names
from catalog.taxonomy.models import Person, Tag

Answer = JsonResponse[schemas.NamedAnswer]
_Words = Annotated[
    str | None,
    QueryParameter(
        name="q",
        max_length=MAX_VALUE,
        description="How words of the name begin, in any spelling.",
        examples=[Example(value="قه")],
    ),
]
_Exactly = Annotated[
    str | None,
    QueryParameter(
        name="name",
        max_length=MAX_VALUE,
        description="The whole name, in any spelling.",
        examples=[Example(value="قهوة")],
    ),
]
_Into = Annotated[
    int | None,
    QueryParameter(
        name="into",
        ge=1,
        le=MAX_ID,
        description="What merging it into this one affects.",
        examples=[Example(value=2)],
    ),
]
_KEPT = "Programs keep their revisions. "


def _handlers(model: type[names.Named], path: str, noun: str, plural: str) -> list[HTTPRouteHandler]:
    """Return the routes of one kind of row.

    Args:
        model: Tag or Person.
        path: The first part of their addresses.
        noun: What one of them is called.
        plural: What several of them are called.
    """
    at, columns = f"{path}/{{row_id:int}}", (model, joining.on_programs(model))

    def read(session: Session, row_id: int) -> schemas.NamedAnswer:
        found = session.execute(select(*columns).where(model.id == row_id)).one_or_none()
        if found is None:
            raise NotFound(noun, row_id)
        return schemas.NamedAnswer(data=schemas.named_out(*found))

    @get(
        path,
        name=f"{noun}.list",
        operation_id=f"list_{plural}",
        summary=f"List {plural}",
        description="By id. Each word of q must begin a word of the name.",
        opt={"roles": EDITORS},
    )
    async def list_named(
        request: ApiRequest,
        after: AfterId = 0,
        limit: Limit = DEFAULT_LIMIT,
        q: _Words = None,
        name: _Exactly = None,
    ) -> JsonResponse[schemas.NamedList]:
        wanted = [name_has(model.name, word) for word in split(q or "")]
        if name is not None:
            wanted.append(model.slug == names.key(name))
        statement = select(*columns).where(model.id > after, *wanted).order_by(model.id).limit(limit + 1)
        rows = await transaction.read(request, lambda s: s.execute(statement).all())
        data = [schemas.named_out(row, programs) for row, programs in rows]
        meta = list_meta(limit, [item.id for item in data])
        return JsonResponse(schemas.NamedList(data=data[:limit], meta=meta))

    @post(
        path,
        name=f"{noun}.create",
        operation_id=f"create_{noun}",
        summary=f"Create a {noun}",
        description="Idempotent with an Idempotency-Key header.",
        opt={"roles": EDITORS, "errors": ("conflict",)},
    )
    async def create_named(
        request: ApiRequest, data: JSONBody[schemas.NameIn], idempotency_key: OnceKey = None
    ) -> Answer:
        actor = actor_of(request)

        def work(session: Session) -> idempotent.Created[schemas.NamedAnswer]:
            row = names.create(session, model, data.name, actor)
            return idempotent.Created(read(session, row.id), f"/catalog{path}/{row.id}")

        return await idempotent.create(request, idempotency_key, work)

    @get(
        at,
        name=f"{noun}.get",
        operation_id=f"get_{noun}",
        summary=f"One {noun}",
        opt={"roles": EDITORS, "errors": ("not_found",)},
    )
    async def get_named(request: ApiRequest, row_id: Id) -> Answer:
        return JsonResponse(await transaction.read(request, lambda s: read(s, row_id)))

    @patch(
        at,
        name=f"{noun}.rename",
        operation_id=f"rename_{noun}",
        summary=f"Rename a {noun} everywhere",
        opt={"roles": REVIEWERS, "errors": ("not_found", "conflict")},
    )
    async def rename_named(request: ApiRequest, row_id: Id, data: JSONBody[schemas.RenameIn]) -> Answer:
        actor = actor_of(request)

        def work(session: Session) -> schemas.NamedAnswer:
            joining.rename(session, model, row_id, data.name, actor)
            return read(session, row_id)

        return JsonResponse(await transaction.write(request, work))

    @post(
        f"{at}/merge",
        status_code=200,
        name=f"{noun}.merge",
        operation_id=f"merge_{noun}",
        summary=f"Merge a {noun} into another one",
        description="Every program that has it gets the other one, and it is deleted. The answer is the one that stays. "
        f"{_KEPT}Its name then means the other one, in programs that name it, too, until a {noun} is created by this name.",
        opt={"roles": REVIEWERS, "errors": ("not_found",)},
    )
    async def merge_named(request: ApiRequest, row_id: Id, data: JSONBody[schemas.NamedMergeIn]) -> Answer:
        actor = actor_of(request)

        def work(session: Session) -> schemas.NamedAnswer:
            into = joining.merge(session, model, row_id, data.into_id, actor)
            return read(session, into.id)

        return JsonResponse(await transaction.write(request, work))

    @delete(
        at,
        name=f"{noun}.delete",
        operation_id=f"delete_{noun}",
        summary=f"Delete a {noun}",
        description=f"It is taken from every program. {_KEPT}The name can be given again.",
        opt={"roles": REVIEWERS, "errors": ("not_found",)},
    )
    async def delete_named(request: ApiRequest, row_id: Id) -> None:
        actor = actor_of(request)
        await transaction.write(request, lambda s: joining.remove(s, model, row_id, actor))

    @get(
        f"{at}/effects",
        name=f"{noun}.effects",
        operation_id=f"get_{noun}_effects",
        summary=f"What merging, renaming or deleting a {noun} affects",
        opt={"roles": EDITORS, "errors": ("not_found", "validation_failed")},
    )
    async def effects(
        request: ApiRequest, row_id: Id, into: _Into = None
    ) -> JsonResponse[schemas.EffectsAnswer]:
        found = await transaction.read(request, lambda s: joining.effects(s, model, row_id, into))
        return JsonResponse(schemas.EffectsAnswer(data=schemas.effects_out(found)))

    @get(
        f"{at}/audit",
        name=f"{noun}.audit",
        operation_id=f"list_{noun}_audit",
        summary=f"What was done to a {noun}",
        description="After it was merged or deleted, too.",
        opt={"roles": EDITORS},
    )
    async def audit(
        request: ApiRequest, row_id: Id, before: BeforeId = None, limit: Limit = DEFAULT_LIMIT
    ) -> JsonResponse[AuditList]:
        return await audit_events(request, noun, row_id, before, limit)

    return [list_named, create_named, get_named, rename_named, merge_named, delete_named, effects, audit]


HANDLERS = [*_handlers(Tag, "/tags", "tag", "tags"), *_handlers(Person, "/people", "person", "people")]
