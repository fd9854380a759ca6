"""Series and people in the results of a search: what a search asks for them, and what it makes of the answers.

They are found by the programs that have them, in the index of programs: so they are as new as programs are, and never
shown before one. An engine finds the programs by the words alone, with typos; from these come the titles and names that have
all the words. `service` sends the queries together with those for programs.
"""

from collections.abc import Mapping, Sequence
from typing import NamedTuple, TypeVar

import msgspec
from msgspec import UNSET

from api.answers.cache import Cache
from api.discovery import schemas
from api.discovery.facets.counting import conditions
from api.discovery.lookups.vocabulary import Vocabulary
from api.discovery.params import PERSON, SERIES, SearchRequest
from api.discovery.searching.fallback import Offers
from api.http.readings.choosing import SPELLINGS
from api.http.readings.fit import name_fit
from catalog.taxonomy.names import key
from catalog.words.spelling import spell, split
from indexer.engines.document import ListedFields
from indexer.engines.messages import Hit, Query, Results

Key = TypeVar("Key", int, str)
# Series and people of a search at most, and other readings of the words that are looked for.
MOST, _READINGS = 20, 2
_CARD = [field.encode_name for field in msgspec.structs.fields(ListedFields)]
# Kind -> the attribute that has the words, and the one by which programs are told apart and counted.
_ATTRIBUTES = {SERIES: ("seriesTitle", "seriesId"), PERSON: ("people", "people")}


class Found(NamedTuple):
    """Series and people, the best first, and the ids of the programs by which they were found."""

    series: list[schemas.FoundSeries]
    people: list[schemas.FoundPerson]
    ids: tuple[int, ...] = ()


NOTHING = Found([], [])


class Names:
    """Asks for series and people beside programs."""

    def __init__(self, vocabulary: Vocabulary, cache: Cache) -> None:
        """Keep the collaborators.

        Args:
            vocabulary: Knows what unknown words may have been meant as.
            cache: Has the tombstones of withdrawn programs.
        """
        self._vocabulary, self._cache = vocabulary, cache

    def max_ttl(self, q: str) -> float:
        """Return for how many seconds the answer to a query may be kept."""
        return self._vocabulary.max_ttl(doubtful=self._vocabulary.reader.doubtful(q))

    def queries(self, request: SearchRequest) -> list[Query]:
        """Return what an engine is asked; nothing behind the first page, which shows them all."""
        if request.page > 1:
            return []
        return [
            query
            for text in self._texts(request)
            for kind in _kinds(request)
            for query in _of(request, kind, text)
        ]

    def found(self, request: SearchRequest, answers: Sequence[Results[Hit]]) -> Found:
        """Return the series and people in the answers to `queries`.

        Args:
            request: The search.
            answers: One for each query.
        """
        kinds, found = _kinds(request), {SERIES: NOTHING, PERSON: NOTHING}
        parts = iter(answers)
        unfinished = not request.q[-1:].isspace()
        for text in self._texts(request) if answers else ():
            words = split(text)
            for kind in kinds:
                hits, counts = next(parts).hits, next(parts).counts(_ATTRIBUTES[kind][1])
                withdrawn = self._cache.withdrawn(hit.id for hit in hits)
                shown = [hit for hit in hits if hit.id not in withdrawn]
                if found[kind] is NOTHING:
                    listed = _series if kind == SERIES else _people
                    best = listed(shown, counts, words, min(request.limit, MOST), unfinished=unfinished)
                    found[kind] = best if best.series or best.people else NOTHING
        ids = dict.fromkeys((*found[SERIES].ids, *found[PERSON].ids))
        return Found(found[SERIES].series, found[PERSON].people, tuple(ids))

    def _texts(self, request: SearchRequest) -> list[str]:
        """The query, and what it may have been meant as."""
        reader, q = self._vocabulary.reader, request.q
        if not reader.lexicon.size or not reader.doubtful(q):
            return [spell(q)]
        readings = [reading.text for reading in reader.read(q, _READINGS) if reading.rung in SPELLINGS]
        return [spell(q), *readings]


def of_rows(request: SearchRequest, rows: Offers) -> Found:
    """Return the series and people that PostgreSQL found.

    Args:
        request: The search.
        rows: What it found.
    """
    series = [schemas.FoundSeries(id=row["id"], slug=row["slug"], title=row["title"]) for row in rows.series]
    people = [schemas.FoundPerson(slug=key(name), name=name) for name in rows.people]
    kinds = _kinds(request)
    return Found(series if SERIES in kinds else [], people if PERSON in kinds else [])


def show(answer: schemas.SearchAnswer, request: SearchRequest, found: Found) -> None:
    """Put into an answer what its search asked for.

    Args:
        answer: The answer.
        request: The search.
        found: Series and people.
    """
    kinds = _kinds(request)
    answer.series = found.series if SERIES in kinds else UNSET
    answer.people = found.people if PERSON in kinds else UNSET


def _kinds(request: SearchRequest) -> list[str]:
    return [kind for kind in _ATTRIBUTES if kind in request.types]


def _of(request: SearchRequest, kind: str, text: str) -> list[Query]:
    """Two queries: programs of different series or people, the best first; and how many programs each has."""
    attribute, facet = _ATTRIBUTES[kind]
    where = conditions(request, request.filters) or UNSET
    best = Query(
        q=text,
        limit=MOST,
        filter=where,
        attributes_to_search_on=[attribute],
        attributes_to_retrieve=_CARD,
        matching_strategy="all",
        distinct=facet,
    )
    counted = Query(
        q=text,
        # Asked for a page, an engine counts every hit.
        page=1,
        hits_per_page=0,
        filter=where,
        facets=[facet],
        attributes_to_search_on=[attribute],
        matching_strategy="all",
    )
    return [best, counted]


def _series(
    hits: Sequence[Hit], counts: dict[str, int], words: Sequence[str], limit: int, *, unfinished: bool
) -> Found:
    by_id = {hit.series_id: hit for hit in hits if hit.series_id is not None}
    titles = {row_id: hit.series_title or "" for row_id, hit in by_id.items()}
    best = _best(titles, words, {int(value): count for value, count in counts.items()}, unfinished=unfinished)
    found = [
        schemas.FoundSeries(
            id=row_id,
            slug=by_id[row_id].series_slug or "",
            title=titles[row_id],
            program_count=counts.get(str(row_id), UNSET),
        )
        for row_id in best[:limit]
    ]
    return Found(found, [], tuple(by_id[series.id].id for series in found))


def _people(
    hits: Sequence[Hit], counts: dict[str, int], words: Sequence[str], limit: int, *, unfinished: bool
) -> Found:
    names = dict.fromkeys([*(name for hit in hits for name in hit.people), *counts])
    best = _best({name: name for name in names}, words, counts, unfinished=unfinished)[:limit]
    found = [
        schemas.FoundPerson(slug=key(name), name=name, program_count=counts.get(name, UNSET)) for name in best
    ]
    return Found([], found, tuple(hit.id for hit in hits if not set(best).isdisjoint(hit.people)))


def _best(
    names: Mapping[Key, str], words: Sequence[str], counts: Mapping[Key, int], *, unfinished: bool
) -> list[Key]:
    """Return the keys of the names with all the words, the fittest first; of equally fit ones the most frequent."""
    fits = {one: name_fit(words, name, unfinished=unfinished) for one, name in names.items()}
    return sorted(
        (one for one, fit in fits.items() if fit > 0.0),
        key=lambda one: (-round(fits[one], 2), -counts.get(one, 0), names[one]),
    )
