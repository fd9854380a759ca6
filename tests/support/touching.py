"""Listeners' searches over an index of the search node in memory, and what its changes say to caches."""

import json
from collections import Counter
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any, cast

import msgspec

from api.answers.answer import Answer
from api.answers.cache import Cache
from api.answers.following.log import Log
from api.discovery.lookups.curated import NOTHING
from api.discovery.params import BrowseRequest, SearchRequest
from api.discovery.searching.ladder import Ladder
from api.discovery.searching.named import Names
from api.discovery.searching.service import Searches
from catalog.words.keys import sound_hash, sounds
from catalog.words.lexicon import Builder
from catalog.words.readings import Reader
from catalog.words.spelling import split
from deploy.searchnode.index.index import Index
from deploy.searchnode.query.search import search
from indexer.engines import document, index_settings
from indexer.engines.document import Document
from indexer.engines.messages import Hit, Query, Results
from indexer.sender.sending.describing import described
from indexer.stores.following.described import Described
from tests.support.searchnode import index_of, write

_encode = msgspec.json.Encoder().encode
ROW: dict[str, Any] = {
    "slug": "x",
    "description": "",
    "language": "ar",
    "media_type": "audio",
    "kind": "episode",
    "duration_sec": None,
    "release_date": None,
    "thumbnail_url": None,
    "category_id": None,
    "category_slug": None,
    "category_name_ar": None,
    "category_name_en": None,
    "category_is_active": True,
    "series_id": None,
    "series_slug": None,
    "series_title": None,
    "season": None,
    "episode": None,
    "is_featured": False,
    "is_explicit": False,
    "published_at": datetime(2024, 1, 1, tzinfo=UTC),
    "tags": [],
    "people": [],
    "popularity": 0,
    "rev": 1,
}


def made(program_id: int, **values: Any) -> Document:
    """Return a document."""
    return document.build(cast("Any", ROW | {"id": program_id} | values))


class _Vocabulary:
    """The words of the titles, as the vocabulary has them."""

    def __init__(self, titles: Sequence[str]) -> None:
        programs = Counter(word for title in titles for word in set(split(title)))
        words = sorted(programs)
        keys = [sounds(word) for word in words]
        builder = Builder()
        if words:
            hashes = " ".join(str(sound_hash(key)) for of_word in keys for key in of_word)
            of_each = " ".join(str(len(of_word)) for of_word in keys)
            builder.add(" ".join(words), " ".join(str(programs[word]) for word in words), hashes, of_each)
        self.reader = Reader(builder.finish())

    def max_ttl(self, *, doubtful: bool) -> float:
        return 60.0

    def knows(self, text: str) -> bool:
        return not self.reader.doubtful(f"{text} ")


class _Curated:
    async def pinned(self, *texts: str) -> Any:
        return NOTHING

    async def variants(self, text: str) -> list[str]:
        return []


class _Suggestions:
    async def nearest(self, q: str) -> None:
        return None


class Catalogue:
    """An index, the log of its changes, and the searches over it."""

    def __init__(self, documents: Sequence[Document]) -> None:
        self.documents = {one.id: one for one in documents}
        self.index: Index = index_of([_plain(one) for one in documents], **index_settings.SETTINGS)
        self.log, self.generation = Log(), 1
        self.log.begin(1)
        self._vocabulary = _Vocabulary([one.title for one in documents])
        cache = Cache(None, "", max_bytes=1000)
        vocabulary, curated = cast("Any", self._vocabulary), cast("Any", _Curated())
        self.searches = Searches(
            engine=cast("Any", self),
            ladder=Ladder(cast("Any", self), vocabulary, curated),
            suggestions=cast("Any", _Suggestions()),
            names=Names(vocabulary, cache),
            fallback=cast("Any", None),
            facets=cast("Any", None),
            curated=curated,
            cache=cache,
            vocabulary=vocabulary,
            secret="secret",  # nobody checks it
        )

    def change(self, stored: Sequence[Document], removed: Sequence[int] = ()) -> None:
        """Store and delete documents in one batch, as a sender does, and take note of it."""
        known = [one for one in removed if one in self.documents]
        write(self.index, [_plain(one) for one in stored], [str(one) for one in known])
        self.documents |= {one.id: one for one in stored}
        for one in known:
            del self.documents[one]
        self.generation += 1
        self.log.add(self.generation, [*map(described, stored), *map(Described, removed)])

    async def search(self, query: Query) -> Results[Hit]:
        """Answer a search, as `SearchPool.search` does."""
        body = json.loads(_encode(query))
        return msgspec.json.decode(_encode(search(self.index, body)), type=Results[Hit])

    async def multi_search(self, queries: Sequence[Query]) -> list[Results[Hit]]:
        """Answer several, as `SearchPool.multi_search` does."""
        return [await self.search(query) for query in queries]

    async def page(self, request: SearchRequest | BrowseRequest) -> Answer:
        """Return the answer to a search or a listing."""
        if isinstance(request, SearchRequest):
            return await self.searches.search(request)
        return await self.searches.browse(request)

    def is_touched(self, page: Answer, generation: int) -> bool:
        """Return whether a page of a generation is superseded by what came since."""
        return self.log.touched_at(page.depends, self.log.position(generation)) is not None


def shown(page: Answer) -> tuple[Any, Any]:
    """Return what a page shows and what it was taken for: all but how many programs there are."""
    body = json.loads(page.body)
    meta = body.get("meta", {})
    return body.get("data"), (meta.get("rewrite"), meta.get("didYouMean"))


def total(page: Answer) -> int:
    """Return how many programs a page says there are."""
    return int(json.loads(page.body)["meta"]["total"])


def _plain(one: Document) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(_encode(one))
    return found
