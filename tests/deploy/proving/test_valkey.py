"""The cache's cluster: six nodes from deploy/valkey find each other, and a replica takes over."""

from pathlib import Path

import pytest
from redis.cluster import RedisCluster

from deploy.proving import layout
from deploy.proving.servers import valkey
from tests.support.waiting import eventually


@pytest.mark.slow
def test_six_nodes_become_a_cluster_that_survives_a_master(tmp_path: Path) -> None:
    with layout.choose() as places:
        passwords = valkey.Passwords()
        nodes = [places[name] for name in places.cache_nodes]
        children = [
            valkey.child(name, "cache-cluster", tmp_path / name, places[name], passwords)
            for name in places.cache_nodes
        ]
        try:
            for child in children:
                child.start(tmp_path)
            assert all(child.wait_ready(60, lambda: False) for child in children)
            valkey.form(nodes, passwords.operator)
            with RedisCluster(
                host=nodes[0].host,
                port=nodes[0].port,
                username="operator",
                password=passwords.operator,
                socket_timeout=5,
            ) as client:
                eventually(lambda: client.cluster_info()["cluster_state"] == "ok", what="ok")
                policy = client.config_get("maxmemory-policy", target_nodes="default-node")
                assert policy == {"maxmemory-policy": "allkeys-lfu"}
                assert client.set("key", "value")
            children[0].kill()
            eventually(
                lambda: "role:master" in valkey.ask(nodes[3], passwords.operator, "INFO", "replication"),
                what="the failover",
            )
        finally:
            for child in children:
                child.stop(timeout=2)
