"""What is related to a program: candidates from one request to an engine, or from one statement without an engine.

`nearness` orders the candidates and says why each is offered. The program itself is taken from the cache of lookups, which
is never older than a change that this process knows.
"""

import math
from collections.abc import Sequence

import msgspec
from msgspec import UNSET

from api.answers.answer import NOT_FOUND, Answer
from api.answers.cache import Cache
from api.discovery.around import nearness, schemas
from api.discovery.around.telling import telling
from api.discovery.lookups.programs import Programs
from api.discovery.lookups.vocabulary import Vocabulary
from api.discovery.narrowing.filters import quote
from api.discovery.schemas import card
from api.discovery.searching.fallback import KEPT_SECONDS, Fallback
from api.http.schemas import ProgramData, ProgramDetail
from catalog.programs.around.related import related_to
from indexer.engines.document import ListedFields
from indexer.engines.errors import EngineUnavailableError, unreadable_as_unavailable
from indexer.engines.messages import Query
from indexer.engines.search import SearchPool

MAX_RELATED, DEFAULT_RELATED = 24, 8
# Candidates of each kind, the most viewed ones; and of each word of the title.
_EACH, _OF_A_WORD = MAX_RELATED, 12
# People and tags that are looked for.
_MAX_NAMES = 20
# Seconds that an answer is kept whose program was read from a replica that is behind.
_BEHIND_SECONDS = 1.0
_encode = msgspec.json.Encoder().encode
_CARD = [field.encode_name for field in msgspec.structs.fields(ListedFields)]
_POPULAR = ["viewCount:desc", "id:asc"]


class Related:
    """Finds what is related to a program."""

    def __init__(
        self,
        engine: SearchPool,
        fallback: Fallback,
        vocabulary: Vocabulary,
        programs: Programs,
        cache: Cache,
        program_ttl: float,
    ) -> None:
        """Keep the collaborators.

        Args:
            engine: The search engines.
            fallback: Answers when no engine does.
            vocabulary: Knows how many programs have a word.
            programs: Looks the program up.
            cache: Has programs, and the tombstones of withdrawn ones.
            program_ttl: Seconds that a program is cached.
        """
        self._engine, self._fallback, self._vocabulary = engine, fallback, vocabulary
        self._programs, self._cache, self._program_ttl = programs, cache, program_ttl

    async def related(self, program_id: int, limit: int) -> Answer:
        """Return the programs that are nearest to a program, or NOT_FOUND when listeners may see no such program.

        Args:
            program_id: The program.
            limit: How many at most. More of them begin with the same ones.

        Raises:
            EngineUnavailableError: Neither an engine nor PostgreSQL answers.
            EngineRejectedError: The engine refuses a query.
        """
        found = await self._cache.get(
            f"program:{program_id}",
            "program",
            lambda: self._programs.program(program_id),
            ttl=self._program_ttl,
        )
        if found.answer.status == 404:
            return NOT_FOUND
        program = msgspec.json.decode(found.answer.body, type=ProgramData).data
        max_ttl = _BEHIND_SECONDS if self._cache.invalidations.outdated(found.answer) else math.inf
        words = telling(self._vocabulary.reader.lexicon, program.title)
        meta = schemas.RelatedMeta(id=program_id, limit=limit)
        try:
            answers = await self._engine.multi_search(_queries(program, words))
            with unreadable_as_unavailable():
                hits: Sequence[ListedFields] = [hit for answer in answers for hit in answer.hits]
        except EngineUnavailableError:
            hits = await self._fallback.documents("related", related_to(program_id, nearness.SIDE, _EACH))
            meta.degraded, meta.unavailable = True, ["words"] if words else []
            max_ttl, words = KEPT_SECONDS, []
        withdrawn = self._cache.withdrawn(hit.id for hit in hits)
        near = nearness.ranked(program, words, [hit for hit in hits if hit.id not in withdrawn])[:limit]
        cards = [
            schemas.RelatedCard(**msgspec.structs.asdict(card(one.hit)), because=one.because) for one in near
        ]
        answer = schemas.RelatedAnswer(data=cards, meta=meta)
        return Answer(_encode(answer), ids=(program_id, *(one.id for one in cards)), max_ttl=max_ttl)


def _queries(program: ProgramDetail, words: Sequence[str]) -> list[Query]:
    """Return what is asked of an engine, in one request."""
    others = [f"NOT id = {program.id}"]
    found: list[Query] = []
    if program.series is not None:
        series = [f"seriesId = {program.series.id}", *others]
        found += [_listed([*series, beyond], order) for beyond, order in _sides(program)]
        others.append(f"NOT seriesId = {program.series.id}")
    people = list(dict.fromkeys(person.name for person in program.people))[:_MAX_NAMES]
    for attribute, names in (("people", people), ("tags", program.tags[:_MAX_NAMES])):
        if names:
            among = f"{attribute} IN [{', '.join(map(quote, names))}]"
            found.append(_listed([among, *others], _POPULAR))
    if program.category is not None:
        shelf = [f"categoryId = {program.category.id}", f"language = {quote(program.language)}"]
        found.append(_listed([*shelf, *others], _POPULAR))
    for word in words:
        query = _listed(others, UNSET, _OF_A_WORD)
        query.q, query.matching_strategy = word, "all"
        query.attributes_to_search_on = ["title", "foldedTitle"]
        found.append(query)
    return found


def _sides(program: ProgramDetail) -> list[tuple[str, list[str]]]:
    """Return filters and orders for what was released after and before a program of a series.

    An engine knows no order of episodes. What stands beside a program there was released about the same time.
    """
    if program.release_date is None:
        return [(f"id > {program.id}", ["id:asc"]), (f"id < {program.id}", ["id:desc"])]
    at = int(program.release_date.timestamp())
    return [
        (f"releaseDate {than} {at} OR (releaseDate = {at} AND id {than} {program.id})", order)
        for than, order in ((">", ["releaseDate:asc", "id:asc"]), ("<", ["releaseDate:desc", "id:desc"]))
    ]


def _listed(conditions: list[str], sort: list[str] | msgspec.UnsetType, limit: int = _EACH) -> Query:
    return Query(q="", limit=limit, filter=conditions, sort=sort, attributes_to_retrieve=_CARD)
