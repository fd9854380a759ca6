"""The routes of listeners, under /discovery. `api.app` serves the router.

Most answers come from the cache. Such a route stores the cache key of its answer in the state of the request, so that
the edge can answer the next request of the same address from memory.
"""

from functools import partial

import msgspec
from litestar import Router, get, post
from litestar.params import FromPath, JSONBody

from api.answers.answer import Answer, Reply
from api.discovery import documented, further, listed, replies, schemas
from api.discovery.lookups.shaping import INCLUDED, LookupAnswer, shaped
from api.discovery.narrowing.filters import MAX_SLUG
from api.discovery.params import MAX_PAGE, browse_request, of_limit, read_names, search_request, spaced
from api.discovery.state import DiscoveryRequest
from api.http.errors import InvalidParameter, Problem
from api.http.parameters import DECLARED_ONLY
from api.http.query import DEFAULT_LIMIT, MAX_LIMIT, QueryString
from api.http.reply import JsonResponse
from api.http.schemas import ProgramDetail
from catalog.core.text import slugify
from catalog.taxonomy.models import Series

_MAX_SUGGESTED, _DEFAULT_SUGGESTED = 20, 8
_FIELDS = [field.encode_name for field in msgspec.structs.fields(ProgramDetail)]


@get(
    "/search",
    operation_id="searchPrograms",
    summary="Search programs",
    description="Finds programs by words, and with type=series,person or all the series and people whose names have the "
    "words. A query that finds too little is asked again as it may have been meant; "
    "meta.rewrite says how, meta.didYouMean offers it. "
    + documented.FILTERS
    + " Order: sort=relevance|newest|oldest|longest|shortest|popular. Pages: page, limit ≤ 100. Extras: "
    "facets (comma separated), highlight=true." + documented.DEGRADED,
    responses=documented.answers(schemas.SearchAnswer),
    opt={"parameters": documented.SEARCH, "errors": ("invalid_cursor", "search_unavailable")},
)
async def search(request: DiscoveryRequest) -> Reply:
    """Return a page of search results."""
    checked, shared = search_request(request.query_params), request.shared
    load = replies.with_fields(lambda: shared.searches.search(checked), checked.fields)
    load = replies.paged(load, "/discovery/search", checked.pairs(), MAX_PAGE)
    return await replies.cached(request, checked.key(), "page", load)


@get(
    "/browse",
    operation_id="browsePrograms",
    summary="Browse programs",
    description="Lists programs, newest first unless sorted otherwise, and "
    "reaches the last one: follow meta.nextCursor. " + documented.FILTERS + documented.DEGRADED,
    responses=documented.answers(schemas.BrowseAnswer),
    opt={"parameters": documented.BROWSE, "errors": ("invalid_cursor", "search_unavailable")},
)
async def browse(request: DiscoveryRequest) -> Reply:
    """Return a page of a listing."""
    checked = browse_request(request.query_params)
    load = replies.with_fields(lambda: request.shared.searches.browse(checked), checked.fields)
    load = replies.paged(load, "/discovery/browse", checked.pairs())
    return await replies.cached(request, checked.key(), "page", load)


@get(
    "/suggest",
    summary="Suggest while typing",
    description="Titles, series, people, tags and categories that begin with what was typed (q; limit ≤ 20), queries that "
    "are asked often, and what unknown words may have been meant as." + documented.DEGRADED,
    responses=documented.answers(schemas.SuggestAnswer),
    opt={"parameters": documented.SUGGEST, "errors": ("search_unavailable",)},
)
async def suggest(request: DiscoveryRequest) -> Reply:
    """Return suggestions, best first.

    Raises:
        InvalidParameter: `q` is absent or blank.
    """
    query = QueryString(request.query_params, {"q", "limit"})
    # Words that are still being typed: a space behind the last one does not end it.
    q = spaced(query.text("q", 100) or "").rstrip()
    if not q:
        raise InvalidParameter("q", "Must be given.")
    limit = query.integer("limit", 1, _MAX_SUGGESTED, _DEFAULT_SUGGESTED) or _DEFAULT_SUGGESTED
    key = f"suggest:{q!r}:{limit}"
    return await replies.cached(request, key, "page", lambda: request.shared.suggestions.suggest(q, limit))


@get(
    "/categories",
    operation_id="browseCategories",
    summary="Categories",
    description="Every active category with a visible program, in its order, with its number of programs.",
    responses=documented.answers(schemas.CategoriesAnswer),
    opt={"errors": ("unknown_parameter",)},
)
async def categories(request: DiscoveryRequest) -> Reply:
    """Return the categories to browse."""
    QueryString(request.query_params, ())
    return await replies.cached(request, "categories", "page", request.shared.taxonomy.categories)


@get(
    "/series/{key:str}",
    operation_id="lookUpSeries",
    summary="A series and its programs",
    description="By id or by slug. Programs in season and episode order (page, limit ≤ 100); /discovery/browse?seriesId= lists "
    "them in other orders and with filters. A slug in other letters, or of before, redirects. A series without a visible program is 404.",
    responses=documented.answers(schemas.SeriesPage, moves=True),
    opt={"parameters": documented.PAGES, "errors": ("not_found",)},
)
async def series(request: DiscoveryRequest, key: FromPath[str]) -> Reply:
    """Return a series and a page of its programs, or redirect to its address.

    Raises:
        Problem: No visible series has the id or slug.
    """
    query = QueryString(request.query_params, {"page", "limit"})
    page = query.integer("page", 1, replies.MAX_PAGE, 1) or 1
    limit = query.integer("limit", 1, MAX_LIMIT, DEFAULT_LIMIT) or DEFAULT_LIMIT
    taxonomy, via = request.shared.taxonomy, None
    if key.isascii() and key.isdigit():
        row_id = replies.row_id(key, "key")
    else:
        slug = slugify(key[:MAX_SLUG])
        via = (
            f"series-slug:{slug}",
            await replies.page(request, f"series-slug:{slug}", lambda: taxonomy.series_place(slug)),
        )
        if len(key) > MAX_SLUG:
            raise Problem("not_found")
        if via[1].status == 404:
            now = await replies.formerly(request, Series, slug)
            # Two reads may disagree for a moment: an address never leads to itself.
            if now is None or now[0] == key:
                raise Problem("not_found")
            return replies.moved(now[0], replies.query_of(request), "series")
        if slug != key:
            return replies.moved(slug, replies.query_of(request), "series")
        row_id = msgspec.json.decode(via[1].body, type=int)
    name = f"series:{row_id}:{page}:{limit}"
    path = f"/discovery/series/{row_id}"
    load = replies.paged(lambda: taxonomy.series(row_id, page, limit), path, of_limit(limit))
    return await replies.cached(request, name, "page", load, via)


@get(
    "/programs/{key:str}",
    operation_id="lookUpProgram",
    summary="One program",
    description="By id or by slug. An old slug, a slug in other letters, and the id of a program that was merged into another "
    "program redirect.",
    responses=documented.answers(LookupAnswer, moves=True),
    opt={"parameters": documented.LOOKUP, "errors": ("not_found",)},
)
async def program(request: DiscoveryRequest, key: FromPath[str]) -> Reply:
    """Return a program, or redirect to its current address.

    Raises:
        Problem: No visible program has the id or slug.
    """
    query = QueryString(request.query_params, {"fields", "include"})
    programs, via = request.shared.programs, None
    if key.isascii() and key.isdigit():
        program_id = replies.row_id(key, "id")
    else:
        if len(key) > MAX_SLUG or "\x00" in key:
            raise Problem("not_found")
        via = f"slug:{key}", await replies.page(request, f"slug:{key}", lambda: programs.slug(key))
        if via[1].status == 404:
            via = await _otherwise_written(request, key)
        program_id, current = msgspec.json.decode(via[1].body, type=tuple[int, str])
        if current != key:
            return replies.moved(current, replies.query_of(request))
    try:
        if query.values:
            return await _shaped(request, program_id, query)
        name = f"program:{program_id}"
        return await replies.cached(request, name, "program", lambda: programs.program(program_id), via)
    except Problem as problem:
        if problem.code != "not_found":
            raise
        merged = await replies.page(request, f"merged:{program_id}", lambda: programs.merged(program_id))
        if merged.status == 404:
            raise
        return replies.moved(str(msgspec.json.decode(merged.body, type=int)), replies.query_of(request))


async def _shaped(request: DiscoveryRequest, program_id: int, query: QueryString) -> Reply:
    """Return a program with some of its fields, or with more about what belongs to it.

    Args:
        request: Has the cache.
        program_id: The program.
        query: Has `fields` or `include`.

    Raises:
        Problem: No visible program has the id, or a name is unknown.
    """
    fields, include = read_names(query, "fields"), read_names(query, "include")
    replies.check_names("fields", fields, _FIELDS)
    replies.check_names("include", include, INCLUDED)
    shared, name = request.shared, f"program:{program_id}"
    ttl = shared.settings.api.program_ttl
    found = await shared.cache.get(name, "program", lambda: shared.programs.program(program_id), ttl=ttl)
    plain = found.answer
    if plain.status == 404:
        raise Problem("not_found")
    # As long as the plain answer is the one that was shaped, the edge may answer.
    key = f"shaped:{program_id}:{plain.etag.decode()}:{fields}:{include}"
    load = partial(shaped, plain, fields, include, shared.taxonomy)
    return await replies.cached(request, key, "page", load, (name, plain))


async def _otherwise_written(request: DiscoveryRequest, key: str) -> tuple[str, Answer]:
    """Return what leads to a program whose slug is written in another way: in capitals, decomposed, with vowel marks.

    Raises:
        Problem: No visible program has or had the slug.
    """
    slug = slugify(key)
    name = f"slug:{slug}"
    if slug and slug != key:
        found = await replies.page(request, name, lambda: request.shared.programs.slug(slug))
        if found.status != 404:
            return name, found
    raise Problem("not_found")


@post(
    "/programs/batch",
    operation_id="lookUpPrograms",
    status_code=200,
    summary="Several programs",
    description="At most 100 ids; the programs come in the order of the ids.",
    before_request=DECLARED_ONLY,
)
async def batch(
    request: DiscoveryRequest, data: JSONBody[schemas.BatchBody]
) -> JsonResponse[schemas.BatchAnswer]:
    """Return programs by id."""
    return JsonResponse(await request.shared.programs.batch(data.ids))


@post(
    "/programs/{program_id:str}/views",
    status_code=202,
    summary="Count a view",
    description="A client counts once for a program in half an hour, a bot not at all. "
    "The program's viewCount follows within seconds.",
    before_request=DECLARED_ONLY,
    opt={"errors": ("not_found",)},
)
async def count_view(
    request: DiscoveryRequest, program_id: FromPath[str]
) -> JsonResponse[schemas.ViewCounted]:
    """Count a view of a visible program.

    Raises:
        Problem: No visible program has the id.
    """
    row_id = replies.row_id(program_id, "id")
    shared = request.shared
    found = await shared.cache.get(
        f"program:{row_id}",
        "program",
        lambda: shared.programs.program(row_id),
        ttl=shared.settings.api.program_ttl,
    )
    if found.answer.status == 404:
        raise Problem("not_found")
    client = shared.limiter.addresses.of(request.scope)
    shared.views.add(row_id, client, request.headers.get("user-agent", ""))
    return JsonResponse(schemas.ViewCounted(data={"id": row_id}))


router = Router(
    "/discovery",
    route_handlers=[
        search,
        browse,
        suggest,
        categories,
        series,
        program,
        batch,
        count_view,
        *listed.HANDLERS,
        *further.HANDLERS,
    ],
    request_class=DiscoveryRequest,
    tags=["discovery"],
)
