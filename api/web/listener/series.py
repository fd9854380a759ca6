"""The page of a series: its programs by season and episode."""

from litestar.datastructures import MultiDict

from api.answers.answer import NOT_FOUND, Answer
from api.discovery.schemas import SeriesPage
from api.http.query import QueryString
from api.web.rendering import linked
from api.web.rendering.page import PageRequest, Shown, page

_LIMIT, _MAX_PAGE = 30, 10_000


def read(parameters: MultiDict[str]) -> int:
    """Return the number of the page that a query string names.

    Raises:
        Problem: A parameter is unknown or wrong.
    """
    return QueryString(parameters, {"page"}).integer("page", 1, _MAX_PAGE, 1) or 1


async def load(request: PageRequest, slug: str, number: int) -> Answer:
    """Return a page of a series, or NOT_FOUND.

    Args:
        request: The request of the page.
        slug: The series.
        number: The page.
    """
    shared, shown = request.shared, Shown()
    series_id = await shared.taxonomy.series_id(slug)
    if series_id is None:
        return NOT_FOUND
    answer = await shared.taxonomy.series(series_id, number, _LIMIT)
    if answer.status == 404:
        return NOT_FOUND
    found = shown.take(answer, SeriesPage)
    following = number * _LIMIT < found.meta.total
    site = shared.settings.api.site
    context = {
        "preview": linked.series(site, request.locale, request.links, found.data),
        "feed": request.links.page("series", slug, "feed.xml"),
        "series": found.data,
        "programs": found.programs,
        "total": found.meta.total,
        "previous": request.links.page("series", slug, page=number - 1) if number > 1 else None,
        "following": request.links.page("series", slug, page=number + 1) if following else None,
    }
    at = number if number > 1 else None
    return page(request, "series.html", lambda links: links.page("series", slug, page=at), shown, context)
