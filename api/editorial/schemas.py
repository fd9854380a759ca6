"""What editors send and get."""

from datetime import datetime
from typing import Annotated, Any

import msgspec
from msgspec import UNSET, UnsetType

from api.schemas import Body, Model, ProgramDetail, program_detail


class PersonIn(Body):
    """Somebody on the program."""

    name: str
    role: Annotated[str, msgspec.Meta(examples=["host"])] = "guest"


class ProgramIn(Body):
    """A new program; it starts as a draft."""

    title: Annotated[str, msgspec.Meta(examples=["المرأة التي سامحت"])]
    language: Annotated[str, msgspec.Meta(examples=["ar"])]
    media_type: Annotated[str, msgspec.Meta(examples=["audio"])]
    kind: Annotated[str, msgspec.Meta(examples=["episode"])]
    slug: str | None = None
    description: str = ""
    duration_sec: int | None = None
    release_date: datetime | None = None
    media_url: str | None = None
    thumbnail_url: str | None = None
    category_id: int | None = None
    series_id: int | None = None
    season: int | None = None
    episode: int | None = None
    is_featured: bool = False
    is_explicit: bool = False
    expire_at: datetime | None = None
    tags: list[str] = []
    people: list[PersonIn] = []


class ProgramPatch(Body):
    """What to change; what is absent stays."""

    title: str | UnsetType = UNSET
    language: str | UnsetType = UNSET
    media_type: str | UnsetType = UNSET
    kind: str | UnsetType = UNSET
    slug: str | UnsetType = UNSET
    description: str | UnsetType = UNSET
    duration_sec: int | UnsetType | None = UNSET
    release_date: datetime | UnsetType | None = UNSET
    media_url: str | UnsetType | None = UNSET
    thumbnail_url: str | UnsetType | None = UNSET
    category_id: int | UnsetType | None = UNSET
    series_id: int | UnsetType | None = UNSET
    season: int | UnsetType | None = UNSET
    episode: int | UnsetType | None = UNSET
    is_featured: bool | UnsetType = UNSET
    is_explicit: bool | UnsetType = UNSET
    expire_at: datetime | UnsetType | None = UNSET
    locked_fields: list[str] | UnsetType = UNSET
    tags: list[str] | UnsetType = UNSET
    people: list[PersonIn] | UnsetType = UNSET


class ScheduleIn(Body):
    """When to publish."""

    scheduled_publish_at: datetime


class BulkIn(Body):
    """The same step for many programs; `tags` are added when the action is `tag`."""

    action: Annotated[
        str, msgspec.Meta(examples=["publish"], description="publish, unpublish or tag")
    ]
    ids: Annotated[
        list[Annotated[int, msgspec.Meta(ge=1, le=2**53)]],
        msgspec.Meta(min_length=1, max_length=500),
    ]
    tags: list[str] = []


class BulkItem(Model):
    """What became of one program."""

    id: int
    ok: bool
    rev: int | None = None
    status: str | None = None
    code: str | None = None
    detail: str | None = None


class BulkMeta(Model):
    """How many of each."""

    succeeded: int
    failed: int


class BulkAnswer(Model):
    """Every item, in the order sent."""

    data: list[BulkItem]
    meta: BulkMeta


class EditorProgram(ProgramDetail):
    """A program as editors see it."""

    status: str
    scheduled_publish_at: datetime | None
    expire_at: datetime | None
    locked_fields: list[str]
    source_type: str | None
    external_id: str | None
    created_at: datetime
    updated_at: datetime


class EditorAnswer(Model):
    """A program under `data`."""

    data: EditorProgram


class ListMeta(Model):
    """About a page."""

    limit: int
    next_cursor: str | None


class EditorList(Model):
    """A page of programs in any state."""

    data: list[EditorProgram]
    meta: ListMeta


class RevisionItem(Model):
    """One revision."""

    rev: int
    action: str
    actor: str
    at: datetime
    snapshot: dict[str, Any]


class RevisionList(Model):
    """Revisions, newest first."""

    data: list[RevisionItem]
    meta: ListMeta


class DiffAnswer(Model):
    """What changed between two revisions: field to [before, after]."""

    data: dict[str, list[Any]]
    meta: dict[str, int]


class AuditItem(Model):
    """One thing somebody did."""

    id: int
    at: datetime
    actor: str
    actor_id: int | None
    action: str
    entity: str
    entity_id: int | None
    diff: dict[str, Any]
    request_id: str


class AuditList(Model):
    """Events, newest first."""

    data: list[AuditItem]
    meta: ListMeta


class CategoryIn(Body):
    """A new category."""

    name_ar: str
    name_en: str
    slug: str | None = None
    sort_order: int = 0
    is_active: bool = True


class CategoryPatch(Body):
    """What to change of a category."""

    name_ar: str | UnsetType = UNSET
    name_en: str | UnsetType = UNSET
    slug: str | UnsetType = UNSET
    sort_order: int | UnsetType = UNSET
    is_active: bool | UnsetType = UNSET


class CategoryOut(Model):
    """A category as editors see it."""

    id: int
    slug: str
    name_ar: str
    name_en: str
    sort_order: int
    is_active: bool
    rev: int


class SeriesIn(Body):
    """A new series."""

    title: str
    language: str
    slug: str | None = None
    description: str = ""
    thumbnail_url: str | None = None
    category_id: int | None = None


class SeriesPatch(Body):
    """What to change of a series."""

    title: str | UnsetType = UNSET
    language: str | UnsetType = UNSET
    slug: str | UnsetType = UNSET
    description: str | UnsetType = UNSET
    thumbnail_url: str | UnsetType | None = UNSET
    category_id: int | UnsetType | None = UNSET


class SeriesOut(Model):
    """A series as editors see it."""

    id: int
    slug: str
    title: str
    description: str
    language: str
    thumbnail_url: str | None
    category_id: int | None
    rev: int


class RenameIn(Body):
    """Another name for a tag or a person, everywhere."""

    name: str


class NamedOut(Model):
    """A tag or a person."""

    id: int
    slug: str
    name: str


def values(body: msgspec.Struct) -> dict[str, Any]:
    """The fields that were given, by column name; people as (role, name)."""
    found = {
        name: getattr(body, name)
        for name in body.__struct_fields__
        if getattr(body, name) is not UNSET
    }
    if found.get("slug", "") is None:
        del found["slug"]
    if "people" in found:
        found["people"] = [(person.role, person.name) for person in found["people"]]
    return found


def editor_program(row: Any) -> EditorProgram:
    """From a row of `queries.detail()`."""
    shared = program_detail(row)
    return EditorProgram(
        **{name: getattr(shared, name) for name in ProgramDetail.__struct_fields__},
        status=row["status"],
        scheduled_publish_at=row["scheduled_publish_at"],
        expire_at=row["expire_at"],
        locked_fields=list(row["locked_fields"]),
        source_type=row["source_type"],
        external_id=row["external_id"],
        created_at=row["created_at"],
        updated_at=row["updated_at"],
    )
