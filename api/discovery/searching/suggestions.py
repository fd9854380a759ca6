"""What to offer while somebody types, and to somebody who found nothing.

The words typed so far are searched in titles, series, people and tags; words that the catalogue does not know also as
they may have been meant (`catalog.words.readings`), and queries that are asked often and begin so (`asked`), in the same
request. A frequent query is offered only if it finds a program whose title and names have all its words.
"""

import asyncio
import logging

import msgspec
from sqlalchemy.exc import SQLAlchemyError

from api.answers.answer import Answer
from api.answers.cache import Cache
from api.discovery import schemas
from api.discovery.counted.asked import Asked
from api.discovery.lookups.taxonomy import Taxonomy
from api.discovery.lookups.vocabulary import Vocabulary
from api.discovery.searching import offers
from api.discovery.searching.degraded import degraded
from api.discovery.searching.fallback import Fallback
from api.http.readings.choosing import SPELLINGS
from catalog.words.spelling import spell, split
from indexer.engines.document import ListedFields
from indexer.engines.errors import EngineUnavailableError, unreadable_as_unavailable
from indexer.engines.messages import NamesHit, Query
from indexer.engines.search import SearchPool

log = logging.getLogger(__name__)
_encode = msgspec.json.Encoder().encode
_NAMES = [field.encode_name for field in msgspec.structs.fields(NamesHit)]
_CARD = [field.encode_name for field in msgspec.structs.fields(ListedFields)]
_FIELDS = ("title", "seriesTitle", "people", "tags")
# Readings that are looked for beside the words themselves.
_READINGS = 2
# Offers to somebody who found nothing; words of the query whose neighbours are looked for, and programs of each.
_NEAREST, _NEAR_WORDS, _NEAR_PROGRAMS = 8, 3, 3
# Frequent queries that are offered, and programs by which each is known to find something.
_POPULAR, _OF_POPULAR = 2, 3
# For how long the categories are kept, and for how long a suggestion waits for them, in seconds.
_CATEGORIES_KEPT, _CATEGORIES_TIMEOUT = 60.0, 0.25
_ORDER = ("correction", "program", "series", "query", "person", "tag", "category")


class Suggestions:
    """Makes offers from what the engine finds, and from PostgreSQL when no engine answers."""

    def __init__(
        self,
        engine: SearchPool,
        vocabulary: Vocabulary,
        fallback: Fallback,
        cache: Cache,
        asked: Asked,
        taxonomy: Taxonomy,
    ) -> None:
        """Take what is asked.

        Args:
            engine: The search engines.
            vocabulary: Has the words of the catalogue.
            fallback: Answers when no engine does.
            cache: Knows which programs were withdrawn a moment ago, and has the categories.
            asked: Knows which queries are asked often.
            taxonomy: Lists the categories.
        """
        self._engine, self._vocabulary = engine, vocabulary
        self._fallback, self._cache = fallback, cache
        self._asked, self._taxonomy = asked, taxonomy

    async def suggest(self, q: str, limit: int) -> Answer:
        """Return what to offer for the words typed so far.

        What they may have been meant as comes first, if they are unknown; then titles, series, frequent queries, people,
        tags and categories.

        Args:
            q: The words; the last may be unfinished.
            limit: How many offers at most.

        Raises:
            EngineUnavailableError: Neither an engine nor PostgreSQL answers.
            EngineRejectedError: The engine refuses the query.
        """
        doubtful = self._vocabulary.reader.doubtful(q)
        try:
            data, ids = await self._offers(q, limit, doubtful=doubtful)
        except EngineUnavailableError:
            found = await self._fallback.suggest(q, limit)
            withdrawn = self._cache.withdrawn(row["id"] for row in found.titles)
            data = offers.of_rows(found, withdrawn, limit)
            return degraded(schemas.SuggestAnswer(data=data, meta=schemas.SuggestMeta(query=q)))
        answer = schemas.SuggestAnswer(data=data, meta=schemas.SuggestMeta(query=q))
        max_ttl = self._vocabulary.max_ttl(doubtful=doubtful)
        return Answer(_encode(answer), ids=ids, max_ttl=max_ttl)

    async def _offers(
        self, q: str, limit: int, *, doubtful: bool
    ) -> tuple[list[schemas.Suggestion], tuple[int, ...]]:
        """The offers, and the ids of the programs that they were made of."""
        reader = self._vocabulary.reader
        readings = reader.read(q, _READINGS) if reader.lexicon.size and doubtful else []
        texts = [spell(q), *(reading.text for reading in readings)]
        popular = self._asked.beginning(q, _POPULAR)
        queries = [_named(text, field, limit) for text in texts for field in _FIELDS]
        answers = await self._engine.search_names([*queries, *map(_query, popular)])
        with unreadable_as_unavailable():
            found = [answer.hits for answer in answers]
        ids = tuple(hit.id for hits in found for hit in hits)
        withdrawn = self._cache.withdrawn(ids)
        shown = [[hit for hit in hits if hit.id not in withdrawn] for hits in found]
        count = len(_FIELDS)
        data = offers.of_hits(shown[:count], q, limit)
        # A word that was just published is not known yet: what is there as it was typed was meant so.
        for n, reading in enumerate([] if offers.has_typed(data, q) else readings, 1):
            hits = shown[n * count : (n + 1) * count]
            of_text = offers.of_hits(hits, reading.text, limit)
            if of_text and (reading.rung in SPELLINGS or not data):
                data += [offer for offer in of_text if offer not in data]
                if reading.rung in SPELLINGS:
                    data.append(offers.of_reading(reading, (hit for part in hits for hit in part)))
                break
        for text, of_query in zip(popular, shown[len(queries) :], strict=True):
            offer = offers.of_query(text, of_query)
            if offer is not None:
                data.append(offer)
        categories, of_categories = await self._categories(q)
        data = offers.without_repeated_queries([*data, *categories])
        data.sort(key=lambda offer: _ORDER.index(offer.type))
        return offers.mixed(data, limit), (*ids, *of_categories)

    async def _categories(self, q: str) -> tuple[list[schemas.Suggestion], tuple[int, ...]]:
        """Categories with a visible program, and the ids of these programs."""
        try:
            async with asyncio.timeout(_CATEGORIES_TIMEOUT):
                found = await self._cache.get(
                    "categories", "page", self._taxonomy.categories, ttl=_CATEGORIES_KEPT
                )
        except (SQLAlchemyError, OSError) as error:
            # PostgreSQL is away or slow: the engine's offers are worth more than none.
            log.debug("suggestions without categories: %s", type(error).__name__)
            return [], ()
        categories = msgspec.json.decode(found.answer.body, type=schemas.CategoriesAnswer).data
        offered = offers.of_categories(categories, q)
        ids = {offer.id for offer in offered}
        shown = zip(categories, found.answer.ids, strict=True)
        return offered, tuple(program for category, program in shown if category.id in ids)

    async def nearest(self, q: str) -> list[schemas.Suggestion]:
        """Return what comes near a query that found nothing; without anything near, what is viewed most.

        Raises:
            EngineUnavailableError: No engine answers.
            EngineRejectedError: The engine refuses a query.
        """
        words = self._near_words(q)
        queries = [
            Query(q=word, limit=_NEAR_PROGRAMS, attributes_to_retrieve=_CARD, matching_strategy="all")
            for word in words
        ]
        popular = Query(q="", limit=_NEAR_PROGRAMS, sort=["viewCount:desc"], attributes_to_retrieve=_CARD)
        answers = await self._engine.multi_search([*queries, popular])
        hits = [hit for answer in answers for hit in answer.hits]
        withdrawn = self._cache.withdrawn(hit.id for hit in hits)
        return offers.near([hit for hit in hits if hit.id not in withdrawn], q, _NEAREST)

    def _near_words(self, q: str) -> list[str]:
        """Return words of the catalogue that resemble the longest words of the query."""
        longest = sorted(split(q), key=len, reverse=True)[:_NEAR_WORDS]
        return list(dict.fromkeys(near for word in longest for near in self._vocabulary.near(word)))


def _named(text: str, field: str, limit: int) -> Query:
    return Query(
        q=text,
        limit=limit,
        attributes_to_search_on=["title", "foldedTitle"] if field == "title" else [field],
        attributes_to_retrieve=_NAMES,
        matching_strategy="all",
    )


def _query(text: str) -> Query:
    return Query(q=text, limit=_OF_POPULAR, attributes_to_retrieve=_NAMES, matching_strategy="all")
