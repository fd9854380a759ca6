"""What is counted in plain memory is what Prometheus reads: all of it, once, and after a process has ended."""

import os
import subprocess
import sys
import threading
from collections.abc import Iterable
from pathlib import Path

import pytest
from prometheus_client import REGISTRY, CollectorRegistry, Histogram
from prometheus_client.core import Metric
from prometheus_client.multiprocess import MultiProcessCollector

from api.http.observed import counting
from api.http.observed.metrics import HTTP_BOUNDS
from api.operations.metrics import counters
from tests.support.shared import SharedApi

ROUTE = "/test/{number}"


def samples(found: Iterable[Metric], route: str) -> dict[str, float]:
    """What Prometheus reads of the requests to a route: the name of a sample, with the bucket of a histogram."""
    return {
        sample.name + sample.labels.get("le", ""): sample.value
        for metric in found
        for sample in metric.samples
        if sample.labels.get("route") == route and not sample.name.endswith("_created")
    }


def test_durations_are_those_of_a_histogram() -> None:
    durations = [0.0, 0.0004, 0.001, 0.0010001, 0.0025, 0.02, 0.3, 1, 4.999, 5, 5.1, 1e9]
    registry = CollectorRegistry()
    plain = Histogram(
        "http_request_duration_seconds", "", ["route"], buckets=HTTP_BOUNDS, registry=registry
    ).labels(ROUTE)
    for upto in (5, len(durations)):
        for seconds in durations[upto - 5 : upto]:
            counting.observe("GET", ROUTE, 200, seconds)
            plain.observe(seconds)
        # Asked twice: what was published is not published again.
        for _ in range(2):
            found = samples(counters(), ROUTE)
            expected = samples(registry.collect(), ROUTE)
            assert found.pop("http_requests_total") == expected["http_request_duration_seconds_count"]
            assert found == pytest.approx(expected)


def test_unknown_methods_share_a_label_and_an_exemplar_is_kept() -> None:
    route = f"{ROUTE}/methods"
    for method in ("BREW", "PROPFIND"):
        counting.observe(method, route, 405, 0.002, {"trace_id": "4bf92f3577b34da6a3ce929d0e0e4736"})
    counting.observe("BREW", route, 405, 0.002)
    labels = {"method": "OTHER", "route": route, "status": "405"}
    counting.publish()
    assert REGISTRY.get_sample_value("http_requests_total", labels) == 3
    exemplars = [
        sample.exemplar.labels["trace_id"]
        for metric in REGISTRY.collect()
        for sample in metric.samples
        if sample.labels.get("route") == route and sample.exemplar is not None
    ]
    assert exemplars == ["4bf92f3577b34da6a3ce929d0e0e4736"]


def test_nothing_is_lost_or_counted_twice_while_it_is_published() -> None:
    route, count = f"{ROUTE}/threads", 20_000
    is_done = threading.Event()

    def publishing() -> None:
        while not is_done.is_set():
            counting.publish()

    threads = [threading.Thread(target=publishing) for _ in range(3)]
    for thread in threads:
        thread.start()
    for _ in range(count):
        counting.observe("GET", route, 200, 0.25)
        counting.cached("test", route)
    is_done.set()
    for thread in threads:
        thread.join()
    found = samples(counters(), route)
    assert found["http_requests_total"] == found["http_request_duration_seconds_count"] == count
    assert found["http_request_duration_seconds_sum"] == count / 4
    assert REGISTRY.get_sample_value("cache_requests_total", {"kind": "test", "level": route}) == count


WORKER = """
import os
from api.http.observed import counting
from api.http.observed.metrics import HTTP_BOUNDS
from api.operations.metrics import counters

for _ in range({published}):
    counting.observe("GET", "/worker", 200, 0.002)
counting.publish()
for _ in range({lost}):
    counting.observe("GET", "/worker", 200, 0.002)
os._exit(0)
"""


def test_a_worker_that_is_killed_has_counted_what_it_published(tmp_path: Path) -> None:
    for published, lost in ((3, 2), (4, 0)):
        subprocess.run(
            [sys.executable, "-c", WORKER.format(published=published, lost=lost)],
            env=os.environ | {"PROMETHEUS_MULTIPROC_DIR": str(tmp_path)},
            check=True,
        )
    registry = CollectorRegistry()
    MultiProcessCollector(registry, str(tmp_path))  # type: ignore[no-untyped-call]  # prometheus_client leaves it untyped
    found = samples(registry.collect(), "/worker")
    assert found["http_requests_total"] == found["http_request_duration_seconds_bucket0.0025"] == 7


def test_a_scrape_has_the_request_before_it(shared: SharedApi) -> None:
    def hits() -> float:
        lines = shared.listener.get("/metrics").text.splitlines()
        wanted = 'http_requests_total{method="GET",route="/openapi.json",status="200"} '
        return sum(float(line.removeprefix(wanted)) for line in lines if line.startswith(wanted))

    before = hits()
    for number in (1, 2):
        shared.listener.get("/openapi.json")
        assert hits() == before + number
