"""Which searches are asked often: gathered from what API processes count in Redis. Called by the clock.

API processes (`api/discovery/asked.py`) add each query once in ten minutes to the sorted set of its day, with
the number of these ten minutes as its score: a query is frequent when it is asked at many different times, not when one
listener asks it many times. The sets hold queries alone, nothing of who asked, and are bounded; they are gone after
`DAYS`. All keys have one hash tag: in a cluster they lie on one node, where a script and a union see them together.
"""

from datetime import UTC, datetime, timedelta

from redis import Redis

# For how many days a search counts, and how often at least.
DAYS, LEAST = 7, 5
# The most queries of a day, and those of them that are offered.
MOST_OF_A_DAY, MOST = 5_000, 1_000
DAY_SECONDS = 86_400


def day_key(prefix: str, moment: datetime) -> str:
    """Return the name of the sorted set of a day: query -> in how many ten minutes it was asked."""
    return f"{prefix}{{searches}}:day:{moment.astimezone(UTC):%Y-%m-%d}"


def window_key(prefix: str, number: int) -> str:
    """Return the name of the set of the queries that were counted in ten minutes, by the number of these minutes."""
    return f"{prefix}{{searches}}:window:{number}"


def popular_key(prefix: str) -> str:
    """Return the name of the sorted set of the queries that are asked often."""
    return f"{prefix}{{searches}}:popular"


def gather_popular(redis: "Redis", prefix: str) -> int:
    """Make the set of frequent queries anew.

    Args:
        redis: The cache's Redis.
        prefix: What every key in it begins with.

    Returns:
        How many queries there are.

    Raises:
        RedisError: Redis is away.
    """
    now = datetime.now(UTC)
    days = [day_key(prefix, now - timedelta(days=n)) for n in range(DAYS)]
    name = popular_key(prefix)
    with redis.pipeline(transaction=True) as steps:
        steps.zunionstore(name, days)
        steps.zremrangebyscore(name, "-inf", f"({LEAST}")
        steps.zremrangebyrank(name, 0, -MOST - 1)
        steps.expire(name, DAY_SECONDS)
        steps.zcard(name)
        return int(steps.execute()[-1])
