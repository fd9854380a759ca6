"""The listeners' addresses."""

from typing import Any
from urllib.parse import quote

import msgspec
from litestar import MediaType, Request, Response, Router, get, post
from litestar.datastructures import MultiDict
from litestar.params import FromPath, JSONBody

from api import cache as answers
from api.cache import Answer
from api.discovery import schemas
from api.discovery.params import DEFAULT_LIMIT, MAX_ID, Query, browse_request, search_request
from api.discovery.service import Discovery
from api.errors import Problem, invalid_parameter

Asked = Request[Any, Any, Any]


def _service(request: Asked) -> Discovery:
    found: Discovery = request.app.state.discovery
    return found


def _given(request: Asked) -> MultiDict[str]:
    return request.query_params


async def _reply(
    request: Asked, key: str, kind: str, load: answers.Load, ttl: float
) -> Response[bytes]:
    """The cached answer as a response; the edge gives the next one itself."""
    answer: Answer = await request.app.state.cache.get(key, kind, load, ttl=ttl)
    if answer.status == 404:
        raise Problem("not_found", headers={"Cache-Control": "public, max-age=1, s-maxage=5"})
    edge = getattr(request.app.state, "edge", None)
    if edge is not None:
        edge.remember(request.scope, key, kind)
    named = answers.headers(answer)
    unchanged = request.headers.get("if-none-match")
    if unchanged and answers.matches(answer.etag, unchanged):
        return Response(b"", status_code=304, headers=named)
    return Response(answer.body, media_type=MediaType.JSON, headers=named)


_FILTER_DOC = (
    "Filters: categoryId, language, mediaType (audio, video), kind (episode, film, documentary, series, "
    "trailer, short), seriesId, tag, person, durationMin, durationMax (seconds), releasedAfter, "
    "releasedBefore (ISO 8601), featured (true, false)."
)
_DEGRADED_DOC = (
    " When no search engine answers, the catalogue's database does: meta.degraded is true and "
    "meta.unavailable names what was asked for and cannot be given."
)


@get("/search", summary="Search programs", description="Finds programs by words, typos forgiven. " + _FILTER_DOC
     + " Order: sort=relevance|newest|oldest|longest|shortest|popular. Pages: page, limit ≤ 100. Extras: "
     "facets (comma separated), highlight=true." + _DEGRADED_DOC)  # fmt: skip
async def search(request: Asked) -> Response[bytes]:
    """A page of results."""
    asked = search_request(_given(request))
    ttl = request.app.state.settings.api.page_ttl
    return await _reply(request, asked.key(), "page", lambda: _service(request).search(asked), ttl)


@get("/browse", summary="Browse programs", description="Lists programs, newest first unless sorted otherwise, and "
     "reaches the last one: follow meta.nextCursor. " + _FILTER_DOC + _DEGRADED_DOC)  # fmt: skip
async def browse(request: Asked) -> Response[bytes]:
    """A page of a listing."""
    asked = browse_request(_given(request))
    ttl = request.app.state.settings.api.page_ttl
    return await _reply(request, asked.key(), "page", lambda: _service(request).browse(asked), ttl)


@get("/suggest", summary="Suggest while typing", description="Titles, series, people and tags that begin with what was typed (q; limit ≤ 20)." + _DEGRADED_DOC)  # fmt: skip
async def suggest(request: Asked) -> Response[bytes]:
    """Suggestions, best first."""
    query = Query(_given(request), {"q", "limit"})
    q = (query.text("q", 100) or "").strip()
    if not q:
        raise invalid_parameter("q", "Must be given.")
    limit = query.integer("limit", 1, 20, 8) or 8
    ttl = request.app.state.settings.api.page_ttl
    key = f"suggest:{q!r}:{limit}"
    return await _reply(request, key, "page", lambda: _service(request).suggest(q, limit), ttl)


@get("/categories", summary="Categories", description="Every active category in its order, with its number of programs.")  # fmt: skip
async def categories(request: Asked) -> Response[bytes]:
    """The shelves to browse."""
    Query(_given(request), set())
    ttl = request.app.state.settings.api.page_ttl
    return await _reply(request, "categories", "page", _service(request).categories, ttl)


@get("/series/{series_id:str}", summary="A series and its programs", description="Programs in season and episode order (page, limit ≤ 100).")  # fmt: skip
async def series(request: Asked, series_id: FromPath[str]) -> Response[bytes]:
    """A series."""
    number = _id(series_id, "seriesId")
    query = Query(_given(request), {"page", "limit"})
    page = query.integer("page", 1, 10_000, 1) or 1
    limit = query.integer("limit", 1, 100, DEFAULT_LIMIT) or DEFAULT_LIMIT
    ttl = request.app.state.settings.api.page_ttl
    key = f"series:{number}:{page}:{limit}"
    return await _reply(
        request, key, "page", lambda: _service(request).series(number, page, limit), ttl
    )


def _id(text: str, name: str) -> int:
    if not (text.isascii() and text.isdigit()) or len(text) > 16 or not 1 <= int(text) <= MAX_ID:
        raise invalid_parameter(name, "Must be a positive whole number.")
    return int(text)


@get("/programs/{key:str}", summary="One program", description="By id or by slug; a slug it had before, and the id of a program that was merged into it, redirect.")  # fmt: skip
async def program(request: Asked, key: FromPath[str]) -> Response[bytes]:
    """One program."""
    service = _service(request)
    settings = request.app.state.settings.api
    if key.isascii() and key.isdigit():
        number = _id(key, "id")
    else:
        if len(key) > 200 or "\x00" in key:
            raise Problem("not_found")
        cache = request.app.state.cache
        found = await cache.get(
            f"slug:{key}", "page", lambda: service.slug(key), ttl=settings.page_ttl
        )
        if found.status == 404:
            raise Problem("not_found")
        number, current = msgspec.json.decode(found.body)
        if current != key:
            return _moved(current)
    try:
        return await _reply(
            request,
            f"program:{number}",
            "program",
            lambda: service.program(number),
            settings.program_ttl,
        )
    except Problem as problem:
        if problem.code != "not_found":
            raise
        merged = await request.app.state.cache.get(
            f"merged:{number}", "page", lambda: service.merged(number), ttl=settings.page_ttl
        )
        if merged.status == 404:
            raise
        return _moved(str(msgspec.json.decode(merged.body)))


def _moved(key: str) -> Response[bytes]:
    headers = {"Location": f"/discovery/programs/{quote(key)}", "Cache-Control": "public, max-age=60"}  # fmt: skip
    return Response(b"", status_code=301, headers=headers)


@post("/programs/batch", status_code=200, summary="Several programs", description="At most 100 ids, answered by one query, in the order asked for.")  # fmt: skip
async def batch(request: Asked, data: JSONBody[schemas.BatchBody]) -> Response[bytes]:
    """Programs by id."""
    body = await _service(request).batch(data.ids)
    return Response(body, media_type=MediaType.JSON, headers={"Cache-Control": "no-store"})


@post("/programs/{program_id:str}/views", status_code=202, summary="Count a view", description="Counted in batches; the program's viewCount follows within seconds.")  # fmt: skip
async def count_view(request: Asked, program_id: FromPath[str]) -> Response[bytes]:
    """Somebody started it."""
    number = _id(program_id, "id")
    service = _service(request)
    ttl = request.app.state.settings.api.program_ttl
    found = await request.app.state.cache.get(
        f"program:{number}", "program", lambda: service.program(number), ttl=ttl
    )
    if found.status == 404:
        raise Problem("not_found")
    request.app.state.views.add(number)
    body = msgspec.json.encode({"data": {"id": number}})
    return Response(
        body, status_code=202, media_type=MediaType.JSON, headers={"Cache-Control": "no-store"}
    )


router = Router(
    "/discovery",
    route_handlers=[search, browse, suggest, categories, series, program, batch, count_view],
    tags=["discovery"],
)
