"""The home page: featured programs in the language of the page before others, the newest, the most viewed, and the categories."""

import asyncio

from api.answers.answer import Answer
from api.discovery.params import Filters
from api.web.listener import lists
from api.web.rendering import linked
from api.web.rendering.page import PageRequest, Shown, page

_FEATURED, _NEWEST, _POPULAR = 5, 12, 9


async def load(request: PageRequest) -> Answer:
    """Return the home page."""
    shared, shown = request.shared, Shown()
    own, any_language, newest, popular, categories = await asyncio.gather(
        lists.some(
            shared, shown, "newest", _FEATURED, Filters(featured=True, language=(request.locale.code,))
        ),
        lists.some(shared, shown, "newest", _FEATURED, Filters(featured=True)),
        lists.some(shared, shown, "newest", _NEWEST),
        lists.some(shared, shown, "popular", _POPULAR),
        lists.categories(shared, shown),
    )
    # Those in the language of the page come first.
    featured = [*own, *(card for card in any_language if card not in own)][:_FEATURED]
    context = {
        "preview": linked.home(shared.settings.api.site, request.locale, request.links),
        "featured": featured,
        "newest": newest,
        "popular": popular,
        "categories": categories,
    }
    return page(request, "home.html", lambda links: links.home, shown, context)
