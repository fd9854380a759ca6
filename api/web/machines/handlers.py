"""The handlers of what programs read. `api.web.routes` puts them below the languages and at the root."""

import re
from dataclasses import replace

from litestar import get
from litestar.params import FromPath

from api.answers.answer import Load, Reply
from api.answers.state import reply
from api.discovery.state import DiscoveryRequest
from api.http.errors import InvalidParameter, Problem
from api.http.query import MAX_CURSOR, QueryString
from api.web.listener import errors, search
from api.web.listener.narrowing import written
from api.web.listener.reading import parsed, state
from api.web.machines import feeds, lists, oembed, pictures, site, sitemaps
from api.web.rendering import static
from api.web.rendering.links import query
from api.web.rendering.page import PageRequest, cached

_PART = re.compile(r"programs-(\d{1,9})\.xml")
_MAX_URL = 2000


async def _document(request: DiscoveryRequest, key: str, load: Load) -> Reply:
    """Return a document that has no language.

    Raises:
        Problem: There is nothing.
    """
    found = await reply(request, request.shared, f"web:{key}", "page", load)
    if found is None:
        raise Problem("not_found")
    return found


def _cursor(request: PageRequest) -> str | Reply | None:
    return parsed(request, lambda sent: QueryString(sent, {"cursor"}).text("cursor", MAX_CURSOR))


@get("/series/{slug:str}/feed.xml")
async def series_feed(request: PageRequest, slug: FromPath[str]) -> Reply:
    """Return a part of the feed of a series."""
    at = _cursor(request)
    if isinstance(at, Reply):
        return at
    found = await cached(request, f"feed:series:{slug}:{at}", lambda: feeds.series(request, slug, at))
    return found or await errors.missing(request)


@get("/categories/{slug:str}/feed.xml")
async def category_feed(request: PageRequest, slug: FromPath[str]) -> Reply:
    """Return a part of the feed of a category."""
    at = _cursor(request)
    if isinstance(at, Reply):
        return at
    found = await cached(request, f"feed:category:{slug}:{at}", lambda: feeds.category(request, slug, at))
    return found or await errors.missing(request)


@get("/search/feed.xml")
async def search_feed(request: PageRequest) -> Reply:
    """Return the feed of a search."""
    asked = parsed(request, search.read)
    if isinstance(asked, Reply):
        return asked
    wanted = replace(asked, limit=feeds.LIMIT, facets=(), highlight=False)
    now = query(written(state(request)))
    found = await cached(request, f"feed:search:{now}", lambda: feeds.search(request, wanted, now))
    return found or await errors.missing(request)


@get("/series.opml")
async def series_list(request: PageRequest) -> Reply:
    """Return the list of all series with their feeds."""
    found = await cached(request, "opml", lambda: lists.opml(request))
    return found or await errors.missing(request)


@get("/opensearch.xml")
async def opensearch(request: PageRequest) -> Reply:
    """Return the description of the search for browsers."""
    return site.opensearch(request.shared.settings.api.site, request.locale.code)


@get("/manifest.webmanifest")
async def manifest(request: PageRequest) -> Reply:
    """Return the manifest of the app."""
    return site.manifest(request.locale.code)


@get("/robots.txt")
async def robots(request: DiscoveryRequest) -> Reply:
    """Return the rules for crawlers."""
    return site.robots(request.shared.settings.api.site)


@get("/favicon.ico")
async def favicon(request: DiscoveryRequest) -> Reply:
    """Return the icon to clients that do not look for the one that a page names."""
    file = static.names()["icon.svg"]
    headers = [(b"content-type", file.content_type), (b"cache-control", b"public, max-age=86400")]
    return Reply(200, [*headers, (b"content-length", b"%d" % len(file.content))], file.content)


@get("/sitemap.xml")
async def sitemap(request: DiscoveryRequest) -> Reply:
    """Return the list of the parts of the sitemap."""
    return await _document(request, "sitemap", lambda: sitemaps.index(request.shared))


@get("/sitemaps/{name:str}")
async def sitemap_part(request: DiscoveryRequest, name: FromPath[str]) -> Reply:
    """Return a part of the sitemap.

    Raises:
        Problem: There is no such part.
    """
    shared, part = request.shared, _PART.fullmatch(name)
    if part is not None:
        return await _document(request, f"sitemap:{name}", lambda: sitemaps.programs(shared, int(part[1])))
    if name == "series.xml":
        return await _document(request, f"sitemap:{name}", lambda: sitemaps.series(shared))
    if name == "topics.xml":
        return await _document(request, f"sitemap:{name}", lambda: sitemaps.topics(shared))
    raise Problem("not_found")


@get("/oembed")
async def embed(request: DiscoveryRequest) -> Reply:
    """Return what another site shows for a link to a program.

    Raises:
        InvalidParameter: The address is missing, or another format than JSON is asked for.
        Problem: The address is none of a program.
    """
    sent = QueryString(request.query_params, {"url", "format", "maxwidth", "maxheight"})
    if sent.one_of("format", ("json", "xml")) == "xml":
        raise InvalidParameter("format", "Must be json.")
    url = sent.text("url", _MAX_URL)
    if url is None:
        raise InvalidParameter("url", "Must be given.")
    named = oembed.parts(request.shared.settings.api.site, url)
    if named is None:
        raise Problem("not_found")
    language, key = named
    return await _document(
        request, f"oembed:{language}:{key}", lambda: oembed.load(request.shared, language, key)
    )


OF_A_LANGUAGE = (series_feed, category_feed, search_feed, series_list, opensearch, manifest)
AT_THE_ROOT = (robots, favicon, sitemap, sitemap_part, embed, pictures.picture)
