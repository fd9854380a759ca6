"""What a query finds without curation and with it, for editors who pin programs or make synonyms.

An index has the synonyms that are in force, so what it finds by them alone is told by its words: `before` leaves out programs
that have none of the words of the query's terms. A synonym that is only tried is searched for as a query of its own, so the
order of what it finds may differ a little from the engine's.
"""

from collections.abc import Mapping, Sequence

from msgspec import UNSET, structs

from api.answers.cache import Cache
from api.discovery.lookups.curated import Curated
from api.discovery.narrowing.filters import Filters
from api.discovery.params import SearchRequest
from api.discovery.searching.pins import merged
from api.discovery.searching.service import Searches
from api.http.query import MAX_LIMIT
from api.http.readings.fit import fit
from api.http.schemas import PreviewAnswer, PreviewMeta, PreviewPages, PreviewPin, PreviewProgram
from catalog.curation import pins
from catalog.curation.expansions import Expansions, Replaced, Rule
from catalog.words.spelling import spell, split
from indexer.engines.errors import unreadable_as_unavailable
from indexer.engines.messages import Hit, Query
from indexer.engines.search import SearchPool

# Times the limit that are looked at, so that pages are full without what only curation brings.
_SPARE = 3


class Previews:
    """Asks an engine as listeners' searches do."""

    def __init__(self, engine: SearchPool, searches: Searches, curated: Curated, cache: Cache) -> None:
        """Take what is asked.

        Args:
            engine: The search engines.
            searches: Says what the words of a query find.
            curated: Knows the pins and synonyms in force.
            cache: Has the tombstones of withdrawn programs.
        """
        self._engine, self._searches, self._curated, self._cache = engine, searches, curated, cache

    async def preview(
        self, q: str, limit: int, places: Mapping[int, int], rules: Sequence[Rule], replaced: Replaced
    ) -> PreviewAnswer:
        """Return the first page of a query without curation, and with it.

        Args:
            q: The query.
            limit: Programs on a page.
            places: Pins to try: program -> place. They come before those in force.
            rules: Synonyms to try.
            replaced: What is in force and left out of `after`, because it is what is tried anew.

        Raises:
            EngineUnavailableError: No engine answers.
            EngineRejectedError: The engine refuses the query.
        """
        wide = min(MAX_LIMIT, _SPARE * limit)
        request = SearchRequest(q, Filters(), "relevance", 1, wide, (), highlight=False, operators=False)
        climb = await self._searches.climb(request)
        read_as = None if climb.rewrite is None else climb.rewrite.text
        pinned = await self._curated.pinned(
            *(text for text in (q, read_as) if text is not None), without=replaced.pin_id
        )
        tried = Expansions(rules)
        words = split(q)
        others = None if replaced.rule is None else await self._curated.remaining(replaced.rule)
        stay = await self._curated.variants(q) if others is None else [" ".join(v) for v in others.of(words)]
        # Without a synonym of the index, what the other ones find is asked for, too.
        drafts = [*(stay if others is not None else ()), *(" ".join(variant) for variant in tried.of(words))]
        wanted = dict(places) | {
            program_id: place
            for program_id, place in pinned.places.items()
            if program_id not in places and place not in places.values()
        }
        visible, *by_drafts = await self._asked(climb.query, wanted, drafts, wide)
        with unreadable_as_unavailable():
            found = climb.results.hits
            chosen = {hit.id: hit for hit in visible if hit.id in wanted}
        in_force = await self._curated.terms(q)
        own = [hit for hit in found if _has_words(hit, in_force)]
        kept = found if others is None else own
        joined: dict[int, Hit] = {hit.id: hit for hits in (kept, *by_drafts) for hit in hits}
        by_synonym = joined.keys() - {hit.id for hit in own}
        after = self._placed([hit for hit in joined.values() if hit.id not in chosen], chosen, wanted, limit)
        withdrawn = self._cache.withdrawn([*joined, *chosen])

        def shown(hits: Sequence[Hit], pinned: Mapping[int, Hit]) -> list[PreviewProgram]:
            return [
                _program(
                    hit, pinned=hit.id in pinned, by_synonym=hit.id in by_synonym and hit.id not in pinned
                )
                for hit in hits
                if hit.id not in withdrawn
            ][:limit]

        variants = [*stay, *drafts]
        meta = PreviewMeta(
            query=q,
            folded=pins.folded(q),
            read_as=read_as,
            limit=limit,
            pins=[
                PreviewPin(
                    program_id=program_id,
                    place=place,
                    draft=program_id in places,
                    shown=program_id in chosen and program_id not in withdrawn,
                )
                for program_id, place in sorted(wanted.items(), key=lambda item: item[1])
            ],
            variants=list(dict.fromkeys(variants)),
        )
        return PreviewAnswer(data=PreviewPages(before=shown(own, {}), after=shown(after, chosen)), meta=meta)

    async def _asked(
        self, query: Query, wanted: Mapping[int, int], drafts: Sequence[str], limit: int
    ) -> list[list[Hit]]:
        """Return the visible ones of the pinned programs, and what each of the tried wordings finds."""
        asked = structs.replace(query, page=UNSET, hits_per_page=UNSET, limit=limit, matching_strategy="all")
        queries = [structs.replace(asked, q=spell(draft)) for draft in drafts]
        chosen = f"id IN [{', '.join(map(str, wanted)) or 0}]"
        answers = await self._engine.multi_search([structs.replace(asked, q="", filter=[chosen]), *queries])
        with unreadable_as_unavailable():
            return [answer.hits for answer in answers]

    @staticmethod
    def _placed(
        others: list[Hit], chosen: Mapping[int, Hit], wanted: Mapping[int, int], limit: int
    ) -> list[Hit]:
        ordered = sorted(chosen, key=lambda program_id: wanted[program_id])
        placed = [wanted[program_id] for program_id in ordered]
        return merged(others, [chosen[program_id] for program_id in ordered], placed, limit)


def _has_words(hit: Hit, terms: Sequence[Sequence[str]]) -> bool:
    """Whether a program has a word of each term of the query that has a synonym."""
    return all(any(fit([word], hit, unfinished=False).value for word in term) for term in terms)


def _program(hit: Hit, *, pinned: bool, by_synonym: bool) -> PreviewProgram:
    return PreviewProgram(
        id=hit.id,
        slug=hit.slug,
        title=hit.title,
        language=hit.language,
        kind=hit.kind,
        pinned=pinned,
        by_synonym=by_synonym,
    )
