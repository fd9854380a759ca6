"""What is sent to a search engine and what it answers, as types. The names on the wire are camelCase.

`msgspec` checks every answer against these types, so that nothing behind `indexer.engines` looks at loose JSON.
"""

from typing import Generic, Literal, TypeVar

import msgspec
from msgspec import UNSET, UnsetType

from indexer.engines.document import ListedFields
from indexer.engines.errors import EngineRejectedError, EngineUnavailableError, blames_request

H = TypeVar("H")


class Query(msgspec.Struct, rename="camel", kw_only=True):
    """A search. `page` and `hits_per_page` count all hits, `limit` alone lets the engine estimate them."""

    q: str
    index_uid: str | UnsetType = UNSET
    page: int | UnsetType = UNSET
    hits_per_page: int | UnsetType = UNSET
    limit: int | UnsetType = UNSET
    offset: int | UnsetType = UNSET
    filter: list[str] | UnsetType = UNSET
    sort: list[str] | UnsetType = UNSET
    facets: list[str] | UnsetType = UNSET
    attributes_to_retrieve: list[str] | UnsetType = UNSET
    attributes_to_search_on: list[str] | UnsetType = UNSET
    attributes_to_highlight: list[str] | UnsetType = UNSET
    attributes_to_crop: list[str] | UnsetType = UNSET
    highlight_pre_tag: str | UnsetType = UNSET
    highlight_post_tag: str | UnsetType = UNSET
    matching_strategy: Literal["last", "all", "frequency"] | UnsetType = UNSET
    distinct: str | UnsetType = UNSET
    show_ranking_score_details: bool | UnsetType = UNSET


class Queries(msgspec.Struct):
    """Several searches in one request."""

    queries: list[Query]


class Formatted(msgspec.Struct):
    """The texts of a hit with the words that matched marked in them."""

    title: str
    description: str


class Hit(ListedFields):
    """A program in a list of results; `formatted` only where highlights were asked for."""

    formatted: Formatted | None = msgspec.field(name="_formatted", default=None)


class NamesHit(msgspec.Struct, rename="camel"):
    """What suggestions are made of."""

    id: int
    slug: str
    title: str
    series_id: int | None
    series_slug: str | None
    series_title: str | None
    people: list[str]
    tags: list[str]


class IdHit(msgspec.Struct):
    """A hit of which only the id is asked for."""

    id: int


class RankedHit(msgspec.Struct):
    """A hit of which the id is asked for, and its title and what each ranking rule makes of it, if those are asked for."""

    id: int
    title: str = ""
    # Rule -> its place among the rules (`order`), and its figures.
    details: dict[str, dict[str, object]] = msgspec.field(name="_rankingScoreDetails", default_factory=dict)


class Results(msgspec.Struct, Generic[H], rename="camel"):
    """The answer to one search."""

    hits: list[H]
    total_hits: int | None = None
    estimated_total_hits: int | None = None
    # Facet -> value -> number of hits.
    facet_distribution: dict[str, dict[str, int]] | None = None
    # Facet -> `min` and `max`, of facets with numbers.
    facet_stats: dict[str, dict[str, float]] | None = None

    @property
    def total(self) -> int:
        """The number of hits on all pages, counted or estimated by the engine.

        Raises:
            ValueError: The engine answered with neither.
        """
        total = self.estimated_total_hits if self.total_hits is None else self.total_hits
        if total is None:
            raise ValueError("no total")
        return total

    def counts(self, facet: str) -> dict[str, int]:
        """Return value -> number of hits of a facet that was asked for.

        Raises:
            ValueError: The engine answered without facets.
        """
        if self.facet_distribution is None:
            raise ValueError("no facets")
        return self.facet_distribution.get(facet, {})

    def extremes(self, facet: str) -> tuple[int, int] | None:
        """Return the least and the greatest number of a facet that was asked for; None when no hit has one."""
        found = (self.facet_stats or {}).get(facet)
        return None if found is None else (int(found["min"]), int(found["max"]))


class ManyResults(msgspec.Struct, Generic[H]):
    """The answers to several searches, in the order in which they were asked."""

    results: list[Results[H]]


class Ticket(msgspec.Struct, frozen=True):
    """A task as the engine announced it.

    The number alone proves nothing: an engine that was wiped counts from the beginning, and a damaged answer may
    name the task of somebody else.
    """

    uid: int
    index: str | None
    enqueued_at: str


class Accepted(msgspec.Struct, rename="camel"):
    """The answer to a write: it is a task now."""

    task_uid: int
    index_uid: str | None
    enqueued_at: str

    @property
    def ticket(self) -> Ticket:
        """What to ask for the task with."""
        return Ticket(self.task_uid, self.index_uid, self.enqueued_at)


class TaskError(msgspec.Struct):
    """Why a task failed, in the engine's words."""

    code: str = ""
    message: str = ""
    type: str = ""


class Task(msgspec.Struct, rename="camel"):
    """The state of a task."""

    uid: int
    index_uid: str | None
    enqueued_at: str
    status: Literal["enqueued", "processing", "succeeded", "failed", "canceled"]
    error: TaskError | None = None

    @property
    def ticket(self) -> Ticket:
        """As the engine announced this task."""
        return Ticket(self.uid, self.index_uid, self.enqueued_at)

    @property
    def failure(self) -> EngineUnavailableError | EngineRejectedError:
        """Why a failed or canceled task failed: for what was asked of it, or for a trouble that passes."""
        error = self.error or TaskError()
        if not blames_request({"type": error.type, "code": error.code}):
            return EngineUnavailableError(error.code or self.status)
        return EngineRejectedError(error.code, error.message, 200)


class StoredVersion(msgspec.Struct):
    """The id and the version of a stored document; a document of another build may have no version, or any."""

    id: int
    rev: object = msgspec.field(name="_rev", default=None)
    hash: object = msgspec.field(name="_hash", default=None)
