"""The home page: featured, trending, newest and most viewed programs, the editors' collections, and the categories.

Featured programs in the language of the page come before others. When nothing was viewed lately, the newest take the place
of the trending ones.
"""

import asyncio

from api.answers.answer import Answer
from api.discovery.around.schemas import TrendingAnswer
from api.discovery.around.trending import TrendingRequest
from api.discovery.lookups.schemas import CollectionsAnswer
from api.discovery.narrowing.filters import Filters
from api.discovery.schemas import ProgramCard
from api.discovery.state import DiscoveryState
from api.web.listener import lists
from api.web.rendering import linked
from api.web.rendering.page import PageRequest, Shown, page

_FEATURED, _TRENDING, _NEWEST, _POPULAR = 5, 12, 12, 9
_COLLECTIONS, _OF_COLLECTION = 4, 12


async def load(request: PageRequest) -> Answer:
    """Return the home page."""
    shared, shown = request.shared, Shown()
    featured, trending, collections, newest, popular, categories = await asyncio.gather(
        _featured(shared, shown, request.locale.code),
        shared.trending.trending(TrendingRequest(limit=_TRENDING)),
        shared.collections.listed(_COLLECTIONS, _OF_COLLECTION),
        lists.some(shared, shown, "newest", _NEWEST),
        lists.some(shared, shown, "popular", _POPULAR),
        lists.categories(shared, shown),
    )
    context = {
        "preview": linked.home(shared.settings.api.site, request.locale, request.links),
        "featured": featured,
        "trending": shown.take(trending, TrendingAnswer).data,
        "collections": shown.take(collections, CollectionsAnswer).data,
        "newest": newest,
        "popular": popular,
        "categories": categories,
    }
    return page(request, "home.html", lambda links: links.home, shown, context)


async def _featured(shared: DiscoveryState, shown: Shown, language: str) -> list[ProgramCard]:
    """Featured programs, those in the language of the page first."""
    own, any_language = await asyncio.gather(
        lists.some(shared, shown, "newest", _FEATURED, Filters(featured=True, language=(language,))),
        lists.some(shared, shown, "newest", _FEATURED, Filters(featured=True)),
    )
    return [*own, *(card for card in any_language if card not in own)][:_FEATURED]
