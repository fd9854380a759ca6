"""The parameters of search and browse: read from the query string, checked, and turned into the engine's filter.

`api.discovery.routes` reads requests with it. `api.discovery.documented` describes the parameters in the OpenAPI
document.
"""

from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from typing import Any, Literal

from litestar.datastructures import MultiDict

from api.http.errors import InvalidParameter
from api.http.query import MAX_CURSOR, QueryString
from catalog.programs.models import KINDS, MEDIA_TYPES

MAX_Q, MAX_PAGE, MAX_SLUG = 512, 1000, 200
FACETS = ("categoryId", "language", "mediaType", "kind", "seriesId", "tags", "people", "isFeatured")
Order = tuple[str, Literal["asc", "desc"]]
# Value of `sort` -> the field of a document and the direction.
ORDERS: dict[str, Order] = {
    "newest": ("releaseDate", "desc"),
    "oldest": ("releaseDate", "asc"),
    "longest": ("durationSec", "desc"),
    "shortest": ("durationSec", "asc"),
    "popular": ("viewCount", "desc"),
}
SORTS: dict[str, Order | None] = {"relevance": None, **ORDERS}
# A listener's day, where the request names no time zone.
DEFAULT_ZONE = "Asia/Riyadh"
# Filters that may have several values: a program must have one of them, or each of them (`tagAll`, `personAll`).
SEVERAL = frozenset(
    {"categoryId", "language", "mediaType", "kind", "seriesId", "tag", "tagAll", "person", "personAll"}
)
FILTERS = SEVERAL | {"durationMin", "durationMax", "releasedAfter", "releasedBefore", "tz", "featured"}


@dataclass(frozen=True, slots=True)
class Filters:
    """The filters of search and browse. Nothing in a filter does not filter. Times are Unix seconds.

    A program has to have one of several values; of `tag_all` and `person_all` it has to have each.
    """

    category_id: tuple[int, ...] = ()
    language: tuple[str, ...] = ()
    media_type: tuple[str, ...] = ()
    kind: tuple[str, ...] = ()
    series_id: tuple[int, ...] = ()
    tag: tuple[str, ...] = ()
    tag_all: tuple[str, ...] = ()
    person: tuple[str, ...] = ()
    person_all: tuple[str, ...] = ()
    duration_min: int | None = None  # seconds
    duration_max: int | None = None
    released_after: int | None = None
    released_before: int | None = None
    featured: bool | None = None

    def key(self) -> tuple[object, ...]:
        """Return the filters as a part of a cache key, independent of the order of the parameters."""
        return tuple(getattr(self, f.name) for f in fields(self))

    def without(self, facet: str) -> "Filters":
        """Return the filters but those by the facet's own values.

        The counts of a facet say what choosing another of its values would find. `tag_all` and `person_all` stay:
        there another value narrows what is found.
        """
        return replace(self, **_NONE.get(facet, {}))

    def conditions(self) -> list[str]:
        """Return the filter for the engine: a list of conditions that must all hold."""
        found = [
            _among(name, values)
            for name, values in (
                ("categoryId", self.category_id),
                ("language", self.language),
                ("mediaType", self.media_type),
                ("kind", self.kind),
                ("seriesId", self.series_id),
                ("tags", self.tag),
                ("people", self.person),
            )
            if values
        ]
        found += [f"tags = {quote(value)}" for value in self.tag_all]
        found += [f"people = {quote(value)}" for value in self.person_all]
        if self.featured is not None:
            found.append(f"isFeatured = {'true' if self.featured else 'false'}")
        for name, operator, value in (
            ("durationSec", ">=", self.duration_min),
            ("durationSec", "<=", self.duration_max),
            ("releaseDate", ">=", self.released_after),
            ("releaseDate", "<=", self.released_before),
        ):
            if value is not None:
                found.append(f"{name} {operator} {value}")
        return found


# Facet -> the filters by its values, as they are when they filter nothing.
_NONE: dict[str, dict[str, Any]] = {
    "categoryId": {"category_id": ()},
    "language": {"language": ()},
    "mediaType": {"media_type": ()},
    "kind": {"kind": ()},
    "seriesId": {"series_id": ()},
    "tags": {"tag": ()},
    "people": {"person": ()},
    "isFeatured": {"featured": None},
}


def _among(name: str, values: Sequence[int | str]) -> str:
    if len(values) == 1:
        return f"{name} = {quote(values[0])}"
    return f"{name} IN [{', '.join(map(quote, values))}]"


def hides_unreleased(sort: str, filters: Filters) -> bool:
    """Return whether the list leaves out programs whose release date is in the future.

    `newest` would show them first until they are released, unless the listener names dates.
    """
    return sort == "newest" and filters.released_after is None and filters.released_before is None


def quote(value: int | str) -> str:
    """Return a value as a literal of the engine's filter language. Quotes and backslashes in a text are escaped."""
    if isinstance(value, int):
        return str(value)
    escaped = value.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def read_filters(query: QueryString) -> Filters:
    """Return the filters in a query string.

    Raises:
        InvalidParameter: A filter has a wrong value, or a range ends before it begins.
    """
    zone = query.zone("tz", DEFAULT_ZONE)
    found = Filters(
        category_id=query.ids("categoryId"),
        language=read_languages(query),
        media_type=query.several_of("mediaType", MEDIA_TYPES),
        kind=query.several_of("kind", KINDS),
        series_id=query.ids("seriesId"),
        tag=query.several("tag"),
        tag_all=query.several("tagAll"),
        person=query.several("person"),
        person_all=query.several("personAll"),
        duration_min=query.integer("durationMin", 0, 10**7),
        duration_max=query.integer("durationMax", 0, 10**7),
        released_after=query.moment("releasedAfter", zone),
        released_before=query.moment("releasedBefore", zone, last=True),
        featured=query.flag("featured"),
    )
    if _inverted(found.duration_min, found.duration_max):
        raise InvalidParameter("durationMin", "Must not be greater than durationMax.")
    if _inverted(found.released_after, found.released_before):
        raise InvalidParameter("releasedAfter", "Must not be later than releasedBefore.")
    return found


def read_languages(query: QueryString) -> tuple[str, ...]:
    """Return the values of the parameter `language`.

    Raises:
        InvalidParameter: A value is no language tag.
    """
    found = query.several("language", 20)
    if not all(language.replace("-", "").isalnum() for language in found):
        raise InvalidParameter("language", "Must be a language tag such as ar.")
    return found


def read_category(query: QueryString) -> str | None:
    """Return the value of the parameter `category`: the id or the slug of a category.

    Raises:
        InvalidParameter: The value is too long.
    """
    return query.text("category", MAX_SLUG)


def _inverted(low: int | None, high: int | None) -> bool:
    return low is not None and high is not None and low > high


def read_facets(query: QueryString) -> tuple[str, ...]:
    """Return the names in the parameter `facets`, each once, in the order of FACETS. Commas separate them.

    Raises:
        InvalidParameter: A name is not in FACETS.
    """
    value = query.text("facets", 200)
    names = [name.strip() for name in value.split(",")] if value else []
    for name in names:
        if name not in FACETS:
            raise InvalidParameter("facets", f"Must be among {', '.join(FACETS)}.")
    return tuple(name for name in FACETS if name in names)


@dataclass(frozen=True, slots=True)
class SearchRequest:
    """A search whose parameters have been checked."""

    q: str
    filters: Filters
    sort: str
    page: int
    limit: int
    facets: tuple[str, ...]
    highlight: bool
    # Whether a hyphen before a word of `q` takes the programs with this word away.
    operators: bool

    def key(self) -> str:
        """Return the cache key. Equal searches have equal keys and share an answer."""
        q = " ".join(self.q.split()) + (" " if self.q[-1:].isspace() else "")
        return f"search:{q!r}:{self.filters.key()}:{self.sort}:{self.page}:{self.limit}:{self.facets}:{self.highlight}:{self.operators}"


@dataclass(frozen=True, slots=True)
class BrowseRequest:
    """A page of a listing whose parameters have been checked."""

    filters: Filters
    sort: str
    limit: int
    cursor: str | None
    facets: tuple[str, ...]

    @property
    def order(self) -> Order:
        """The field and direction to sort by."""
        return ORDERS[self.sort]

    def key(self) -> str:
        """Return the cache key. Equal pages have equal keys and share an answer."""
        return f"browse:{self.filters.key()}:{self.sort}:{self.limit}:{self.cursor}:{self.facets}"


def search_request(parameters: MultiDict[str]) -> SearchRequest:
    """Return the search that the query parameters describe.

    Raises:
        Problem: A parameter is unknown or wrong.
    """
    query = QueryString(
        parameters, FILTERS | {"q", "sort", "page", "limit", "facets", "highlight", "operators"}, SEVERAL
    )
    q = query.text("q", MAX_Q) or ""
    return SearchRequest(
        q=q,
        filters=read_filters(query),
        sort=query.one_of("sort", SORTS) or "relevance",
        page=query.integer("page", 1, MAX_PAGE, 1) or 1,
        limit=query.limit(),
        facets=read_facets(query),
        highlight=bool(query.flag("highlight")),
        operators=bool(query.flag("operators")),
    )


def browse_request(parameters: MultiDict[str]) -> BrowseRequest:
    """Return the page of a listing that the query parameters describe.

    Raises:
        InvalidParameter: A parameter is wrong, or the order is `relevance`.
        Problem: A parameter is unknown.
    """
    query = QueryString(parameters, FILTERS | {"sort", "limit", "cursor", "facets"}, SEVERAL)
    sort = query.one_of("sort", SORTS) or "newest"
    if sort == "relevance":
        raise InvalidParameter("sort", "A listing has no relevance: choose another order.")
    return BrowseRequest(
        filters=read_filters(query),
        sort=sort,
        limit=query.limit(),
        cursor=query.text("cursor", MAX_CURSOR),
        facets=read_facets(query),
    )
