"""Editors' routes for collections."""

from collections.abc import Callable

from litestar import delete, get, patch, post, put
from litestar.params import JSONBody
from sqlalchemy import select
from sqlalchemy.orm import Session

from api.editorial.curation import schemas
from api.editorial.rights import rights_of
from api.http import idempotent, transaction
from api.http.auth import EDITORS
from api.http.parameters import AfterId, Id, IfMatch, Limit, NamePrefix, OnceKey
from api.http.query import DEFAULT_LIMIT
from api.http.reply import JsonResponse, etag_of
from api.http.request import ApiRequest, actor_of, expected_rev
from api.http.schemas import sent_fields
from catalog.core.errors import NotFound
from catalog.core.text import fold, slugify
from catalog.curation import collections, queries
from catalog.curation.models import Collection

Answer = JsonResponse[schemas.CollectionAnswer]
_ONE = "/collections/{collection_id:int}"
_SEEN = " Listeners see a published collection, so only reviewers change one."


def _read(session: Session, collection_id: int) -> schemas.CollectionAnswer:
    row = session.get(Collection, collection_id)
    if row is None:
        raise NotFound("collection", collection_id)
    found = session.execute(queries.chosen_programs(collection_id)).mappings()
    programs = [schemas.CuratedProgram(**program) for program in found]
    return schemas.CollectionAnswer(data=schemas.collection_out(row), programs=programs)


def _answer(found: schemas.CollectionAnswer) -> Answer:
    return JsonResponse(found, etag=etag_of(found.data.rev))


async def _changed(request: ApiRequest, collection_id: int, work: Callable[[Session], object]) -> Answer:
    """Change a collection and return it."""

    def write(session: Session) -> schemas.CollectionAnswer:
        work(session)
        return _read(session, collection_id)

    return _answer(await transaction.write(request, write))


@get("/collections", summary="List collections", opt={"roles": EDITORS})
async def list_collections(
    request: ApiRequest, after: AfterId = 0, limit: Limit = DEFAULT_LIMIT, q: NamePrefix = None
) -> JsonResponse[schemas.CollectionList]:
    """List collections by id, in every state; `q` is how the slug begins."""
    statement = select(Collection).where(Collection.id > after).order_by(Collection.id)
    if q:
        statement = statement.where(Collection.slug.startswith(slugify(fold(q)), autoescape=True))
    rows, meta = await transaction.page(request, statement, limit)
    return JsonResponse(schemas.CollectionList(data=[schemas.collection_out(row) for row in rows], meta=meta))


@post(
    "/collections",
    summary="Create a collection",
    description="It begins without programs." + _SEEN,
    opt={"roles": EDITORS, "errors": ("conflict",)},
)
async def create_collection(
    request: ApiRequest, data: JSONBody[schemas.CollectionIn], idempotency_key: OnceKey = None
) -> Answer:
    """Create a collection."""
    values, actor, rights = sent_fields(data), actor_of(request), rights_of(request)
    if values["slug"] is None:
        # The catalogue makes one of the title.
        del values["slug"]

    def work(session: Session) -> idempotent.Created[schemas.CollectionAnswer]:
        row = collections.create(session, values, actor, rights)
        answer = _read(session, row.id)
        return idempotent.Created(answer, f"/catalog/collections/{row.id}", etag_of(row.rev))

    return await idempotent.create(request, idempotency_key, work)


@get(_ONE, summary="One collection", opt={"roles": EDITORS, "errors": ("not_found",)})
async def get_collection(request: ApiRequest, collection_id: Id) -> Answer:
    """Return a collection as editors see it, with its programs in any state."""
    return _answer(await transaction.read(request, lambda s: _read(s, collection_id)))


@patch(
    _ONE,
    summary="Change a collection",
    description="`status` publishes it; `startsAt` and `endsAt` say when listeners see it." + _SEEN,
    opt={"roles": EDITORS, "errors": ("not_found", "conflict")},
)
async def edit_collection(
    request: ApiRequest, collection_id: Id, data: JSONBody[schemas.CollectionPatch], if_match: IfMatch = None
) -> Answer:
    """Change the fields that the body has."""
    values, actor, rights, rev = (
        sent_fields(data),
        actor_of(request),
        rights_of(request),
        expected_rev(if_match),
    )
    return await _changed(
        request,
        collection_id,
        lambda s: collections.edit(s, collection_id, values, actor, rights, expected_rev=rev),
    )


@delete(
    _ONE,
    summary="Delete a collection",
    description="Its programs stay." + _SEEN,
    opt={"roles": EDITORS, "errors": ("not_found",)},
)
async def delete_collection(request: ApiRequest, collection_id: Id, if_match: IfMatch = None) -> None:
    """Delete a collection."""
    actor, rights, rev = actor_of(request), rights_of(request), expected_rev(if_match)
    await transaction.write(
        request, lambda s: collections.delete(s, collection_id, actor, rights, expected_rev=rev)
    )


@put(
    f"{_ONE}/programs",
    operation_id="orderCollection",
    summary="Order a collection's programs",
    description="The body names all its programs; others are taken out." + _SEEN,
    opt={"roles": EDITORS, "errors": ("not_found",)},
)
async def order_programs(
    request: ApiRequest, collection_id: Id, data: JSONBody[schemas.OrderIn], if_match: IfMatch = None
) -> Answer:
    """Give a collection these programs, in this order."""
    actor, rights, rev = actor_of(request), rights_of(request), expected_rev(if_match)
    return await _changed(
        request,
        collection_id,
        lambda s: collections.arrange(s, collection_id, data.program_ids, actor, rights, expected_rev=rev),
    )


@put(
    f"{_ONE}/programs/{{program_id:int}}",
    operation_id="placeInCollection",
    summary="Place a program in a collection",
    description="Adds the program, or moves it. A program in any state may stand there; listeners see it once it is "
    "published." + _SEEN,
    opt={"roles": EDITORS, "errors": ("not_found",)},
)
async def place_program(
    request: ApiRequest,
    collection_id: Id,
    program_id: Id,
    data: JSONBody[schemas.PlaceIn],
    if_match: IfMatch = None,
) -> Answer:
    """Add a program to a collection, or move it."""
    actor, rights, rev = actor_of(request), rights_of(request), expected_rev(if_match)
    return await _changed(
        request,
        collection_id,
        lambda s: collections.place(
            s, collection_id, program_id, data.place, actor, rights, expected_rev=rev
        ),
    )


@delete(
    f"{_ONE}/programs/{{program_id:int}}",
    operation_id="takeOutOfCollection",
    summary="Take a program out of a collection",
    description="The program itself stays." + _SEEN,
    status_code=200,
    opt={"roles": EDITORS, "errors": ("not_found",)},
)
async def take_program_out(
    request: ApiRequest, collection_id: Id, program_id: Id, if_match: IfMatch = None
) -> Answer:
    """Take a program out of a collection."""
    actor, rights, rev = actor_of(request), rights_of(request), expected_rev(if_match)
    return await _changed(
        request,
        collection_id,
        lambda s: collections.take_out(s, collection_id, program_id, actor, rights, expected_rev=rev),
    )


HANDLERS = [
    list_collections,
    create_collection,
    get_collection,
    edit_collection,
    delete_collection,
    order_programs,
    place_program,
    take_program_out,
]
