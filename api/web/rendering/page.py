"""From what a page shows to its answer: what the parts of a page have in common, and the request of a page."""

import math
from collections.abc import Callable, Mapping
from typing import TypeVar

import msgspec
from litestar.exceptions import ImproperlyConfiguredException
from litestar_htmx import HTMXRequest

from api.answers.answer import Answer, Load, Reply, document
from api.answers.state import reply
from api.discovery.state import DiscoveryRequest
from api.web.rendering.links import Links
from api.web.rendering.locales import LANGUAGES, Locale, locale
from api.web.rendering.templates import HTML

Shape = TypeVar("Shape")
Address = Callable[[Links], str]


class PageRequest(DiscoveryRequest, HTMXRequest):
    """A request of a page: of a browser, or of htmx in it (`htmx`)."""

    @property
    def locale(self) -> Locale:
        """The language of the page: its router names it."""
        return locale(self.route_handler.opt["language"])

    @property
    def links(self) -> Links:
        """The addresses of the pages in this language."""
        return self.locale.links


class Shown:
    """The answers that a page is made of, while it is being made.

    Attributes:
        ids: The programs that they show: the cache refuses the page as soon as one of them is withdrawn.
        max_ttl: Seconds that the page may be kept: as long as the answer that may be kept shortest.
        ends_at: When the first of them ends, in seconds since 1970.
        note: What is counted when the page is given: that of the answer that the page is about.
    """

    def __init__(self) -> None:
        """Begin with none."""
        self.ids: dict[int, None] = {}
        self.note = ""
        self.max_ttl = self.ends_at = math.inf

    def take(self, answer: Answer, shape: type[Shape]) -> Shape:
        """Add an answer of a service; return what it says."""
        self.ids |= dict.fromkeys(answer.ids)
        self.max_ttl = min(self.max_ttl, answer.max_ttl)
        self.ends_at = min(self.ends_at, answer.ends_at)
        return msgspec.json.decode(answer.body, type=shape)


def text(
    request: PageRequest,
    template: str,
    address: Address,
    context: Mapping[str, object],
    language: Locale | None = None,
) -> bytes:
    """Return a document.

    Args:
        request: Names the language.
        template: The file below `templates/`.
        address: Makes the address of this page in a language.
        context: What the template knows beside the language and the addresses.
        language: Of the document; None: that of the request.

    Raises:
        ImproperlyConfiguredException: The application has no templates.
    """
    engine = request.app.template_engine
    if engine is None:
        raise ImproperlyConfiguredException("no template engine")
    language = language or request.locale
    rendered: str = engine.get_template(template).render(
        locale=language,
        text=language.text,
        links=language.links,
        address=address(language.links),
        addresses={code: address(Links(code)) for code in LANGUAGES},
        site=request.shared.settings.api.site,
        **{"preview": None, "feed": None, **context},
    )
    return rendered.encode()


def page(
    request: PageRequest, template: str, address: Address, shown: Shown, context: Mapping[str, object]
) -> Answer:
    """Return the answer that has a page.

    Args:
        request: Names the language.
        template: The file below `templates/`.
        address: Makes the address of this page in a language.
        shown: The answers that the page is made of.
        context: What the template knows beside the language and the addresses.
    """
    body = text(request, template, address, context)
    ids, ends_at = tuple(shown.ids), shown.ends_at
    return document(body, HTML, ids=ids, max_ttl=shown.max_ttl, ends_at=ends_at, note=shown.note)


async def cached(
    request: PageRequest, key: str, load: Load, via: tuple[str, Answer] | None = None
) -> Reply | None:
    """Return a page from the cache, or make and cache it; None when there is nothing to show.

    Args:
        request: Names the language.
        key: What the page shows, in whichever language.
        load: Makes the page.
        via: The key and the cached answer that led to `key`, for example of a slug.
    """
    return await reply(request, request.shared, f"web:{request.locale.code}:{key}", "page", load, via)
