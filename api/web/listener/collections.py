"""The page of a collection: its programs in the editors' order."""

from api.answers.answer import NOT_FOUND, Answer
from api.discovery.lookups.schemas import CollectionPage
from api.web.rendering import linked
from api.web.rendering.page import PageRequest, Shown, page

_LIMIT = 30


async def load(request: PageRequest, slug: str, number: int) -> Answer:
    """Return a page of a collection, or NOT_FOUND.

    Args:
        request: The request of the page.
        slug: The collection.
        number: The page.
    """
    shared, shown, links = request.shared, Shown(), request.links
    answer = await shared.collections.collection(slug, number, _LIMIT)
    if answer.status == NOT_FOUND.status:
        return answer
    found = shown.take(answer, CollectionPage)
    own = found.data.title_ar, found.data.description_ar
    if request.locale.code == "en":
        own = found.data.title_en, found.data.description_en
    about = linked.Named(*own, links.collection(slug))
    image, site = found.data.image_url, shared.settings.api.site
    following = number * _LIMIT < found.meta.total
    context = {
        "preview": linked.collection(site, request.locale, links, about, image, found.programs),
        "about": about,
        # Both languages have the same colours.
        "slug": slug,
        "image": image,
        "programs": found.programs,
        "total": found.meta.total,
        "previous": links.page("collections", slug, page=number - 1) if number > 1 else None,
        "following": links.page("collections", slug, page=number + 1) if following else None,
    }
    at = number if number > 1 else None
    return page(request, "collection.html", lambda of: of.page("collections", slug, page=at), shown, context)
