"""Shapes that several groups of routes share. JSON names are camelCase."""

from datetime import datetime
from typing import Annotated, Any

import msgspec


class Model(msgspec.Struct, rename="camel", kw_only=True):
    """An answer."""


class Body(msgspec.Struct, rename="camel", kw_only=True, forbid_unknown_fields=True):
    """A request body: an unknown field is an error, not a surprise."""


class PersonRef(Model):
    """Somebody on a program."""

    name: Annotated[str, msgspec.Meta(examples=["سلمان الراشد"])]
    role: Annotated[str, msgspec.Meta(examples=["host"])]


class CategoryRef(Model):
    """The shelf a program stands on."""

    id: int
    slug: str
    name_ar: str
    name_en: str


class SeriesRef(Model):
    """The series a program belongs to."""

    id: int
    slug: str
    title: str


class ProgramDetail(Model):
    """A whole program as listeners get it."""

    id: Annotated[int, msgspec.Meta(examples=[42])]
    slug: Annotated[str, msgspec.Meta(examples=["المرأة-التي-سامحت"])]
    title: Annotated[str, msgspec.Meta(examples=["المرأة التي سامحت"])]
    description: str
    language: Annotated[str, msgspec.Meta(examples=["ar"])]
    media_type: Annotated[str, msgspec.Meta(examples=["audio"])]
    kind: Annotated[str, msgspec.Meta(examples=["episode"])]
    duration_sec: Annotated[int | None, msgspec.Meta(examples=[3461])]
    release_date: datetime | None
    media_url: str | None
    thumbnail_url: str | None
    category: CategoryRef | None
    series: SeriesRef | None
    season: int | None
    episode: int | None
    tags: list[str]
    people: list[PersonRef]
    is_featured: bool
    is_explicit: bool
    published_at: datetime | None
    view_count: int
    rev: int


def category_ref(row: Any) -> CategoryRef | None:
    """From a row of `queries.detail()`."""
    if row["category_id"] is None:
        return None
    return CategoryRef(
        id=row["category_id"],
        slug=row["category_slug"],
        name_ar=row["category_name_ar"],
        name_en=row["category_name_en"],
    )


def program_detail(row: Any) -> ProgramDetail:
    """From a row of `queries.detail()`."""
    return ProgramDetail(
        id=row["id"],
        slug=row["slug"],
        title=row["title"],
        description=row["description"],
        language=row["language"],
        media_type=row["media_type"],
        kind=row["kind"],
        duration_sec=row["duration_sec"],
        release_date=row["release_date"],
        media_url=row["media_url"],
        thumbnail_url=row["thumbnail_url"],
        category=category_ref(row),
        series=SeriesRef(id=row["series_id"], slug=row["series_slug"], title=row["series_title"])
        if row["series_id"] is not None
        else None,
        season=row["season"],
        episode=row["episode"],
        tags=list(row["tags"] or []),
        people=[PersonRef(name=p["name"], role=p["role"]) for p in row["people"] or []],
        is_featured=row["is_featured"],
        is_explicit=row["is_explicit"],
        published_at=row["published_at"],
        view_count=row["view_count"],
        rev=row["rev"],
    )


class ProgramData(Model):
    """A program under `data`."""

    data: ProgramDetail
