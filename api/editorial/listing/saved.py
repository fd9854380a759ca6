"""Editors' routes for the lists of programs that they keep under a name. Everybody sees their own."""

from typing import Annotated
from urllib.parse import parse_qsl, urlencode

import msgspec
from litestar import delete, get, post
from litestar.datastructures import MultiDict
from litestar.params import JSONBody
from sqlalchemy.orm import Session

from api.editorial.listing import params
from api.http import idempotent, transaction
from api.http.auth import EDITORS
from api.http.errors import Problem
from api.http.parameters import Id, OnceKey
from api.http.reply import JsonResponse
from api.http.request import ApiRequest, actor_of
from api.http.schemas import Body, Model, Moment
from catalog.core.errors import FieldError
from catalog.programs.listing import saved
from catalog.programs.listing.models import SavedFilter


class FilterIn(Body):
    """A list to keep. `query`: its parameters, as the query string of `GET /catalog/programs` has them."""

    name: Annotated[str, msgspec.Meta(max_length=saved.MAX_NAME, examples=["My drafts"])]
    query: Annotated[str, msgspec.Meta(max_length=saved.MAX_QUERY, examples=["editedBy=me&status=draft"])]


class FilterOut(Model):
    """A list that somebody keeps."""

    id: int
    name: str
    query: str
    created_at: Moment


class FilterAnswer(Model):
    """A list under `data`."""

    data: FilterOut


class FilterMeta(Model):
    """How many lists somebody may keep."""

    most: int


class FilterList(Model):
    """The lists that somebody keeps, by name."""

    data: list[FilterOut]
    meta: FilterMeta


def _out(row: SavedFilter) -> FilterOut:
    return FilterOut(id=row.id, name=row.name, query=row.query, created_at=row.created_at)


def _checked(request: ApiRequest, query: str) -> str:
    """Return the query string of a list as it is kept.

    Raises:
        Problem: It has a parameter that lists do not know, or a wrong value.
    """
    sent = [pair for pair in parse_qsl(query.removeprefix("?")) if pair[0] not in params.BESIDE]
    try:
        params.list_request(MultiDict(sent), str(actor_of(request)), trashed=False)
    except Problem as problem:
        raise Problem("validation_failed", errors=[FieldError("query", "invalid", problem.detail)]) from None
    return urlencode(sent)


@get(
    "/filters",
    operation_id="listFilters",
    summary="The lists of programs that the sender keeps",
    opt={"roles": EDITORS},
)
async def list_filters(request: ApiRequest) -> JsonResponse[FilterList]:
    """Return all of them, by name."""
    rows = await transaction.read(request, lambda s: saved.of_account(s, request.user.account_id))
    return JsonResponse(FilterList(data=[_out(row) for row in rows], meta=FilterMeta(most=saved.MAX_FILTERS)))


@post(
    "/filters",
    operation_id="saveFilter",
    summary="Keep a list of programs under a name",
    description="The name is another one for each list of the sender. Idempotent with an Idempotency-Key header.",
    opt={"roles": EDITORS, "errors": ("conflict",)},
)
async def save_filter(
    request: ApiRequest, data: JSONBody[FilterIn], idempotency_key: OnceKey = None
) -> JsonResponse[FilterAnswer]:
    """Keep a list."""
    query, account_id = _checked(request, data.query), request.user.account_id

    def work(session: Session) -> idempotent.Created[FilterAnswer]:
        return idempotent.Created(FilterAnswer(data=_out(saved.save(session, account_id, data.name, query))))

    return await idempotent.create(request, idempotency_key, work)


@delete(
    "/filters/{filter_id:int}",
    operation_id="deleteFilter",
    summary="Delete a list that the sender keeps",
    opt={"roles": EDITORS, "errors": ("not_found",)},
)
async def delete_filter(request: ApiRequest, filter_id: Id) -> None:
    """Delete a list; the programs stay."""
    await transaction.write(request, lambda s: saved.forget(s, request.user.account_id, filter_id))


HANDLERS = [list_filters, save_filter, delete_filter]
