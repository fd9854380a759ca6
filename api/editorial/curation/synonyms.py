"""Editors' routes for synonyms. Listeners' searches follow them, so only reviewers write them."""

from litestar import delete, get, patch, post
from litestar.params import JSONBody
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from api.editorial.curation import schemas
from api.http import idempotent, transaction
from api.http.auth import EDITORS, REVIEWERS
from api.http.parameters import AfterId, Id, IfMatch, Limit, NamePrefix, OnceKey
from api.http.query import DEFAULT_LIMIT
from api.http.reply import JsonResponse, etag_of
from api.http.request import ApiRequest, actor_of, expected_rev
from api.http.schemas import sent_fields
from catalog.core.errors import NotFound
from catalog.curation import synonyms
from catalog.curation.models import Synonym

Answer = JsonResponse[schemas.SynonymAnswer]
_ONE = "/synonyms/{synonym_id:int}"


def _read(session: Session, synonym_id: int) -> schemas.SynonymAnswer:
    row = session.get(Synonym, synonym_id)
    if row is None:
        raise NotFound("synonym", synonym_id)
    return schemas.SynonymAnswer(data=schemas.synonym_out(row))


def _answer(found: schemas.SynonymAnswer) -> Answer:
    return JsonResponse(found, etag=etag_of(found.data.rev))


@get("/synonyms", summary="List synonyms", opt={"roles": EDITORS})
async def list_synonyms(
    request: ApiRequest, after: AfterId = 0, limit: Limit = DEFAULT_LIMIT, q: NamePrefix = None
) -> JsonResponse[schemas.SynonymList]:
    """List synonyms by id; `q` is how one of their words or phrases begins, in any spelling."""
    statement = select(Synonym).where(Synonym.id > after).order_by(Synonym.id)
    if q:
        word = func.unnest(Synonym.terms + Synonym.finds).column_valued("word")
        begins = func.starts_with(func.catalog_fold(word), func.catalog_fold(q))
        statement = statement.where(select(word).where(begins).exists())
    rows, meta = await transaction.page(request, statement, limit)
    return JsonResponse(schemas.SynonymList(data=[schemas.synonym_out(row) for row in rows], meta=meta))


@post(
    "/synonyms",
    summary="Create a synonym",
    description="Every engine gets it as a setting of its index within seconds; nothing is indexed again.",
    opt={"roles": REVIEWERS, "errors": ("conflict",)},
)
async def create_synonym(
    request: ApiRequest, data: JSONBody[schemas.SynonymIn], idempotency_key: OnceKey = None
) -> Answer:
    """Create a synonym."""
    values, actor = sent_fields(data), actor_of(request)

    def work(session: Session) -> idempotent.Created[schemas.SynonymAnswer]:
        row = synonyms.create(session, values, actor)
        return idempotent.Created(_read(session, row.id), f"/catalog/synonyms/{row.id}", etag_of(row.rev))

    return await idempotent.create(request, idempotency_key, work)


@get(_ONE, summary="One synonym", opt={"roles": EDITORS, "errors": ("not_found",)})
async def get_synonym(request: ApiRequest, synonym_id: Id) -> Answer:
    """Return a synonym."""
    return _answer(await transaction.read(request, lambda s: _read(s, synonym_id)))


@patch(_ONE, summary="Change a synonym", opt={"roles": REVIEWERS, "errors": ("not_found",)})
async def edit_synonym(
    request: ApiRequest, synonym_id: Id, data: JSONBody[schemas.SynonymPatch], if_match: IfMatch = None
) -> Answer:
    """Change the fields that the body has."""
    values, actor, rev = sent_fields(data), actor_of(request), expected_rev(if_match)

    def work(session: Session) -> schemas.SynonymAnswer:
        synonyms.edit(session, synonym_id, values, actor, expected_rev=rev)
        return _read(session, synonym_id)

    return _answer(await transaction.write(request, work))


@delete(_ONE, summary="Delete a synonym", opt={"roles": REVIEWERS, "errors": ("not_found",)})
async def delete_synonym(request: ApiRequest, synonym_id: Id, if_match: IfMatch = None) -> None:
    """Delete a synonym."""
    actor, rev = actor_of(request), expected_rev(if_match)
    await transaction.write(request, lambda s: synonyms.delete(s, synonym_id, actor, expected_rev=rev))


HANDLERS = [list_synonyms, create_synonym, get_synonym, edit_synonym, delete_synonym]
