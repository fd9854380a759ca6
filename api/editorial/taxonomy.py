"""Editors' routes for categories and series."""

from collections.abc import Callable
from typing import TypeVar

from litestar import delete, get, patch, post
from litestar.openapi.datastructures import ResponseSpec
from litestar.params import JSONBody
from sqlalchemy import select
from sqlalchemy.orm import Session

from api.editorial import taxonomy_schemas as schemas
from api.editorial.pending_schemas import read_pending
from api.editorial.revisions import audit_events
from api.editorial.rights import rights_of
from api.editorial.schemas import AuditList
from api.http import idempotent, transaction
from api.http.auth import EDITORS, REVIEWERS
from api.http.parameters import AfterId, BeforeId, Id, IfMatch, Limit, NamePrefix, OnceKey
from api.http.query import DEFAULT_LIMIT
from api.http.reply import JsonResponse, etag_of
from api.http.request import ApiRequest, actor_of, expected_rev
from api.http.schemas import ListMeta
from catalog.core.errors import NotFound
from catalog.core.text import fold, slugify
from catalog.taxonomy import categories, series
from catalog.taxonomy.models import Category, Series
from catalog.taxonomy.pending import CATEGORIES, SERIES, change_series

Row = TypeVar("Row", Category, Series)
Shape = TypeVar("Shape")


async def _page(
    request: ApiRequest,
    model: type[Row],
    shape: Callable[[Row], Shape],
    after: int,
    limit: int,
    prefix: str | None,
) -> tuple[list[Shape], ListMeta]:
    """Return a page of rows by id, as editors see them, and its meta.

    Args:
        request: Reads with its database.
        model: The table.
        shape: What editors see of a row.
        after: Only rows with a greater id.
        limit: How many at most.
        prefix: Only rows whose slug begins like the slug of this text; empty or None is every row.
    """
    statement = select(model).where(model.id > after).order_by(model.id)
    if prefix:
        statement = statement.where(model.slug.startswith(slugify(fold(prefix)), autoescape=True))
    rows, meta = await transaction.page(request, statement, limit)
    return [shape(row) for row in rows], meta


def category_answer(found: schemas.CategoryAnswer) -> JsonResponse[schemas.CategoryAnswer]:
    """Return a category with its ETag."""
    return JsonResponse(found, etag=etag_of(found.data.rev))


def series_answer(
    found: schemas.SeriesAnswer, status: int | None = None
) -> JsonResponse[schemas.SeriesAnswer]:
    """Return a series with its ETag, with another status than the route's unless that is None."""
    return JsonResponse(found, etag=etag_of(found.data.rev), status=status)


def read_category(session: Session, category_id: int) -> schemas.CategoryAnswer:
    """Return a category as editors see it, with its pending revision.

    Raises:
        NotFound: No such category.
    """
    row = session.get(Category, category_id)
    if row is None:
        raise NotFound("category", category_id)
    waiting = read_pending(session, CATEGORIES, category_id)
    return schemas.CategoryAnswer(data=schemas.category_out(row), pending=waiting)


def read_series(session: Session, series_id: int) -> schemas.SeriesAnswer:
    """Return a series as editors see it, with its pending revision.

    Raises:
        NotFound: No such series.
    """
    row = session.get(Series, series_id)
    if row is None:
        raise NotFound("series", series_id)
    waiting = read_pending(session, SERIES, series_id)
    return schemas.SeriesAnswer(data=schemas.series_out(row), pending=waiting)


@get("/categories", summary="List categories", opt={"roles": EDITORS})
async def list_categories(
    request: ApiRequest, after: AfterId = 0, limit: Limit = DEFAULT_LIMIT, q: NamePrefix = None
) -> JsonResponse[schemas.CategoryList]:
    """List categories by id, inactive categories included."""
    data, meta = await _page(request, Category, schemas.category_out, after, limit, q)
    return JsonResponse(schemas.CategoryList(data=data, meta=meta))


@post("/categories", summary="Create a category", opt={"roles": REVIEWERS, "errors": ("conflict",)})
async def create_category(
    request: ApiRequest, data: JSONBody[schemas.CategoryIn], idempotency_key: OnceKey = None
) -> JsonResponse[schemas.CategoryAnswer]:
    """Create a category."""
    values, actor = schemas.values(data), actor_of(request)

    def work(session: Session) -> idempotent.Created[schemas.CategoryAnswer]:
        row = categories.create(session, values, actor)
        session.refresh(row)
        answer = schemas.CategoryAnswer(data=schemas.category_out(row))
        return idempotent.Created(answer, f"/catalog/categories/{row.id}", etag_of(row.rev))

    return await idempotent.create(request, idempotency_key, work)


@get(
    "/categories/{category_id:int}", summary="One category", opt={"roles": EDITORS, "errors": ("not_found",)}
)
async def get_category(request: ApiRequest, category_id: Id) -> JsonResponse[schemas.CategoryAnswer]:
    """Return a category as editors see it."""
    return category_answer(await transaction.read(request, lambda s: read_category(s, category_id)))


@patch(
    "/categories/{category_id:int}",
    summary="Change a category",
    description="Programs show its new name as soon as they are indexed anew. Editors who may not publish use `…/pending`.",
    opt={"roles": REVIEWERS, "errors": ("not_found", "conflict")},
)
async def edit_category(
    request: ApiRequest, category_id: Id, data: JSONBody[schemas.CategoryPatch], if_match: IfMatch = None
) -> JsonResponse[schemas.CategoryAnswer]:
    """Change the fields that the body has."""
    values, actor, expected = schemas.values(data), actor_of(request), expected_rev(if_match)

    def work(session: Session) -> schemas.CategoryAnswer:
        categories.edit(session, category_id, values, actor, expected_rev=expected)
        return read_category(session, category_id)

    return category_answer(await transaction.write(request, work))


@delete(
    "/categories/{category_id:int}",
    summary="Delete an empty category",
    opt={"roles": REVIEWERS, "errors": ("not_found", "conflict")},
)
async def delete_category(request: ApiRequest, category_id: Id) -> None:
    """Delete a category that no program belongs to; 409 otherwise."""
    actor = actor_of(request)
    await transaction.write(request, lambda s: categories.delete(s, category_id, actor))


@get("/series", summary="List series", opt={"roles": EDITORS})
async def list_series(
    request: ApiRequest, after: AfterId = 0, limit: Limit = DEFAULT_LIMIT, q: NamePrefix = None
) -> JsonResponse[schemas.SeriesList]:
    """List series by id."""
    data, meta = await _page(request, Series, schemas.series_out, after, limit, q)
    return JsonResponse(schemas.SeriesList(data=data, meta=meta))


@post("/series", summary="Create a series", opt={"roles": EDITORS, "errors": ("conflict",)})
async def create_series(
    request: ApiRequest, data: JSONBody[schemas.SeriesIn], idempotency_key: OnceKey = None
) -> JsonResponse[schemas.SeriesAnswer]:
    """Create a series."""
    values, actor = schemas.values(data), actor_of(request)

    def work(session: Session) -> idempotent.Created[schemas.SeriesAnswer]:
        row = series.create(session, values, actor)
        session.refresh(row)
        answer = schemas.SeriesAnswer(data=schemas.series_out(row))
        return idempotent.Created(answer, f"/catalog/series/{row.id}", etag_of(row.rev))

    return await idempotent.create(request, idempotency_key, work)


@get("/series/{series_id:int}", summary="One series", opt={"roles": EDITORS, "errors": ("not_found",)})
async def get_series(request: ApiRequest, series_id: Id) -> JsonResponse[schemas.SeriesAnswer]:
    """Return a series as editors see it."""
    return series_answer(await transaction.read(request, lambda s: read_series(s, series_id)))


@patch(
    "/series/{series_id:int}",
    summary="Change a series",
    description="202: a program of the series is published or scheduled, and the sender may not publish, so the change waits in `pending` for a reviewer.",
    opt={"roles": EDITORS, "errors": ("not_found", "conflict")},
    responses={
        202: ResponseSpec(
            schemas.SeriesAnswer, generate_examples=False, description="The change waits for a reviewer"
        )
    },
)
async def edit_series(
    request: ApiRequest, series_id: Id, data: JSONBody[schemas.SeriesPatch], if_match: IfMatch = None
) -> JsonResponse[schemas.SeriesAnswer]:
    """Change the fields that the body has."""
    values, actor, expected = schemas.values(data), actor_of(request), expected_rev(if_match)
    rights = rights_of(request)

    def work(session: Session) -> tuple[schemas.SeriesAnswer, bool]:
        before = read_pending(session, SERIES, series_id)
        rev = before.rev if before is not None else None
        change_series(session, series_id, values, actor, rights, expected)
        found = read_series(session, series_id)
        return found, found.pending is not None and found.pending.rev != rev

    found, waits = await transaction.write(request, work)
    return series_answer(found, 202 if waits else None)


@delete(
    "/series/{series_id:int}",
    summary="Delete an empty series",
    opt={"roles": REVIEWERS, "errors": ("not_found", "conflict")},
)
async def delete_series(request: ApiRequest, series_id: Id) -> None:
    """Delete a series that no program belongs to; 409 otherwise."""
    actor = actor_of(request)
    await transaction.write(request, lambda s: series.delete(s, series_id, actor))


@get(
    "/categories/{category_id:int}/audit",
    operation_id="listCategoryAudit",
    summary="What was done to a category",
    description="After it was deleted, too.",
    opt={"roles": EDITORS},
)
async def category_audit(
    request: ApiRequest, category_id: Id, before: BeforeId = None, limit: Limit = DEFAULT_LIMIT
) -> JsonResponse[AuditList]:
    """List the audit events of a category, newest first."""
    return await audit_events(request, "category", category_id, before, limit)


@get(
    "/series/{series_id:int}/audit",
    operation_id="listSeriesAudit",
    summary="What was done to a series",
    description="After it was deleted, too.",
    opt={"roles": EDITORS},
)
async def series_audit(
    request: ApiRequest, series_id: Id, before: BeforeId = None, limit: Limit = DEFAULT_LIMIT
) -> JsonResponse[AuditList]:
    """List the audit events of a series, newest first."""
    return await audit_events(request, "series", series_id, before, limit)


HANDLERS = [
    category_audit,
    series_audit,
    list_categories,
    create_category,
    get_category,
    edit_category,
    delete_category,
    list_series,
    create_series,
    get_series,
    edit_series,
    delete_series,
]
