"""Search, browsing and suggestions: an engine query built, its answer shaped and encoded."""

import html
import math
from collections.abc import Sequence
from typing import Any

import msgspec
from sqlalchemy import Executable, RowMapping, select
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker

from api import cursor
from api.cache import Answer, Cache
from api.discovery import schemas, suggestions
from api.discovery.fallback import KEPT_SECONDS, Fallback, Hits
from api.discovery.params import SORTS, BrowseRequest, SearchRequest
from api.schemas import ProgramData, program_detail
from catalog.categories.models import Category
from catalog.programs import queries
from catalog.series.models import Series
from indexer.engine import EngineUnavailableError, understood
from indexer.index_settings import MAX_TOTAL_HITS
from indexer.search import SearchPool

_encode = msgspec.json.Encoder().encode
Sessions = async_sessionmaker[AsyncSession]
# Marks no text can contain (control characters are refused at the door), so that escaping the
# text first and the marks last leaves only our own tags.
_OPEN, _CLOSE = "\x01", "\x02"
_CARD = [
    "id", "slug", "title", "description", "language", "mediaType", "kind", "durationSec",
    "releaseDate", "thumbnailUrl", "categoryId", "categorySlug", "categoryNameAr", "categoryNameEn",
    "seriesId", "seriesSlug", "seriesTitle", "season", "episode", "tags", "people", "isFeatured",
    "isExplicit", "viewCount",
]  # fmt: skip


class Discovery:
    """What the routes ask. `read` opens sessions on the replica."""

    def __init__(
        self, engine: SearchPool, fallback: Fallback, cache: Cache, read: Sessions, secret: str
    ) -> None:
        self.engine, self.fallback, self.cache = engine, fallback, cache
        self.read, self.secret = read, secret

    async def _rows(self, statement: Executable, **parameters: Any) -> Sequence[RowMapping]:
        """What a statement finds on the replica. Raises DBAPIError, TimeoutError of the pool."""
        for last in (False, True):
            try:
                async with self.read() as session:
                    found: Sequence[RowMapping]
                    found = (await session.execute(statement, parameters)).mappings().all()
                    return found
            except DBAPIError as error:
                # A pooled connection the server had closed: a fresh one deserves one try.
                if last or not error.connection_invalidated:
                    raise
        raise AssertionError

    async def search(self, request: SearchRequest) -> Answer:
        """A page of results. Raises EngineUnavailableError when PostgreSQL has none either."""
        body: dict[str, Any] = {
            "q": request.q,
            "page": request.page,
            "hitsPerPage": request.limit,
            "attributesToRetrieve": _CARD,
        }
        conditions = request.filters.conditions()
        if conditions:
            body["filter"] = conditions
        order = SORTS[request.sort]
        if order is not None:
            body["sort"] = [f"{order[0]}:{order[1]}"]
        if request.facets:
            body["facets"] = list(request.facets)
        if request.highlight and request.q:
            body |= {
                "attributesToHighlight": ["title", "description"],
                "attributesToCrop": ["description:40"],
                "highlightPreTag": _OPEN,
                "highlightPostTag": _CLOSE,
            }
        try:
            found = await self._retrieve(body)
            with understood():
                answer = self._results(request, Hits(found["hits"], found["totalHits"]))
                if request.facets:
                    answer.facets = await self._facets(found)
        except EngineUnavailableError:
            answer = self._results(request, await self.fallback.search(request))
            marked = request.highlight and bool(request.q)
            return _degraded(answer, facets=bool(request.facets), highlight=marked)
        return Answer(_encode(answer), ids=tuple(c.id for c in answer.data))

    def _results(self, request: SearchRequest, page: Hits) -> schemas.SearchAnswer:
        return schemas.SearchAnswer(
            data=self._cards(page.hits),
            meta=schemas.SearchMeta(
                page=request.page,
                limit=request.limit,
                total=page.total,
                total_pages=math.ceil(page.total / request.limit),
                query=request.q,
                sort=request.sort,
            ),
        )

    async def _retrieve(self, body: dict[str, Any]) -> dict[str, Any]:
        """Candidates for a query. Rewrites of a query that finds too little belong here."""
        return await self.engine.search(body)

    def _cards(self, hits: list[dict[str, Any]]) -> list[schemas.ProgramCard]:
        withdrawn = self.cache.gone(hit["id"] for hit in hits)
        cards = []
        for hit in hits:
            if hit["id"] in withdrawn:
                continue
            card = schemas.card(hit)
            formatted = hit.get("_formatted")
            if formatted is not None:
                card.highlight = schemas.Highlight(
                    title=_marked(formatted["title"]), description=_marked(formatted["description"])
                )
            cards.append(card)
        return cards

    async def _facets(self, found: dict[str, Any]) -> dict[str, list[schemas.FacetValue]]:
        counts: dict[str, dict[str, int]] = found.get("facetDistribution", {})
        names: dict[str, dict[str, dict[str, str]]] = {}
        if counts.get("categoryId"):
            ids = [int(value) for value in counts["categoryId"]]
            query = select(Category.id, Category.name_ar, Category.name_en)
            categories = await self._rows(query.where(Category.id.in_(ids)))
            names["categoryId"] = {
                str(c["id"]): {"name_ar": c["name_ar"], "name_en": c["name_en"]} for c in categories
            }
        if counts.get("seriesId"):
            ids = [int(value) for value in counts["seriesId"]]
            series = await self._rows(select(Series.id, Series.title).where(Series.id.in_(ids)))
            names["seriesId"] = {str(s["id"]): {"name": s["title"]} for s in series}
        return {
            facet: [
                schemas.FacetValue(value=value, count=count, **names.get(facet, {}).get(value, {}))
                for value, count in sorted(values.items(), key=lambda pair: (-pair[1], pair[0]))
            ]
            for facet, values in counts.items()
        }

    async def browse(self, request: BrowseRequest) -> Answer:
        """A page of a listing; walks past the engine's own paging cap by key, not by offset."""
        order = SORTS[request.sort]
        assert order is not None  # noqa: S101  (checked by browse_request)
        field, direction = order
        binding = cursor.bound("browse", request.sort, request.filters.key())
        # Asked beside the page: what follows a cursor is only a part of the listing.
        whole: dict[str, Any] = {"q": "", "limit": 0}
        if request.facets:
            whole["facets"] = list(request.facets)
        body: dict[str, Any] = {
            "q": "",
            "limit": request.limit + 1,
            "sort": [f"{field}:{direction}", f"id:{direction}"],
            "attributesToRetrieve": _CARD,
        }
        conditions = request.filters.conditions()
        if conditions:
            whole["filter"] = body["filter"] = conditions
        after: tuple[int | None, int] | None = None
        if request.cursor is not None:
            value, last = cursor.decode(self.secret, binding, request.cursor)
            after = value, last
            body["filter"] = [*conditions, _after(field, direction, value, last)]
        try:
            if after is not None:
                found, listing = await self.engine.multi_search([body, whole])
            else:
                found = listing = await self.engine.search(whole | body)
            with understood():
                total = min(listing["estimatedTotalHits"], MAX_TOTAL_HITS)
                answer = self._listing(request, binding, Hits(found["hits"], total))
                if request.facets:
                    answer.facets = await self._facets(listing)
        except EngineUnavailableError:
            answer = self._listing(request, binding, await self.fallback.browse(request, after))
            return _degraded(answer, facets=bool(request.facets))
        return Answer(_encode(answer), ids=tuple(c.id for c in answer.data))

    def _listing(self, request: BrowseRequest, binding: str, page: Hits) -> schemas.BrowseAnswer:
        """The page of hits of which the last is only there to say that more follow."""
        hits = page.hits
        following = None
        if len(hits) > request.limit:
            hits = hits[: request.limit]
            # The order's field as documents have it: whoever answers next understands it.
            field, _ = SORTS[request.sort] or ("id", "")
            following = cursor.encode(self.secret, binding, [hits[-1][field], hits[-1]["id"]])
        return schemas.BrowseAnswer(
            data=self._cards(hits),
            meta=schemas.BrowseMeta(
                limit=request.limit, total=page.total, sort=request.sort, next_cursor=following
            ),
        )

    async def program(self, program_id: int) -> Answer:
        """One program, or an answer with status 404."""
        rows = await self._rows(queries.VISIBLE_BY_IDS, ids=[program_id])
        return program_answer(rows[0]) if rows else Answer(b"", status=404)

    async def merged(self, program_id: int) -> Answer:
        """The id of the program this one was merged into, or an answer with status 404."""
        rows = await self._rows(queries.VISIBLE_REDIRECT, id=program_id)
        if not rows:
            return Answer(b"", status=404)
        return Answer(_encode(rows[0]["id"]), ids=(rows[0]["id"],))

    async def slug(self, slug: str) -> Answer:
        """`[id, current slug]` of an address, or an answer with status 404."""
        rows = await self._rows(queries.VISIBLE_BY_SLUG, slug=slug)
        if not rows:
            return Answer(b"", status=404)
        return Answer(_encode([rows[0]["id"], rows[0]["slug"]]), ids=(rows[0]["id"],))

    async def batch(self, ids: list[int]) -> bytes:
        """Several programs by one statement, in the order asked for."""
        wanted = list(dict.fromkeys(ids))
        rows = await self._rows(queries.VISIBLE_BY_IDS, ids=wanted)
        found = {row["id"]: program_detail(row) for row in rows}
        for program_id in self.cache.gone(found):
            del found[program_id]
        answer = schemas.BatchAnswer(
            data=[found[i] for i in wanted if i in found],
            meta=schemas.BatchMeta(missing=[i for i in wanted if i not in found]),
        )
        return _encode(answer)

    async def categories(self) -> Answer:
        """Active categories with how many programs each has."""
        try:
            found = await self.engine.search({"q": "", "limit": 0, "facets": ["categoryId"]})
            with understood():
                counts = dict(found["facetDistribution"].get("categoryId", {}))
        except EngineUnavailableError:
            # Slower than the engine's facets, and never a reason for an empty front page.
            counted = await self._rows(queries.category_counts())
            counts = {str(row["category_id"]): row["count"] for row in counted}
        listed = select(Category.id, Category.slug, Category.name_ar, Category.name_en)
        listed = listed.where(Category.is_active).order_by(Category.sort_order, Category.id)
        items = [
            schemas.CategoryItem(**row, program_count=counts.get(str(row["id"]), 0))
            for row in await self._rows(listed)
        ]
        return Answer(_encode(schemas.CategoriesAnswer(data=items, meta={"total": len(items)})))

    async def series(self, series_id: int, page: int, limit: int) -> Answer:
        """A series and a page of its programs, or an answer with status 404."""
        head = await self._rows(select(Series.__table__).where(Series.id == series_id))
        if not head:
            return Answer(b"", status=404)
        found = head[0]
        counted = await self._rows(queries.count_series_programs(series_id))
        rows = await self._rows(queries.series_programs(series_id, (page - 1) * limit, limit))
        withdrawn = self.cache.gone(row["id"] for row in rows)
        programs = [program_detail(row) for row in rows if row["id"] not in withdrawn]
        answer = schemas.SeriesAnswer(
            data=schemas.SeriesDetail(
                id=found["id"], slug=found["slug"], title=found["title"],
                description=found["description"], language=found["language"],
                thumbnail_url=found["thumbnail_url"], category_id=found["category_id"],
            ),
            programs=programs,
            meta=schemas.SeriesMeta(page=page, limit=limit, total=counted[0]["count"]),
        )  # fmt: skip
        return Answer(_encode(answer), ids=tuple(p.id for p in programs))

    async def suggest(self, q: str, limit: int) -> Answer:
        """What to offer for what was typed so far: titles first, then series, people and tags."""
        fields = ["id", "slug", "title", "seriesId", "seriesSlug", "seriesTitle", "people", "tags"]
        asked = [
            {"q": q, "limit": limit, "attributesToSearchOn": [name], "attributesToRetrieve": fields,
             "matchingStrategy": "all"}
            for name in ("title", "seriesTitle", "people", "tags")
        ]  # fmt: skip
        try:
            answers = await self.engine.multi_search(asked)
            with understood():
                hits = [a["hits"] for a in answers]
                ids = tuple(hit["id"] for found in hits for hit in found)
                data = suggestions.of_hits(hits, self.cache.gone(ids), q, limit)
        except EngineUnavailableError:
            offers = await self.fallback.suggest(q, limit)
            withdrawn = self.cache.gone(row["id"] for row in offers.titles)
            data = suggestions.of_rows(offers, withdrawn, limit)
            answer = schemas.SuggestAnswer(data=data, meta=schemas.SuggestMeta(query=q))
            return _degraded(answer)
        answer = schemas.SuggestAnswer(data=data, meta=schemas.SuggestMeta(query=q))
        return Answer(_encode(answer), ids=ids)


def program_answer(row: Any) -> Answer:
    """The very bytes a lookup serves, from a row of `queries.detail()`."""
    data = ProgramData(data=program_detail(row))
    return Answer(_encode(data), rev=row["rev"], ids=(row["id"],))


def _after(field: str, direction: str, value: int | None, last: int) -> str:
    """The filter for what follows (value, id); programs without a value come last either way."""
    operator = "<" if direction == "desc" else ">"
    if value is None:
        return f"{field} IS NULL AND id {operator} {int(last)}"
    return (
        f"{field} {operator} {int(value)} OR ({field} = {int(value)} AND id {operator} {int(last)}) "
        f"OR {field} IS NULL"
    )


def _marked(text: str) -> str:
    return html.escape(text).replace(_OPEN, "<em>").replace(_CLOSE, "</em>")


def _degraded(
    answer: schemas.SearchAnswer | schemas.BrowseAnswer | schemas.SuggestAnswer,
    *,
    facets: bool = False,
    highlight: bool = False,
) -> Answer:
    """An answer from PostgreSQL that says so, and what it lacks; kept only for a moment."""
    meta = answer.meta
    meta.degraded = True
    lacking = (("facets", facets), ("highlight", highlight))
    meta.unavailable = [name for name, asked in lacking if asked]
    if facets and not isinstance(answer, schemas.SuggestAnswer):
        answer.facets = {}
    # Suggestions without an id name nobody's program.
    ids = tuple(row.id for row in answer.data if row.id is not None and _is_program(row))
    return Answer(_encode(answer), ids=ids, max_ttl=KEPT_SECONDS)


def _is_program(row: schemas.ProgramCard | schemas.Suggestion) -> bool:
    return isinstance(row, schemas.ProgramCard) or row.type == "program"
