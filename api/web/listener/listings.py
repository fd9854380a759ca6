"""The pages of a category, a person and a tag: all their programs, in an order of choice."""

from dataclasses import dataclass, replace
from typing import Literal

from litestar.datastructures import MultiDict

from api.answers.answer import NOT_FOUND, Answer
from api.discovery.narrowing.filters import Filters
from api.discovery.narrowing.orders import ORDERS
from api.discovery.params import BrowseRequest, browse_request
from api.discovery.schemas import BrowseAnswer
from api.discovery.state import DiscoveryState
from api.http.query import QueryString
from api.web.listener import lists
from api.web.listener.narrowing import Narrowing, State
from api.web.rendering import linked
from api.web.rendering.links import Links, query
from api.web.rendering.locales import LANGUAGES
from api.web.rendering.page import PageRequest, Shown, page

Kind = Literal["category", "person", "tag"]
_LIMIT = 24


@dataclass(frozen=True, slots=True)
class Subject:
    """What a list is about: its filter, and how it is called, by language."""

    filters: Filters
    names: dict[str, str]


async def _subject(shared: DiscoveryState, shown: Shown, kind: Kind, name: str) -> Subject | None:
    """Return what an address names; None when listeners may see no such category."""
    if kind == "person":
        return Subject(Filters(person=(name,)), dict.fromkeys(LANGUAGES, name))
    if kind == "tag":
        return Subject(Filters(tag=(name,)), dict.fromkeys(LANGUAGES, name))
    for item in await lists.categories(shared, shown):
        if item.slug == name:
            return Subject(Filters(category_id=(item.id,)), {"ar": item.name_ar, "en": item.name_en})
    return None


def read(parameters: MultiDict[str]) -> BrowseRequest:
    """Return the part of a list that a query string names; only its order and its place may be chosen.

    Raises:
        Problem: A parameter is unknown or wrong.
    """
    QueryString(parameters, {"sort", "cursor"})
    return replace(browse_request(parameters), limit=_LIMIT)


def address(links: Links, kind: Kind, name: str) -> str:
    """Return the address of a list.

    Args:
        links: Makes addresses in a language.
        kind: What the list is about.
        name: The slug of a category, else the name.
    """
    return {"category": links.category, "person": links.person, "tag": links.tag}[kind](name)


async def load(request: PageRequest, kind: Kind, name: str, asked: BrowseRequest, state: State) -> Answer:
    """Return a part of a list, or NOT_FOUND when the whole list is empty.

    Args:
        request: The request of the page.
        kind: What the list is about.
        name: The slug of a category, else the name.
        asked: The part of the list, of whichever subject.
        state: The parameters of the address.

    Raises:
        Problem: The cursor belongs to another list.
    """
    shared, shown = request.shared, Shown()
    subject = await _subject(shared, shown, kind, name)
    if subject is None:
        return NOT_FOUND
    wanted = replace(asked, filters=subject.filters)
    answer = shown.take(await shared.searches.browse(wanted), BrowseAnswer)
    if not answer.data and asked.cursor is None:
        return NOT_FOUND

    def link(changed: State) -> str:
        return address(request.links, kind, name) + query(changed)

    narrowing = Narrowing(request.locale, state, link)
    cursor = answer.meta.next_cursor
    beginning = {parameter: value for parameter, value in state.items() if parameter != "cursor"}
    title, path = subject.names[request.locale.code], address(request.links, kind, name)
    preview = linked.listing(shared.settings.api.site, request.locale, request.links, title, path)
    context = {
        "preview": preview,
        "feed": request.links.page("categories", name, "feed.xml") if kind == "category" else None,
        "kind": kind,
        "name": title,
        "answer": answer,
        "sorts": narrowing.sorts(asked.sort, tuple(ORDERS)),
        "following": narrowing.following(cursor=cursor) if cursor is not None else None,
        "previous": link(beginning) if asked.cursor is not None else None,
    }
    return page(
        request, "listing.html", lambda links: address(links, kind, name) + query(state), shown, context
    )
