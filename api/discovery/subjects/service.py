"""Lists of series, people and tags, and one person or tag with its programs.

A list has the order and the counts of the facet of its names (`values`), and reads what else it shows of them in one statement.
The programs of a person or a tag are a listing as `/discovery/browse` gives it.
"""

import math
from collections.abc import Mapping
from dataclasses import replace
from typing import NamedTuple

import msgspec
from msgspec import UNSET
from sqlalchemy import RowMapping

from api.answers.answer import NOT_FOUND, Answer
from api.answers.cache import LEFT_OUT_SECONDS, NEGATIVE_SECONDS, Cache
from api.discovery.lookups.replica import Replica
from api.discovery.lookups.taxonomy import series_detail
from api.discovery.params import BrowseRequest
from api.discovery.schemas import BrowseAnswer
from api.discovery.searching.fallback import KEPT_SECONDS
from api.discovery.searching.service import Searches
from api.discovery.subjects import schemas
from api.discovery.subjects.values import FacetRequest, FacetValues, listed_meta
from catalog.programs.around.subjects import Subject, subjects
from catalog.taxonomy.models import Person, Series, Tag
from catalog.taxonomy.names import key

_encode = msgspec.json.Encoder().encode


class Kind(NamedTuple):
    """A kind of subject: its table, and the facet that lists it."""

    model: Subject
    facet: str


SERIES = Kind(Series, "seriesId")
PEOPLE = Kind(Person, "people")
TAGS = Kind(Tag, "tags")


class Subjects:
    """Lists subjects, and looks one up."""

    def __init__(self, values: FacetValues, searches: Searches, replica: Replica, cache: Cache) -> None:
        """Keep the collaborators.

        Args:
            values: Lists and counts them.
            searches: Lists their programs.
            replica: Reads what else is shown of them.
            cache: Has the tombstones of withdrawn programs.
        """
        self._values, self._searches = values, searches
        self._replica, self._cache = replica, cache

    async def listed(self, kind: Kind, request: FacetRequest) -> Answer:
        """Return a page of subjects, those with most programs first.

        Args:
            kind: The kind of subject.
            request: The page of its facet.

        Raises:
            Problem: The cursor belongs to another list.
            EngineUnavailableError: Neither an engine nor PostgreSQL answers.
            EngineRejectedError: The engine refuses the query.
        """
        page = await self._values.page(request)
        rows = await self._rows(kind, [value.value for value in page.values])
        shown = [(rows[value.value], value.count) for value in page.values if value.value in rows]
        meta = listed_meta(request, page)
        answer: schemas.SeriesListAnswer | schemas.NamesAnswer
        if kind is SERIES:
            answer = schemas.SeriesListAnswer(data=[_series(*one) for one in shown], meta=meta)
        else:
            answer = schemas.NamesAnswer(data=[_name(*one) for one in shown], meta=meta)
        max_ttl = math.inf if shown else NEGATIVE_SECONDS
        return Answer(
            _encode(answer),
            ids=tuple(row["program_id"] for row, _ in shown),
            max_ttl=KEPT_SECONDS if page.degraded else max_ttl,
        )

    async def _rows(self, kind: Kind, values: list[str]) -> Mapping[str, RowMapping]:
        """Return the rows of subjects with a visible program, by their values in the facet."""
        if not values:
            return {}
        if kind is SERIES:
            statement, name = subjects(Series, Series.id.in_([int(value) for value in values])), "id"
        else:
            model = Person if kind is PEOPLE else Tag
            statement, name = subjects(model, model.slug.in_([key(value) for value in values])), "name"
        rows = await self._replica.rows(statement)
        if self._cache.withdrawn(row["program_id"] for row in rows):
            rows = await self._replica.newest(statement)
        withdrawn = self._cache.withdrawn(row["program_id"] for row in rows)
        return {str(row[name]): row for row in rows if row["program_id"] not in withdrawn}

    async def one(self, kind: Kind, slug: str, request: BrowseRequest) -> Answer:
        """Return a person or a tag and a page of its programs, or NOT_FOUND when no program is visible.

        Args:
            kind: The kind of subject: PEOPLE or TAGS.
            slug: The subject.
            request: The page of its programs.

        Raises:
            Problem: The cursor belongs to another list.
            EngineUnavailableError: Neither an engine nor PostgreSQL answers.
            EngineRejectedError: The engine refuses the query.
        """
        model = Person if kind is PEOPLE else Tag
        statement = subjects(model, model.slug == slug, counted=True)
        rows = await self._replica.rows(statement)
        known, max_ttl = self._cache.invalidations, math.inf
        if self._replica.may_be_behind and known.changed_within(self._replica.behind_seconds):
            rows, max_ttl = await self._replica.newest(statement), LEFT_OUT_SECONDS
        if not rows or self._cache.withdrawn([rows[0]["program_id"]]):
            return NOT_FOUND
        row = rows[0]
        filters, name = request.filters, row["name"]
        if kind is PEOPLE:
            filters = replace(filters, person_all=tuple(sorted({*filters.person_all, name})))
        else:
            filters = replace(filters, tag_all=tuple(sorted({*filters.tag_all, name})))
        found = await self._searches.browse(replace(request, filters=filters))
        listing = msgspec.json.decode(found.body, type=BrowseAnswer)
        answer = schemas.NamePage(
            data=_name(row, row["programs"]),
            programs=listing.data,
            meta=listing.meta,
            facets=UNSET if listing.facets is UNSET else listing.facets,
        )
        ids = dict.fromkeys((*found.ids, row["program_id"]))
        return Answer(_encode(answer), ids=tuple(ids), max_ttl=min(found.max_ttl, max_ttl))


def _series(row: RowMapping, count: int) -> schemas.SeriesItem:
    return schemas.SeriesItem(**msgspec.structs.asdict(series_detail(row)), program_count=count)


def _name(row: RowMapping, count: int) -> schemas.NamedItem:
    return schemas.NamedItem(
        slug=row["slug"], name=row["name"], program_count=count, latest_release_date=row["latest_release"]
    )
