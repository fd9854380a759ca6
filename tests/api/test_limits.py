"""How many requests a client may make: exact over processes, and open when Redis is away."""

import asyncio
import json
import os
import subprocess
import sys
import time
import uuid

import pytest
from redis.asyncio import Redis

from api.ratelimit import WINDOW, Limiter
from api.settings import Settings
from tests.support.product import serve
from tests.support.servers import eventually

PROCESSES, EACH, CAP = 8, 1000, 3000
# Each process asks its limiter as the edge does and prints how many passed.
CLIENT = """
import asyncio, json, sys
from redis.asyncio import Redis
from api.ratelimit import Limiter

async def main(url, prefix, cap, each):
    redis = Redis.from_url(url)
    limiter = Limiter(redis, prefix, cap)
    scope = {"client": ("198.51.100.7", 1), "headers": []}
    print("ready", flush=True)
    sys.stdin.readline()
    passed = 0
    for _ in range(each):
        # All of them are asking until the end: what one leased and never spent would be missing.
        await asyncio.sleep(0.001)
        refused = limiter.check(scope)
        if refused < 0:
            refused = await limiter.refill(scope)
        passed += not refused
    await redis.aclose()
    print(json.dumps(passed))

asyncio.run(main(sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4])))
"""


def _scope(peer: str, forwarded: str = "") -> dict[str, object]:
    headers = [(b"x-forwarded-for", forwarded.encode())] if forwarded else []
    return {"client": (peer, 1), "headers": headers}


def _round() -> tuple[list[int], bool]:
    """What each process was granted, and whether it all happened within one window."""
    command = [sys.executable, "-c", CLIENT, f"{os.environ['TEST_VALKEY']}/0", f"{uuid.uuid4().hex}:",
               str(CAP), str(EACH)]  # fmt: skip
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


def test_eight_processes_with_a_thousand_requests_each_pass_exactly_the_cap() -> None:
    for _ in range(4):
        passed, one_window = _round()
        if one_window:
            break
    assert one_window
    assert sum(passed) == CAP
    # Leases are small: nobody took it all.
    assert all(passed)


def test_a_client_over_its_budget_is_told_when_to_come_back(settings: Settings) -> None:
    limited = settings.api.model_copy(update={"rate_per_minute": 5})
    with serve(Settings(settings.catalog, settings.indexer, limited)) as (client, _):
        answers = [client.get("/health/live") for _ in range(20)]
    refused = [answer for answer in answers if answer.status_code == 429]
    # The block's own first requests spend too, and a window may end in between.
    assert len(refused) >= 10
    problem = refused[0].json()
    assert problem["code"] == "rate_limited"
    assert problem["requestId"] == refused[0].headers["x-request-id"]
    assert refused[0].headers["content-type"] == "application/problem+json"
    assert 1 <= int(refused[0].headers["retry-after"]) <= WINDOW
    assert refused[0].headers["x-content-type-options"] == "nosniff"


def test_only_trusted_proxies_are_believed() -> None:
    limiter = Limiter(None, "", 1, "10.0.0.0/8, 192.0.2.1")
    assert limiter.client(_scope("203.0.113.9", "198.51.100.1")) == "203.0.113.9"
    assert limiter.client(_scope("10.1.1.1", "198.51.100.1")) == "198.51.100.1"
    # What a client wrote itself stands left of what our proxies added.
    assert limiter.client(_scope("10.1.1.1", "6.6.6.6, 198.51.100.1, 192.0.2.1")) == "198.51.100.1"
    assert limiter.client(_scope("10.1.1.1", "10.2.2.2")) == "10.1.1.1"
    assert limiter.client(_scope("10.1.1.1")) == "10.1.1.1"
    assert Limiter(None, "", 1).client(_scope("10.1.1.1", "198.51.100.1")) == "10.1.1.1"


async def test_a_hot_client_costs_few_redis_calls() -> None:
    redis = Redis.from_url(f"{os.environ['TEST_VALKEY']}/0")
    limiter = Limiter(redis, f"{uuid.uuid4().hex}:", 6000)
    calls = 0
    for _ in range(2000):
        refused = limiter.check(_scope("198.51.100.7"))
        if refused < 0:
            calls += 1
            refused = await limiter.refill(_scope("198.51.100.7"))
        assert refused == 0
    await redis.aclose()
    # One for every lease; a window may end once in between.
    assert calls <= 2000 // (6000 // 50) + 2


async def test_without_redis_requests_pass() -> None:
    redis = Redis.from_url("redis://127.0.0.1:1/0", socket_connect_timeout=0.2)
    limiter = Limiter(redis, "", 1)
    for _ in range(50):
        refused = limiter.check(_scope("198.51.100.7"))
        assert (refused if refused >= 0 else await limiter.refill(_scope("198.51.100.7"))) == 0
    await redis.aclose()


@pytest.mark.parametrize("budget", [1, 7, 100])
async def test_leases_never_add_up_to_more_than_the_budget(budget: int) -> None:
    redis = Redis.from_url(f"{os.environ['TEST_VALKEY']}/0")
    prefix = f"{uuid.uuid4().hex}:"
    limiters = [Limiter(redis, prefix, budget) for _ in range(5)]
    granted: dict[int, int] = {}
    for _ in range(60):
        for answer in await asyncio.gather(*(one.take("x", budget) for one in limiters)):
            assert answer is not None
            got, window = answer
            granted[window] = granted.get(window, 0) + got
    await redis.aclose()
    assert max(granted.values()) == budget


def test_views_are_limited_like_everything_else(settings: Settings) -> None:
    limited = settings.api.model_copy(update={"rate_per_minute": 3})
    with serve(Settings(settings.catalog, settings.indexer, limited)) as (client, _):
        eventually(lambda: client.post("/discovery/programs/1/views").status_code == 429)
