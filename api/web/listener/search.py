"""The results of a search, and the suggestions while a listener types."""

import asyncio
from dataclasses import replace

from litestar.datastructures import MultiDict

from api.answers.answer import Answer, document
from api.discovery.around.schemas import PopularSearchesAnswer
from api.discovery.narrowing.filters import FILTERS, SEVERAL
from api.discovery.params import SearchRequest, search_request
from api.discovery.schemas import SearchAnswer, SuggestAnswer, Suggestion
from api.discovery.state import DiscoveryState
from api.http.query import QueryString
from api.web.listener import lists
from api.web.listener.narrowing import PARAMETERS, Narrowing, State, written
from api.web.rendering.links import Links
from api.web.rendering.page import PageRequest, Shown, page, text
from api.web.rendering.templates import HTML

_LIMIT, _SUGGESTED, _POPULAR = 24, 8, 8
MAX_TYPED = 100
# A page has no other types, fields or cursors.
_PARAMETERS = FILTERS | {"q", "sort", "page", "limit", "facets", "highlight", "operators"}
# Without words nothing is more relevant: the newest come first.
_WITHOUT_WORDS = ("newest", "oldest", "longest", "shortest", "popular")


def read(parameters: MultiDict[str]) -> SearchRequest:
    """Return the search that a query string names.

    Raises:
        Problem: A parameter is unknown or wrong.
    """
    QueryString(parameters, _PARAMETERS, SEVERAL)
    asked = search_request(parameters)
    sort = "newest" if asked.sort == "relevance" and not asked.q.strip() else asked.sort
    return replace(asked, sort=sort, limit=_LIMIT, facets=tuple(PARAMETERS), highlight=True, operators=False)


async def load(request: PageRequest, asked: SearchRequest, state: State) -> Answer:
    """Return a page of results.

    Args:
        request: The request of the page.
        asked: What is searched.
        state: The parameters of the address.
    """
    shared, shown = request.shared, Shown()
    found = await shared.searches.search(asked)
    answer, shown.note = shown.take(found, SearchAnswer), found.note
    narrowing = Narrowing(request.locale, state, lambda found: request.links.search(**written(found)))
    nothing = await _instead(shared, shown) if not answer.data else {}
    facets = narrowing.facets(answer.facets or {})
    last = min(answer.meta.total_pages, 1000)
    offered = ("relevance", *_WITHOUT_WORDS) if asked.q.strip() else _WITHOUT_WORDS
    context = {
        "feed": request.links.page("search", "feed.xml", **written({**state, "page": ()})),
        "q": asked.q.strip(),
        "answer": answer,
        "facets": [*facets, narrowing.durations(), narrowing.periods()],
        "sorts": narrowing.sorts(asked.sort, offered),
        "state": state,
        "cleared": narrowing.cleared(),
        "previous": narrowing.following(page=str(asked.page - 1)) if asked.page > 1 else None,
        "following": narrowing.following(page=str(asked.page + 1)) if asked.page < last else None,
        "instead": lambda words: request.links.search(**written({**state, "q": (words,), "page": ()})),
        "offer_address": lambda offer: _address(request.links, offer),
        **nothing,
    }
    return page(request, "search.html", lambda links: links.search(**written(state)), shown, context)


async def _instead(shared: DiscoveryState, shown: Shown) -> dict[str, object]:
    """What a page without results offers: what others search for, categories, and what is viewed most."""
    searches, ways = await asyncio.gather(
        shared.popular_searches.popular((), _POPULAR), lists.ways_on(shared, shown)
    )
    return {**ways, "searches": shown.take(searches, PopularSearchesAnswer).data}


def typed(parameters: MultiDict[str]) -> str:
    """Return the text typed so far, without the spaces around it.

    Raises:
        Problem: A parameter is unknown, or the text is too long.
    """
    return (QueryString(parameters, {"q"}).text("q", MAX_TYPED) or "").strip()


async def suggest(request: PageRequest, q: str) -> Answer:
    """Return the suggestions for what was typed so far, as options of a list."""
    shown = Shown()
    found: list[Suggestion] = []
    if q:
        found = shown.take(await request.shared.suggestions.suggest(q, _SUGGESTED), SuggestAnswer).data
    offers = [(offer, _address(request.links, offer)) for offer in found]
    body = text(request, "suggestions.html", lambda links: links.page("suggest"), {"q": q, "offers": offers})
    return document(body, HTML, ids=tuple(shown.ids), max_ttl=shown.max_ttl)


def _address(links: Links, offer: Suggestion) -> str:
    """Return the address of the page that a suggestion leads to."""
    slug = offer.slug or ""
    match offer.type:
        case "program":
            return links.program(slug, offer.id or 0)
        case "series":
            return links.series(slug)
        case "person":
            return links.person(offer.text)
        case "tag":
            return links.tag(offer.text)
        case "category":
            return links.category(slug)
        case _:
            return links.search(q=offer.text)
