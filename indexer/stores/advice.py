"""Whether a server fits its role: what INFO says, compared with the address and with what the role needs."""

from typing import Any

from redis.asyncio import Redis as AsyncRedis
from redis.asyncio import RedisCluster as AsyncRedisCluster
from redis.exceptions import NoPermissionError

from indexer.stores.addresses import CLUSTER, parse


def cache_advice(url: str, info: dict[str, Any]) -> str:
    """Return what is wrong with a server as the cache; empty when nothing is.

    Args:
        url: Its address.
        info: Its answer to INFO.
    """
    if is_cluster(info) and parse(url).kind != CLUSTER:
        return "it is a node of a cluster: REDIS_CACHE_URL must begin with redis+cluster://"
    return ""


def queue_advice(info: dict[str, Any]) -> str:
    """Return why a server cannot have the queue, or may lose jobs; empty when it can.

    Args:
        info: Its answer to INFO.
    """
    if is_cluster(info):
        return "it is a node of a cluster, and RQ cannot use one: name a single server or Sentinels"
    policy = info.get("maxmemory_policy", "noeviction")
    if policy != "noeviction" and info.get("maxmemory"):
        return f"it evicts jobs: set maxmemory-policy noeviction instead of {policy}"
    return "" if info.get("aof_enabled", 1) else "jobs are lost when it restarts: set appendonly yes"


def is_cluster(info: dict[str, Any]) -> bool:
    """Return whether a server that answered INFO so is a node of a cluster."""
    return bool(info.get("cluster_enabled"))


async def info(client: "AsyncRedis") -> dict[str, Any]:
    """Return what INFO says of one server; nothing when the user of the ACL may not ask.

    Raises:
        RedisError: Redis is away.
        RedisClusterException: The cluster is away.
    """
    try:
        if isinstance(client, AsyncRedisCluster):
            await client.initialize()
            found = await client.info(target_nodes=client.get_default_node())
        else:
            found = await client.info()
    except NoPermissionError:
        return {}
    return found


async def lost_slots(client: "AsyncRedis") -> int:
    """Return how many slots of a cluster no server answers for; 0 for every other kind of server.

    Raises:
        RedisError: Redis is away.
        RedisClusterException: The cluster is away.
    """
    if not isinstance(client, AsyncRedisCluster):
        return 0
    state = await client.cluster_info()
    return 16_384 - int(state["cluster_slots_ok"])
