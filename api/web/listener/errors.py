"""Pages for what went wrong: an address where nothing is, a search that nobody answers."""

from collections.abc import Callable
from typing import Any

from litestar import Response
from sqlalchemy.exc import SQLAlchemyError

from api.answers.answer import Answer, Found, Reply, wire
from api.http.error_handlers import HANDLERS
from api.web.listener import lists
from api.web.rendering.page import PageRequest, Shown, page, text
from api.web.rendering.templates import HTML_HEADERS
from indexer.engines.errors import EngineUnavailableError

Handler = Callable[[Any, Any], Response[bytes]]
# Statuses that have words of their own; another one has those of its hundred.
_KNOWN = frozenset({400, 404, 410, 500, 503})


async def missing(request: PageRequest, status: int = 404) -> Reply:
    """Return the page for an address where nothing is, with ways on.

    Args:
        request: The request of the page.
        status: 404, or 410 when something was there.
    """

    async def load() -> Answer:
        shown = Shown()
        ways = await lists.ways_on(request.shared, shown)
        return page(request, "missing.html", lambda links: links.home, shown, {"status": status, **ways})

    key, ttl = f"web:{request.locale.code}:missing:{status}", request.shared.settings.api.page_ttl
    try:
        found = await request.shared.cache.get(key, "page", load, ttl=ttl)
    except (EngineUnavailableError, SQLAlchemyError):
        # The page matters more than what it offers.
        context = {"status": status, "categories": (), "popular": ()}
        found = Found(page(request, "missing.html", lambda links: links.home, Shown(), context), "miss")
    encodings = request.headers.get("accept-encoding", "").encode("latin-1")
    _, headers, body = wire(found, b"", encodings, request.shared.cache.forms)
    return Reply(status, headers, body)


def _as_page(handler: Handler) -> Handler:
    """Return a handler that tells on a page what another one tells in JSON."""

    def handle(request: Any, error: Exception) -> Response[bytes]:
        told = handler(request, error)
        status = told.status_code or 500
        shown = status if status in _KNOWN else 400 if status < 500 else 500
        asked = PageRequest(request.scope, request.receive, request.send)
        # What htmx asked for becomes a notice on the page that is open.
        template = "notice.html" if asked.htmx else "error.html"
        body = text(asked, template, lambda links: links.home, {"status": shown})
        headers = {name.decode(): value.decode() for name, value in HTML_HEADERS}
        headers |= {k: v for k, v in told.headers.items() if k.lower() in ("retry-after", "cache-control")}
        if asked.htmx:
            headers |= {"HX-Retarget": "#notice", "HX-Reswap": "innerHTML", "HX-Reselect": "*"}
        return Response(body, status_code=status, headers=headers)

    return handle


HANDLERS_OF_PAGES = {kind: _as_page(handler) for kind, handler in HANDLERS.items()}
