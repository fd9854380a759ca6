"""The ladder: a query that finds too little is asked again as it may have been meant. `service` asks by it.

    plain ── every word known ──► the best hit has every word ──► answer
      │                                   │ it misses a word
      │ a word is unknown                 ▼
      └──────────────────────────► readings, all in one request ──► the best fitting hit answers

The readings come from the words of the catalogue (`catalog.words.readings`). A query of known words costs one request,
as it did without the ladder; one with an unknown word is sent together with its readings.
"""

import math
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

from msgspec import UNSET, structs

from api.discovery.lookups.curated import Curated
from api.discovery.lookups.vocabulary import Vocabulary
from api.discovery.narrowing.filters import quote
from api.http.readings.choosing import Shown, Tried, choose, is_certain, tried
from api.http.readings.fit import fit
from catalog.words.joined import ARTICLE, bare
from catalog.words.readings import Reading
from catalog.words.spelling import spell, split
from indexer.engines.messages import Hit, Query, Results
from indexer.engines.search import SearchPool

# Readings in one request: together with a query whose words are unknown, and after one that found too little.
_WITH_PLAIN, _AFTERWARDS = 4, 6
# Vowel marks and signs that a title may have beside its letters.
_MARKS_OF_A_TITLE = 6
_ARTICLE = re.compile(rf"(?<!\w){ARTICLE}(?=\w\w)")


class Asked(NamedTuple):
    """What an engine was asked so that a reading could be chosen.

    Attributes:
        query: What it was asked.
        best: The program that it puts first; None without hits.
        kind: The kind of programs that the reading looks for; empty: any.
    """

    query: Query
    best: int | None
    kind: str = ""


@dataclass(frozen=True, slots=True)
class Climb:
    """The answer to a query.

    Attributes:
        results: The page asked for.
        query: What the engine was asked for it.
        rewrite: The reading that answered; None: the query itself did.
        offer: A reading that the listener may have meant, though the query itself answered.
        max_ttl: For how many seconds the answer may be kept.
        beside: The answers to what was asked beside it.
        asked: The query itself and its readings; empty where something else decides what is found, such as synonyms.
    """

    results: Results[Hit]
    query: Query
    rewrite: Shown | None = None
    offer: Shown | None = None
    max_ttl: float = math.inf
    beside: Sequence[Results[Hit]] = ()
    asked: Sequence[Asked] = ()


class _Candidate(NamedTuple):
    query: Query
    results: Results[Hit]
    tried: Tried
    asked: Asked


class Ladder:
    """Asks the engine a query and, where it needs them, its other readings."""

    def __init__(self, engine: SearchPool, vocabulary: Vocabulary, curated: Curated) -> None:
        """Take what is asked.

        Args:
            engine: The search engines.
            vocabulary: Has the words of the catalogue.
            curated: Has the synonyms, by which an engine also finds what does not have the words.
        """
        self._engine, self._vocabulary, self._curated = engine, vocabulary, curated

    async def plainly(self, query: Query, beside: Sequence[Query] = ()) -> Climb:
        """Answer a query as it is.

        Args:
            query: What the engine is asked.
            beside: Further queries, which are asked in the same request.

        Raises:
            EngineUnavailableError: No engine answers.
            EngineRejectedError: The engine refuses the query.
        """
        if not beside:
            found, others = await self._engine.search(query), []
        else:
            found, *others = await self._engine.multi_search([query, *beside])
        return Climb(found, query, beside=others, asked=[Asked(query, _first(found))])

    async def climb(self, query: Query, typed: str, beside: Sequence[Query] = ()) -> Climb:
        """Answer a query.

        Args:
            query: What the engine is asked.
            typed: The words as the listener typed them.
            beside: Further queries, which are asked in the same request.

        Raises:
            EngineUnavailableError: No engine answers.
            EngineRejectedError: An engine refuses the query.
        """
        found = await self._climb(query, typed, beside)
        if query.page == 1 and query.sort is UNSET and found.rewrite is None:
            put_titled_first(found.results.hits, split(typed))
        return found

    async def _climb(self, query: Query, typed: str, beside: Sequence[Query]) -> Climb:
        plain = structs.replace(query, q=spell(query.q))
        variants = await self._curated.variants(typed)
        if variants:
            # An article is a word for an engine, which no phrase of a synonym has.
            plain.q = _ARTICLE.sub("", plain.q)
        reader = self._vocabulary.reader
        doubtful = reader.doubtful(typed)
        max_ttl = self._vocabulary.max_ttl(doubtful=doubtful)
        if not reader.lexicon.size or not split(typed):
            found = await self.plainly(plain, beside)
            return replace(found, max_ttl=max_ttl, asked=() if variants else found.asked)
        readings = reader.read(typed, _WITH_PLAIN) if doubtful else []
        candidates, others = await self._ask(plain, typed, readings, beside)
        candidates[0] = _by_synonyms(candidates[0], variants)
        if not any(is_certain(candidate.tried, typed) for candidate in candidates):
            more = reader.read(typed, len(readings) + _AFTERWARDS)[len(readings) :]
            if more:
                candidates += (await self._ask(plain, typed, more, plainly=False))[0]
        asked = () if variants else [candidate.asked for candidate in candidates]
        return replace(_chosen(candidates, typed), max_ttl=max_ttl, beside=others, asked=asked)

    async def _ask(
        self,
        query: Query,
        typed: str,
        readings: Sequence[Reading],
        beside: Sequence[Query] = (),
        *,
        plainly: bool = True,
    ) -> tuple[list[_Candidate], Sequence[Results[Hit]]]:
        """Ask for the query itself and its readings in one request, and for what is asked beside them.

        A page that does not begin with the best hits says nothing of how well its query fits: the best hit is asked
        for beside it.
        """
        asked: list[tuple[Reading | None, Query]] = [(None, query)] if plainly else []
        asked += [(reading, _of(query, reading)) for reading in readings]
        first = query.page == 1 and query.sort is UNSET
        others: Sequence[Results[Hit]] = ()
        if first and len(asked) == 1 and not beside:
            pages = [await self._engine.search(asked[0][1])]
        else:
            together = [page for _, page in asked]
            if not first:
                together += [_probe(page) for page in together]
            answers = await self._engine.multi_search([*together, *beside])
            pages, others = answers[: len(together)], answers[len(together) :]
        probes = pages if first else pages[len(asked) :]
        candidates = [
            _Candidate(
                wanted,
                page,
                tried(reading, next(iter(probe.hits), None), page.total, typed),
                Asked(wanted, _first(probe), "" if reading is None else reading.kind),
            )
            for (reading, wanted), page, probe in zip(asked, pages, probes, strict=False)
        ]
        return candidates, others


def titled(titles: Iterable[str], words: Sequence[str]) -> int | None:
    """Return which title is the query, but for articles: an engine prefers longer titles that begin so. None for none.

    Args:
        titles: Those of the hits.
        words: The query.
    """
    wanted = [bare(word) for word in words]
    length = sum(map(len, words))
    for n, title in enumerate(titles):
        # Few titles have the length, and splitting costs more than counting.
        letters = len(title) - title.count(" ")
        if abs(letters - length) <= len(ARTICLE) * len(words) + _MARKS_OF_A_TITLE and wanted == [
            bare(word) for word in split(title)
        ]:
            return n
    return None


def put_titled_first(hits: list[Hit], words: Sequence[str]) -> None:
    """Put a program first whose title is the query."""
    n = titled((hit.title for hit in hits), words)
    if n is not None:
        hits.insert(0, hits.pop(n))


def _of(query: Query, reading: Reading) -> Query:
    """The query of a reading: a program must have all its words."""
    asked = structs.replace(query, q=reading.text, matching_strategy="all")
    if reading.kind:
        filters = [] if query.filter is UNSET else query.filter
        asked.filter = [*filters, f"kind = {quote(reading.kind)}"]
    return asked


def _first(found: Results[Hit]) -> int | None:
    return found.hits[0].id if found.hits else None


def _probe(page: Query) -> Query:
    return Query(
        q=page.q,
        limit=1,
        filter=page.filter,
        attributes_to_retrieve=page.attributes_to_retrieve,
        matching_strategy=page.matching_strategy,
    )


def _by_synonyms(plain: _Candidate, variants: Sequence[str]) -> _Candidate:
    """The candidate of the query itself, whose best hit fits as well with a synonym as with the word."""
    found = plain.tried
    if found.best is None or not variants:
        return plain
    fits = [fit(split(variant), found.best, unfinished=False) for variant in variants]
    best = max(found.fit, *fits, key=lambda one: one.value)
    return plain._replace(tried=replace(found, fit=best, value=best.value))


def _chosen(candidates: Sequence[_Candidate], typed: str) -> Climb:
    """Of the queries with hits, the one whose best hit fits best; of two that fit alike, the plainer one."""
    plain, *others = candidates
    choice = choose(plain.tried, [other.tried for other in others], typed)
    if choice.place is None or choice.rewrite is None:
        return Climb(plain.results, plain.query, offer=choice.offer)
    found = others[choice.place]
    return Climb(found.results, found.query, rewrite=choice.rewrite)
