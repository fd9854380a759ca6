"""Searches that many different listeners ask, as long as each of them finds something.

`api.discovery.counted.asked` reads them. Before one is shown, one request asks an engine whether a program has all its words in its
title and names, in one of the wanted languages; the program's writing of the words is shown.
"""

import math

import msgspec
from msgspec import UNSET

from api.answers.answer import Answer
from api.answers.cache import NEGATIVE_SECONDS, Cache
from api.discovery.around import schemas
from api.discovery.counted.asked import Asked
from api.discovery.narrowing.filters import quote
from api.discovery.searching import offers
from api.discovery.searching.fallback import KEPT_SECONDS
from catalog.core.text import fold
from catalog.words.joined import ARTICLE
from catalog.words.spelling import split
from indexer.engines.errors import EngineUnavailableError, unreadable_as_unavailable
from indexer.engines.messages import NamesHit, Query
from indexer.engines.search import SearchPool

MAX_POPULAR, DEFAULT_POPULAR = 20, 10
# Queries that are looked for, for each that is wanted; programs by which each is known to find something.
_TRIED, _PROGRAMS = 2, 3
_NAMES = [field.encode_name for field in msgspec.structs.fields(NamesHit)]
_encode = msgspec.json.Encoder().encode


class PopularSearches:
    """Lists what many listeners search for."""

    def __init__(self, engine: SearchPool, cache: Cache, asked: Asked, blocked: str) -> None:
        """Keep the collaborators.

        Args:
            engine: The search engines.
            cache: Knows which programs were withdrawn a moment ago.
            asked: Knows which queries many listeners ask.
            blocked: Words that no query may have, separated by commas.
        """
        self._engine, self._cache, self._asked = engine, cache, asked
        self._blocked = {word.removeprefix(ARTICLE) for word in split(blocked)}

    async def popular(self, languages: tuple[str, ...], limit: int) -> Answer:
        """Return the most frequent queries that find something.

        Args:
            languages: A program that a query finds has one of these; any language if empty.
            limit: How many at most.

        Raises:
            EngineRejectedError: The engine refuses a query.
        """
        meta = schemas.PopularSearchesMeta(limit=limit)
        texts = [text for text in self._asked.shared if not self._is_blocked(text)][: _TRIED * limit]
        if not texts:
            return self._answer([], meta, (), NEGATIVE_SECONDS)
        among = f"language IN [{', '.join(map(quote, languages))}]"
        queries = [
            Query(
                q=text,
                limit=_PROGRAMS,
                attributes_to_retrieve=_NAMES,
                matching_strategy="all",
                filter=[among] if languages else UNSET,
            )
            for text in texts
        ]
        try:
            answers = await self._engine.search_names(queries)
            with unreadable_as_unavailable():
                found = [answer.hits for answer in answers]
        except EngineUnavailableError:
            # What finds nothing must not be offered, and PostgreSQL has no time for so many searches.
            meta.degraded, meta.unavailable = True, ["queries"]
            return self._answer([], meta, (), KEPT_SECONDS)
        withdrawn = self._cache.withdrawn(hit.id for hits in found for hit in hits)
        shown: dict[str, schemas.PopularSearch] = {}
        ids: dict[int, None] = {}
        for text, hits in zip(texts, found, strict=True):
            visible = [hit for hit in hits if hit.id not in withdrawn]
            offer = offers.of_query(text, visible)
            if offer is not None and fold(offer.text) not in shown and len(shown) < limit:
                shown[fold(offer.text)] = schemas.PopularSearch(query=offer.text)
                ids |= dict.fromkeys(hit.id for hit in visible)
        return self._answer(list(shown.values()), meta, tuple(ids), math.inf if shown else NEGATIVE_SECONDS)

    def _is_blocked(self, text: str) -> bool:
        return any(word.removeprefix(ARTICLE) in self._blocked for word in text.split())

    def _answer(
        self,
        data: list[schemas.PopularSearch],
        meta: schemas.PopularSearchesMeta,
        ids: tuple[int, ...],
        max_ttl: float,
    ) -> Answer:
        body = _encode(schemas.PopularSearchesAnswer(data=data, meta=meta))
        return Answer(body, ids=ids, max_ttl=max_ttl)
