"""JSON answers of the routes under /discovery, and the body of the batch route."""

from datetime import UTC, datetime
from typing import Annotated

import msgspec
from msgspec import UNSET, UnsetType

from api.discovery.narrowing.orders import ORDERS, SORTS
from api.http.schemas import (
    CategoryRef,
    Kind,
    MediaType,
    Model,
    Moment,
    ProgramDetail,
    Rewrite,
    SeriesRef,
    one_of,
)
from indexer.engines.document import ListedFields


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
    media_type: MediaType
    kind: Kind
    duration_sec: int | None
    release_date: Moment | None
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
    """A value of a facet, its display names, and the number of programs that have it."""

    value: Annotated[str, msgspec.Meta(examples=["3"])]
    count: int
    name_ar: str | msgspec.UnsetType = msgspec.UNSET
    name_en: str | msgspec.UnsetType = msgspec.UNSET
    name: str | msgspec.UnsetType = msgspec.UNSET


class Meta(Model, kw_only=True):
    """About an answer. `degraded`: PostgreSQL computed it because no search engine answered; some parts are missing."""

    degraded: Annotated[
        bool, msgspec.Meta(description="No search engine answered; the catalogue's database did.")
    ] = False
    unavailable: Annotated[
        list[str] | msgspec.UnsetType,
        msgspec.Meta(
            description="Requested parts that a degraded answer does not have: facets, highlight, names.",
            examples=[["facets"]],
        ),
    ] = msgspec.UNSET


class Suggestion(Model):
    """A suggestion: something to open, or, with the types query and correction, words to search for.

    `kind` belongs to a correction: the rung of the ladder, as in `meta.rewrite`.
    """

    type: Annotated[
        str,
        msgspec.Meta(
            description="program, series, person, tag, category, query (asked often) or correction (what was typed may "
            "have been meant so).",
            examples=["program"],
        ),
    ]
    text: Annotated[str, msgspec.Meta(examples=["قهوة المساء"])]
    id: int | None = None
    slug: str | None = None
    kind: Annotated[str | UnsetType, msgspec.Meta(examples=["layout"])] = UNSET


class SearchMeta(Meta):
    """About a page of results.

    `rewrite` is what was searched instead of the query; `didYouMean` what may have been meant although the query itself
    answered; `suggestions` what comes near when nothing was found; `nextCursor` is only there when a cursor was sent.
    """

    page: int
    limit: int
    total: Annotated[int, msgspec.Meta(description="Hits on all pages, counted up to 10,000.")]
    total_is_exact: Annotated[bool, msgspec.Meta(description="False: there may be more than `total`.")]
    total_pages: int
    query: str
    sort: Annotated[str, one_of("SearchSort", SORTS)]
    next_cursor: str | UnsetType | None = UNSET
    rewrite: Rewrite | None = None
    did_you_mean: Rewrite | msgspec.UnsetType = msgspec.UNSET
    suggestions: list[Suggestion] | msgspec.UnsetType = msgspec.UNSET


_ProgramCount = Annotated[
    int | UnsetType,
    msgspec.Meta(description="Programs that meet the filters; absent for rare names among many."),
]


class FoundSeries(Model):
    """A series whose title has the words of a search."""

    id: int
    slug: Annotated[str, msgspec.Meta(examples=["فنجان"])]
    title: Annotated[str, msgspec.Meta(examples=["فنجان"])]
    program_count: _ProgramCount = UNSET


class FoundPerson(Model):
    """A person whose name has the words of a search."""

    slug: Annotated[str, msgspec.Meta(examples=["سلمان-الراشد"])]
    name: Annotated[str, msgspec.Meta(examples=["سلمان الراشد"])]
    program_count: _ProgramCount = UNSET


class SearchAnswer(Model):
    """A page of search results; series and people only where they were asked for, on the first page."""

    data: list[ProgramCard]
    meta: SearchMeta
    series: list[FoundSeries] | UnsetType = UNSET
    people: list[FoundPerson] | UnsetType = UNSET
    facets: dict[str, list[FacetValue]] | msgspec.UnsetType = msgspec.UNSET


class BrowseMeta(Meta):
    """About a page of a listing. Send `nextCursor` as `cursor` to get the next page; null is the end."""

    limit: int
    total: Annotated[int, msgspec.Meta(description="Programs of the list, counted up to 10,000.")]
    total_is_exact: Annotated[bool, msgspec.Meta(description="False: there may be more than `total`.")]
    sort: Annotated[str, one_of("BrowseSort", ORDERS)]
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
    """The ids that belong to no visible program, and the merged ids with the id of the program that stayed."""

    missing: list[int]
    moved: Annotated[dict[str, int], msgspec.Meta(examples=[{"12": 3}])] | UnsetType = UNSET


class BatchAnswer(Model):
    """Programs in the order of the requested ids."""

    data: list[ProgramDetail]
    meta: BatchMeta


class CategoryItem(CategoryRef):
    """A category with the number of its programs."""

    program_count: int


class CategoriesAnswer(Model):
    """Every active category with a visible program, in its order."""

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
    latest_release_date: Moment | None


class SeriesMeta(Model):
    """About a page of a series' programs."""

    page: int
    limit: int
    total: int


class SeriesPage(Model):
    """A series and a page of its programs, in season and episode order."""

    data: SeriesDetail
    programs: list[ProgramDetail]
    meta: SeriesMeta


class ViewCounted(Model):
    """Which program's view was counted."""

    data: dict[str, int]


class SuggestMeta(Meta):
    """About suggestions."""

    query: str


class SuggestAnswer(Model):
    """Suggestions, best first."""

    data: list[Suggestion]
    meta: SuggestMeta


def _moment(seconds: int | None) -> datetime | None:
    return datetime.fromtimestamp(seconds, UTC) if seconds is not None else None


def card(hit: ListedFields) -> ProgramCard:
    """Return the card of an engine's hit."""
    category = None
    if (
        hit.category_id is not None
        and hit.category_slug is not None
        and hit.category_name_ar is not None
        and hit.category_name_en is not None
    ):
        category = CategoryRef(
            id=hit.category_id,
            slug=hit.category_slug,
            name_ar=hit.category_name_ar,
            name_en=hit.category_name_en,
        )
    series = None
    if hit.series_id is not None and hit.series_slug is not None and hit.series_title is not None:
        series = SeriesRef(id=hit.series_id, slug=hit.series_slug, title=hit.series_title)
    return ProgramCard(
        id=hit.id,
        slug=hit.slug,
        title=hit.title,
        description=hit.description,
        language=hit.language,
        media_type=hit.media_type,
        kind=hit.kind,
        duration_sec=hit.duration_sec,
        release_date=_moment(hit.release_date),
        thumbnail_url=hit.thumbnail_url,
        category=category,
        series=series,
        season=hit.season,
        episode=hit.episode,
        tags=hit.tags,
        people=hit.people,
        is_featured=hit.is_featured,
        is_explicit=hit.is_explicit,
        view_count=hit.view_count,
    )
