"""The last hour in samples, so that the board has charts without Prometheus: a ring in Redis, and the route that reads it.

Every instance adds a sample every ten seconds, whichever of its worker processes is first: what waits in the whole product,
and the counters of the instance. Samples older than an hour are removed, so the ring has at most 360 of an instance, about
60 KB. Without Redis there are no samples, and nothing else is wrong.
"""

import asyncio
import logging
import socket
import time
from collections import Counter, defaultdict
from itertools import pairwise
from typing import Any

import msgspec
from litestar import get
from sqlalchemy.exc import SQLAlchemyError

from api.http.auth import OPS
from api.http.errors import Problem
from api.http.reply import JsonResponse
from api.http.request import ApiRequest, AppState
from api.http.schemas import Model
from api.operations import metrics
from catalog.indexing import queries
from indexer.process.uninterrupted import uninterrupted
from indexer.stores import REDIS_AWAY
from indexer.stores.queues import NAMES

log = logging.getLogger(__name__)
STEP, KEPT = 10, 3600
# What was counted in a step, by name.
Rates = defaultdict[str, float]


class Sample(msgspec.Struct):
    """What an instance saw: the moment, what waited in the product, and its own counters since it began."""

    at: int
    instance: str
    waiting: int
    oldest: float
    parked: int
    jobs: int
    requests: int
    errors: int
    asked: int
    made: int


class PointOut(Model):
    """A moment of the last hour. Rates are null where no instance has a sample before it.

    `waiting` programs are not yet in the live indexes, the oldest for `oldestSec`; `jobs` wait in the queues. `hitRate` is the
    share of cacheable answers that were not made anew.
    """

    at: int
    waiting: int
    oldest_sec: float
    parked: int
    jobs: int
    per_second: float | None
    errors_per_second: float | None
    hit_rate: float | None


class HourAnswer(Model):
    """The samples of the last hour, the oldest first."""

    data: list[PointOut]


def ring(prefix: str) -> str:
    """Return the key of the samples. `prefix` begins every key."""
    return f"{prefix}board:hour"


class Hour:
    """Adds this instance's samples to the ring."""

    def __init__(self, shared: AppState) -> None:
        """Take what all requests share."""
        self.shared = shared
        self.instance = f"{socket.gethostname()}:{shared.settings.api.port}"

    async def run(self) -> None:
        """Add a sample every `STEP` seconds until cancelled.

        A sample that has begun is finished first.

        Raises:
            CancelledError: The API stops.
        """
        while True:
            await asyncio.sleep(STEP - time.time() % STEP)
            try:
                await uninterrupted(self.sample(int(time.time()) // STEP * STEP))
            except (*REDIS_AWAY, SQLAlchemyError) as error:
                log.warning("a sample of the board is missing: %s", type(error).__name__)

    async def sample(self, at: int) -> bool:
        """Add the sample of a moment, unless another process of this instance has done so; return whether it was added.

        Args:
            at: Seconds since 1970.

        Raises:
            RedisError: Redis is away.
            SQLAlchemyError: The database does not answer.
        """
        redis, key = self.shared.redis_cache, ring(self.shared.settings.indexer.redis_prefix)
        if not await redis.set(f"{key}:{self.instance}:{at}", b"1", nx=True, ex=2 * STEP):
            return False
        waiting, oldest, parked = 0, 0.0, 0
        async with self.shared.db() as session:
            for target, dirty, refused, age, _ in await session.execute(queries.target_states()):
                parked += refused
                if target.state == "live":
                    waiting, oldest = max(waiting, dirty), max(oldest, float(age))
        jobs = sum([await self.shared.redis_queue.llen(f"rq:queue:{name}") for name in NAMES])
        counted = await asyncio.to_thread(_counted)
        sample = Sample(at, self.instance, waiting, round(oldest, 1), parked, jobs, **counted)
        await redis.zadd(key, {msgspec.json.encode(sample): at})
        await redis.zremrangebyscore(key, 0, at - KEPT)
        await redis.expire(key, 2 * KEPT)
        return True


def _counted() -> dict[str, int]:
    """The counters of this instance, summed over its processes."""
    found: Counter[str] = Counter(requests=0, errors=0, asked=0, made=0)
    for metric in metrics.counters():
        for sample in metric.samples:
            if sample.name == "http_requests_total":
                found["requests"] += int(sample.value)
                found["errors"] += int(sample.value) if sample.labels["status"].startswith("5") else 0
            elif sample.name == "cache_requests_total":
                found["asked"] += int(sample.value)
                found["made"] += int(sample.value) if sample.labels["level"] == "miss" else 0
    return dict(found)


def points(samples: list[Sample]) -> list[PointOut]:
    """Return the points of all instances together, the oldest first."""
    of_instance: defaultdict[str, list[Sample]] = defaultdict(list)
    moments: defaultdict[int, list[Sample]] = defaultdict(list)
    for sample in sorted(samples, key=lambda sample: sample.at):
        of_instance[sample.instance].append(sample)
        moments[sample.at].append(sample)
    rates: defaultdict[int, Rates] = defaultdict(lambda: defaultdict(float))
    for own in of_instance.values():
        for before, after in pairwise(own):
            # An instance that began anew counts from nothing.
            if after.requests >= before.requests and after.asked >= before.asked:
                seconds = after.at - before.at
                told = rates[after.at]
                told["requests"] += (after.requests - before.requests) / seconds
                told["errors"] += (after.errors - before.errors) / seconds
                told["asked"] += after.asked - before.asked
                told["made"] += after.made - before.made
    return [_point(at, moments[at], rates.get(at)) for at in sorted(moments)]


def _point(at: int, seen: list[Sample], rate: Rates | None) -> PointOut:
    asked = rate["asked"] if rate is not None else 0.0
    return PointOut(
        at=at,
        waiting=max(sample.waiting for sample in seen),
        oldest_sec=max(sample.oldest for sample in seen),
        parked=max(sample.parked for sample in seen),
        jobs=max(sample.jobs for sample in seen),
        per_second=round(rate["requests"], 2) if rate is not None else None,
        errors_per_second=round(rate["errors"], 2) if rate is not None else None,
        hit_rate=round(1 - rate["made"] / asked, 4) if rate is not None and asked else None,
    )


@get(
    "/hour",
    operation_id="getLastHour",
    summary="The last hour",
    description="What waited, and how many requests and cached answers there were, in steps of ten seconds.",
    opt={"roles": OPS, "errors": ("cache_unavailable",)},
)
async def hour(request: ApiRequest) -> JsonResponse[HourAnswer]:
    """Return the samples of all instances.

    Raises:
        Problem: Redis does not answer.
    """
    shared = request.shared
    try:
        raw: Any = await shared.redis_cache.zrange(ring(shared.settings.indexer.redis_prefix), 0, -1)
    except REDIS_AWAY:
        raise Problem("cache_unavailable", headers={"Retry-After": "2"}) from None
    samples = [msgspec.json.decode(one, type=Sample) for one in raw]
    return JsonResponse(HourAnswer(data=points(samples)))


HANDLERS = [hour]
