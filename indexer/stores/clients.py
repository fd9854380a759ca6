"""Clients for every kind of server, of processes with and without an event loop."""

import random
from typing import Any, cast

from redis import ConnectionPool, Redis, RedisCluster
from redis.asyncio import Redis as AsyncRedis
from redis.asyncio import RedisCluster as AsyncRedisCluster
from redis.asyncio.client import PubSub
from redis.asyncio.cluster import ClusterNode as AsyncClusterNode
from redis.asyncio.retry import Retry as AsyncRetry
from redis.asyncio.sentinel import Sentinel as AsyncSentinel
from redis.asyncio.sentinel import SentinelConnectionPool
from redis.backoff import ConstantBackoff
from redis.cluster import ClusterNode
from redis.exceptions import RedisClusterException, RedisError
from redis.retry import Retry

from indexer.stores.addresses import SENTINEL, SINGLE, parse
from indexer.stores.masters import MasterConnection, SecureMasterConnection, for_sentinels

# What a command raises when Redis is away. On the event loop uvloop adds a RuntimeError: the connection was reset
# just before it was written to. A cluster without a server for a key raises an error of its own.
REDIS_AWAY = (RedisError, RedisClusterException, OSError, RuntimeError)
# Connections that a process opens to one server.
_MAX_CONNECTIONS = 200
# How often a command goes to a cluster again after it has found a node gone, and the pause before.
_RETRIES, _RETRY_SECONDS = 2, 0.05


def open_async(url: str, *, timeout: float, connect_timeout: float) -> "AsyncRedis":
    """Return a client on the event loop. Nothing is connected yet.

    Args:
        url: The address, checked by the settings.
        timeout: Seconds that a command may take.
        connect_timeout: Seconds to wait for a connection.

    Returns:
        A client; of a cluster, one that has the methods in common which the product uses.
    """
    address = parse(url)
    limits: dict[str, Any] = {"socket_timeout": timeout, "socket_connect_timeout": connect_timeout}
    if address.kind == SINGLE:
        return AsyncRedis.from_url(url, max_connections=_MAX_CONNECTIONS, **limits)
    options: dict[str, Any] = address.options | limits | {"max_connections": _MAX_CONNECTIONS}
    if address.kind == SENTINEL:
        credentials = for_sentinels(options, secure=options.get("ssl", False))
        watchers = AsyncSentinel(address.nodes, sentinel_kwargs=credentials, **options)  # type: ignore[no-untyped-call]  # redis-py leaves it untyped
        return cast("AsyncRedis", watchers.master_for(address.service, AsyncRedis))
    options.pop("db", None)
    cluster = AsyncRedisCluster(
        startup_nodes=[AsyncClusterNode(host, port) for host, port in address.nodes],
        require_full_coverage=False,
        retry=AsyncRetry(ConstantBackoff(_RETRY_SECONDS), _RETRIES),
        **options,
    )
    return cast("AsyncRedis", cluster)


async def close(client: "AsyncRedis") -> None:
    """Close every connection of a client."""
    await client.aclose()
    pool = getattr(client, "connection_pool", None)
    if isinstance(pool, SentinelConnectionPool):
        for watcher in pool.sentinel_manager.sentinels:
            await watcher.aclose()
    if isinstance(client, AsyncRedisCluster):
        # A client that was about to ask for the nodes again leaves its connections open.
        await client.nodes_manager.aclose()
        await client.nodes_manager.aclose("startup_nodes")


async def subscription(client: "AsyncRedis") -> PubSub:
    """Return a subscription of the client; of a cluster, on any node: each has every message.

    Raises:
        RedisError: Redis is away.
        RedisClusterException: The cluster is away.
    """
    if isinstance(client, AsyncRedisCluster):
        await client.initialize()
        return client.pubsub(node=random.choice(client.get_nodes()))  # noqa: S311 (no secret)
    return client.pubsub()


def open_sync(url: str, *, timeout: float, connect_timeout: float, **more: Any) -> "Redis":
    """Return a client for processes and jobs without an event loop. Nothing is connected yet.

    Args:
        url: The address, checked by the settings.
        timeout: Seconds that a command may take.
        connect_timeout: Seconds to wait for a connection.
        **more: Other options of redis-py.

    Returns:
        A client; of a cluster, one that has the methods in common which the product uses.
    """
    address = parse(url)
    limits: dict[str, Any] = {"socket_timeout": timeout, "socket_connect_timeout": connect_timeout} | more
    if address.kind == SINGLE:
        return Redis.from_url(url, **limits)
    options = address.options | limits
    if address.kind == SENTINEL:
        options["sentinels"], options["service"] = address.nodes, address.service
        secure = options.pop("ssl", False)
        pool = ConnectionPool(
            connection_class=SecureMasterConnection if secure else MasterConnection, **options
        )
        return Redis.from_pool(pool)
    options.pop("db", None)
    return cast("Redis", _LateCluster(address.nodes, options))


class _LateCluster:
    """A client of a cluster that is made at its first use: redis-py's asks for the nodes when it is made."""

    def __init__(self, nodes: tuple[tuple[str, int], ...], options: dict[str, Any]) -> None:
        self._nodes, self._options = nodes, options
        self._made: RedisCluster | None = None

    def __getattr__(self, name: str) -> object:
        if self._made is None:
            self._made = RedisCluster(
                startup_nodes=[ClusterNode(host, port) for host, port in self._nodes],  # type: ignore[no-untyped-call]  # redis-py leaves it untyped
                require_full_coverage=False,
                retry=Retry(ConstantBackoff(_RETRY_SECONDS), _RETRIES),
                **self._options,
            )
        return getattr(self._made, name)

    def __enter__(self) -> "_LateCluster":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close every connection."""
        if self._made is not None:
            self._made.close()
