"""The routers of the pages: the same handlers below /ar and below /en, the static files, and the way in at /."""

from collections.abc import Sequence
from urllib.parse import quote

from litestar import Router, get
from litestar.handlers import HTTPRouteHandler
from litestar.params import FromPath

from api.answers.answer import Answer, Load, Reply
from api.discovery.replies import formerly, query_of
from api.discovery.state import DiscoveryRequest
from api.http.query import MAX_VALUE, QueryString
from api.http.request import ApiRequest
from api.web.board import handlers as board
from api.web.listener import collections, errors, home, listings, programs, search, series
from api.web.listener.reading import moved, parsed, state
from api.web.machines import handlers
from api.web.rendering import choosing
from api.web.rendering.locales import LANGUAGES
from api.web.rendering.page import PageRequest, cached
from api.web.rendering.static import static
from api.web.signin import handlers as signin
from api.web.studio import routes as studio
from catalog.core.text import MAX_SLUG, slugify
from catalog.taxonomy import names
from catalog.taxonomy.models import Person, Series, Tag


async def _page(request: PageRequest, key: str, load: Load, via: tuple[str, Answer] | None = None) -> Reply:
    """Return a page, or the one that says that nothing is here."""
    return await cached(request, key, load, via) or await errors.missing(request)


@get("/", include_in_schema=False)
async def root(request: ApiRequest) -> Reply:
    """Redirect to the home page in the listener's language."""
    language = choosing.preferred(
        request.cookies.get("language", ""), request.headers.get("accept-language", "")
    )
    headers = [
        (b"location", f"/{language}".encode()),
        (b"cache-control", b"private, no-cache"),
        (b"vary", b"accept-language, cookie"),
        (b"content-length", b"0"),
    ]
    return Reply(302, headers, b"")


@get("/")
async def home_page(request: PageRequest) -> Reply:
    """Return the home page."""
    asked = parsed(request, lambda parameters: QueryString(parameters, ()))
    if isinstance(asked, Reply):
        return asked
    return await _page(request, "home", lambda: home.load(request))


@get("/search")
async def results(request: PageRequest) -> Reply:
    """Return a page of results."""
    asked = parsed(request, search.read)
    if isinstance(asked, Reply):
        return asked
    now = state(request)
    return await _page(request, f"search:{tuple(now.items())}", lambda: search.load(request, asked, now))


@get("/suggest")
async def suggestions(request: PageRequest) -> Reply:
    """Return suggestions for what was typed so far, as options of a list."""
    q = search.typed(request.query_params)
    return await _page(request, f"suggest:{q}", lambda: search.suggest(request, q))


@get("/programs/{key:str}")
async def program(request: PageRequest, key: FromPath[str]) -> Reply:
    """Return the page of a program, or redirect to its current address."""
    asked = parsed(request, lambda parameters: QueryString(parameters, ()))
    if isinstance(asked, Reply):
        return asked
    place = await programs.find(request.shared, key)
    if place is None:
        return await errors.missing(request, 410 if await programs.gone(request, key) else 404)
    current = request.links.program(place.slug, place.program_id)
    if current.rpartition("/")[2] != quote(key):
        return moved(current)
    name = f"program:{place.program_id}"
    return await _page(request, name, lambda: programs.load(request, place.program_id), place.via)


@get("/series/{slug:str}")
async def series_page(request: PageRequest, slug: FromPath[str]) -> Reply:
    """Return a page of a series."""
    number = parsed(request, series.read)
    if isinstance(number, Reply):
        return number
    found = await cached(request, f"series:{slug}:{number}", lambda: series.load(request, slug, number))
    if found is None and len(slug) <= MAX_SLUG:
        now = await formerly(request, Series, slugify(slug))
        if now is not None and now[0] != slug:
            return moved(request.links.series(now[0]) + query_of(request))
    return found or await errors.missing(request)


@get("/collections/{slug:str}")
async def collection_page(request: PageRequest, slug: FromPath[str]) -> Reply:
    """Return a page of a collection."""
    number = parsed(request, series.read)
    if isinstance(number, Reply):
        return number
    return await _page(
        request, f"collection:{slug}:{number}", lambda: collections.load(request, slug, number)
    )


@get("/categories/{slug:str}")
async def category(request: PageRequest, slug: FromPath[str]) -> Reply:
    """Return a part of the list of a category."""
    return await _listing(request, "category", slug)


@get("/people/{name:path}")
async def person(request: PageRequest, name: FromPath[str]) -> Reply:
    """Return a part of the list of a person."""
    return await _listing(request, "person", name.removeprefix("/"))


@get("/tags/{name:path}")
async def tag(request: PageRequest, name: FromPath[str]) -> Reply:
    """Return a part of the list of a tag."""
    return await _listing(request, "tag", name.removeprefix("/"))


async def _listing(request: PageRequest, kind: listings.Kind, name: str) -> Reply:
    asked = parsed(request, listings.read)
    if isinstance(asked, Reply):
        return asked
    if len(name) > MAX_VALUE:
        return await errors.missing(request)
    now = state(request)
    key = f"{kind}:{name}:{tuple(now.items())}"
    found = await cached(request, key, lambda: listings.load(request, kind, name, asked, now))
    if found is None and kind != "category":
        current = await formerly(request, Tag if kind == "tag" else Person, names.key(name))
        if current is not None and current[1] != name:
            return moved(listings.address(request.links, kind, current[1]) + query_of(request))
    return found or await errors.missing(request)


@get("/{rest:path}")
async def nothing(request: PageRequest, rest: FromPath[str]) -> Reply:
    """Return the page for an address where nothing is."""
    return await errors.missing(request)


def _listener(language: str) -> Router:
    """Return the router of the pages in a language."""
    return Router(
        f"/{language}",
        route_handlers=[
            home_page,
            results,
            suggestions,
            program,
            series_page,
            collection_page,
            category,
            person,
            tag,
            *handlers.OF_A_LANGUAGE,
            nothing,
        ],
        request_class=PageRequest,
        exception_handlers=errors.HANDLERS_OF_PAGES,
        opt={"language": language},
        include_in_schema=False,
    )


def routes() -> Sequence[Router | HTTPRouteHandler]:
    """Return everything that browsers ask for."""
    documents = Router(
        "/", route_handlers=handlers.AT_THE_ROOT, request_class=DiscoveryRequest, include_in_schema=False
    )
    return [
        root,
        static,
        documents,
        signin.router,
        board.router,
        studio.router,
        *(_listener(language) for language in LANGUAGES),
    ]
