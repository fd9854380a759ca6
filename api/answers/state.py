"""What requests share where answers come from the cache, and the way from a cached answer to a response."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache

from litestar import get
from litestar.handlers import HTTPRouteHandler

from api.answers.answer import JSON, Answer, Answered, Found, Kind, Load, Media, Reply, document, wire
from api.answers.cache import Cache
from api.answers.encodings import Forms
from api.http.cors import Cors
from api.http.observed.tally import Tally
from api.http.request import ApiRequest, AppState

_FIXED = Media("fixed", (JSON,), compressed=True)
_FIXED_BYTES = 1024 * 1024


@dataclass(frozen=True, kw_only=True)
class AnsweringState(AppState):
    """AppState with what the edge and listeners' routes need: the answers, who may read them, how often they are given."""

    cache: Cache
    cors: Cors
    tally: Tally


async def reply(
    request: ApiRequest,
    shared: AnsweringState,
    key: str,
    kind: Kind,
    load: Load,
    via: tuple[str, Answer] | None = None,
) -> Reply | None:
    """Return an answer from the cache, or compute and cache it; None when there is nothing.

    Args:
        request: The edge answers the next request of the same address.
        shared: Has the cache.
        key: The cache key of the answer.
        kind: `program` or `page`; decides how long the answer is cached.
        load: Computes the answer when no cache has it.
        via: The key and the cached answer that led to `key`, for example of a slug.
    """
    settings = shared.settings.api
    ttl = settings.program_ttl if kind == "program" else settings.page_ttl
    found = await shared.cache.get(key, kind, load, ttl=ttl)
    if found.answer.status == 404:
        return None
    request.scope["state"]["answered"] = Answered(key, kind, via)
    unchanged, encodings, agent = (
        request.headers.get(name, "").encode("latin-1")
        for name in ("if-none-match", "accept-encoding", "user-agent")
    )
    if found.answer.note:
        shared.tally.add(found.answer.note, agent, shared.limiter.addresses.of(request.scope))
    return Reply(*wire(found, unchanged, encodings, shared.cache.forms))


def fixed(path: str, encode: Callable[[], bytes]) -> HTTPRouteHandler:
    """Return the route of a JSON document that stays the same as long as its process: compressed once, with an ETag.

    Args:
        path: Its path.
        encode: Makes the document; called by the first request.
    """
    forms = Forms(_FIXED_BYTES)

    @cache
    def answer() -> Answer:
        return document(encode(), _FIXED)

    @get(path, include_in_schema=False, sync_to_thread=False)
    def handler(request: ApiRequest) -> Reply:
        unchanged, encodings = (
            request.headers.get(name, "").encode("latin-1") for name in ("if-none-match", "accept-encoding")
        )
        return Reply(*wire(Found(answer(), "l1"), unchanged, encodings, forms))

    return handler
