"""How programs are read: statements, or functions that return one; nothing here runs them."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ARRAY, BigInteger, Select, and_, bindparam, func, literal_column, or_, select
from sqlalchemy.dialects.postgresql import aggregate_order_by

from catalog.categories.models import Category
from catalog.programs.models import (
    BUCKETS,
    Program,
    ProgramRedirect,
    ProgramRevision,
    ProgramSlug,
)
from catalog.series.models import Series
from catalog.vocabulary.models import Person, ProgramPerson, ProgramTag, Tag

VISIBLE = (
    Program.status == "published",
    Program.deleted_at.is_(None),
    or_(Program.expire_at.is_(None), Program.expire_at > func.now()),
)

_TAGS = (
    select(func.array_agg(aggregate_order_by(Tag.name, ProgramTag.position, Tag.id)))
    .select_from(Tag)
    .join(ProgramTag, ProgramTag.tag_id == Tag.id)
    .where(ProgramTag.program_id == Program.id)
    .correlate(Program)
    .scalar_subquery()
    .label("tags")
)
_PEOPLE = (
    select(
        func.jsonb_agg(
            aggregate_order_by(
                func.jsonb_build_object("name", Person.name, "role", ProgramPerson.role),
                ProgramPerson.position,
                Person.id,
            )
        )
    )
    .select_from(Person)
    .join(ProgramPerson, ProgramPerson.person_id == Person.id)
    .where(ProgramPerson.program_id == Program.id)
    .correlate(Program)
    .scalar_subquery()
    .label("people")
)


def detail() -> Select[Any]:
    """Whole programs, one row each, with category, series, `tags` and `people` beside.

    Columns: every column of Program by name, then category_slug, category_name_ar,
    category_name_en, series_slug, series_title, tags (text[] or null), people (jsonb or null).
    """
    return (
        select(
            *Program.__table__.columns,
            Category.slug.label("category_slug"),
            Category.name_ar.label("category_name_ar"),
            Category.name_en.label("category_name_en"),
            Series.slug.label("series_slug"),
            Series.title.label("series_title"),
            _TAGS,
            _PEOPLE,
        )
        .outerjoin(Category, Category.id == Program.category_id)
        .outerjoin(Series, Series.id == Program.series_id)
    )


_IDS = func.any(bindparam("ids", type_=ARRAY(BigInteger)))
_SLUG_OWNER = (
    select(ProgramSlug.program_id).where(ProgramSlug.slug == bindparam("slug")).scalar_subquery()
)
# Asked on every lookup that no cache answers. Built once: building a statement of this size costs
# as much as running it.
# `detail()` of those of `:ids` that a listener may see.
VISIBLE_BY_IDS = detail().where(Program.id == _IDS, *VISIBLE)
# `detail()` of the program that has or had the address `:slug`, if visible.
VISIBLE_BY_SLUG = detail().where(Program.id == _SLUG_OWNER, *VISIBLE)
# Where a merged program leads, if a listener may see it.
VISIBLE_REDIRECT = (
    select(Program.id)
    .join(ProgramRedirect, ProgramRedirect.into_id == Program.id)
    .where(ProgramRedirect.program_id == bindparam("id"), *VISIBLE)
)
# `detail()` of the published programs of the buckets `:first` to `:last`, expired ones too: what the
# audit compares. The number of buckets is written out, as the index has it.
BY_BUCKETS = (
    detail()
    .where(
        Program.status == "published",
        Program.deleted_at.is_(None),
        (Program.id % literal_column(str(BUCKETS))).between(bindparam("first"), bindparam("last")),
    )
    .order_by(Program.id)
)
# `detail()` of `:ids` whatever the state, deleted ones too: what the document builder reads.
BY_IDS = detail().where(Program.id == _IDS).order_by(Program.id)


def popular_ids(limit: int) -> Select[Any]:
    """The most viewed visible programs."""
    return (
        select(Program.id)
        .where(*VISIBLE)
        .order_by(Program.view_count.desc(), Program.id)
        .limit(limit)
    )


def category_counts() -> Select[int | None, int]:
    """(category id, visible programs) of every category that has some."""
    return (
        select(Program.category_id, func.count())
        .where(*VISIBLE, Program.category_id.is_not(None))
        .group_by(Program.category_id)
    )


def newest(limit: int) -> Select[Any]:
    """The mission's own query: what was released last among the published."""
    return (
        select(Program.id)
        .where(Program.status == "published")
        .order_by(Program.release_date.desc(), Program.id)
        .limit(limit)
    )


def revisions(program_id: int, before: int | None, limit: int) -> Select[Any]:
    """Revisions of one program, newest first."""
    query = select(ProgramRevision).where(ProgramRevision.program_id == program_id)
    if before is not None:
        query = query.where(ProgramRevision.rev < before)
    return query.order_by(ProgramRevision.rev.desc()).limit(limit)


SORTS = {
    "-updatedAt": (Program.updated_at, True),
    "updatedAt": (Program.updated_at, False),
    "-createdAt": (Program.created_at, True),
    "createdAt": (Program.created_at, False),
    "id": (Program.id, False),
    "-id": (Program.id, True),
}


@dataclass(frozen=True, slots=True)
class EditorFilter:
    """What an editor narrows the list by; None means any."""

    status: str | None = None
    category_id: int | None = None
    series_id: int | None = None
    language: str | None = None
    kind: str | None = None
    media_type: str | None = None
    title: str | None = None
    featured: bool | None = None


def editor_list(
    filters: EditorFilter, sort: str, after: tuple[datetime | int, int] | None, limit: int
) -> Select[Any]:
    """`detail()` for editors: any state but deleted, keyset paged by (sort column, id)."""
    column, descending = SORTS[sort]
    query = detail().where(Program.deleted_at.is_(None))
    exact = {
        Program.status: filters.status,
        Program.category_id: filters.category_id,
        Program.series_id: filters.series_id,
        Program.language: filters.language,
        Program.kind: filters.kind,
        Program.media_type: filters.media_type,
        Program.is_featured: filters.featured,
    }
    query = query.where(
        *(column_ == value for column_, value in exact.items() if value is not None)
    )
    if filters.title:
        pattern = func.catalog_fold(filters.title)
        escaped = func.replace(func.replace(pattern, "%", r"\%"), "_", r"\_")
        query = query.where(func.catalog_fold(Program.title).like(func.concat("%", escaped, "%")))
    if after is not None:
        value, last = after
        beyond = column < value if descending else column > value
        tie = Program.id < last if descending else Program.id > last
        query = query.where(
            tie if column is Program.id else or_(beyond, and_(column == value, tie))
        )
    order = (column.desc(), Program.id.desc()) if descending else (column, Program.id)
    return query.order_by(*order).limit(limit)


def count_published() -> Select[int]:
    """How many programs may have a document."""
    return (
        select(func.count())
        .select_from(Program)
        .where(Program.status == "published", Program.deleted_at.is_(None))
    )


def published_ids_after(last_id: int, limit: int) -> Select[Any]:
    """Ids of the published, ascending, for walking through all of them."""
    return (
        select(Program.id)
        .where(Program.status == "published", Program.deleted_at.is_(None), Program.id > last_id)
        .order_by(Program.id)
        .limit(limit)
    )


def series_programs(series_id: int, offset: int, limit: int) -> Select[Any]:
    """`detail()` of a series' visible programs in season and episode order."""
    return (
        detail()
        .where(Program.series_id == series_id, *VISIBLE)
        .order_by(
            Program.season.asc().nulls_first(), Program.episode.asc().nulls_first(), Program.id
        )
        .offset(offset)
        .limit(limit)
    )


def count_series_programs(series_id: int) -> Select[Any]:
    """How many visible programs a series has."""
    return select(func.count()).select_from(Program).where(Program.series_id == series_id, *VISIBLE)
