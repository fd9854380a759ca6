"""The product over a Redis Cluster: what it does over one server, also while slots move and a master dies."""

import dataclasses
import gc
from collections.abc import Iterator
from datetime import UTC, datetime

import msgspec
import pytest
from sqlalchemy import Engine as Database
from sqlalchemy import text

from api.discovery.counted.asked import Asked
from api.discovery.counted.events import Events
from api.discovery.counted.hiding import Hiding
from api.discovery.counted.notes import Note
from api.http.observed.tally import Tally
from api.settings import Settings
from catalog.core.db import session_factory
from indexer import stores
from indexer.jobs import insight, searches
from indexer.jobs.views import apply_pending
from indexer.stores import invalidation, queues
from indexer.stores.invalidation import Keys
from tests.support.accounts import add_account, signed_in
from tests.support.client import Client
from tests.support.discovery import total
from tests.support.editorial import read
from tests.support.product import sending, serve
from tests.support.programs import make
from tests.support.redis_servers import ClusterServers
from tests.support.waiting import eventually

# redis-py's client of a cluster leaves connections to the garbage collector when it is closed.
pytestmark = [
    pytest.mark.slow,
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]


@pytest.fixture(autouse=True)
def collected() -> Iterator[None]:
    """Collect what redis-py leaves open here, and not in a later test."""
    yield
    gc.collect()


@pytest.fixture(scope="module")
def cluster() -> Iterator[tuple[ClusterServers, str]]:
    """A cluster of six nodes, and its address."""
    servers = ClusterServers()
    try:
        yield servers, servers.start()
    finally:
        servers.stop()


@pytest.fixture
def clustered(settings: Settings, cluster: tuple[ClusterServers, str]) -> Settings:
    """The test's settings, with the cluster as the cache."""
    indexer = settings.indexer.model_copy(update={"redis_cache_url": cluster[1], "redis_timeout": 2})
    return dataclasses.replace(settings, indexer=indexer)


def state(client: Client, name: str) -> tuple[bool, str]:
    found = {d["name"]: d for d in client.get("/health/ready").json()["dependencies"]}[name]
    return found["up"], found["detail"]


def title(client: Client, program_id: int) -> object:
    answer = client.get(f"/discovery/programs/{program_id}")
    return answer.json()["data"]["title"] if answer.status_code == 200 else answer.status_code


async def test_searches_and_their_listeners_are_counted_on_a_cluster(
    clustered: Settings, database: Database
) -> None:
    url, prefix = clustered.indexer.redis_cache_url, clustered.indexer.redis_prefix
    redis = stores.open_async(url, timeout=5, connect_timeout=2)
    tally = Tally()
    hiding = Hiding("a secret")
    asked = Asked(redis, prefix, tally, Events(hiding), hiding)
    many, one = (
        msgspec.json.encode(Note(q, "en", True, 1, "plain", [], True)).decode()
        for q in ("coffee film", "alone")
    )
    for n in range(searches.LISTENERS):
        tally.add(many, b"", f"198.51.100.{n}")
        tally.add(one, b"", "198.51.100.1")
    await asked.flush()
    sync = stores.open_sync(url, timeout=5, connect_timeout=2)
    # Both were asked at enough different times.
    day = searches.day_key(prefix, datetime.now(UTC))
    sync.zadd(day, {"coffee film": searches.LEAST, "alone": searches.LEAST})
    assert searches.gather_popular(sync, prefix) == 2
    await asked.read()
    assert (asked.beginning("al", 1), asked.shared) == (["alone"], ["coffee film"])
    assert insight.roll_up(sync, prefix, database) == 1
    with database.connect() as connection:
        found = connection.execute(text("SELECT query, searches FROM query_daily ORDER BY query"))
        assert found.all() == [("", 2 * searches.LISTENERS), ("coffee film", searches.LISTENERS)]
    sync.close()
    await stores.close(redis)


def test_caches_limits_views_and_invalidations_on_a_cluster(clustered: Settings, database: Database) -> None:
    token = add_account(clustered, database, "admin", ["admin"])
    with session_factory(database).begin() as session:
        ids = [make(session, "published", title=f"Title {n}").id for n in range(20)]
    limited = dataclasses.replace(clustered, api=clustered.api.model_copy(update={"rate_per_minute": 10_000}))
    cache = stores.open_sync(clustered.indexer.redis_cache_url, timeout=5, connect_timeout=2)
    prefix = clustered.indexer.redis_prefix
    with serve(limited) as (client, _), serve(limited) as (other, other_edge), sending(clustered, cache):
        assert state(client, "cache") == (True, "")
        known = other_edge.app.state.shared.cache.invalidations
        eventually(lambda: known.heard_at, what="the other process listens")
        # The sender informs when the engine has confirmed: answers from before that are dropped.
        eventually(lambda: total(client) == len(ids), what="searchable")
        # One process reads, the other finds the answers in Redis; they lie on all servers.
        assert {client.get(f"/discovery/programs/{n}").headers["x-cache"] for n in ids} == {"miss"}
        assert {other.get(f"/discovery/programs/{n}").headers["x-cache"] for n in ids} == {"l2"}
        # A change reaches the other process.
        editor = signed_in(client, token)
        rev = editor.get(f"/catalog/programs/{ids[0]}").json()["data"]["rev"]
        changed = editor.patch(f"/catalog/programs/{ids[0]}", {"title": "New"}, **{"If-Match": f'"{rev}"'})
        assert changed.status_code == 200, changed.text
        eventually(lambda: title(other, ids[0]) == "New", what="the change is heard")
        seen = read(editor, f"/catalog/programs/{ids[1]}")
        assert editor.post(f"/catalog/programs/{ids[1]}/unpublish", **seen).status_code == 200
        eventually(lambda: title(other, ids[1]) == 404, what="the withdrawal is heard")
        assert cache.zrange(Keys(prefix).tombstones, 0, -1) == [str(ids[1]).encode()]
        # The budget is one for both processes.
        left = [
            int(c.get("/discovery/categories").headers["ratelimit"].split("r=")[1].split(";")[0])
            for c in (client, other)
        ]
        assert min(left) < 10_000 - 200
        # Views of one client count once.
        for each in (client, other):
            for n in ids[2:5]:
                assert each.post(f"/discovery/programs/{n}/views").status_code == 202

        def counted() -> bool:
            apply_pending(cache, prefix, database)
            with database.connect() as connection:
                found = connection.execute(text("SELECT id, view_count FROM programs WHERE view_count > 0"))
                return {row.id: row.view_count for row in found} == dict.fromkeys(ids[2:5], 1)

        eventually(counted, what="the views")
        eventually(lambda: client.get("/discovery/search", q="New").json()["data"], what="searchable")
        assert editor.post("/ops/cache/purge", {}).status_code == 200
        assert {other.get(f"/discovery/programs/{n}").headers["x-cache"] for n in ids[2:]} == {"miss"}
    cache.close()


async def test_a_slot_that_moves_is_followed(
    clustered: Settings, cluster: tuple[ClusterServers, str]
) -> None:
    servers, url = cluster
    redis = stores.open_async(url, timeout=5, connect_timeout=2)
    key = Keys(clustered.indexer.redis_prefix).program(7)
    source = servers.owner(key)
    target = next(port for port in servers.masters if port != source)
    slot = int(await redis.cluster_keyslot(key))  # type: ignore[attr-defined]  # the cluster's
    await redis.set("somewhere", 1)
    servers.move_slot(slot, source, target)
    assert await redis.eval("return redis.call('SET', KEYS[1], 'a')", 1, key) == b"OK"
    assert await redis.get(key) == b"a"
    servers.moved(slot, source, target)
    assert await redis.get(key) == b"a"
    await redis.delete(key)
    servers.move_slot(slot, target, source)
    servers.moved(slot, target, source)
    await stores.close(redis)


def test_a_cluster_that_is_named_as_one_server_is_told(
    settings: Settings, cluster: tuple[ClusterServers, str]
) -> None:
    node = f"redis://127.0.0.1:{cluster[0].masters[0]}/0"
    wrong = {"redis_cache_url": node, "redis_queue_url": node}
    indexer = settings.indexer.model_copy(update=wrong)
    with serve(dataclasses.replace(settings, indexer=indexer)) as (client, _):
        up, said = state(client, "cache")
        assert (up, "redis+cluster://" in said) == (False, True)
        up, said = state(client, "queue")
        assert (up, "RQ cannot use one" in said) == (False, True)
    with (
        queues.connect(node) as connection,
        pytest.raises(queues.QueueOnClusterError, match="REDIS_QUEUE_URL"),
    ):
        queues.check(connection)


def test_the_loss_of_a_master_costs_no_read_and_no_invalidation(
    clustered: Settings, database: Database, cluster: tuple[ClusterServers, str]
) -> None:
    servers, _ = cluster
    token = add_account(clustered, database, "admin", ["admin"])
    with session_factory(database).begin() as session:
        ids = [make(session, "published", title="Old").id for _ in range(30)]
    victim = servers.owner(Keys(clustered.indexer.redis_prefix).program(ids[0]))
    with serve(clustered) as (client, _), serve(clustered) as (other, _):
        assert {title(client, n) for n in ids} == {title(other, n) for n in ids} == {"Old"}
        servers.kill(victim)
        assert {title(each, n) for each in (client, other) for n in ids} == {"Old"}
        servers.take_over(victim)
        eventually(lambda: state(client, "cache") == (True, ""), what="the cluster is whole again")
        editor = signed_in(client, token)
        for n in ids[:3]:
            rev = editor.get(f"/catalog/programs/{n}").json()["data"]["rev"]
            answer = editor.patch(f"/catalog/programs/{n}", {"title": "New"}, **{"If-Match": f'"{rev}"'})
            assert answer.status_code == 200, answer.text
            assert title(client, n) == "New"
        eventually(lambda: {title(other, n) for n in ids[:3]} == {"New"}, what="the change is heard")
    servers.run(victim)


def test_an_invalidator_begins_while_the_cluster_is_away() -> None:
    away = stores.open_sync("redis+cluster://127.0.0.1:1", timeout=0.2, connect_timeout=0.2)
    assert invalidation.Invalidator(away, "x:").index_changed() is False
    away.close()
