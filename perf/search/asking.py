"""Asks the product and judges its answers: the rank of what was meant, the rung that found it, the time."""

import statistics
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from perf.search.items import squeezed
from perf.search.known import Known
from tests.support.client import Client
from tests.support.scraping import metric

PAGE = 10
_REQUESTS = (
    'engine_request_duration_seconds_count{operation="search"',
    'engine_request_duration_seconds_count{operation="multi_search"',
)


@dataclass(frozen=True, slots=True)
class Judged:
    """One answer. `rank` is None when no program that was meant is on the first page."""

    known: Known
    rank: int | None
    first: str
    empty: bool
    dead_end: bool
    rung: str
    seconds: float


@dataclass(frozen=True, slots=True)
class Figures:
    """What the answers of a kind come to. `calls` is engine requests a query, seconds are quantiles."""

    count: int
    mrr: float
    hit1: float
    hit3: float
    empty: float
    dead_ends: float
    rungs: Mapping[str, int]
    calls: float
    p50: float
    p99: float


def ask(client: Client, known: Known, titles: Mapping[int, str]) -> Judged:
    """Ask for the first page of a query, and judge it.

    Args:
        client: Of the API.
        known: The query and what it means.
        titles: The title of every program by its id.

    Raises:
        RuntimeError: No engine answered; the answer came from PostgreSQL.
    """
    began = time.perf_counter()
    answer = client.get("/discovery/search", q=known.query, limit=PAGE)
    seconds = time.perf_counter() - began
    answer.raise_for_status()
    body = answer.json()
    if body["meta"]["degraded"]:
        raise RuntimeError(f"no engine answered {known.query!r}")
    meant = {squeezed(titles[i]) for i in known.ids}
    ranks = (n for n, row in enumerate(body["data"], 1) if squeezed(row["title"]) in meant)
    rewrite = body["meta"].get("rewrite")
    return Judged(
        known,
        next(ranks, None),
        body["data"][0]["title"] if body["data"] else "",
        not body["data"],
        not body["data"] and not body["meta"].get("suggestions"),
        rewrite["kind"] if rewrite else "plain",
        seconds,
    )


def engine_requests(client: Client) -> float:
    """Return how many searches the product has sent to its engines."""
    return sum(metric(client, name) for name in _REQUESTS)


def figures(answers: Sequence[Judged], calls: float) -> Figures:
    """Add the answers up.

    Args:
        answers: At least one.
        calls: Engine requests for all of them.
    """
    count = len(answers)
    rungs: dict[str, int] = {}
    for answer in answers:
        rungs[answer.rung] = rungs.get(answer.rung, 0) + 1
    p50, p99 = quantiles(answer.seconds for answer in answers)
    return Figures(
        count,
        sum(1 / answer.rank for answer in answers if answer.rank) / count,
        sum(answer.rank == 1 for answer in answers) / count,
        sum(answer.rank is not None and answer.rank <= 3 for answer in answers) / count,
        sum(answer.empty for answer in answers) / count,
        sum(answer.dead_end for answer in answers) / count,
        dict(sorted(rungs.items(), key=lambda pair: -pair[1])),
        calls / count,
        p50,
        p99,
    )


def quantiles(seconds: Iterable[float]) -> tuple[float, float]:
    """Return the median and the 99th percentile; (0, 0) of nothing."""
    found = list(seconds)
    if len(found) < 2:
        return (found[0], found[0]) if found else (0.0, 0.0)
    cuts = statistics.quantiles(found, n=100, method="inclusive")
    return cuts[49], cuts[98]
