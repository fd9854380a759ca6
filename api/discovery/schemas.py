"""What discovery answers."""

from datetime import UTC, datetime
from typing import Annotated, Any

import msgspec

from api.schemas import CategoryRef, Model, ProgramDetail, SeriesRef


class Highlight(Model):
    """Safe HTML: escaped text in which only `<em>` marks what matched."""

    title: str
    description: str


class ProgramCard(Model):
    """A program in a list."""

    id: Annotated[int, msgspec.Meta(examples=[42])]
    slug: Annotated[str, msgspec.Meta(examples=["المرأة-التي-سامحت"])]
    title: Annotated[str, msgspec.Meta(examples=["المرأة التي سامحت"])]
    description: str
    language: Annotated[str, msgspec.Meta(examples=["ar"])]
    media_type: str
    kind: str
    duration_sec: int | None
    release_date: datetime | None
    thumbnail_url: str | None
    category: CategoryRef | None
    series: SeriesRef | None
    season: int | None
    episode: int | None
    tags: list[str]
    people: list[str]
    is_featured: bool
    is_explicit: bool
    view_count: Annotated[int, msgspec.Meta(description="Rounded down to two digits.")]
    highlight: Highlight | msgspec.UnsetType = msgspec.UNSET


class FacetValue(Model):
    """A value of a facet, what to call it, and how many programs have it."""

    value: Annotated[str, msgspec.Meta(examples=["3"])]
    count: int
    name_ar: str | msgspec.UnsetType = msgspec.UNSET
    name_en: str | msgspec.UnsetType = msgspec.UNSET
    name: str | msgspec.UnsetType = msgspec.UNSET


class Meta(Model, kw_only=True):
    """What every answer says about itself. `degraded`: no search engine answered, the catalogue's
    database did, with less; `unavailable` names what was asked for and cannot be given."""

    degraded: Annotated[
        bool, msgspec.Meta(description="No engine answered; the catalogue's database did.")
    ] = False
    unavailable: Annotated[
        list[str] | msgspec.UnsetType,
        msgspec.Meta(
            description="Asked for and not given: facets, highlight.", examples=[["facets"]]
        ),
    ] = msgspec.UNSET


class SearchMeta(Meta):
    """About a page of results. `rewrite` names what was searched instead, when it was."""

    page: int
    limit: int
    total: int
    total_pages: int
    query: str
    sort: str
    rewrite: str | None = None


class SearchAnswer(Model):
    """A page of results."""

    data: list[ProgramCard]
    meta: SearchMeta
    facets: dict[str, list[FacetValue]] | msgspec.UnsetType = msgspec.UNSET


class BrowseMeta(Meta):
    """About a page of a listing. Ask again with `nextCursor`; null is the end."""

    limit: int
    total: Annotated[int, msgspec.Meta(description="At most the engine's cap (10,000).")]
    sort: str
    next_cursor: str | None


class BrowseAnswer(Model):
    """A page of a listing."""

    data: list[ProgramCard]
    meta: BrowseMeta
    facets: dict[str, list[FacetValue]] | msgspec.UnsetType = msgspec.UNSET


class BatchBody(msgspec.Struct, rename="camel", forbid_unknown_fields=True):
    """Ids of programs, at most 100."""

    ids: Annotated[
        list[Annotated[int, msgspec.Meta(ge=1, le=2**53)]],
        msgspec.Meta(min_length=1, max_length=100, examples=[[1, 2, 3]]),
    ]


class BatchMeta(Model):
    """Which of the ids there is nothing to show for."""

    missing: list[int]


class BatchAnswer(Model):
    """Programs in the order asked for."""

    data: list[ProgramDetail]
    meta: BatchMeta


class CategoryItem(CategoryRef):
    """A category with the number of its programs."""

    program_count: int


class CategoriesAnswer(Model):
    """Every active category in its order."""

    data: list[CategoryItem]
    meta: dict[str, int]


class SeriesDetail(Model):
    """A series."""

    id: int
    slug: str
    title: str
    description: str
    language: str
    thumbnail_url: str | None
    category_id: int | None


class SeriesMeta(Model):
    """About a page of a series' programs."""

    page: int
    limit: int
    total: int


class SeriesAnswer(Model):
    """A series and a page of its programs, in season and episode order."""

    data: SeriesDetail
    programs: list[ProgramDetail]
    meta: SeriesMeta


class Suggestion(Model):
    """What to offer while somebody types. `type` is program, series, person or tag."""

    type: Annotated[str, msgspec.Meta(examples=["program"])]
    text: Annotated[str, msgspec.Meta(examples=["قهوة المساء"])]
    id: int | None = None
    slug: str | None = None


class SuggestMeta(Meta):
    """About suggestions."""

    query: str


class SuggestAnswer(Model):
    """Suggestions, best first."""

    data: list[Suggestion]
    meta: SuggestMeta


def _moment(seconds: int | None) -> datetime | None:
    return datetime.fromtimestamp(seconds, UTC) if seconds is not None else None


def card(hit: dict[str, Any]) -> ProgramCard:
    """A hit of the engine as a card."""
    category = None
    if hit.get("categoryId") is not None:
        category = CategoryRef(
            id=hit["categoryId"],
            slug=hit["categorySlug"],
            name_ar=hit["categoryNameAr"],
            name_en=hit["categoryNameEn"],
        )
    series = None
    if hit.get("seriesId") is not None:
        series = SeriesRef(id=hit["seriesId"], slug=hit["seriesSlug"], title=hit["seriesTitle"])
    return ProgramCard(
        id=hit["id"],
        slug=hit["slug"],
        title=hit["title"],
        description=hit["description"],
        language=hit["language"],
        media_type=hit["mediaType"],
        kind=hit["kind"],
        duration_sec=hit["durationSec"],
        release_date=_moment(hit["releaseDate"]),
        thumbnail_url=hit["thumbnailUrl"],
        category=category,
        series=series,
        season=hit["season"],
        episode=hit["episode"],
        tags=hit["tags"],
        people=hit["people"],
        is_featured=hit["isFeatured"],
        is_explicit=hit["isExplicit"],
        view_count=hit["viewCount"],
    )
