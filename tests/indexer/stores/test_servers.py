"""Addresses of Redis: what they name, and clients that follow a master and use an ACL's user."""

import os
import uuid

import pytest
from redis import Redis
from redis.connection import SSLConnection
from redis.exceptions import NoPermissionError
from rq import SimpleWorker

from indexer import stores
from indexer.settings import IndexerSettings
from indexer.stores import queues
from tests.support.redis_servers import SentinelServers
from tests.support.waiting import eventually


@pytest.mark.parametrize(
    ("url", "kind", "nodes", "service", "options"),
    [
        ("redis://host/1", "single", (), "", {"db": 1}),
        ("unix:///run/redis.sock", "single", (), "", {"path": "/run/redis.sock"}),
        (
            "rediss+cluster://app:p%40ss@a:7000,b,[::1]:7002?ssl_ca_certs=/ca.pem",
            "cluster",
            (("a", 7000), ("b", 6379), ("::1", 7002)),
            "",
            {"username": "app", "password": "p@ss", "ssl": True, "ssl_ca_certs": "/ca.pem"},
        ),
        (
            "redis+sentinel://:secret@a,b:26380/jobs/3?sentinel_password=other",
            "sentinel",
            (("a", 26379), ("b", 26380)),
            "jobs",
            {"password": "secret", "db": 3, "sentinel_password": "other"},
        ),
    ],
)
def test_an_address_names_servers_users_and_options(
    url: str, kind: str, nodes: tuple[tuple[str, int], ...], service: str, options: dict[str, object]
) -> None:
    found = stores.parse(url)
    assert (found.kind, found.nodes, found.service) == (kind, nodes, service)
    assert options.items() <= found.options.items()


@pytest.mark.parametrize(
    "url",
    [
        "localhost:6379",
        "http://host",
        "redis://",
        "redis://host:port",
        "redis+cluster://",
        "redis+cluster://host:0",
        "redis+cluster://host:99999",
        "redis+sentinel://host:26379",
        "redis+sentinel:///jobs",
    ],
)
def test_what_is_no_address_is_refused(url: str) -> None:
    with pytest.raises(ValueError, match=r"address|port"):
        stores.parse(url)
    with pytest.raises(ValueError, match="should be an address"):
        IndexerSettings(redis_cache_url=url)


def test_the_queue_cannot_be_a_cluster_and_prefixes_have_no_braces() -> None:
    assert IndexerSettings(redis_cache_url="redis+cluster://a")
    with pytest.raises(ValueError, match="RQ cannot use a cluster"):
        IndexerSettings(redis_queue_url="redis+cluster://a")
    with pytest.raises(ValueError, match="pattern"):
        IndexerSettings(redis_prefix="{x}:")


def test_connections_over_tls_are_made_for_every_kind_of_server() -> None:
    single = stores.open_sync("rediss://host", timeout=1, connect_timeout=1)
    sentinel = stores.open_sync("rediss+sentinel://host/jobs", timeout=1, connect_timeout=1)
    for client in (single, sentinel):
        assert issubclass(client.connection_pool.connection_class, SSLConnection)


@pytest.mark.parametrize(
    ("info", "said"),
    [
        ({"cluster_enabled": 0, "aof_enabled": 1, "maxmemory": 0}, ""),
        ({"cluster_enabled": 1}, "RQ cannot use one"),
        ({"maxmemory": 1000, "maxmemory_policy": "allkeys-lru"}, "noeviction"),
        ({"maxmemory": 0, "maxmemory_policy": "allkeys-lru", "aof_enabled": 0}, "appendonly"),
        ({}, ""),
    ],
)
def test_a_server_that_may_lose_jobs_is_named(info: dict[str, object], said: str) -> None:
    found = stores.queue_advice(info)
    assert said in found
    assert bool(found) is bool(said)


def test_a_user_of_an_acl_does_what_it_may_and_nothing_else() -> None:
    admin = Redis.from_url(f"{os.environ['TEST_VALKEY']}/0")
    name, prefix = f"user-{uuid.uuid4().hex}", f"{uuid.uuid4().hex}:"
    admin.acl_setuser(name, enabled=True, passwords=["+p@ss"], keys=[f"{prefix}*"], commands=["+get", "+set"])
    host = os.environ["TEST_VALKEY"].removeprefix("redis://")
    client = stores.open_sync(f"redis://{name}:p%40ss@{host}/0", timeout=5, connect_timeout=5)
    client.set(f"{prefix}a", 1, ex=60)
    assert client.get(f"{prefix}a") == b"1"
    with pytest.raises(NoPermissionError):
        client.get("another")
    client.close()
    admin.acl_deluser(name)
    admin.close()


async def test_a_user_who_may_not_ask_for_the_servers_state_is_believed() -> None:
    admin = Redis.from_url(f"{os.environ['TEST_VALKEY']}/0")
    name = f"user-{uuid.uuid4().hex}"
    admin.acl_setuser(name, enabled=True, nopass=True, commands=["+ping", "+client"])
    host = os.environ["TEST_VALKEY"].removeprefix("redis://")
    client = stores.open_async(f"redis://{name}:x@{host}/0", timeout=5, connect_timeout=5)
    assert await client.ping()
    assert await stores.info(client) == {}
    await stores.close(client)
    admin.acl_deluser(name)
    admin.close()


def noted(number: int) -> int:
    """A job of this file."""
    return number + 1


@pytest.mark.slow
async def test_the_queue_follows_its_master() -> None:
    servers = SentinelServers()
    try:
        url = servers.start()
        connection = queues.connect(url)
        waiting = stores.open_async(url, timeout=5, connect_timeout=2)
        queue = queues.JsonQueue("imports", connection=connection)
        before = queue.enqueue(noted, 1)
        # What a job is written to must have reached the replica before the master dies.
        assert connection.wait(1, 60_000) == 1
        servers.take_over()

        def enqueued() -> object:
            try:
                return queue.enqueue(noted, 2)
            except stores.REDIS_AWAY:
                return None

        eventually(enqueued, what="the queue is written to again")
        assert await waiting.llen("rq:queue:imports") == 2
        worker = SimpleWorker(
            [queue], connection=connection, serializer=queue.serializer, job_class=queues.registering([noted])
        )
        worker.work(burst=True, with_scheduler=False)
        assert queues.status(connection, before.id) == "finished"
        assert await waiting.llen("rq:queue:imports") == 0
        await stores.close(waiting)
        connection.close()
    finally:
        servers.stop()
