"""What counts searches in an API process, without the process, and what became of its counts."""

from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Protocol

import pytest
from prometheus_client import CollectorRegistry, Counter
from redis.asyncio import Redis as AsyncRedis
from sqlalchemy import Engine as Database
from sqlalchemy import text

from api.discovery.counted import notes
from api.discovery.counted.asked import Asked
from api.discovery.counted.events import EventIn, Events
from api.discovery.counted.hiding import Hiding
from api.discovery.narrowing.filters import Filters
from api.discovery.params import SearchRequest
from api.http.observed import metrics
from api.http.observed.tally import Tally

Row = dict[str, Any]
# A day lasts as long as a test.
NOW = datetime(2026, 11, 25, 12, tzinfo=UTC)
HIDING = Hiding("a secret")
_READ = text(
    "SELECT language, query, sum(searches) AS searches, sum(pages) AS pages, sum(empty) AS empty, sum(hits) AS hits, "
    "sum(clicks) AS clicks, sum(positions) AS positions, sum(plays) AS plays, count(*) AS days "
    "FROM query_daily GROUP BY language, query ORDER BY language, query"
)


@dataclass
class Process:
    """What counts searches in an API process."""

    redis: "AsyncRedis"
    prefix: str
    tally: Tally = field(default_factory=Tally)
    events: Events = field(default_factory=lambda: Events(HIDING))

    def __post_init__(self) -> None:
        self.asked = Asked(self.redis, self.prefix, self.tally, self.events, HIDING)

    def search(self, q: str, listeners: int = 1, hits: int = 3, rung: str = "plain", **changed: Any) -> None:
        """Give an answer to so many listeners, each with an address of its own."""
        values = {"filters": Filters(), "sort": "relevance", "page": 1, "limit": 20, "facets": ()} | changed
        request = SearchRequest(q, **values, highlight=False, operators=False)
        note = notes.of_search(request, hits, rung, as_typed=False, knows=lambda _: False)
        for n in range(listeners):
            self.tally.add(note, b"", f"198.51.100.{n}")

    def event(self, client: str, kind: str, query: str, position: int = 1) -> None:
        """Report an event."""
        made = EventIn(type=kind, query=query, position=position)  # type: ignore[arg-type]  # a test names it
        self.events.add([made], "an app", client)


def rows(database: Database) -> dict[str, Row]:
    """Return query or `=language` -> its sums; sums that are zero are left out."""
    with database.connect() as connection:
        found = [dict(row) for row in connection.execute(_READ).mappings()]
    return {
        row.pop("query") or f"={row['language']}": {name: value for name, value in row.items() if value}
        for row in found
    }


class Count(Protocol):
    """Says what a counter has."""

    def __call__(self, name: str, **labels: str) -> float:
        """Return the number of a counter; its name without `_total`."""


def watched(monkeypatch: pytest.MonkeyPatch) -> Count:
    """Count searches in metrics that are this test's alone; return what reads them."""
    registry = CollectorRegistry()
    labels = {
        "SEARCHES": ["outcome"],
        "SEARCH_EVENTS": ["outcome"],
        "ZERO_RESULTS": [],
        "SEARCH_FAILURES": [],
    }
    for name, named in labels.items():
        real = getattr(metrics, name)._name
        monkeypatch.setattr(metrics, name, Counter(real, "of a test", named, registry=registry))

    def count(name: str, **wanted: str) -> float:
        return registry.get_sample_value(f"{name}_total", wanted) or 0.0

    return count
