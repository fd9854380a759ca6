"""Searches in Redis: the names of all keys, and which searches are asked often. Called by the clock.

API processes (`api/discovery/counted/asked.py`) count each search for two readers:

- **Popular searches**: a query that the catalogue has the words of is added once in ten minutes to the sorted set of its
  day, with the number of these ten minutes as its score: a query is frequent when it is asked at many different times, not
  when one listener asks it many times.
- **Insight** (`insight`): every query of a day is in another sorted set, with how often it was asked, and has a hash of what
  was counted. The counts of a query wait there until `TOLD` different listeners asked it; those of whole languages do not.

Both know the listeners of a query of a day from a sketch (HyperLogLog) of the first of them, who cannot be read from it. All
is bounded, and gone after `DAYS`. All keys have one hash tag: in a cluster they lie on one node, where a script and a union
see them together.
"""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import cast

from redis import Redis

# Different listeners who make a query known to operators.
TOLD = 5
# Different listeners who make a query popular: fewer might be one person, or a household. How many of a query are counted
# on a day, and the most queries that enough of them asked.
LISTENERS, ENOUGH, MOST_SHARED = 10, 50, 200
# Frequent queries whose listeners are counted, every minute.
MOST_TRIED = 400
# For how many days a search counts, and how often at least.
DAYS, LEAST = 7, 5
# The most queries of a day, and those of them that are offered.
MOST_OF_A_DAY, MOST = 5_000, 1_000
DAY_SECONDS = 86_400


def room(prefix: str) -> str:
    """Return what the names of all keys of searches begin with."""
    return f"{prefix}{{searches}}:"


def days(now: datetime) -> list[str]:
    """Return the days that count now, today first, as names of keys have them."""
    return [f"{now.astimezone(UTC) - timedelta(days=n):%Y-%m-%d}" for n in range(DAYS)]


def day_key(prefix: str, moment: datetime) -> str:
    """Return the name of the sorted set of a day: query -> in how many ten minutes it was asked."""
    return f"{room(prefix)}day:{days(moment)[0]}"


def asked_key(prefix: str, moment: datetime) -> str:
    """Return the name of the sorted set of all queries of a day: query -> how often it was asked."""
    return f"{room(prefix)}asked:{days(moment)[0]}"


def counts_key(prefix: str, moment: datetime, name: str) -> str:
    """Return the name of the hash of what was counted on a day: measure -> number.

    Args:
        prefix: What every key begins with.
        moment: A moment of the day.
        name: A query, or what `whole` returns.
    """
    return f"{room(prefix)}count:{days(moment)[0]}:{name}"


def whole(language: str) -> str:
    """Return what stands in the place of a query for all searches of a language. No query has the sign."""
    return f"={language}"


def window_key(prefix: str, number: int) -> str:
    """Return the name of the set of the queries that were counted in ten minutes, by the number of these minutes."""
    return f"{room(prefix)}window:{number}"


def popular_key(prefix: str) -> str:
    """Return the name of the sorted set of the queries that are asked often."""
    return f"{room(prefix)}popular"


def listeners_key(day: str, query: str) -> str:
    """Return the name of the HyperLogLog of a query's listeners. `day` is the name of the sorted set of the day."""
    return f"{day}:{query}"


def shared_key(prefix: str) -> str:
    """Return the name of the sorted set of the frequent queries that enough different listeners asked."""
    return f"{room(prefix)}shared"


def gather_popular(redis: "Redis", prefix: str) -> int:
    """Make the sets of frequent queries anew.

    Args:
        redis: The cache's Redis.
        prefix: What every key in it begins with.

    Returns:
        How many frequent queries there are.

    Raises:
        RedisError: Redis is away.
    """
    now = datetime.now(UTC)
    of_days = [day_key(prefix, now - timedelta(days=n)) for n in range(DAYS)]
    name = popular_key(prefix)
    with redis.pipeline(transaction=True) as steps:
        steps.zunionstore(name, of_days)
        steps.zremrangebyscore(name, "-inf", f"({LEAST}")
        steps.zremrangebyrank(name, 0, -MOST - 1)
        steps.expire(name, DAY_SECONDS)
        steps.zcard(name)
        count = int(steps.execute()[-1])
    _gather_shared(redis, prefix, of_days)
    return count


def _gather_shared(redis: "Redis", prefix: str, of_days: Sequence[str]) -> None:
    """Make the set of the frequent queries that enough different listeners asked in these days."""
    found = redis.zrangebyscore(popular_key(prefix), "-inf", "+inf", withscores=True)
    frequent = [(raw.decode(), score) for raw, score in reversed(cast("list[tuple[bytes, float]]", found))]
    shared: dict[str, float] = {}
    for query, score in frequent[:MOST_TRIED]:
        # One after the other: a client of a cluster counts nothing in a pipeline.
        listeners = redis.pfcount(*(listeners_key(day, query) for day in of_days))
        if int(listeners) >= LISTENERS and len(shared) < MOST_SHARED:
            shared[query] = score
    name = shared_key(prefix)
    with redis.pipeline(transaction=True) as steps:
        steps.delete(name)
        if shared:
            steps.zadd(name, shared)
            steps.expire(name, DAY_SECONDS)
        steps.execute()
