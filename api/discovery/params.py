"""What a listener may ask for: parameters read, checked and turned into an engine filter."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, fields
from datetime import UTC, datetime
from typing import Any

from litestar.datastructures import MultiDict

from api.errors import Problem, invalid_parameter
from catalog.errors import FieldError
from catalog.programs.models import KINDS, MEDIA_TYPES
from catalog.text import has_control_characters

MAX_Q, MAX_LIMIT, MAX_PAGE, MAX_VALUE, MAX_ID = 512, 100, 1000, 120, 2**53
DEFAULT_LIMIT = 20
FACETS = ("categoryId", "language", "mediaType", "kind", "seriesId", "tags", "people", "isFeatured")
SORTS = {
    "relevance": None,
    "newest": ("releaseDate", "desc"),
    "oldest": ("releaseDate", "asc"),
    "longest": ("durationSec", "desc"),
    "shortest": ("durationSec", "asc"),
    "popular": ("viewCount", "desc"),
}
_FILTERS = {
    "categoryId", "language", "mediaType", "kind", "seriesId", "tag", "person",
    "durationMin", "durationMax", "releasedAfter", "releasedBefore", "featured",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Filters:
    """Every filter of search and browse; None is any. Times are Unix seconds."""

    category_id: int | None = None
    language: str | None = None
    media_type: str | None = None
    kind: str | None = None
    series_id: int | None = None
    tag: str | None = None
    person: str | None = None
    duration_min: int | None = None
    duration_max: int | None = None
    released_after: int | None = None
    released_before: int | None = None
    featured: bool | None = None

    def key(self) -> tuple[Any, ...]:
        """Equal for equal filters, whatever the order they were written in."""
        return tuple(getattr(self, f.name) for f in fields(self))

    def conditions(self) -> list[str]:
        """The engine's filter, one condition an entry, all of which must hold."""
        exact = {
            "categoryId": self.category_id, "language": self.language, "mediaType": self.media_type,
            "kind": self.kind, "seriesId": self.series_id, "tags": self.tag, "people": self.person,
        }  # fmt: skip
        found = [f"{name} = {quote(value)}" for name, value in exact.items() if value is not None]
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


def quote(value: int | str) -> str:
    """A value as the filter language has it; nothing in a text can end the quotes."""
    if isinstance(value, int):
        return str(value)
    escaped = value.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


class Query:
    """The query string, each parameter once, unknown ones refused."""

    def __init__(self, given: MultiDict[str], allowed: set[str]) -> None:
        self.values: dict[str, str] = {}
        for name, value in given.multi_items():
            if name not in allowed:
                known = ", ".join(sorted(allowed))
                raise Problem(
                    "unknown_parameter",
                    f"{name!r} is not known here; known are: {known}.",
                    errors=[FieldError(name[:100], "unknown", f"Known: {known}.")],
                )
            if name in self.values:
                raise invalid_parameter(name, "Give it once.")
            if has_control_characters(value) or not _encodable(value):
                raise invalid_parameter(name, "Contains characters that cannot be searched.")
            if value != "":
                self.values[name] = value

    def text(self, name: str, limit: int = MAX_VALUE) -> str | None:
        """A text of at most `limit` characters."""
        value = self.values.get(name)
        if value is not None and len(value) > limit:
            raise invalid_parameter(name, f"At most {limit} characters.")
        return value

    def integer(self, name: str, low: int, high: int, default: int | None = None) -> int | None:
        """A whole number in the range."""
        value = self.values.get(name)
        if value is None:
            return default
        if (
            not value.removeprefix("-").isascii()
            or not value.removeprefix("-").isdigit()
            or len(value) > 20
        ):
            raise invalid_parameter(name, "Must be a whole number.")
        if not low <= int(value) <= high:
            raise invalid_parameter(name, f"Must be from {low} to {high}.")
        return int(value)

    def flag(self, name: str) -> bool | None:
        """true or false."""
        value = self.values.get(name)
        if value is None:
            return None
        if value not in ("true", "false", "1", "0"):
            raise invalid_parameter(name, "Must be true or false.")
        return value in ("true", "1")

    def one_of(self, name: str, allowed: Mapping[str, Any] | tuple[str, ...]) -> str | None:
        """One of the listed words."""
        value = self.values.get(name)
        if value is not None and value not in allowed:
            raise invalid_parameter(name, f"Must be one of {', '.join(allowed)}.")
        return value

    def moment(self, name: str) -> int | None:
        """A date or a date and time (ISO 8601), as Unix seconds."""
        value = self.values.get(name)
        if value is None:
            return None
        try:
            parsed = datetime.fromisoformat(value.replace(" ", "+"))
            return math.floor((parsed if parsed.tzinfo else parsed.replace(tzinfo=UTC)).timestamp())
        except (ValueError, OverflowError):
            raise invalid_parameter(
                name, "Must be a date such as 2024-05-31 or 2024-05-31T18:00:00Z."
            ) from None

    def filters(self) -> Filters:
        """Every filter that was given."""
        language = self.text("language", 20)
        if language is not None and not language.replace("-", "").isalnum():
            raise invalid_parameter("language", "Must be a language tag such as ar.")
        found = Filters(
            category_id=self.integer("categoryId", 1, MAX_ID),
            language=language,
            media_type=self.one_of("mediaType", MEDIA_TYPES),
            kind=self.one_of("kind", KINDS),
            series_id=self.integer("seriesId", 1, MAX_ID),
            tag=self.text("tag"),
            person=self.text("person"),
            duration_min=self.integer("durationMin", 0, 10**7),
            duration_max=self.integer("durationMax", 0, 10**7),
            released_after=self.moment("releasedAfter"),
            released_before=self.moment("releasedBefore"),
            featured=self.flag("featured"),
        )
        if (found.duration_min or 0) > (
            found.duration_max if found.duration_max is not None else 10**7
        ):
            raise invalid_parameter("durationMin", "Must not be greater than durationMax.")
        return found

    def facets(self) -> tuple[str, ...]:
        """The facets asked for, comma separated."""
        value = self.text("facets", 200)
        names = [name.strip() for name in value.split(",")] if value else []
        for name in names:
            if name not in FACETS:
                raise invalid_parameter("facets", f"Must be among {', '.join(FACETS)}.")
        return tuple(dict.fromkeys(names))

    def limit(self) -> int:
        """The size of a page."""
        return self.integer("limit", 1, MAX_LIMIT, DEFAULT_LIMIT) or DEFAULT_LIMIT


def _encodable(value: str) -> bool:
    try:
        value.encode()
    except UnicodeEncodeError:
        return False
    return True


@dataclass(frozen=True, slots=True)
class SearchRequest:
    """A search, checked."""

    q: str
    filters: Filters
    sort: str
    page: int
    limit: int
    facets: tuple[str, ...]
    highlight: bool

    def key(self) -> str:
        """The cache key: equal searches share an answer."""
        q = " ".join(self.q.split()) + (" " if self.q[-1:].isspace() else "")
        return f"search:{q!r}:{self.filters.key()}:{self.sort}:{self.page}:{self.limit}:{self.facets}:{self.highlight}"


@dataclass(frozen=True, slots=True)
class BrowseRequest:
    """One page of a listing, checked."""

    filters: Filters
    sort: str
    limit: int
    cursor: str | None
    facets: tuple[str, ...]

    def key(self) -> str:
        """The cache key."""
        return f"browse:{self.filters.key()}:{self.sort}:{self.limit}:{self.cursor}:{self.facets}"


def search_request(given: MultiDict[str]) -> SearchRequest:
    """Read a search. Raises Problem naming the parameter."""
    query = Query(given, _FILTERS | {"q", "sort", "page", "limit", "facets", "highlight"})
    q = query.text("q", MAX_Q) or ""
    return SearchRequest(
        q=q,
        filters=query.filters(),
        sort=query.one_of("sort", SORTS) or "relevance",
        page=query.integer("page", 1, MAX_PAGE, 1) or 1,
        limit=query.limit(),
        facets=query.facets(),
        highlight=bool(query.flag("highlight")),
    )


def browse_request(given: MultiDict[str]) -> BrowseRequest:
    """Read a page of a listing. Raises Problem naming the parameter."""
    query = Query(given, _FILTERS | {"sort", "limit", "cursor", "facets"})
    sort = query.one_of("sort", SORTS) or "newest"
    if sort == "relevance":
        raise invalid_parameter("sort", "Browsing has no relevance; choose another order.")
    return BrowseRequest(
        filters=query.filters(),
        sort=sort,
        limit=query.limit(),
        cursor=query.text("cursor", 500),
        facets=query.facets(),
    )
