"""Editors' addresses for categories, series, tags and people."""

from typing import Any

import msgspec
from litestar import Request, Response, delete, get, patch, post
from litestar.params import FromPath, JSONBody
from sqlalchemy import select
from sqlalchemy.orm import Session

from api import database, idempotent
from api.auth import EDITORS, REVIEWERS
from api.discovery.params import MAX_ID, Query
from api.editorial import schemas
from api.editorial.programs import actor_of, expected_rev, number, reply
from catalog.categories import lifecycle as categories
from catalog.categories.models import Category
from catalog.errors import NotFound
from catalog.series import lifecycle as series
from catalog.series.models import Series
from catalog.text import fold, slugify
from catalog.vocabulary import lifecycle as vocabulary
from catalog.vocabulary.models import Person, Tag

Asked = Request[Any, Any, Any]


def _category(row: Category) -> schemas.CategoryOut:
    return schemas.CategoryOut(
        **{n: getattr(row, n) for n in schemas.CategoryOut.__struct_fields__}
    )


def _series(row: Series) -> schemas.SeriesOut:
    return schemas.SeriesOut(**{n: getattr(row, n) for n in schemas.SeriesOut.__struct_fields__})


def _named(row: Tag | Person) -> schemas.NamedOut:
    return schemas.NamedOut(id=row.id, slug=row.slug, name=row.name)


def _data(value: Any) -> bytes:
    return msgspec.json.encode({"data": value})


def _page(rows: list[Any], limit: int) -> bytes:
    following = str(rows[limit - 1].id) if len(rows) > limit else None
    return msgspec.json.encode(
        {"data": rows[:limit], "meta": {"limit": limit, "nextCursor": following}}
    )


async def _listed(request: Asked, model: Any, shape: Any) -> Response[bytes]:
    """A page by id (after=id, limit ≤ 100), optionally narrowed by the beginning of the slug (q)."""
    query = Query(request.query_params, {"after", "limit", "q"})
    after, limit, q = query.integer("after", 0, MAX_ID, 0), query.limit(), query.text("q")
    statement = select(model).where(model.id > after).order_by(model.id).limit(limit + 1)
    if q:
        statement = statement.where(model.slug.startswith(slugify(fold(q)), autoescape=True))
    async with request.app.state.db() as session:
        rows = [shape(row) for row in await session.scalars(statement)]
    return reply(_page(rows, limit))


@get("/categories", summary="List categories", opt={"roles": EDITORS})
async def list_categories(request: Asked) -> Response[bytes]:
    """Every category, inactive ones too."""
    return await _listed(request, Category, _category)


@post("/categories", summary="Create a category", opt={"roles": REVIEWERS})
async def create_category(request: Asked, data: JSONBody[schemas.CategoryIn]) -> Response[bytes]:
    """A new shelf."""
    values, actor = schemas.values(data), actor_of(request)

    def work(session: Session) -> idempotent.Created:
        row = categories.create(session, values, actor)
        session.refresh(row)
        return _data(_category(row)), f"/catalog/categories/{row.id}", f'"{row.rev}"'

    return await idempotent.create(request, work)


@get("/categories/{category_id:int}", summary="One category", opt={"roles": EDITORS})
async def get_category(request: Asked, category_id: FromPath[int]) -> Response[bytes]:
    """A shelf."""
    number(category_id)

    def work(session: Session) -> schemas.CategoryOut:
        row = session.get(Category, category_id)
        if row is None:
            raise NotFound("category", category_id)
        return _category(row)

    found = await database.read(request, work)
    return reply(_data(found), f'"{found.rev}"')


@patch("/categories/{category_id:int}", summary="Change a category", description="Programs show its new name as soon as they are indexed anew.", opt={"roles": REVIEWERS})  # fmt: skip
async def edit_category(
    request: Asked, category_id: FromPath[int], data: JSONBody[schemas.CategoryPatch]
) -> Response[bytes]:
    """Change what is given."""
    number(category_id)
    values, actor, expected = schemas.values(data), actor_of(request), expected_rev(request)
    found = await database.write(
        request,
        lambda s: _category(categories.edit(s, category_id, values, actor, expected_rev=expected)),
    )
    return reply(_data(found), f'"{found.rev}"')


@delete(
    "/categories/{category_id:int}", summary="Delete an empty category", opt={"roles": REVIEWERS}
)
async def delete_category(request: Asked, category_id: FromPath[int]) -> None:
    """409 while programs stand on it."""
    number(category_id)
    actor = actor_of(request)
    await database.write(request, lambda s: categories.delete(s, category_id, actor))


@get("/series", summary="List series", opt={"roles": EDITORS})
async def list_series(request: Asked) -> Response[bytes]:
    """Every series."""
    return await _listed(request, Series, _series)


@post("/series", summary="Create a series", opt={"roles": EDITORS})
async def create_series(request: Asked, data: JSONBody[schemas.SeriesIn]) -> Response[bytes]:
    """A new series."""
    values, actor = schemas.values(data), actor_of(request)

    def work(session: Session) -> idempotent.Created:
        row = series.create(session, values, actor)
        session.refresh(row)
        return _data(_series(row)), f"/catalog/series/{row.id}", f'"{row.rev}"'

    return await idempotent.create(request, work)


@get("/series/{series_id:int}", summary="One series", opt={"roles": EDITORS})
async def get_series(request: Asked, series_id: FromPath[int]) -> Response[bytes]:
    """A series as editors see it."""
    number(series_id)

    def work(session: Session) -> schemas.SeriesOut:
        row = session.get(Series, series_id)
        if row is None:
            raise NotFound("series", series_id)
        return _series(row)

    found = await database.read(request, work)
    return reply(_data(found), f'"{found.rev}"')


@patch("/series/{series_id:int}", summary="Change a series", opt={"roles": EDITORS})
async def edit_series(
    request: Asked, series_id: FromPath[int], data: JSONBody[schemas.SeriesPatch]
) -> Response[bytes]:
    """Change what is given."""
    number(series_id)
    values, actor, expected = schemas.values(data), actor_of(request), expected_rev(request)
    found = await database.write(
        request, lambda s: _series(series.edit(s, series_id, values, actor, expected_rev=expected))
    )
    return reply(_data(found), f'"{found.rev}"')


@delete("/series/{series_id:int}", summary="Delete an empty series", opt={"roles": REVIEWERS})
async def delete_series(request: Asked, series_id: FromPath[int]) -> None:
    """409 while programs belong to it."""
    number(series_id)
    actor = actor_of(request)
    await database.write(request, lambda s: series.delete(s, series_id, actor))


@get("/tags", summary="List tags", opt={"roles": EDITORS})
async def list_tags(request: Asked) -> Response[bytes]:
    """Tags; q narrows by how they begin."""
    return await _listed(request, Tag, _named)


@patch("/tags/{tag_id:int}", summary="Rename a tag everywhere", opt={"roles": REVIEWERS})
async def rename_tag(
    request: Asked, tag_id: FromPath[int], data: JSONBody[schemas.RenameIn]
) -> Response[bytes]:
    """Another name."""
    number(tag_id)
    actor = actor_of(request)
    found = await database.write(
        request, lambda s: _named(vocabulary.rename(s, Tag, tag_id, data.name, actor))
    )
    return reply(_data(found))


@get("/people", summary="List people", opt={"roles": EDITORS})
async def list_people(request: Asked) -> Response[bytes]:
    """People; q narrows by how they begin."""
    return await _listed(request, Person, _named)


@patch("/people/{person_id:int}", summary="Rename a person everywhere", opt={"roles": REVIEWERS})
async def rename_person(
    request: Asked, person_id: FromPath[int], data: JSONBody[schemas.RenameIn]
) -> Response[bytes]:
    """Another name."""
    number(person_id)
    actor = actor_of(request)
    found = await database.write(
        request, lambda s: _named(vocabulary.rename(s, Person, person_id, data.name, actor))
    )
    return reply(_data(found))


HANDLERS = [
    list_categories, create_category, get_category, edit_category, delete_category, list_series,
    create_series, get_series, edit_series, delete_series, list_tags, rename_tag, list_people, rename_person,
]  # fmt: skip
