"""Adds the searches that API processes have counted to the table of searches. Called by the clock.

`searches` has the names of the keys. What may be added lies in a set: names of days with a query that enough listeners asked,
or with a language. A roll-up moves the counts of some of them to a batch (`batches`), in one script, and adds the batch. The
counts of all other queries stay where they are until they are asked by more listeners, or forgotten.
"""

import uuid
from collections import Counter, defaultdict
from collections.abc import Callable, Mapping
from datetime import date
from typing import cast

from redis import Redis
from sqlalchemy import Engine

from catalog.insight import rollup
from catalog.insight.rollup import Place, language_of
from indexer.jobs import batches
from indexer.jobs.searches import DAY_SECONDS, DAYS, room

# Names of days and queries of one batch, and batches of one roll-up: publishing must stay on time.
MOST_OF_A_BATCH, MOST_BATCHES = 1_000, 5
# Names of the moments at which a test may stop the roll-up.
CRASH_POINTS = ("after_take", "before_commit", "after_commit")

# Moves what was counted for some names of the set KEYS[1] to the hash KEYS[2], and notes the hash in the set KEYS[3].
# ARGV: how many names, for how many seconds the batch is kept, what the names of all counts begin with. All keys have the
# hash tag of the declared ones.
_TAKE = """
local names = redis.call('SPOP', KEYS[1], ARGV[1])
for _, name in ipairs(names) do
  local counted = redis.call('HGETALL', ARGV[3] .. name)
  for n = 1, #counted, 2 do redis.call('HSET', KEYS[2], name .. '\\t' .. counted[n], counted[n + 1]) end
  redis.call('DEL', ARGV[3] .. name)
end
if #names > 0 then
  redis.call('EXPIRE', KEYS[2], ARGV[2])
  redis.call('SADD', KEYS[3], KEYS[2])
  redis.call('EXPIRE', KEYS[3], ARGV[2])
end
return #names
"""


def roll_up(
    redis: "Redis", prefix: str, database: Engine, at: Callable[[str], None] = lambda point: None
) -> int:
    """Add what was counted to the table of searches, that of a roll-up that died included.

    Args:
        redis: The cache's Redis.
        prefix: What every key in it begins with.
        database: PostgreSQL, the primary.
        at: Called with the name of each crash point, for tests.

    Returns:
        How many batches were added.

    Raises:
        RedisError: Redis is away.
        DBAPIError: PostgreSQL is away.
    """
    begin, kept = room(prefix), (DAYS + 1) * DAY_SECONDS
    for _ in range(MOST_BATCHES):
        keys = f"{begin}fresh", f"{begin}batch:{uuid.uuid4().hex}", f"{begin}batches"
        if int(redis.eval(_TAKE, 3, *keys, MOST_OF_A_BATCH, kept, f"{begin}count:")) < MOST_OF_A_BATCH:
            break
    at("after_take")
    names = sorted(raw.decode() for raw in cast("set[bytes]", redis.smembers(f"{begin}batches")))
    added = 0
    for name in names:
        found = cast("dict[bytes, bytes]", redis.hgetall(name))
        with database.begin() as connection:
            if batches.claim(connection, [name.rpartition(":")[2]]):
                rollup.add(connection, _read(found))
                added += 1
            at("before_commit")
        at("after_commit")
        redis.delete(name)
        redis.srem(f"{begin}batches", name)
    return added


def _read(batch: Mapping[bytes, bytes]) -> Mapping[Place, Mapping[str, int]]:
    """Return what a batch adds to each row."""
    found: defaultdict[Place, Counter[str]] = defaultdict(Counter)
    for key, count in batch.items():
        name, _, measure = key.decode().partition("\t")
        day, _, query = name.partition(":")
        language, text = (query[1:], "") if query.startswith("=") else (language_of(query.split()), query)
        found[Place(date.fromisoformat(day), language, text)][measure] += int(count)
    return found
