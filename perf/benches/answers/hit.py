"""A hot answer at the edge by stages: processor time of each, without a server before it. `python -m perf.benches.answers.hit`.

A stage is done many times in a row, and the least time of several parts counts, so that other work on the machine does not.
"""

import asyncio
import time
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

from api.answers.answer import Answer, told
from api.answers.cache import Cache
from api.answers.edge import Edge
from api.answers.front.asked import of_rsgi
from api.answers.front.known import Hot
from api.http.cors import Cors
from api.http.limits.rate_limit import UNLIMITED, Budget, Limiter
from api.http.observed.tally import Tally
from perf.tables import compare

TIMES, PARTS = 5_000, 15
_PATH, _KEY = "/discovery/programs/1", "program:1"
_HEADERS = [
    ("host", "127.0.0.1"),
    ("user-agent", "bench"),
    ("accept", "*/*"),
    ("accept-encoding", "gzip"),
    ("x-forwarded-for", "192.0.2.1"),
]


class _Protocol:
    def response_bytes(self, status: int, headers: list[tuple[str, str]], body: bytes) -> None:
        """Take an answer."""


def _scope(path: str) -> Any:
    return SimpleNamespace(
        proto="http",
        method="GET",
        path=path,
        query_string="",
        client="127.0.0.1:1",
        headers=SimpleNamespace(items=lambda: _HEADERS, keys=lambda: [name for name, _ in _HEADERS]),
    )


def microseconds(stage: Callable[[], object]) -> float:
    """Return the processor time of a stage."""
    least = float("inf")
    for _ in range(PARTS):
        began = time.thread_time()
        for _ in range(TIMES):
            stage()
        least = min(least, time.thread_time() - began)
    return least / TIMES * 1e6


def stages() -> dict[str, float]:
    """Return the microseconds of each stage of a hot answer, and of the whole.

    Raises:
        RuntimeError: The edge does not have the answer.
    """
    cache = Cache(None, "", max_bytes=2**20)
    cache.invalidations.heard_at = time.monotonic() + 3600
    answer = Answer(b"x" * 1000, rev=1, ids=(1,))
    cache.memory.store(_KEY, answer, 3600, generation=0, removals=0)
    framework: Any = None
    edge, limiter, scope = Edge(framework), Limiter(None, "", 10**9), _scope(_PATH)
    edge.bind(cache, limiter, Cors("*"), Tally())
    edge._hot.answered((_PATH, b""), Hot(_KEY, "program", None, "/discovery/programs/{key}"))
    asked = of_rsgi(scope)
    budget = edge._begin(asked)
    if budget is None:
        raise RuntimeError("every request of listeners counts to a budget")
    given = edge._answer(asked, UNLIMITED)
    if given is None:
        raise RuntimeError("the answer is in memory")
    # The first of a hundred has a line in the log.
    counted = of_rsgi(scope)
    counted.number = 1
    protocol: Any = _Protocol()
    alive = _scope("/health/live")
    found: dict[str, Callable[[], object]] = {
        "reading the request": lambda: of_rsgi(scope),
        "its number, name and budget": lambda: edge._begin(asked),
        "spending a request of the budget": lambda: limiter.check(budget),
        "headers of every answer": lambda: edge._own(asked, UNLIMITED),
        "finding the answer": lambda: edge._answer(asked, UNLIMITED),
        "of which: its form and headers": lambda: told(answer, b"", b"gzip", cache.forms),
        "counting": lambda: edge._count(counted, given, UNLIMITED),
        "a hot answer as a whole": lambda: edge.__rsgi__(scope, protocol),
        "/health/live as a whole": lambda: edge.__rsgi__(alive, protocol),
    }
    # The number is another one each time, and the budget of a minute ends with it.
    return {name: _fresh(limiter, budget, stage) for name, stage in found.items()}


def _fresh(limiter: Limiter, budget: Budget, stage: Callable[[], object]) -> float:
    asyncio.run(limiter.refill(budget))
    return microseconds(stage)


def main() -> None:
    """Measure, and print the table."""
    rows = [(name, f"{found:.2f}", "") for name, found in stages().items()]
    compare(f"a hot answer at the edge, µs of processor time, the least of {PARTS} × {TIMES}", rows)


if __name__ == "__main__":
    main()
