"""The routes of ways on: collections, related and trending programs, one by chance, popular searches, clicks and plays.

`api.discovery.routes` serves them.
"""

import msgspec
from litestar import get, post
from litestar.params import FromPath, JSONBody

from api.answers.answer import Reply
from api.discovery import documented, replies
from api.discovery.around.popular import DEFAULT_POPULAR, MAX_POPULAR
from api.discovery.around.related import DEFAULT_RELATED, MAX_RELATED
from api.discovery.around.schemas import PopularSearchesAnswer, RelatedAnswer, TrendingAnswer
from api.discovery.around.trending import DEFAULT_TRENDING, DEFAULT_WINDOW, MAX_TRENDING, TrendingRequest
from api.discovery.counted.events import EventsAnswer, EventsIn, EventsTaken
from api.discovery.lookups.collections import DEFAULT_COLLECTIONS, MAX_COLLECTIONS, MAX_SHOWN
from api.discovery.lookups.schemas import CollectionPage, CollectionsAnswer
from api.discovery.narrowing.filters import FILTERS, SEVERAL, read_category, read_filters
from api.discovery.params import of_limit
from api.discovery.state import DiscoveryRequest
from api.http.errors import Problem
from api.http.parameters import DECLARED_ONLY
from api.http.query import DEFAULT_LIMIT, MAX_LIMIT, QueryString
from api.http.reply import JsonResponse
from api.http.schemas import ProgramData
from catalog.programs.around.trends import WINDOWS


@get(
    "/programs/{program_id:str}/related",
    operation_id="relatedPrograms",
    summary="Related programs",
    description="What stands beside a program in its series, shares its people, tags or words of its title, or is viewed "
    "most in its category and language; because says why each is offered. The nearest come first, and a larger limit "
    "adds others behind them. The id of a program that was merged into another program redirects."
    + documented.DEGRADED,
    responses=documented.answers(RelatedAnswer, moves=True),
    opt={"parameters": documented.RELATED, "errors": ("not_found", "search_unavailable")},
)
async def related(request: DiscoveryRequest, program_id: FromPath[str]) -> Reply:
    """Return programs that have something in common with a program.

    Raises:
        Problem: No visible program has the id.
    """
    query = QueryString(request.query_params, {"limit"})
    row_id, shared = replies.row_id(program_id, "id"), request.shared
    limit = query.integer("limit", 1, MAX_RELATED, DEFAULT_RELATED) or DEFAULT_RELATED
    key = f"related:{row_id}:{limit}"
    try:
        return await replies.cached(request, key, "page", lambda: shared.related.related(row_id, limit))
    except Problem as problem:
        if problem.code != "not_found":
            raise
        merged = await replies.page(request, f"merged:{row_id}", lambda: shared.programs.merged(row_id))
        if merged.status == 404:
            raise
        below = f"/related?limit={limit}" if "limit" in query.values else "/related"
        return replies.moved(str(msgspec.json.decode(merged.body, type=int)), below)


@get(
    "/trending",
    operation_id="trendingPrograms",
    summary="Trending programs",
    description="Programs that are viewed most lately: a view counts half after a sixth of the window, and a program "
    "without a view in the window is left out. Equal ones come by id. Nothing viewed, nothing listed.",
    responses=documented.answers(TrendingAnswer),
    opt={"parameters": documented.TRENDING},
)
async def trending(request: DiscoveryRequest) -> Reply:
    """Return the programs that are viewed most lately."""
    query = QueryString(request.query_params, {"window", "language", "category", "limit"}, {"language"})
    wanted = TrendingRequest(
        window=query.one_of("window", WINDOWS) or DEFAULT_WINDOW,
        languages=query.languages(),
        category=read_category(query),
        limit=query.integer("limit", 1, MAX_TRENDING, DEFAULT_TRENDING) or DEFAULT_TRENDING,
    )
    load = request.shared.trending.trending
    return await replies.cached(request, wanted.key(), "page", lambda: load(wanted))


@get(
    "/random",
    operation_id="randomPrograms",
    summary="A program by chance",
    description="One program, each that meets the filters with the same chance. " + documented.FILTERS,
    responses=documented.answers(ProgramData),
    opt={"parameters": documented.RANDOM, "errors": ("not_found",)},
)
async def random(request: DiscoveryRequest) -> JsonResponse[ProgramData]:
    """Return a program by chance.

    Raises:
        Problem: No visible program meets the filters.
    """
    query = QueryString(request.query_params, FILTERS | {"category"}, SEVERAL)
    program = await request.shared.chance.one(read_filters(query), read_category(query))
    if program is None:
        raise Problem("not_found")
    return JsonResponse(ProgramData(data=program))


@get(
    "/searches/popular",
    summary="Popular searches",
    description="Queries that many different listeners ask at many different times, and that find a program in one of the "
    "languages, the most frequent ones first, as the programs write them." + documented.DEGRADED,
    responses=documented.answers(PopularSearchesAnswer),
    opt={"parameters": documented.POPULAR_SEARCHES, "errors": ("search_unavailable",)},
)
async def popular_searches(request: DiscoveryRequest) -> Reply:
    """Return queries that are asked often."""
    query = QueryString(request.query_params, {"language", "limit"}, {"language"})
    languages = query.languages()
    limit = query.integer("limit", 1, MAX_POPULAR, DEFAULT_POPULAR) or DEFAULT_POPULAR
    key = f"popular-searches:{languages}:{limit}"
    load = request.shared.popular_searches.popular
    return await replies.cached(request, key, "page", lambda: load(languages, limit))


@get(
    "/collections",
    operation_id="browseCollections",
    summary="Collections",
    description="What editors put together, in their order: published collections at their time that have a visible program. "
    "`programs` asks for the first programs of each.",
    responses=documented.answers(CollectionsAnswer),
    opt={"parameters": documented.COLLECTIONS},
)
async def collections(request: DiscoveryRequest) -> Reply:
    """Return the collections."""
    query = QueryString(request.query_params, {"limit", "programs"})
    limit = query.integer("limit", 1, MAX_COLLECTIONS, DEFAULT_COLLECTIONS) or DEFAULT_COLLECTIONS
    programs = query.integer("programs", 0, MAX_SHOWN, 0) or 0
    load = request.shared.collections.listed
    return await replies.cached(
        request, f"collections:{limit}:{programs}", "page", lambda: load(limit, programs)
    )


@get(
    "/collections/{slug:str}",
    operation_id="lookUpCollection",
    summary="A collection and its programs",
    description="The visible programs in the editors' order (page, limit ≤ 100). A collection that is not published, not at "
    "its time, or without a visible program is 404.",
    responses=documented.answers(CollectionPage),
    opt={"parameters": documented.PAGES, "errors": ("not_found",)},
)
async def collection(request: DiscoveryRequest, slug: FromPath[str]) -> Reply:
    """Return a collection and a page of its programs."""
    query = QueryString(request.query_params, {"page", "limit"})
    page = query.integer("page", 1, replies.MAX_PAGE, 1) or 1
    limit = query.integer("limit", 1, MAX_LIMIT, DEFAULT_LIMIT) or DEFAULT_LIMIT
    load = request.shared.collections.collection
    return await replies.cached(
        request,
        f"collection:{slug!r}:{page}:{limit}",
        "page",
        replies.paged(lambda: load(slug, page, limit), f"/discovery/collections/{slug}", of_limit(limit)),
    )


@post(
    "/events",
    operation_id="reportEvents",
    status_code=202,
    summary="Report clicks and plays",
    description="What listeners opened and played of the results of searches, at most 100 events at once. An event that is sent "
    "again in the same half hour counts once, and one of a bot, or of a search that was not asked since yesterday, does not count.",
    before_request=DECLARED_ONLY,
)
async def events(request: DiscoveryRequest, data: JSONBody[EventsIn]) -> JsonResponse[EventsAnswer]:
    """Take clicks and plays."""
    client = request.shared.limiter.addresses.of(request.scope)
    request.shared.events.add(data.events, request.headers.get("user-agent", ""), client)
    return JsonResponse(EventsAnswer(data=EventsTaken(received=len(data.events))))


HANDLERS = [collections, collection, related, trending, random, popular_searches, events]
