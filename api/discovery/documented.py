"""The query parameters of listeners' routes for the OpenAPI document, and descriptions that several routes share.

These routes read their query strings by themselves to be fast (`api.discovery.params`), so the framework does not know
the parameters. A test checks that both modules say the same.
"""

from litestar.openapi.datastructures import ResponseSpec

from api.discovery.narrowing.filters import MAX_SLUG
from api.discovery.narrowing.orders import ORDERS, SORTS
from api.discovery.params import FACETS, MAX_NAMES, MAX_PAGE, MAX_Q, MAX_SEARCH_CURSOR, MAX_TYPED, TYPES
from api.http.documents import described
from api.http.query import DEFAULT_ZONE
from catalog.journal.queries import CURSOR
from catalog.programs.models import KINDS, MEDIA_TYPES

_FACETS = described.query(
    "facets",
    f"Count values of these, comma separated: {', '.join(FACETS)}.",
    "language,categoryId",
    type="string",
)
_LANGUAGE = described.languages()
_CATEGORY = described.query(
    "category", "Only this category: its id or its slug.", "society", type="string", maxLength=MAX_SLUG
)
_FILTERS = [
    described.ids("categoryId", "Only these categories.", 3),
    _LANGUAGE,
    described.several("mediaType", "Only these media.", "audio", type="string", enum=list(MEDIA_TYPES)),
    described.several("kind", "Only these kinds.", "episode", type="string", enum=list(KINDS)),
    described.ids("seriesId", "Only these series.", 1),
    described.names("tag", "Only with one of these tags.", "قهوة"),
    described.names("tagAll", "Only with all of these tags.", "قهوة"),
    described.names("person", "Only with one of these people.", "سلمان الراشد"),
    described.names("personAll", "Only with all of these people.", "سلمان الراشد"),
    described.seconds("durationMin", "The shortest duration in seconds.", 600),
    described.seconds("durationMax", "The longest duration in seconds.", 3600),
    described.day(
        "releasedAfter", "Released on this day or later, or at this time (ISO 8601).", "2024-01-01"
    ),
    described.day(
        "releasedBefore", "Released on this day or earlier, or at this time (ISO 8601).", "2024-12-31"
    ),
    described.zone(DEFAULT_ZONE),
    described.query("featured", "Only featured programs, or only the others.", True, type="boolean"),
]
# Without an example: an answer with few fields is not the documented one.
_FIELDS = described.query(
    "fields",
    "Only these fields of each program, comma separated; id is always there.",
    None,
    type="string",
    maxLength=MAX_NAMES,
)
LOOKUP = [
    _FIELDS,
    described.query(
        "include",
        "Tell more about these, comma separated: series, category.",
        "series,category",
        type="string",
        maxLength=MAX_NAMES,
    ),
]
SEARCH = [
    described.query(
        "q", "The words to search for; typos are tolerated.", "المراه", type="string", maxLength=MAX_Q
    ),
    described.several(
        "type",
        "What to find; only programs unless said otherwise.",
        "all",
        type="string",
        enum=[*TYPES, "all"],
    ),
    *_FILTERS,
    described.query("sort", "Order.", "relevance", type="string", enum=list(SORTS)),
    described.query("page", "Page.", 1, type="integer", minimum=1, maximum=MAX_PAGE, default=1),
    described.query(
        "cursor",
        "* for the first page of a search with an order other than relevance, then meta.nextCursor: reaches the last program.",
        None,
        type="string",
        maxLength=MAX_SEARCH_CURSOR,
    ),
    described.LIMIT,
    _FACETS,
    _FIELDS,
    described.query("highlight", "Mark the matching words with <em>, in safe HTML.", True, type="boolean"),
    described.query(
        "operators",
        "Read q as a query language: -word leaves out programs with the word. Otherwise the hyphen is text.",
        None,
        type="boolean",
    ),
]
BROWSE = [
    *_FILTERS,
    described.query("sort", "Order.", "newest", type="string", enum=list(ORDERS)),
    described.LIMIT,
    described.CURSOR,
    _FACETS,
    _FIELDS,
]
_NAME = described.query(
    "q", "What words of the name begin with.", "سلمان", type="string", maxLength=MAX_TYPED
)
FACET_VALUES = [*_FILTERS, _NAME, described.LIMIT, described.CURSOR]
SUGGEST = [
    described.query("q", "The text typed so far.", "قه", type="string", minLength=1, maxLength=100)
    | {"required": True},
    described.query(
        "limit", "The largest number of suggestions.", 8, type="integer", minimum=1, maximum=20, default=8
    ),
]
TRENDING = [
    described.query(
        "window", "How far to look back.", "24h", type="string", enum=["24h", "7d"], default="24h"
    ),
    _LANGUAGE,
    _CATEGORY,
    described.query(
        "limit", "The largest number of programs.", 12, type="integer", minimum=1, maximum=50, default=12
    ),
]
RANDOM = [*_FILTERS, _CATEGORY]
POPULAR_SEARCHES = [
    _LANGUAGE,
    described.query(
        "limit", "The largest number of queries.", 10, type="integer", minimum=1, maximum=20, default=10
    ),
]
RELATED = [
    described.query(
        "limit", "The largest number of programs.", 8, type="integer", minimum=1, maximum=24, default=8
    )
]
COLLECTIONS = [
    described.query(
        "limit", "The largest number of collections.", 20, type="integer", minimum=1, maximum=50, default=20
    ),
    described.query(
        "programs", "How many programs of each to show.", 4, type="integer", minimum=0, maximum=12, default=0
    ),
]
CHANGES = [
    described.query(
        "since",
        "meta.next of the answer before, or now for the changes from now on. Without it, every program is told.",
        None,
        type="string",
        pattern=f"^(now|{CURSOR})$",
    ),
    described.LIMIT,
]
PAGES = [
    described.query("page", "Page.", 1, type="integer", minimum=1, maximum=10_000, default=1),
    described.LIMIT,
]

FILTERS = (
    "Filters: categoryId, language, mediaType (audio, video), kind (episode, film, documentary, series, "
    "trailer, short), seriesId, tag, person: each may have several values, of which a program has one; tagAll, "
    "personAll: a program has all of them; durationMin, durationMax (seconds), releasedAfter, releasedBefore (ISO 8601, "
    "in the time zone tz), featured (true, false). The counts of a facet leave out the filters by its own values, so "
    "that they say what choosing another value would find."
)
DEGRADED = (
    " When no search engine answers, the catalogue's database answers instead: meta.degraded is true and "
    "meta.unavailable names the requested parts that are missing."
)


def answers(shape: type, *, moves: bool = False) -> dict[int, ResponseSpec]:
    """Return the documented answers of a route that is served from the cache.

    Args:
        shape: The struct whose JSON the route answers with.
        moves: Whether the route also redirects to the current address of what it shows.
    """
    found = {200: ResponseSpec(shape, generate_examples=False)}
    if moves:
        found[301] = ResponseSpec(
            None, description="The current address is in Location.", generate_examples=False
        )
    return found
