"""Tables of programs: the programs, their revisions, every address they ever had, and redirects of merged programs."""

from datetime import datetime
from typing import TypedDict

from sqlalchemy import (
    ARRAY,
    CheckConstraint,
    Computed,
    DateTime,
    Double,
    ForeignKey,
    Index,
    Integer,
    Text,
    TextClause,
    UniqueConstraint,
    column,
    func,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from catalog.core.base import Base, BigId, CreatedAt
from catalog.review.states import PROGRAM_STATES
from catalog.taxonomy.models import Credit

MEDIA_TYPES = ("audio", "video")
KINDS = ("episode", "film", "documentary", "series", "trailer", "short")
STATUSES = PROGRAM_STATES
# A drift audit reads the programs in this many parts: a program is in the part id modulo BUCKETS.
BUCKETS = 256
_LIVE = text("deleted_at IS NULL")
_LISTED = text("status = 'published' AND deleted_at IS NULL")


def _ordered_by(moment: str) -> TextClause:
    """Return a moment as an index has it that begins with the rows without one."""
    return text(f"coalesce({moment}, '-infinity'::timestamptz)")


class Program(Base):
    """A program: the row that documents, cached answers and revisions are made from.

    A trigger raises `rev` with every change of content, by plain SQL as well; a change of `view_count` does not
    raise it. `popularity` is `view_count` rounded down to two significant digits, so that a program with many views
    is not sent to the index for every view.
    """

    __tablename__ = "programs"
    __table_args__ = (
        UniqueConstraint("source_type", "external_id"),
        CheckConstraint(f"media_type IN {MEDIA_TYPES}", name="media_type"),
        CheckConstraint(f"kind IN {KINDS}", name="kind"),
        CheckConstraint(f"status IN {STATUSES}", name="status"),
        CheckConstraint("duration_sec >= 0", name="duration_sec"),
        CheckConstraint("view_count >= 0", name="view_count"),
        # Browsing, newest first, is the most frequent query. The next indexes are for its filters and sorts.
        Index("programs_status_release_date_idx", "status", text("release_date DESC"), "id"),
        Index(
            "programs_category_release_date_idx",
            "category_id",
            text("release_date DESC NULLS LAST"),
            text("id DESC"),
            postgresql_where=_LISTED,
        ),
        Index(
            "programs_language_release_date_idx",
            "language",
            text("release_date DESC NULLS LAST"),
            text("id DESC"),
            postgresql_where=_LISTED,
        ),
        Index(
            "programs_media_type_release_date_idx",
            "media_type",
            text("release_date DESC NULLS LAST"),
            text("id DESC"),
            postgresql_where=_LISTED,
        ),
        Index(
            "programs_kind_release_date_idx",
            "kind",
            text("release_date DESC NULLS LAST"),
            text("id DESC"),
            postgresql_where=_LISTED,
        ),
        Index(
            "programs_series_order_idx",
            "series_id",
            text("season NULLS FIRST"),
            text("episode NULLS FIRST"),
            "id",
            postgresql_where=text("series_id IS NOT NULL AND deleted_at IS NULL"),
        ),
        Index(
            "programs_featured_release_date_idx",
            text("release_date DESC NULLS LAST"),
            text("id DESC"),
            postgresql_where=text("is_featured AND status = 'published' AND deleted_at IS NULL"),
        ),
        Index("programs_view_count_idx", text("view_count DESC"), "id", postgresql_where=_LISTED),
        Index("programs_duration_sec_idx", "duration_sec", "id", postgresql_where=_LISTED),
        Index("programs_published_at_idx", text("published_at DESC"), "id", postgresql_where=_LISTED),
        Index("programs_published_id_idx", "id", postgresql_where=_LISTED),
        # A drift audit reads the published programs bucket by bucket.
        Index("programs_bucket_idx", text(f"(id % {BUCKETS})"), "id", postgresql_where=_LISTED),
        Index(
            "programs_scheduled_publish_at_idx",
            "scheduled_publish_at",
            postgresql_where=text("status = 'scheduled' AND deleted_at IS NULL"),
        ),
        Index(
            "programs_expire_at_idx",
            "expire_at",
            postgresql_where=text("status = 'published' AND expire_at IS NOT NULL AND deleted_at IS NULL"),
        ),
        Index("programs_updated_at_idx", text("updated_at DESC"), text("id DESC"), postgresql_where=_LIVE),
        Index(
            "programs_status_updated_at_idx",
            "status",
            text("updated_at DESC"),
            text("id DESC"),
            postgresql_where=_LIVE,
        ),
        Index("programs_created_at_idx", text("created_at DESC"), text("id DESC"), postgresql_where=_LIVE),
        Index("programs_category_id_idx", "category_id"),
        # The next ones are for filters and orders of editors' lists (`catalog/programs/listing/`).
        Index("programs_language_idx", "language", postgresql_where=_LIVE),
        Index("programs_kind_idx", "kind", postgresql_where=_LIVE),
        Index("programs_media_type_idx", "media_type", postgresql_where=_LIVE),
        Index("programs_featured_idx", "id", postgresql_where=text("is_featured AND deleted_at IS NULL")),
        Index(
            "programs_title_order_idx", text('catalog_fold("left"(title, 60))'), "id", postgresql_where=_LIVE
        ),
        Index("programs_release_order_idx", _ordered_by("release_date"), "id", postgresql_where=_LIVE),
        Index("programs_published_order_idx", _ordered_by("published_at"), "id", postgresql_where=_LIVE),
        Index(
            "programs_planned_order_idx",
            "scheduled_publish_at",
            "id",
            postgresql_where=text("scheduled_publish_at IS NOT NULL AND deleted_at IS NULL"),
        ),
        Index(
            "programs_expires_idx",
            "expire_at",
            "id",
            postgresql_where=text("expire_at IS NOT NULL AND deleted_at IS NULL"),
        ),
        Index("programs_views_order_idx", "view_count", "id", postgresql_where=_LIVE),
        Index("programs_deleted_at_idx", "deleted_at", postgresql_where=text("deleted_at IS NOT NULL")),
        # Equal titles in any spelling: imports find pairs of programs that may be the same.
        Index(
            "programs_folded_title_idx",
            func.md5(func.catalog_fold(column("title"))).label("folded_title_md5"),
            postgresql_where=_LIVE,
        ),
        Index(
            "programs_title_trgm_idx",
            func.catalog_fold(column("title")).label("folded_title"),
            postgresql_using="gin",
            postgresql_ops={"folded_title": "gin_trgm_ops"},
        ),
        # Searches that no engine answers (`catalog/programs/fallback/`).
        Index(
            "programs_words_idx",
            func.catalog_words(column("title"), column("description")),
            postgresql_using="gin",
        ),
    )

    id: Mapped[BigId]
    slug: Mapped[str] = mapped_column(unique=True)
    title: Mapped[str]
    description: Mapped[str] = mapped_column(default="", server_default="")
    language: Mapped[str]
    media_type: Mapped[str]
    kind: Mapped[str]
    duration_sec: Mapped[int | None] = mapped_column(Integer)
    release_date: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    media_url: Mapped[str | None]
    thumbnail_url: Mapped[str | None]
    category_id: Mapped[int | None] = mapped_column(ForeignKey("categories.id", ondelete="RESTRICT"))
    series_id: Mapped[int | None] = mapped_column(ForeignKey("series.id", ondelete="RESTRICT"))
    season: Mapped[int | None] = mapped_column(Integer)
    episode: Mapped[int | None] = mapped_column(Integer)
    is_featured: Mapped[bool] = mapped_column(default=False, server_default="false")
    is_explicit: Mapped[bool] = mapped_column(default=False, server_default="false")
    status: Mapped[str] = mapped_column(default="draft", server_default="draft")
    scheduled_publish_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    expire_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    published_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    view_count: Mapped[int] = mapped_column(default=0, server_default="0")
    popularity: Mapped[int] = mapped_column(Computed("catalog_popularity(view_count)", persisted=True))
    locked_fields: Mapped[list[str]] = mapped_column(ARRAY(Text), default=list, server_default=text("'{}'"))
    source_type: Mapped[str | None]
    external_id: Mapped[str | None]
    content_hash: Mapped[str | None]
    rev: Mapped[int] = mapped_column(default=1, server_default="1")
    created_at: Mapped[CreatedAt]
    updated_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), server_default=func.now())
    deleted_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))


class Snapshot(TypedDict):
    """A program at one revision, by JSON name; moments are in UTC, ISO 8601."""

    title: str
    description: str
    language: str
    mediaType: str
    kind: str
    durationSec: int | None
    releaseDate: str | None
    mediaUrl: str | None
    thumbnailUrl: str | None
    categoryId: int | None
    seriesId: int | None
    season: int | None
    episode: int | None
    isFeatured: bool
    isExplicit: bool
    expireAt: str | None
    lockedFields: list[str]
    slug: str
    status: str
    tags: list[str]
    people: list[Credit]
    rev: int


class ProgramSlug(Base):
    """An address that a program has or had: an old link leads to the program."""

    __tablename__ = "program_slugs"
    __table_args__ = (Index("program_slugs_program_id_idx", "program_id"),)

    slug: Mapped[str] = mapped_column(primary_key=True)
    program_id: Mapped[int] = mapped_column(ForeignKey("programs.id", ondelete="CASCADE"))
    created_at: Mapped[CreatedAt]


class ProgramRedirect(Base):
    """A merged program: its id leads to the program `into_id`."""

    __tablename__ = "program_redirects"
    __table_args__ = (Index("program_redirects_into_id_idx", "into_id"),)

    program_id: Mapped[int] = mapped_column(ForeignKey("programs.id", ondelete="CASCADE"), primary_key=True)
    into_id: Mapped[int] = mapped_column(ForeignKey("programs.id", ondelete="CASCADE"))
    at: Mapped[CreatedAt]


class ProgramRevision(Base):
    """All fields of a program at one `rev`, and who made the change."""

    __tablename__ = "program_revisions"
    __table_args__ = (Index("program_revisions_actor_idx", "actor", "program_id"),)

    program_id: Mapped[int] = mapped_column(ForeignKey("programs.id", ondelete="CASCADE"), primary_key=True)
    rev: Mapped[int] = mapped_column(primary_key=True)
    action: Mapped[str]
    actor: Mapped[str]
    snapshot: Mapped[Snapshot] = mapped_column(JSONB)
    at: Mapped[CreatedAt]


class ViewFlush(Base):
    """A batch of counted views or searches that was added. A repeated batch is found here and not added again."""

    __tablename__ = "view_flushes"
    __table_args__ = (Index("view_flushes_at_idx", "at"),)

    batch_id: Mapped[str] = mapped_column(primary_key=True)
    at: Mapped[CreatedAt]


class ProgramTrend(Base):
    """How much a program is viewed lately: logarithms of sums of views that fade (`catalog/programs/around/trends.py`)."""

    __tablename__ = "program_trends"
    __table_args__ = (
        Index("program_trends_day_idx", text("day DESC"), "program_id"),
        Index("program_trends_week_idx", text("week DESC"), "program_id"),
    )

    program_id: Mapped[int] = mapped_column(ForeignKey("programs.id", ondelete="CASCADE"), primary_key=True)
    day: Mapped[float] = mapped_column(Double)
    week: Mapped[float] = mapped_column(Double)
    viewed_at: Mapped[CreatedAt]
