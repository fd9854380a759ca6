"""Counts requests and cached answers in plain memory, and adds what is new to the metrics.

Every request counts itself: a process whose metrics are in a file, for the other workers to read, takes two microseconds to add
to one of them. `publish` runs each second, and whenever this process is asked for its metrics. A process that is killed loses
at most the last second.
"""

import asyncio
from bisect import bisect_left
from threading import Lock

from api.http.observed.metrics import CACHE, HTTP_BOUNDS, HTTP_SECONDS, HTTP_TOTAL

PUBLISH_SECONDS = 1.0
METHODS = {"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"}


class _Requests:
    """Requests with the same labels since this process began, and how many of them are published."""

    __slots__ = ("counts", "durations", "published", "published_seconds", "seconds", "total")

    def __init__(self, labels: tuple[str, str, str]) -> None:
        self.durations, self.total = HTTP_SECONDS.labels(*labels), HTTP_TOTAL.labels(*labels)
        self.counts, self.seconds = [0] * (len(HTTP_BOUNDS) + 1), 0.0
        self.published, self.published_seconds = list(self.counts), 0.0

    def publish(self) -> None:
        # Read once: another thread may be counting.
        counts, seconds = list(self.counts), self.seconds
        new = [count - before for count, before in zip(counts, self.published, strict=True)]
        if any(new):
            self.durations.add(new, seconds - self.published_seconds)
            self.total.inc(sum(new))
            self.published, self.published_seconds = counts, seconds


class _Answers:
    """Cached answers of a kind and a level since this process began, and how many of them are published."""

    __slots__ = ("count", "published", "total")

    def __init__(self, kind: str, level: str) -> None:
        self.total, self.count, self.published = CACHE.labels(kind, level), 0, 0

    def publish(self) -> None:
        count = self.count
        if count != self.published:
            self.total.inc(count - self.published)
            self.published = count


# Bounded: methods x routes x statuses, kinds x levels.
_requests: dict[tuple[str, str, int], _Requests] = {}
_answers: dict[tuple[str, str], _Answers] = {}
_publishing = Lock()


def observe(
    method: str, route: str, status: int, seconds: float, exemplar: dict[str, str] | None = None
) -> None:
    """Count one request and its duration.

    Args:
        method: The HTTP method; unknown methods share one label.
        route: The path template of the route. Not the path: the number of labels must stay small.
        status: The HTTP status of the answer.
        seconds: From the first byte of the request to the last byte of the answer.
        exemplar: Labels that lead to the request's trace.
    """
    key = (method if method in METHODS else "OTHER", route, status)
    found = _requests.get(key)
    if found is None:
        found = _requests[key] = _Requests((key[0], route, str(status)))
    if exemplar:
        found.durations.observe(seconds, exemplar)
        found.total.inc()
        return
    found.counts[bisect_left(HTTP_BOUNDS, seconds)] += 1
    found.seconds += seconds


def cached(kind: str, level: str) -> None:
    """Count one answer by its kind (program or page) and its source, a `level` of CACHE."""
    found = _answers.get((kind, level))
    if found is None:
        found = _answers[(kind, level)] = _Answers(kind, level)
    found.count += 1


def publish() -> None:
    """Add what was counted since the last time to the metrics that Prometheus reads."""
    with _publishing:
        for requests in _requests.copy().values():
            requests.publish()
        for answers in _answers.copy().values():
            answers.publish()


async def keep_publishing() -> None:
    """Publish each second, until it is cancelled."""
    while True:
        await asyncio.sleep(PUBLISH_SECONDS)
        publish()
