"""The limiter and its leases of budgets: exact over processes, and bounded without Redis."""

import asyncio
import json
import os
import subprocess
import sys
import time
import uuid
from types import SimpleNamespace

import pytest
from redis.asyncio import Redis

from api.http.limits import rate_limit
from api.http.limits.rate_limit import WINDOW, Budget, Limiter

PROCESSES, EACH, CAP = 8, 1000, 3000
# Each process asks its limiter as the edge does and prints how many passed.
CLIENT = """
import asyncio, json, sys
from indexer.process import loading
with loading.quickly():
    from redis.asyncio import Redis
    from api.http.limits.rate_limit import Limiter

async def main(url, prefix, cap, each):
    redis = Redis.from_url(url)
    limiter = Limiter(redis, prefix, cap)
    scope = {"client": ("198.51.100.7", 1), "headers": [], "path": "/discovery/search"}
    budget = limiter.budget(scope, b"")
    print("ready", flush=True)
    sys.stdin.readline()
    passed = 0
    for _ in range(each):
        # All of them are asking until the end: what one leased and never spent would be missing.
        await asyncio.sleep(0.001)
        passed += not await limiter.spend(budget)
    await redis.aclose()
    print(json.dumps(passed))

asyncio.run(main(sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4])))
"""


def _round() -> tuple[list[int], bool]:
    """What each process was granted, and whether it all happened within one window."""
    command = [
        sys.executable,
        "-c",
        CLIENT,
        f"{os.environ['TEST_VALKEY']}/0",
        f"{uuid.uuid4().hex}:",
        str(CAP),
        str(EACH),
    ]
    children = [
        subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        for _ in range(PROCESSES)
    ]
    for child in children:
        assert child.stdout is not None
        assert child.stdout.readline() == "ready\n"
    began = int(time.time() // WINDOW)
    for child in children:
        assert child.stdin is not None
        child.stdin.write("go\n")
        child.stdin.flush()
    passed = [json.loads(child.communicate(timeout=120)[0]) for child in children]
    assert all(child.returncode == 0 for child in children)
    return passed, int(time.time() // WINDOW) == began


@pytest.mark.slow
def test_eight_processes_with_a_thousand_requests_each_pass_exactly_the_cap() -> None:
    for _ in range(4):
        passed, one_window = _round()
        if one_window:
            break
    assert one_window
    assert sum(passed) == CAP
    # Leases are small: nobody took it all.
    assert all(passed)


async def test_a_hot_client_costs_few_redis_calls() -> None:
    redis = Redis.from_url(f"{os.environ['TEST_VALKEY']}/0")
    limiter = Limiter(redis, f"{uuid.uuid4().hex}:", 6000)
    budget = Budget("client:198.51.100.7", 6000)
    calls = 0
    for _ in range(2000):
        lease = limiter.check(budget)
        if lease is None:
            calls += 1
            lease = await limiter.refill(budget)
        assert lease.wait == 0
    await redis.aclose()
    # One for every lease; a window may end once in between.
    assert calls <= 2000 // (6000 // 50) + 2


async def test_requests_that_come_together_take_one_lease(one_minute: None) -> None:
    async with Redis.from_url(f"{os.environ['TEST_VALKEY']}/0") as redis:
        prefix = f"{uuid.uuid4().hex}:"
        limiter, other = Limiter(redis, prefix, 500), Limiter(redis, prefix, 500)
        budget = Budget("client:198.51.100.7", 500)
        together = await asyncio.gather(*(limiter.spend(budget) for _ in range(10)))
        assert together == [0] * 10
        # Ten is a fiftieth: nobody else has less than all of the rest.
        assert [await other.spend(budget) for _ in range(490)] == [0] * 490
        assert await other.spend(budget) > 0


async def test_without_redis_a_process_counts_by_itself(one_minute: None) -> None:
    redis = Redis.from_url("redis://127.0.0.1:1/0", socket_connect_timeout=0.2)
    limiter = Limiter(redis, "", 100)
    for name in ("client:198.51.100.7", "login:198.51.100.7"):
        budget = Budget(name, 120)
        assert [await limiter.spend(budget) == 0 for _ in range(200)] == [True] * 120 + [False] * 80, name
    await redis.aclose()


async def test_what_redis_granted_counts_when_redis_goes_away(one_minute: None) -> None:
    redis = Redis.from_url(f"{os.environ['TEST_VALKEY']}/0")
    limiter, budget = Limiter(redis, f"{uuid.uuid4().hex}:", 100), Budget("client:198.51.100.7", 100)
    assert [await limiter.spend(budget) for _ in range(31)] == [0] * 31
    await redis.aclose()
    limiter.redis = None
    assert [await limiter.spend(budget) == 0 for _ in range(100)] == [True] * 69 + [False] * 31


@pytest.mark.parametrize("budget", [1, 7, 100])
async def test_leases_never_add_up_to_more_than_the_budget(budget: int) -> None:
    redis = Redis.from_url(f"{os.environ['TEST_VALKEY']}/0")
    prefix = f"{uuid.uuid4().hex}:"
    limiters = [Limiter(redis, prefix, budget) for _ in range(5)]
    granted: dict[int, int] = {}
    for _ in range(60):
        for answer in await asyncio.gather(*(one.take(Budget("x", budget)) for one in limiters)):
            assert answer is not None
            granted[answer.window] = granted.get(answer.window, 0) + answer.requests
    await redis.aclose()
    assert max(granted.values()) == budget


async def test_budgets_are_bounded_and_those_of_past_minutes_forgotten(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    now = 1e9
    monkeypatch.setattr(rate_limit, "time", SimpleNamespace(time=lambda: now, monotonic=time.monotonic))
    monkeypatch.setattr(rate_limit, "MAX_CLIENTS", 3)
    limiter = Limiter(None, "", 100)
    for n in range(5):
        assert await limiter.spend(Budget(f"client:{n}", 100)) == 0
    assert list(limiter._leases) == ["client:2", "client:3", "client:4"]
    now += WINDOW
    assert await limiter.spend(Budget("client:9", 100)) == 0
    assert list(limiter._leases) == ["client:9"]
