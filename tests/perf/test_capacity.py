"""The capacity model: what grows with what, and what it says ends first."""

import pytest

from perf.capacity import BUSY, Load, plan

COSTS = {
    "microseconds": {
        "hot hit": {"api": 100, "postgres": 0, "searchnode": 0},
        "search miss": {"api": 2000, "postgres": 100, "searchnode": 3000},
        "lookup miss": {"api": 1000, "postgres": 400, "searchnode": 0},
        "publish": {"api": 10_000, "postgres": 4000, "searchnode": 5000},
    },
    "answerBytes": {"search": 10_000, "browse": 10_000, "program": 1000},
    "databaseBytesPerProgram": 5000,
    "engineMemoryBytesPerProgram": 4000,
}


def test_processors_follow_from_hits_and_misses() -> None:
    found = plan(Load(3_600_000, 1e6, hits=0.9, peak=1, publishes=0), COSTS)
    assert found.per_second == 1000
    # 900 hits of 0.1 ms, 90 searches of 2 ms, 10 lookups of 1 ms.
    assert found.api_cores == pytest.approx((0.09 + 0.18 + 0.01) / BUSY)
    assert (found.instances, found.engines, found.replicas) == (3, 2, 1)
    assert found.bits == pytest.approx(1000 * 9100 * 8)


def test_twice_the_requests_take_twice_the_processors() -> None:
    once, twice = (plan(Load(n * 1e9, 1e6, publishes=0), COSTS) for n in (1, 2))
    assert twice.api_cores == pytest.approx(2 * once.api_cores)
    assert twice.engine_bytes == once.engine_bytes
    assert twice.cache_bytes == pytest.approx(2 * once.cache_bytes)


def test_an_edge_cache_takes_its_share_away() -> None:
    without, behind = (plan(Load(1e9, 1e6, edge=edge, publishes=0), COSTS) for edge in (0, 0.8))
    assert behind.api_cores == pytest.approx(without.api_cores / 5)


@pytest.mark.parametrize(
    ("load", "ends"),
    [
        (Load(12e6, 1e6), "processors of the API"),
        (Load(1e9, 1e6), "20 instances"),
        (Load(12e6, 1e9), "memory of an engine"),
    ],
)
def test_what_ends_first_is_named(load: Load, ends: str) -> None:
    assert plan(load, COSTS).bottleneck.startswith(ends)
