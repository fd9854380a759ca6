"""How programs are read: statements, and functions that return a statement. The caller runs them."""

from datetime import datetime
from typing import TypedDict

from sqlalchemy import (
    ARRAY,
    BigInteger,
    ColumnElement,
    Select,
    bindparam,
    func,
    literal_column,
    or_,
    select,
    true,
)
from sqlalchemy.dialects.postgresql import aggregate_order_by
from sqlalchemy.orm import InstrumentedAttribute

from catalog.core.db import AnySelect
from catalog.programs.models import BUCKETS, Program, ProgramRedirect, ProgramRevision, ProgramSlug
from catalog.taxonomy.models import Category, Credit, Person, ProgramPerson, ProgramTag, Series, Tag

# What a program has to meet for a listener to see it.
VISIBLE = (
    Program.status == "published",
    Program.deleted_at.is_(None),
    or_(Program.expire_at.is_(None), Program.expire_at > func.now()),
)

# The ids of the categories that listeners may know.
ACTIVE_CATEGORIES = select(Category.id).where(Category.is_active)
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


class ProgramRow(TypedDict):
    """A row of `detail`: the columns of Program, and the category, series, tags and people of the program."""

    id: int
    slug: str
    title: str
    description: str
    language: str
    media_type: str
    kind: str
    duration_sec: int | None
    release_date: datetime | None
    media_url: str | None
    thumbnail_url: str | None
    category_id: int | None
    series_id: int | None
    season: int | None
    episode: int | None
    is_featured: bool
    is_explicit: bool
    status: str
    scheduled_publish_at: datetime | None
    expire_at: datetime | None
    published_at: datetime | None
    view_count: int
    popularity: int
    locked_fields: list[str]
    source_type: str | None
    external_id: str | None
    content_hash: str | None
    rev: int
    created_at: datetime
    updated_at: datetime
    deleted_at: datetime | None
    category_slug: str | None
    category_name_ar: str | None
    category_name_en: str | None
    category_is_active: bool | None
    series_slug: str | None
    series_title: str | None
    tags: list[str] | None
    people: list[Credit] | None


def detail() -> AnySelect:
    """Return whole programs; a row's mapping is a ProgramRow."""
    return (
        select(
            *Program.__table__.columns,
            Category.slug.label("category_slug"),
            Category.name_ar.label("category_name_ar"),
            Category.name_en.label("category_name_en"),
            Category.is_active.label("category_is_active"),
            Series.slug.label("series_slug"),
            Series.title.label("series_title"),
            _TAGS,
            _PEOPLE,
        )
        .outerjoin(Category, Category.id == Program.category_id)
        .outerjoin(Series, Series.id == Program.series_id)
    )


IDS = func.any(bindparam("ids", type_=ARRAY(BigInteger)))
SLUG_OWNER = select(ProgramSlug.program_id).where(ProgramSlug.slug == bindparam("slug")).scalar_subquery()
# The statements of lookups and of the sender are built once: building a statement of this size takes as long
# as running it. Bind parameters are written with a colon.
# `detail()` of the visible programs among `:ids`.
VISIBLE_BY_IDS = detail().where(Program.id == IDS, *VISIBLE)
# `detail()` of the program that has or had the address `:slug`, if it is visible.
VISIBLE_BY_SLUG = detail().where(Program.id == SLUG_OWNER, *VISIBLE)
# (merged id, id and revision of the program that stayed) of the merged programs among `:ids`, if the other one is visible.
VISIBLE_REDIRECTS = (
    select(ProgramRedirect.program_id, Program.id, Program.rev)
    .join(Program, Program.id == ProgramRedirect.into_id)
    .where(ProgramRedirect.program_id == IDS, *VISIBLE)
)
# `detail()` of the published programs in the buckets `:first` to `:last`, expired programs included: what a
# drift audit compares. The number of buckets is written out, because the expression must equal the index's.
BY_BUCKETS = (
    detail()
    .where(
        Program.status == "published",
        Program.deleted_at.is_(None),
        (Program.id % literal_column(str(BUCKETS))).between(bindparam("first"), bindparam("last")),
    )
    .order_by(Program.id)
)
# `detail()` of `:ids` in any state, deleted programs included: what documents are built from.
BY_IDS = detail().where(Program.id == IDS).order_by(Program.id)


def popular_ids(limit: int) -> Select[int]:
    """Return the ids of the most viewed visible programs."""
    return select(Program.id).where(*VISIBLE).order_by(Program.view_count.desc(), Program.id).limit(limit)


def category_counts() -> Select[int | None, int]:
    """Return the number of visible programs by the id of their active category; categories without one are missing."""
    return (
        select(Program.category_id, func.count())
        .where(*VISIBLE, Program.category_id.in_(ACTIVE_CATEGORIES))
        .group_by(Program.category_id)
    )


def newest(limit: int) -> Select[int]:
    """Return the ids of the published programs that were released last."""
    return (
        select(Program.id)
        .where(Program.status == "published")
        .order_by(Program.release_date.desc(), Program.id)
        .limit(limit)
    )


def revisions(program_id: int, before: int | None, limit: int) -> Select[ProgramRevision]:
    """Return revisions of a program, the newest first.

    Args:
        program_id: The program.
        before: Only lower revisions.
        limit: How many at most.
    """
    query = select(ProgramRevision).where(ProgramRevision.program_id == program_id)
    if before is not None:
        query = query.where(ProgramRevision.rev < before)
    return query.order_by(ProgramRevision.rev.desc()).limit(limit)


def count_published() -> Select[int]:
    """Return how many programs are published, expired programs included."""
    return (
        select(func.count())
        .select_from(Program)
        .where(Program.status == "published", Program.deleted_at.is_(None))
    )


def published_ids_after(last_id: int, limit: int) -> Select[int]:
    """Return ids of published programs above `last_id`, in ascending order, for a walk through all of them."""
    return (
        select(Program.id)
        .where(Program.status == "published", Program.deleted_at.is_(None), Program.id > last_id)
        .order_by(Program.id)
        .limit(limit)
    )


def series_programs(series_id: int, offset: int, limit: int) -> AnySelect:
    """Return `detail()` of the visible programs of a series, by season and episode.

    Args:
        series_id: The series.
        offset: How many programs lie before the page.
        limit: How many rows at most.
    """
    return (
        detail()
        .where(Program.series_id == series_id, *VISIBLE)
        .order_by(Program.season.asc().nulls_first(), Program.episode.asc().nulls_first(), Program.id)
        .offset(offset)
        .limit(limit)
    )


def visible_in(column: InstrumentedAttribute[int | None], row_id: int) -> Select[int]:
    """Return the ids of visible programs whose `column` (the category or the series) is `row_id`."""
    return select(Program.id).where(column == row_id, *VISIBLE)


def shown_categories() -> AnySelect:
    """Return the active categories with a visible program, in their order, and the id of such a program."""
    visible = (
        select(Program.id)
        .where(Program.category_id == Category.id, *VISIBLE)
        .limit(1)
        .correlate(Category)
        .lateral("visible")
    )
    columns = (Category.id, Category.slug, Category.name_ar, Category.name_en)
    return (
        select(*columns, visible.c.id.label("program_id"))
        .join(visible, true())
        .where(Category.is_active)
        .order_by(Category.sort_order, Category.id)
    )


def has_text(column: InstrumentedAttribute[str], words: str) -> ColumnElement[bool]:
    """Return the condition that a column has this text, however its letters are written; a trigram index answers it."""
    pattern: ColumnElement[str] = func.catalog_fold(words)
    for special in ("\\", "%", "_"):
        pattern = func.replace(pattern, special, f"\\{special}")
    return func.catalog_fold(column).like(func.concat("%", pattern, "%"))
