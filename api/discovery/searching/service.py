"""Search and browse: builds the query for the engine, and the answer from the engine's hits.

`api.discovery.routes` calls it through the cache. When no engine answers, `fallback` answers from PostgreSQL, and the
answer is marked as degraded.
"""

import math
from collections.abc import Sequence
from operator import attrgetter

import msgspec
from msgspec import UNSET, UnsetType, structs

from api.answers.answer import Answer
from api.answers.cache import NEGATIVE_SECONDS, Cache
from api.discovery import schemas
from api.discovery.counted import notes
from api.discovery.facets.counting import Counting, conditions, of_documents
from api.discovery.facets.labels import Facets
from api.discovery.lookups.curated import NOTHING, Curated, Pinned
from api.discovery.lookups.vocabulary import Vocabulary
from api.discovery.narrowing.filters import Filters
from api.discovery.narrowing.orders import SORTS
from api.discovery.params import PROGRAM, BrowseRequest, SearchRequest
from api.discovery.searching import highlights, pins
from api.discovery.searching.asking import depending
from api.discovery.searching.asking.cursors import Place, beyond, continued, place_of, sorting
from api.discovery.searching.asking.cursors import following as next_page
from api.discovery.searching.asking.queries import CARD, EXCLUSION, query_of
from api.discovery.searching.degraded import degraded
from api.discovery.searching.fallback import Fallback, Hits, Offers
from api.discovery.searching.ladder import Climb, Ladder
from api.discovery.searching.named import MOST, Names, of_rows, show
from api.discovery.searching.suggestions import Suggestions
from api.http import cursor
from api.http.readings.choosing import Shown
from api.http.schemas import Rewrite
from catalog.programs.fallback.statements import After
from indexer.engines.document import ListedFields
from indexer.engines.errors import EngineUnavailableError, unreadable_as_unavailable
from indexer.engines.index_settings import MAX_TOTAL_HITS
from indexer.engines.messages import Hit, Query, Results
from indexer.engines.search import SearchPool

_encode = msgspec.json.Encoder().encode
_BY_NAME = {field.encode_name: attrgetter(field.name) for field in msgspec.structs.fields(ListedFields)}


class Searches:
    """Computes the answers of listeners' routes that list programs."""

    def __init__(
        self,
        engine: SearchPool,
        ladder: Ladder,
        suggestions: Suggestions,
        names: Names,
        fallback: Fallback,
        facets: Facets,
        curated: Curated,
        cache: Cache,
        vocabulary: Vocabulary,
        secret: str,
    ) -> None:
        """Keep the collaborators.

        Args:
            engine: The search engines.
            ladder: Asks them a query and, where it needs them, its other readings.
            suggestions: What to offer where nothing is found.
            names: Finds series and people beside programs.
            fallback: Answers when no engine does.
            facets: Names the values of facets.
            curated: Knows what editors pinned to a query.
            cache: Has the tombstones of withdrawn programs, which the engine may still have.
            vocabulary: Has the words of the catalogue.
            secret: Signs cursors.
        """
        self.engine, self.ladder, self.suggestions, self.names = engine, ladder, suggestions, names
        self.fallback, self.facets, self.counting = fallback, facets, Counting(engine)
        self.cache, self.vocabulary, self.secret, self.curated = cache, vocabulary, secret, curated

    async def search(self, request: SearchRequest) -> Answer:
        """Return a page of search results, with a note for the count of searches.

        Raises:
            EngineUnavailableError: Neither an engine nor PostgreSQL answers.
            EngineRejectedError: The engine refuses the query.
        """
        place = place_of(self.secret, request)
        try:
            climb = await self.climb(request, place)
            found = climb.results
            with unreadable_as_unavailable():
                pinned, hits = await self._pinned(request, climb)
                answer = self._results(request, hits, climb.query, place)
                named = self.names.found(request, climb.beside)
                show(answer, request, named)
                answer.meta.rewrite = _rewrite(climb.rewrite)
                answer.meta.did_you_mean = _rewrite(climb.offer) or UNSET
                if not hits.total and request.q.strip() and PROGRAM in request.types:
                    answer.meta.suggestions = await self.suggestions.nearest(request.q)
                if request.facets:
                    answer.facets = await self.facets.named(
                        (found.facet_distribution or {}) | await self.counting.beside(request, climb.query)
                    )
        except EngineUnavailableError:
            page, after = Hits([], 0), None if place is None else place.after
            if PROGRAM in request.types:
                variants = await self.curated.variants(request.q)
                page = await self.fallback.search(request, variants, after)
            answer = self._results(request, page, query_of(request), place)
            # PostgreSQL finds names by their words alone.
            by_words = request.types != (PROGRAM,) and request.filters == Filters() and request.page == 1
            rows = await self.fallback.names(request.q, MOST) if by_words else Offers([], [], [], [])
            show(answer, request, of_rows(request, rows))
            highlighted = request.highlight and bool(request.q)
            return degraded(
                answer,
                facets=bool(request.facets),
                highlight=highlighted,
                operators=request.operators and EXCLUSION.search(request.q) is not None,
                names=request.types != (PROGRAM,) and request.filters != Filters(),
                note=self._note(request, page.total, notes.DEGRADED),
            )
        as_typed = climb.rewrite is None and climb.offer is None and not request.operators
        found_in_all = hits.total + len(named.series) + len(named.people)
        rung = notes.PLAIN if climb.rewrite is None else climb.rewrite.rung
        note = self._note(request, found_in_all, rung, as_typed=as_typed and bool(answer.data))
        # Nothing found now may be found in a moment: words of the catalogue are counted after they are published.
        max_ttl = min(climb.max_ttl, pinned.max_ttl, math.inf if found_in_all else NEGATIVE_SECONDS)
        ids = (*(c.id for c in answer.data), *named.ids)
        depends = (
            None if pinned.places else depending.of_search(request, climb, self.vocabulary.reader.lexicon)
        )
        ends_at = depending.ends_at(request, depends, pinned.ends_at)
        return Answer(_encode(answer), ids=ids, max_ttl=max_ttl, ends_at=ends_at, note=note, depends=depends)

    def _note(self, request: SearchRequest, hits: int, rung: str, *, as_typed: bool = False) -> str:
        return notes.of_search(request, hits, rung, as_typed=as_typed, knows=self.vocabulary.knows)

    async def _pinned(self, request: SearchRequest, climb: Climb) -> tuple[Pinned, Hits]:
        """Return what is pinned to the query, and the page with it. A listener who asks for another order gets that."""
        pinned, found = NOTHING, climb.results
        by_words = request.sort == "relevance" and not request.operators and request.q.strip()
        if by_words and PROGRAM in request.types:
            texts = (request.q,) if climb.rewrite is None else (request.q, climb.rewrite.text)
            pinned = await self.curated.pinned(*texts)
        if not pinned.places:
            return pinned, Hits(found.hits, found.total)
        narrowed = conditions(request, request.filters)
        return pinned, await pins.placed(self.engine, request, narrowed, climb, pinned.places)

    def _results(
        self, request: SearchRequest, page: Hits, query: Query, place: Place | None
    ) -> schemas.SearchAnswer:
        hits = page.hits[: request.limit]
        order = SORTS[request.sort]
        following: str | UnsetType | None = UNSET if request.cursor is None else None
        if order is not None and following is None and hits:
            # The first page of an engine has no program more than it shows, but all are counted.
            is_more = len(page.hits) > request.limit or (place is None and page.total > request.limit)
            if is_more:
                after = _BY_NAME[order[0]](hits[-1]), hits[-1].id
                following = next_page(self.secret, request, query, after)
        return schemas.SearchAnswer(
            data=self._cards(hits),
            meta=schemas.SearchMeta(
                page=request.page,
                limit=request.limit,
                total=page.total,
                total_is_exact=page.total < MAX_TOTAL_HITS,
                total_pages=math.ceil(page.total / request.limit),
                query=request.q,
                sort=request.sort,
                next_cursor=following,
            ),
        )

    async def climb(self, request: SearchRequest, place: Place | None = None) -> Climb:
        """Return what the words find, without pins.

        Operators say exactly what is wanted; a phrase that nobody wrote is words.

        Args:
            request: The search.
            place: Where its page begins, if it does not begin at its number.

        Raises:
            EngineUnavailableError: No engine answers.
            EngineRejectedError: The engine refuses the query.
        """
        query, beside, order = query_of(request), self.names.queries(request), SORTS[request.sort]
        if place is not None and order is not None:
            # What the words mean was decided on the first page.
            page, whole = continued(request, query, order, place)
            found, listing = await self.engine.multi_search([page, whole])
            return Climb(structs.replace(listing, hits=found.hits), whole)
        if PROGRAM not in request.types:
            named = await self.engine.multi_search(beside) if beside else ()
            max_ttl = self.names.max_ttl(request.q)
            return Climb(Results([], total_hits=0), query, beside=named, max_ttl=max_ttl)
        typed = EXCLUSION.sub("", request.q)
        operators = request.operators and EXCLUSION.search(request.q) is not None
        if operators or '"' in request.q or not request.q.strip():
            plain = await self.ladder.plainly(query, beside)
            if plain.results.total or operators or not request.q.strip():
                return plain
            typed = typed.replace('"', " ")
            query.q = typed
        return await self.ladder.climb(query, typed, beside)

    def _cards(self, hits: Sequence[ListedFields]) -> list[schemas.ProgramCard]:
        withdrawn = self.cache.withdrawn(hit.id for hit in hits)
        cards = []
        for hit in hits:
            if hit.id in withdrawn:
                continue
            card = schemas.card(hit)
            if isinstance(hit, Hit) and hit.formatted is not None:
                card.highlight = schemas.Highlight(
                    title=highlights.marked(hit.formatted.title),
                    description=highlights.marked(hit.formatted.description),
                )
            cards.append(card)
        return cards

    async def browse(self, request: BrowseRequest) -> Answer:
        """Return a page of a listing.

        A cursor holds the sort key of the last program, so pages may go beyond the engine's limit of hits.

        Raises:
            Problem: The cursor belongs to another list.
            EngineUnavailableError: Neither an engine nor PostgreSQL answers.
            EngineRejectedError: The engine refuses the query.
        """
        binding = cursor.bound("browse", request.sort, request.filters.key())
        wanted = conditions(request, request.filters)
        facets = of_documents(request.facets)
        # The total and the facets describe the whole listing, not only the part after the cursor.
        whole = Query(q="", limit=0, filter=wanted or UNSET, facets=facets)
        query = Query(
            q="",
            limit=request.limit + 1,
            filter=wanted or UNSET,
            sort=sorting(request.order),
            attributes_to_retrieve=CARD,
        )
        after: After | None = None
        if request.cursor is not None:
            value, last = cursor.decode(self.secret, binding, request.cursor)
            after = value, last
            query.filter = [*wanted, beyond(request.order, after)]
        try:
            if after is not None:
                found, listing = await self.engine.multi_search([query, whole])
            else:
                query.facets = facets
                found = listing = await self.engine.search(query)
            with unreadable_as_unavailable():
                total = min(listing.total, MAX_TOTAL_HITS)
                answer = self._listing(request, binding, Hits(found.hits, total))
                if request.facets:
                    answer.facets = await self.facets.named(
                        (listing.facet_distribution or {}) | await self.counting.beside(request, whole)
                    )
        except EngineUnavailableError:
            answer = self._listing(request, binding, await self.fallback.browse(request, after))
            return degraded(answer, facets=bool(request.facets))
        depends = depending.of_browse(request, after, found.hits)
        return Answer(_encode(answer), ids=tuple(c.id for c in answer.data), depends=depends)

    def _listing(self, request: BrowseRequest, binding: str, page: Hits) -> schemas.BrowseAnswer:
        """Return the answer for a page of hits. One hit more than the limit means that there is a next page."""
        hits = page.hits
        following = None
        if len(hits) > request.limit:
            hits = hits[: request.limit]
            # The field's value in the document: both the engine and PostgreSQL can continue from it.
            field, _ = request.order
            following = cursor.encode(self.secret, binding, [_BY_NAME[field](hits[-1]), hits[-1].id])
        return schemas.BrowseAnswer(
            data=self._cards(hits),
            meta=schemas.BrowseMeta(
                limit=request.limit,
                total=page.total,
                total_is_exact=page.total < MAX_TOTAL_HITS,
                sort=request.sort,
                next_cursor=following,
            ),
        )


def _rewrite(shown: Shown | None) -> Rewrite | None:
    return None if shown is None else Rewrite(kind=shown.rung, query=shown.text)
