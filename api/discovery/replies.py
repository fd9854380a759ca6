"""What the routes of listeners share: replies from the cache, ids in paths, and redirects to a program's address."""

from collections.abc import Collection, Sequence
from json import JSONDecoder
from urllib.parse import quote

import msgspec

from api.answers.answer import JSON, MISSING_CACHE_CONTROL, Answer, Kind, Load, Reply
from api.answers.state import reply
from api.discovery.lookups.shaping import trimmed
from api.discovery.narrowing.written import Pair, query
from api.discovery.schemas import ProgramCard
from api.discovery.state import DiscoveryRequest
from api.http.errors import InvalidParameter, Problem
from api.http.query import MAX_ID
from catalog.core.base import entity_of
from catalog.programs.around.subjects import Subject

# Of the programs of a series or a collection.
MAX_PAGE = 10_000
CARD_FIELDS = [field.encode_name for field in msgspec.structs.fields(ProgramCard)]
# What may stand in a query string besides letters and digits (RFC 3986); others are escaped.
_QUERY = "%!$&'()*+,;=:@/?-._~"


class _Place(msgspec.Struct, rename="camel"):
    """Where a page lies in its list: behind a cursor, or by its number."""

    limit: int
    total: int
    next_cursor: str | None = None
    page: int | None = None


# The key of what a page says about its list. No text has it: quotes in texts are escaped.
_META = b'"meta":'
_decode = JSONDecoder().raw_decode


def _place(body: bytes) -> _Place:
    """Return where a page lies, without reading the programs that it shows."""
    about, _ = _decode(body[body.rindex(_META) + len(_META) :].decode())
    return msgspec.convert(about, _Place)


def paged(load: Load, path: str, pairs: Sequence[Pair], last: int = MAX_PAGE) -> Load:
    """Return what computes a page with links to the pages before and after it (RFC 8288).

    Args:
        load: Computes the page.
        path: The path of the list.
        pairs: The parameters of the list, without the place of a page. What is cached under one key has one path and
            the same parameters: its links are read by all who share it.
        last: The largest number of a page that can be asked for.
    """

    async def linked() -> Answer:
        answer = await load()
        if answer.status != 200:
            return answer
        place, links = _place(answer.body), []
        if place.next_cursor is not None:
            links.append(link(path, [*pairs, ("cursor", place.next_cursor)], "next"))
        elif place.page is not None:
            if place.page * place.limit < place.total and place.page < last:
                links.append(link(path, [*pairs, ("page", str(place.page + 1))], "next"))
            if place.page > 1:
                links.append(link(path, [*pairs, ("page", str(place.page - 1))], "prev"))
        return answer.linked(", ".join(links).encode()) if links else answer

    return linked


def link(path: str, pairs: Sequence[Pair], relation: str) -> str:
    """Return a link to a page.

    Args:
        path: Its path.
        pairs: Its parameters.
        relation: What is there: `next` or `prev`.
    """
    return f'<{quote(path)}?{query(pairs)}>; rel="{relation}"'


async def cached(
    request: DiscoveryRequest, key: str, kind: Kind, load: Load, via: tuple[str, Answer] | None = None
) -> Reply:
    """Return an answer as `api.answers.state` does.

    Args:
        request: The edge answers the next request of the same address.
        key: The cache key of the answer.
        kind: Decides how long the answer is cached.
        load: Computes the answer when no cache has it.
        via: The key and the cached answer that led to `key`, for example of a slug.

    Raises:
        Problem: There is nothing.
    """
    found = await reply(request, request.shared, key, kind, load, via)
    if found is None:
        raise Problem("not_found", headers={"Cache-Control": MISSING_CACHE_CONTROL})
    return found


async def page(request: DiscoveryRequest, key: str, load: Load) -> Answer:
    """Return an answer that only leads to another one, from the cache where it has it.

    Args:
        request: Has the cache.
        key: The cache key of the answer.
        load: Computes the answer when no cache has it.
    """
    found = await request.shared.cache.get(key, "page", load, ttl=request.shared.settings.api.page_ttl)
    return found.answer


async def formerly(request: DiscoveryRequest, model: Subject, slug: str) -> tuple[str, str] | None:
    """Return the slug and the name of the series, person or tag that has or had a slug; None when there is none to see.

    Args:
        request: Has the cache.
        model: The kind of subject.
        slug: The slug.
    """
    key = f"formerly:{entity_of(model)}:{slug}"
    found = await page(request, key, lambda: request.shared.taxonomy.formerly(model, slug))
    return None if found.status == 404 else msgspec.json.decode(found.body, type=tuple[str, str])


def check_names(parameter: str, names: Collection[str], known: Collection[str]) -> None:
    """Check names that a parameter has.

    Args:
        parameter: The parameter.
        names: What it has.
        known: The names that there are.

    Raises:
        InvalidParameter: A name is not known.
    """
    if not set(names) <= set(known):
        raise InvalidParameter(parameter, f"Must be among {', '.join(known)}.")


def with_fields(load: Load, fields: Collection[str]) -> Load:
    """Return what computes an answer whose cards have only these fields; without fields, `load`.

    Args:
        load: Computes the whole answer.
        fields: Names of fields of a card.

    Raises:
        InvalidParameter: A name is no field of a card.
    """
    if not fields:
        return load
    check_names("fields", fields, CARD_FIELDS)

    async def trim() -> Answer:
        return trimmed(await load(), fields)

    return trim


def row_id(text: str, name: str) -> int:
    """Return an id from a path. `name` is its name in an error.

    Raises:
        InvalidParameter: The text is no id.
    """
    if not (text.isascii() and text.isdigit()) or len(text) > 16 or not 1 <= int(text) <= MAX_ID:
        raise InvalidParameter(name, "Must be a positive whole number.")
    return int(text)


def moved(key: str, below: str = "", room: str = "programs") -> Reply:
    """Return a redirect to the current address of a program, or of what else has an address.

    Args:
        key: Its id or slug.
        below: What follows in the address.
        room: The part of the address before it.
    """
    location = f"/discovery/{room}/{quote(key)}{below}".encode()
    headers = [
        (b"location", location),
        (b"cache-control", b"public, max-age=60"),
        JSON,
        (b"content-length", b"0"),
    ]
    return Reply(301, headers, b"")


def query_of(request: DiscoveryRequest) -> str:
    """Return the query string of a request with its question mark, for a redirect that keeps it."""
    sent: bytes = request.scope["query_string"]
    return f"?{quote(sent, safe=_QUERY)}" if sent else ""
