"""The parameters of search and browse: read from the query string and checked.

`api.discovery.routes` reads requests with it. `api.discovery.documented` describes the parameters in the OpenAPI
document.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from litestar.datastructures import MultiDict

from api.discovery.narrowing import written
from api.discovery.narrowing.filters import FILTERS, RANGES, SEVERAL, YEAR, Filters, read_filters
from api.discovery.narrowing.orders import ORDERS, SORTS, Order
from api.http.errors import InvalidParameter
from api.http.query import DEFAULT_LIMIT, DEFAULT_ZONE, MAX_CURSOR, QueryString

# Characters of a query, of the beginning of a name, and the last page of a search.
MAX_Q, MAX_TYPED, MAX_PAGE = 512, 100, 1000
# The orders of a search and of a listing that ask for no other.
RELEVANCE, NEWEST = "relevance", "newest"
# Characters of a list of names of fields.
MAX_NAMES = 500
# The cursor of a search's first page, and characters of the others: they have the words.
BEGINNING, MAX_SEARCH_CURSOR = "*", 2500
FACETS = ("categoryId", "language", "mediaType", "kind", "seriesId", "tags", "people", "isFeatured", *RANGES)
# What a search may find; `all` of them.
PROGRAM, SERIES, PERSON = "program", "series", "person"
TYPES = (PROGRAM, SERIES, PERSON)


def hides_unreleased(sort: str, filters: Filters) -> bool:
    """Return whether the list leaves out programs whose release date is in the future.

    `newest` would show them first until they are released, unless the listener names dates.
    """
    return sort == NEWEST and filters.released_after is None and filters.released_before is None


def read_names(query: QueryString, parameter: str) -> tuple[str, ...]:
    """Return the names in a parameter, each once, in alphabetical order. Commas separate them.

    Args:
        query: The query string.
        parameter: The parameter.

    Raises:
        InvalidParameter: The value is too long.
    """
    value = query.text(parameter, MAX_NAMES) or ""
    return tuple(sorted({name.strip() for name in value.split(",")} - {""}))


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


def read_zone(query: QueryString, facets: Sequence[str]) -> str:
    """Return the time zone of years; where none are counted, always the same one."""
    return query.values.get("tz", DEFAULT_ZONE) if YEAR in facets else DEFAULT_ZONE


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
    # The time zone of years, where they are counted.
    zone: str = DEFAULT_ZONE
    # What is looked for, in the order of TYPES.
    types: tuple[str, ...] = (PROGRAM,)
    # The fields of programs that are shown, in alphabetical order; none: all.
    fields: tuple[str, ...] = ()
    # Where the page begins, in a list with an order; None: at its number.
    cursor: str | None = None

    def key(self) -> str:
        """Return the cache key. Equal searches have equal keys and share an answer."""
        return f"search:{self.q!r}:{self.filters.key()}:{self.sort}:{self.page}:{self.limit}:{self.facets}:{self.highlight}:{self.operators}:{self.zone}:{self.types}:{self.fields}:{self.cursor}"

    def pairs(self) -> list[written.Pair]:
        """Return the parameters that lead to the pages of this search, without the place of a page."""
        pairs = [("q", self.q)] if self.q else []
        pairs += written.values("type", self.types if self.types != (PROGRAM,) else ())
        pairs += written.filters(self.filters)
        if self.sort != RELEVANCE:
            pairs.append(("sort", self.sort))
        pairs += [(name, "true") for name in ("highlight", "operators") if getattr(self, name)]
        return pairs + _of_a_page(self.limit, self.facets, self.zone, self.fields)


@dataclass(frozen=True, slots=True)
class BrowseRequest:
    """A page of a listing whose parameters have been checked."""

    filters: Filters
    sort: str
    limit: int
    cursor: str | None
    facets: tuple[str, ...]
    # The time zone of years, where they are counted.
    zone: str = DEFAULT_ZONE
    # The fields of programs that are shown, in alphabetical order; none: all.
    fields: tuple[str, ...] = ()

    @property
    def order(self) -> Order:
        """The field and direction to sort by."""
        return ORDERS[self.sort]

    def key(self) -> str:
        """Return the cache key. Equal pages have equal keys and share an answer."""
        return f"browse:{self.filters.key()}:{self.sort}:{self.limit}:{self.cursor}:{self.facets}:{self.zone}:{self.fields}"

    def pairs(self) -> list[written.Pair]:
        """Return the parameters that lead to the pages of this listing, without the place of a page."""
        pairs = written.filters(self.filters)
        if self.sort != NEWEST:
            pairs.append(("sort", self.sort))
        return pairs + _of_a_page(self.limit, self.facets, self.zone, self.fields)


def _of_a_page(
    limit: int, facets: Sequence[str], zone: str, fields: Sequence[str] = ()
) -> list[written.Pair]:
    """Return the parameters that say how a page looks, where they do not say the default.

    Args:
        limit: Rows of the page.
        facets: What is counted.
        zone: The time zone of years.
        fields: The fields that are shown.
    """
    pairs = of_limit(limit)
    if facets:
        pairs.append(("facets", ",".join(facets)))
    if zone != DEFAULT_ZONE:
        pairs.append(("tz", zone))
    if fields:
        pairs.append(("fields", ",".join(fields)))
    return pairs


def of_limit(limit: int) -> list[written.Pair]:
    """Return the parameter `limit`, unless it is the default."""
    return [] if limit == DEFAULT_LIMIT else [("limit", str(limit))]


def spaced(q: str) -> str:
    """Return a query with single spaces between its words. One space behind the last word says that it is whole."""
    words = q.split()
    return " ".join(words) + (" " if words and q[-1].isspace() else "")


def search_request(parameters: MultiDict[str]) -> SearchRequest:
    """Return the search that the query parameters describe.

    Raises:
        Problem: A parameter is unknown or wrong.
    """
    query = QueryString(
        parameters,
        FILTERS
        | {"q", "type", "sort", "page", "limit", "facets", "highlight", "operators", "fields", "cursor"},
        SEVERAL | {"type"},
    )
    q, types = spaced(query.text("q", MAX_Q) or ""), _read_types(query)
    # Facets are counts of programs.
    facets = read_facets(query) if PROGRAM in types else ()
    return SearchRequest(
        q=q,
        filters=read_filters(query),
        sort=query.one_of("sort", SORTS) or RELEVANCE,
        page=query.integer("page", 1, MAX_PAGE, 1) or 1,
        limit=query.limit(),
        facets=facets,
        # Without words there is nothing to mark.
        highlight=bool(query.flag("highlight") and q),
        operators=bool(query.flag("operators")),
        zone=read_zone(query, facets),
        types=types,
        fields=read_names(query, "fields"),
        cursor=_read_cursor(query, types),
    )


def _read_cursor(query: QueryString, types: Sequence[str]) -> str | None:
    """Return where a page of a search begins; None when it is found by its number.

    Raises:
        InvalidParameter: The order has no places, or the page also has a number.
    """
    cursor = query.text("cursor", MAX_SEARCH_CURSOR)
    if cursor is not None and query.values.get("sort", RELEVANCE) == RELEVANCE:
        raise InvalidParameter("cursor", "Needs another order than relevance.")
    if cursor is not None and "page" in query.values:
        raise InvalidParameter("page", "Must not be given with a cursor.")
    if cursor is not None and PROGRAM not in types:
        raise InvalidParameter("cursor", "Is a place among programs, which are not looked for.")
    return cursor


def _read_types(query: QueryString) -> tuple[str, ...]:
    wanted = query.several_of("type", (*TYPES, "all")) or (PROGRAM,)
    return tuple(one for one in TYPES if one in wanted or "all" in wanted)


def browse_request(parameters: MultiDict[str]) -> BrowseRequest:
    """Return the page of a listing that the query parameters describe.

    Raises:
        InvalidParameter: A parameter is wrong, or the order is `relevance`.
        Problem: A parameter is unknown.
    """
    query = QueryString(parameters, FILTERS | {"sort", "limit", "cursor", "facets", "fields"}, SEVERAL)
    sort = query.one_of("sort", SORTS) or NEWEST
    if sort == RELEVANCE:
        raise InvalidParameter("sort", "A listing has no relevance: choose another order.")
    facets = read_facets(query)
    return BrowseRequest(
        filters=read_filters(query),
        sort=sort,
        limit=query.limit(),
        cursor=query.text("cursor", MAX_CURSOR),
        facets=facets,
        zone=read_zone(query, facets),
        fields=read_names(query, "fields"),
    )
