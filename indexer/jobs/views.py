"""Adds the views that API processes have counted to the programs' view counts. Called by the clock.

API processes add up views in some Redis hashes, which spread over the servers of a cluster. A flush renames each hash to
a batch (`batches`), which is added to the programs and to what is viewed lately (`catalog.programs.around.trends`).
"""

import contextlib
import uuid
from collections import Counter
from collections.abc import Callable

from redis import Redis
from redis.exceptions import ResponseError
from sqlalchemy import Engine, text

from catalog.programs.around import trends
from indexer.jobs import batches

# How many hashes count views. Each program has one of them.
SHARDS = 16

# Names of the moments at which a test may stop the flush.
CRASH_POINTS = ("after_rename", "before_commit", "after_commit")


def shard(program_id: int) -> int:
    """Return which of the hashes counts the views of a program."""
    return program_id % SHARDS


def pending_key(prefix: str, number: int) -> str:
    """Return the name of one of the Redis hashes in which views are counted: program id -> count.

    A batch, and the clients that were seen, have names with the same braces: they lie on the same server of a cluster.
    """
    return f"{prefix}{{views:{number}}}"


def apply_pending(
    redis: "Redis", prefix: str, database: Engine, at: Callable[[str], None] = lambda point: None
) -> int:
    """Add the counted views to `view_count`, those of a flush that died included.

    Args:
        redis: The cache's Redis.
        prefix: What every key in it begins with.
        database: PostgreSQL, the primary.
        at: Called with the name of each crash point, for tests.

    Returns:
        How many views were added.

    Raises:
        RedisError: Redis is away.
        DBAPIError: PostgreSQL is away.
    """
    for number in range(SHARDS):
        pending = pending_key(prefix, number)
        with contextlib.suppress(ResponseError):
            # Redis refuses to rename what does not exist: then nothing was counted.
            redis.rename(pending, f"{pending}:batch:{uuid.uuid4().hex}")
    at("after_rename")
    names = sorted(raw.decode() for raw in redis.scan_iter(match=f"{prefix}{{views:*}}:batch:*", count=1000))
    counts: dict[str, dict[int, int]] = {}
    for name in names:
        counts[name] = {int(key): int(value) for key, value in redis.hgetall(name).items()}
    added = _apply(database, counts, at) if counts else 0
    at("after_commit")
    for name in names:
        redis.delete(name)
    return added


def _apply(database: Engine, found: dict[str, dict[int, int]], at: Callable[[str], None]) -> int:
    """Add the counts of the batches that were not applied yet, by their names."""
    with database.begin() as connection:
        names = {name.rpartition(":")[2]: name for name in found}
        counts: Counter[int] = Counter()
        for batch in batches.claim(connection, names):
            counts.update(found[names[batch]])
        ids = sorted(counts)
        if not ids:
            return 0
        # Rows are locked in the order of their ids, as everywhere, so that no deadlock can come about.
        connection.execute(
            text(
                "WITH seen AS (SELECT p.id, c.views FROM programs p "
                "JOIN unnest(CAST(:ids AS bigint[]), CAST(:views AS bigint[])) AS c(id, views) "
                "ON c.id = p.id ORDER BY p.id FOR UPDATE OF p) "
                "UPDATE programs p SET view_count = view_count + seen.views FROM seen WHERE p.id = seen.id"
            ),
            {"ids": ids, "views": [counts[i] for i in ids]},
        )
        trends.add(connection, counts)
        at("before_commit")
    return counts.total()
