"""JSON bodies and answers that several groups of routes share. JSON names are camelCase."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Annotated
from urllib.parse import quote

import msgspec
from sqlalchemy import RowMapping

from api.http.query import MAX_ID
from catalog.programs.models import KINDS, MEDIA_TYPES, STATUSES

# The id of a row, in a body: PostgreSQL has no larger one, and every JSON reader keeps it exact.
BodyId = Annotated[int, msgspec.Meta(ge=1, le=MAX_ID)]
# A date and time with its offset; the JSON schema says so, which plain `datetime` does not.
Moment = Annotated[datetime, msgspec.Meta(extra_json_schema={"format": "date-time"})]


def one_of(name: str, values: Iterable[str]) -> msgspec.Meta:
    """Return a description of text that is one of a few words; a body with another word is refused by the rules.

    Args:
        name: The name of its schema in the OpenAPI document.
        values: The words.
    """
    words = list(values)
    return msgspec.Meta(examples=words[:1], extra_json_schema={"title": name, "enum": words})


MediaType = Annotated[str, one_of("MediaType", MEDIA_TYPES)]
Kind = Annotated[str, one_of("Kind", KINDS)]
ProgramStatus = Annotated[str, one_of("ProgramStatus", STATUSES)]


class Model(msgspec.Struct, rename="camel", kw_only=True):
    """An answer."""


class Body(msgspec.Struct, rename="camel", kw_only=True, forbid_unknown_fields=True):
    """A request body. An unknown field is refused."""


def sent_fields(body: msgspec.Struct) -> dict[str, object]:
    """Return the fields that the body has, by name, without the fields that it leaves out."""
    found = {name: getattr(body, name) for name in body.__struct_fields__}
    return {name: value for name, value in found.items() if value is not msgspec.UNSET}


class ListMeta(Model):
    """About a page of a list. Send `nextCursor` to get the next page; null is the end."""

    limit: int
    next_cursor: str | None


def list_meta(limit: int, ids: Sequence[int]) -> ListMeta:
    """Return the meta of a page whose cursor is the id (or position, or revision) of its last row.

    Args:
        limit: The largest number of rows of the page.
        ids: The ids of the rows that were read: one more than `limit` when there is a next page.
    """
    return ListMeta(limit=limit, next_cursor=str(ids[limit - 1]) if len(ids) > limit else None)


class Rewrite(Model):
    """Another reading of the query: `kind` is the rung of the ladder, `query` the words it stands for.

    Rungs: joined, split, merged, correction, layout, script, kind, dropped.
    """

    kind: Annotated[str, msgspec.Meta(description="The rung of the ladder.", examples=["layout"])]
    query: Annotated[str, msgspec.Meta(examples=["الرسالة"])]


class PersonRef(Model):
    """A person on a program, with a role."""

    name: Annotated[str, msgspec.Meta(examples=["سلمان الراشد"])]
    role: Annotated[str, msgspec.Meta(examples=["host"])]


class CategoryRef(Model):
    """The category of a program."""

    id: int
    slug: str
    name_ar: str
    name_en: str


class SeriesRef(Model):
    """The series a program belongs to."""

    id: int
    slug: str
    title: str


class ProgramDetail(Model, kw_only=True):
    """A program with all fields that listeners see."""

    id: Annotated[int, msgspec.Meta(examples=[42])]
    slug: Annotated[str, msgspec.Meta(examples=["المرأة-التي-سامحت"])]
    # An answer that an older process has cached has none.
    path: Annotated[
        str,
        msgspec.Meta(
            description="The canonical address: other addresses of the program redirect to it.",
            examples=["/discovery/programs/coffee-talks"],
        ),
    ] = ""
    title: Annotated[str, msgspec.Meta(examples=["المرأة التي سامحت"])]
    description: str
    language: Annotated[str, msgspec.Meta(examples=["ar"])]
    media_type: MediaType
    kind: Kind
    duration_sec: Annotated[int | None, msgspec.Meta(examples=[3461])]
    release_date: Moment | None
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
    published_at: Moment | None
    view_count: int
    rev: int


def category_ref(row: RowMapping, *, inactive: bool = False) -> CategoryRef | None:
    """Return the category in a row of `queries.detail()`. Only editors see an inactive one (`inactive`)."""
    if row["category_id"] is None or not (inactive or row["category_is_active"]):
        return None
    return CategoryRef(
        id=row["category_id"],
        slug=row["category_slug"],
        name_ar=row["category_name_ar"],
        name_en=row["category_name_en"],
    )


def program_detail(row: RowMapping) -> ProgramDetail:
    """Return the program in a row of `queries.detail()`, as listeners see it."""
    return ProgramDetail(
        id=row["id"],
        slug=row["slug"],
        path=f"/discovery/programs/{quote(row['slug'])}",
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


class PreviewProgram(Model):
    """A program in a preview. `pinned`: a pin put it there. `bySynonym`: it does not have the words themselves."""

    id: int
    slug: str
    title: str
    language: str
    kind: Kind
    pinned: bool
    by_synonym: bool


class PreviewPin(Model):
    """A program that is pinned. `draft`: the request tries it. `shown`: it is on a page; otherwise it is not published."""

    program_id: int
    place: int
    draft: bool
    shown: bool


class PreviewPages(Model):
    """The first page of a query without pins and synonyms, and with them."""

    before: list[PreviewProgram]
    after: list[PreviewProgram]


class PreviewMeta(Model):
    """About a preview. `folded`: the query's words in the spelling of comparison. `readAs`: what it was taken for, or null.

    `variants`: other wordings of the query by synonyms, those that the request tries included.
    """

    query: str
    folded: str
    read_as: str | None
    limit: int
    pins: list[PreviewPin]
    variants: list[str]


class PreviewAnswer(Model):
    """What a query finds before and after curation."""

    data: PreviewPages
    meta: PreviewMeta
