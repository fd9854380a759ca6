"""The home page: featured, trending, newest and most viewed programs, and the categories.

Featured programs in the language of the page come before others. When nothing was viewed lately, the newest take the place
of the trending ones.
"""

import asyncio

from api.answers.answer import Answer
from api.discovery.around.schemas import TrendingAnswer
from api.discovery.around.trending import TrendingRequest
from api.discovery.filters import Filters
from api.web.listener import lists
from api.web.rendering import linked
from api.web.rendering.page import PageRequest, Shown, page

_FEATURED, _TRENDING, _NEWEST, _POPULAR = 5, 12, 12, 9


async def load(request: PageRequest) -> Answer:
    """Return the home page."""
    shared, shown = request.shared, Shown()
    own, any_language, trending, newest, popular, categories = await asyncio.gather(
        lists.some(
            shared, shown, "newest", _FEATURED, Filters(featured=True, language=(request.locale.code,))
        ),
        lists.some(shared, shown, "newest", _FEATURED, Filters(featured=True)),
        shared.trending.trending(TrendingRequest(limit=_TRENDING)),
        lists.some(shared, shown, "newest", _NEWEST),
        lists.some(shared, shown, "popular", _POPULAR),
        lists.categories(shared, shown),
    )
    # Those in the language of the page come first.
    featured = [*own, *(card for card in any_language if card not in own)][:_FEATURED]
    context = {
        "preview": linked.home(shared.settings.api.site, request.locale, request.links),
        "featured": featured,
        "trending": shown.take(trending, TrendingAnswer).data,
        "newest": newest,
        "popular": popular,
        "categories": categories,
    }
    return page(request, "home.html", lambda links: links.home, shown, context)
