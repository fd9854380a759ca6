"""The filters of lists of programs: read from the query string, checked, and turned into the engine's filter.

`api.discovery.params` reads whole requests with it, `api.discovery.searching.fallback` makes SQL of the filters.
"""

from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from typing import Any

from api.http.errors import InvalidParameter
from api.http.query import DEFAULT_ZONE, QueryString
from catalog.programs.models import KINDS, MEDIA_TYPES

MAX_SLUG = 200
# The facets whose values are ranges, and the fields of a document that they divide.
DURATION, YEAR = "duration", "releaseYear"
RANGES = {DURATION: "durationSec", YEAR: "releaseDate"}
# Filters that may have several values: a program must have one of them, or each of them (`tagAll`, `personAll`).
SEVERAL = frozenset(
    {"categoryId", "language", "mediaType", "kind", "seriesId", "tag", "tagAll", "person", "personAll"}
)
FILTERS = SEVERAL | {"durationMin", "durationMax", "releasedAfter", "releasedBefore", "tz", "featured"}


@dataclass(frozen=True, slots=True)
class Filters:
    """The filters of search and browse. Nothing in a filter does not filter. Times are Unix seconds.

    A program has to have one of several values; of `tag_all` and `person_all` it has to have each.
    """

    category_id: tuple[int, ...] = ()
    language: tuple[str, ...] = ()
    media_type: tuple[str, ...] = ()
    kind: tuple[str, ...] = ()
    series_id: tuple[int, ...] = ()
    tag: tuple[str, ...] = ()
    tag_all: tuple[str, ...] = ()
    person: tuple[str, ...] = ()
    person_all: tuple[str, ...] = ()
    duration_min: int | None = None  # seconds
    duration_max: int | None = None
    released_after: int | None = None
    released_before: int | None = None
    featured: bool | None = None

    def key(self) -> tuple[object, ...]:
        """Return the filters as a part of a cache key, independent of the order of the parameters."""
        return tuple(getattr(self, f.name) for f in fields(self))

    def without(self, facet: str) -> "Filters":
        """Return the filters but those by the facet's own values.

        The counts of a facet say what choosing another of its values would find. `tag_all` and `person_all` stay:
        there another value narrows what is found.
        """
        return replace(self, **_NONE.get(facet, {}))

    def conditions(self) -> list[str]:
        """Return the filter for the engine: a list of conditions that must all hold."""
        found = [
            _among(name, values)
            for name, values in (
                ("categoryId", self.category_id),
                ("language", self.language),
                ("mediaType", self.media_type),
                ("kind", self.kind),
                ("seriesId", self.series_id),
                ("tags", self.tag),
                ("people", self.person),
            )
            if values
        ]
        found += [f"tags = {quote(value)}" for value in self.tag_all]
        found += [f"people = {quote(value)}" for value in self.person_all]
        if self.featured is not None:
            found.append(f"isFeatured = {'true' if self.featured else 'false'}")
        for name, operator, value in (
            ("durationSec", ">=", self.duration_min),
            ("durationSec", "<=", self.duration_max),
            ("releaseDate", ">=", self.released_after),
            ("releaseDate", "<=", self.released_before),
        ):
            if value is not None:
                found.append(f"{name} {operator} {value}")
        return found


# Facet -> the filters by its values, as they are when they filter nothing.
_NONE: dict[str, dict[str, Any]] = {
    "categoryId": {"category_id": ()},
    "language": {"language": ()},
    "mediaType": {"media_type": ()},
    "kind": {"kind": ()},
    "seriesId": {"series_id": ()},
    "tags": {"tag": ()},
    "people": {"person": ()},
    "isFeatured": {"featured": None},
    DURATION: {"duration_min": None, "duration_max": None},
    YEAR: {"released_after": None, "released_before": None},
}


def _among(name: str, values: Sequence[int | str]) -> str:
    if len(values) == 1:
        return f"{name} = {quote(values[0])}"
    return f"{name} IN [{', '.join(map(quote, values))}]"


def quote(value: int | str) -> str:
    """Return a value as a literal of the engine's filter language. Quotes and backslashes in a text are escaped."""
    if isinstance(value, int):
        return str(value)
    escaped = value.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def read_filters(query: QueryString) -> Filters:
    """Return the filters in a query string.

    Raises:
        InvalidParameter: A filter has a wrong value, or a range ends before it begins.
    """
    released_after, released_before = query.period(
        "releasedAfter", "releasedBefore", query.zone("tz", DEFAULT_ZONE)
    )
    found = Filters(
        category_id=query.ids("categoryId"),
        language=query.languages(),
        media_type=query.several_of("mediaType", MEDIA_TYPES),
        kind=query.several_of("kind", KINDS),
        series_id=query.ids("seriesId"),
        tag=query.several("tag"),
        tag_all=query.several("tagAll"),
        person=query.several("person"),
        person_all=query.several("personAll"),
        duration_min=query.integer("durationMin", 0, 10**7),
        duration_max=query.integer("durationMax", 0, 10**7),
        released_after=released_after,
        released_before=released_before,
        featured=query.flag("featured"),
    )
    low, high = found.duration_min, found.duration_max
    if low is not None and high is not None and low > high:
        raise InvalidParameter("durationMin", "Must not be greater than durationMax.")
    return found


def read_category(query: QueryString) -> str | None:
    """Return the value of the parameter `category`: the id or the slug of a category.

    Raises:
        InvalidParameter: The value is too long.
    """
    return query.text("category", MAX_SLUG)
