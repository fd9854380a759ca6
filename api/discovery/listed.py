"""The routes of lists by name: values of a facet, series, people and tags; and the feed of changes. `api.discovery.routes` serves them."""

from litestar import get
from litestar.params import FromPath

from api.answers.answer import Answer, Reply
from api.discovery import documented, replies
from api.discovery.lookups.changes import NOW, parse
from api.discovery.lookups.schemas import ChangesAnswer
from api.discovery.narrowing.filters import FILTERS, MAX_SLUG, SEVERAL, read_filters
from api.discovery.params import FACETS, MAX_TYPED, browse_request, of_limit, read_zone
from api.discovery.state import DiscoveryRequest
from api.discovery.subjects.schemas import FacetAnswer, NamePage, NamesAnswer, SeriesListAnswer
from api.discovery.subjects.service import PEOPLE, SERIES, TAGS, Kind
from api.discovery.subjects.values import FacetRequest
from api.http.errors import InvalidParameter, Problem
from api.http.query import MAX_CURSOR, QueryString
from catalog.taxonomy import names

_LISTED = (
    "The {0} with a visible program that meets the filters, those with most of them first; q finds {1} by the beginnings of "
    "their words. "
)
_ONE = (
    "By slug; the name itself, in any spelling, and slugs of before it was renamed or merged redirect. The programs are a listing: filters, orders, facets and cursors are "
    "those of /discovery/browse. A {0} without a visible program is 404. "
)


@get(
    "/facets/{name:str}",
    operation_id="searchFacetValues",
    summary="Values of a facet",
    description="All values of a facet with the number of programs that have each, the most frequent first, those whose "
    "names have words that begin as typed (q): follow meta.nextCursor to the last one. Filters narrow what is counted, but "
    f"for those by the facet's own values. Facets: {', '.join(FACETS)}. " + documented.DEGRADED,
    responses=documented.answers(FacetAnswer),
    opt={"parameters": documented.FACET_VALUES, "errors": ("invalid_cursor", "search_unavailable")},
)
async def facet(request: DiscoveryRequest, name: FromPath[str]) -> Reply:
    """Return a page of the values of a facet.

    Raises:
        InvalidParameter: There is no such facet.
    """
    query = QueryString(request.query_params, FILTERS | {"q", "limit", "cursor"}, SEVERAL)
    if name not in FACETS:
        raise InvalidParameter("name", f"Must be one of {', '.join(FACETS)}.")
    asked = _values(query, name)
    values = request.shared.facet_values
    load = replies.paged(lambda: values.answer(asked), f"/discovery/facets/{name}", asked.pairs())
    return await replies.cached(request, asked.key(), "page", load)


def _values(query: QueryString, facet: str) -> FacetRequest:
    """Return the page of a facet's values that a query string describes.

    Args:
        query: The query string.
        facet: The facet.

    Raises:
        InvalidParameter: A parameter is wrong.
    """
    return FacetRequest(
        facet=facet,
        q=" ".join((query.text("q", MAX_TYPED) or "").split()),
        filters=read_filters(query).without(facet),
        limit=query.limit(),
        cursor=query.text("cursor", MAX_CURSOR),
        zone=read_zone(query, (facet,)),
    )


async def _listed(request: DiscoveryRequest, kind: Kind, room: str) -> Reply:
    """Return a page of series, people or tags.

    Args:
        request: Has the parameters.
        kind: What is listed.
        room: The address of the list.
    """
    query = QueryString(request.query_params, FILTERS | {"q", "limit", "cursor"}, SEVERAL)
    asked, load = _values(query, kind.facet), request.shared.subjects.listed
    paged = replies.paged(lambda: load(kind, asked), f"/discovery/{room}", asked.pairs())
    return await replies.cached(request, f"listed:{asked.key()}", "page", paged)


@get(
    "/series",
    operation_id="browseSeries",
    summary="Series",
    description=_LISTED.format("series", "titles") + documented.DEGRADED,
    responses=documented.answers(SeriesListAnswer),
    opt={"parameters": documented.FACET_VALUES, "errors": ("invalid_cursor", "search_unavailable")},
)
async def all_series(request: DiscoveryRequest) -> Reply:
    """Return a page of series."""
    return await _listed(request, SERIES, "series")


@get(
    "/people",
    operation_id="browsePeople",
    summary="People",
    description=_LISTED.format("people", "names") + documented.DEGRADED,
    responses=documented.answers(NamesAnswer),
    opt={"parameters": documented.FACET_VALUES, "errors": ("invalid_cursor", "search_unavailable")},
)
async def people(request: DiscoveryRequest) -> Reply:
    """Return a page of people."""
    return await _listed(request, PEOPLE, "people")


@get(
    "/tags",
    operation_id="browseTags",
    summary="Tags",
    description=_LISTED.format("tags", "names") + documented.DEGRADED,
    responses=documented.answers(NamesAnswer),
    opt={"parameters": documented.FACET_VALUES, "errors": ("invalid_cursor", "search_unavailable")},
)
async def tags(request: DiscoveryRequest) -> Reply:
    """Return a page of tags."""
    return await _listed(request, TAGS, "tags")


async def _one(request: DiscoveryRequest, kind: Kind, room: str, key: str) -> Reply:
    """Return a person or a tag with its programs, or redirect to its address.

    Args:
        request: Has the parameters of a listing.
        kind: PEOPLE or TAGS.
        room: The part of the address before the slug.
        key: The slug, or the name in any spelling that folds alike.

    Raises:
        Problem: No visible program has such a person or tag.
    """
    asked, load = browse_request(request.query_params), request.shared.subjects.one
    slug = names.key(key) if len(key) <= MAX_SLUG else ""
    if not slug:
        raise Problem("not_found")
    name = f"{room}:{slug}:{asked.key()}"
    shown = replies.with_fields(lambda: load(kind, slug, asked), asked.fields)
    try:
        paged = replies.paged(shown, f"/discovery/{room}/{slug}", asked.pairs())
        found = await replies.cached(request, name, "page", paged)
    except Problem as problem:
        now = await replies.formerly(request, kind.model, slug) if problem.code == "not_found" else None
        # Two reads may disagree for a moment: an address never leads to itself.
        if now is None or now[0] == key:
            raise
        return replies.moved(now[0], replies.query_of(request), room)
    if slug == key:
        return found
    # The edge remembers answers, not redirects.
    del request.scope["state"]["answered"]
    return replies.moved(slug, replies.query_of(request), room)


@get(
    "/people/{key:str}",
    operation_id="lookUpPerson",
    summary="A person and the programs with this person",
    description=_ONE.format("person") + documented.FILTERS + documented.DEGRADED,
    responses=documented.answers(NamePage, moves=True),
    opt={"parameters": documented.BROWSE, "errors": ("not_found", "invalid_cursor", "search_unavailable")},
)
async def person(request: DiscoveryRequest, key: FromPath[str]) -> Reply:
    """Return a person and a page of programs."""
    return await _one(request, PEOPLE, "people", key)


@get(
    "/tags/{key:str}",
    operation_id="lookUpTag",
    summary="A tag and its programs",
    description=_ONE.format("tag") + documented.FILTERS + documented.DEGRADED,
    responses=documented.answers(NamePage, moves=True),
    opt={"parameters": documented.BROWSE, "errors": ("not_found", "invalid_cursor", "search_unavailable")},
)
async def tag(request: DiscoveryRequest, key: FromPath[str]) -> Reply:
    """Return a tag and a page of programs."""
    return await _one(request, TAGS, "tags", key)


@get(
    "/changes",
    operation_id="listChanges",
    summary="What has changed",
    description="For mirrors and CDNs: programs that were published, changed or withdrawn, in the order in which this was "
    "committed. Without since, every visible program is told; then ask with since=meta.next "
    "again and again. A published or changed program is told as it is now. Views are no change. A withdrawal is told for "
    "thirty days unless the operators chose another time; an older cursor is a 410 cursor_expired: begin again, and forget "
    "what is not told.",
    responses=documented.answers(ChangesAnswer),
    opt={"parameters": documented.CHANGES, "errors": ("invalid_cursor", "cursor_expired")},
)
async def changes(request: DiscoveryRequest) -> Reply:
    """Return what has changed behind a cursor."""
    query = QueryString(request.query_params, {"since", "limit"})
    since, limit = query.text("since", MAX_CURSOR), query.limit()
    if since not in (None, NOW):
        parse(since or "")

    async def load() -> Answer:
        answer, following = await request.shared.changes.changes(since, limit)
        if not following:
            return answer
        pairs = [*of_limit(limit), ("since", following)]
        return answer.linked(replies.link("/discovery/changes", pairs, "next").encode())

    return await replies.cached(request, f"changes:{since}:{limit}", "page", load)


HANDLERS = [changes, facet, all_series, people, person, tags, tag]
