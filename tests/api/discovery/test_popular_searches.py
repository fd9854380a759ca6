"""Popular searches: asked by enough different listeners, found in the catalogue, without blocked words."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from redis import Redis

from api.answers.edge import Edge
from api.discovery.counted import asked
from api.settings import Settings
from catalog.core.changes import ProgramChange
from catalog.core.db import session_factory
from indexer.jobs import searches
from tests.support import demo
from tests.support.around import check_manners
from tests.support.client import Client
from tests.support.discovery import total
from tests.support.pipeline import Pipeline
from tests.support.product import serve
from tests.support.programs import make
from tests.support.waiting import eventually

PATH = "/discovery/searches/popular"


@pytest.fixture
def running(
    settings: Settings, pipeline: Pipeline, monkeypatch: pytest.MonkeyPatch
) -> Iterator[tuple[Client, Edge]]:
    """A few programs, behind a proxy that names listeners; what is asked often is read at once."""
    monkeypatch.setattr(asked, "READ_SECONDS", 0.0)
    monkeypatch.setattr(asked, "FLUSH_SECONDS", 0.05)
    with session_factory(pipeline.database).begin() as session:
        make(session, "published", title="باب الحديد", language="ar", people=[("guest", "يوسف شاهين")])
        make(session, "published", title="Casablanca")
        make(session, "published", title="The blue harbour")
    demo.count_words(pipeline)
    pipeline.sender().drain()
    changed = {"page_ttl": 0.2, "trusted_proxies": "127.0.0.1", "popular_blocked_words": "Harbour, حرام"}
    with serve(replace(settings, api=settings.api.model_copy(update=changed))) as (client, edge):
        demo.wait_for_words(client)
        eventually(lambda: total(client) == 3, what="searchable")
        yield client, edge


@pytest.fixture
def listener(running: tuple[Client, Edge]) -> Client:
    """A listener to these programs."""
    return running[0]


def popular(listener: Client, **params: Any) -> list[str]:
    answer = listener.get(PATH, **params)
    assert answer.status_code == 200, answer.text
    return [row["query"] for row in answer.json()["data"]]


def frequent(redis: "Redis", prefix: str, scores: dict[str, int]) -> None:
    """Let queries be asked by enough listeners, so often."""
    day = searches.day_key(prefix, datetime.now(UTC))
    redis.zadd(day, scores)
    for query in scores:
        redis.pfadd(searches.listeners_key(day, query), *map(str, range(searches.LISTENERS)))
    searches.gather_popular(redis, prefix)


@pytest.mark.slow
def test_listeners_are_counted_and_one_alone_makes_nothing_popular(
    listener: Client, settings: Settings, cache_redis: "Redis"
) -> None:
    prefix = settings.indexer.redis_prefix
    day = searches.day_key(prefix, datetime.now(UTC))
    for n in range(searches.LISTENERS):
        for q, address in (("casablanca", f"198.51.100.{n}"), ("باب الحديد", "198.51.100.1")):
            # Another page each time: none of them is cached.
            limit, headers = n + 1, {"X-Forwarded-For": address}
            answer = listener.ask(
                "GET", "/discovery/search", params={"q": q, "limit": limit}, headers=headers
            )
            assert answer.status_code == 200
    bot = {"X-Forwarded-For": "198.51.100.99", "User-Agent": "Googlebot/2.1"}
    listener.ask("GET", "/discovery/search", params={"q": "casablanca", "limit": 50}, headers=bot)

    def counts() -> tuple[int, int]:
        keys = (searches.listeners_key(day, q) for q in ("casablanca", "باب الحديد"))
        found = [cache_redis.pfcount(key) for key in keys]
        return found[0], found[1]

    eventually(lambda: counts() == (searches.LISTENERS, 1), what="the listeners")
    assert 0 < cache_redis.ttl(searches.listeners_key(day, "casablanca")) <= 8 * 86_400
    # Asked at enough different times, both are frequent; one of them by one listener alone.
    cache_redis.zadd(day, {"casablanca": 9, "باب الحديد": 9})
    assert searches.gather_popular(cache_redis, prefix) == 2
    assert cache_redis.zrange(searches.shared_key(prefix), 0, -1) == [b"casablanca"]
    eventually(lambda: popular(listener) == ["Casablanca"], what="the popular search")


def test_listeners_of_several_days_count_together_and_once(settings: Settings, cache_redis: "Redis") -> None:
    prefix, now = settings.indexer.redis_prefix, datetime.now(UTC)
    days = [searches.day_key(prefix, now - timedelta(days=n)) for n in range(2)]
    few = searches.LISTENERS - 3
    for n, day in enumerate(days):
        cache_redis.zadd(day, {"many": 5, "same": 5})
        cache_redis.pfadd(searches.listeners_key(day, "many"), *(f"{n} {i}" for i in range(few)))
        cache_redis.pfadd(searches.listeners_key(day, "same"), *map(str, range(few)))
    searches.gather_popular(cache_redis, prefix)
    assert cache_redis.zrange(searches.shared_key(prefix), 0, -1) == [b"many"]


def test_the_most_frequent_come_first_by_language_without_blocked_words(
    running: tuple[Client, Edge], settings: Settings, cache_redis: "Redis"
) -> None:
    listener, edge = running
    scores = {
        "شاهين": 9,
        "casablanca": 8,
        "باب الحديد": 7,
        "harbour": 20,
        "الحرام": 19,
        "casablanca حديد": 18,
    }
    frequent(cache_redis, settings.indexer.redis_prefix, scores)
    expected = ["شاهين", "Casablanca", "باب الحديد"]
    eventually(lambda: popular(listener) == expected, what="the popular searches")
    assert popular(listener, limit=1) == expected[:1]
    assert popular(listener, language="ar") == [expected[0], expected[2]]
    assert popular(listener, language="en") == [expected[1]]
    assert popular(listener, language="fr") == []
    wrong = [
        ("limit=21", "limit", "invalid_parameter"),
        ("language=a;b", "language", "invalid_parameter"),
        ("q=a", "q", "unknown_parameter"),
    ]
    check_manners(listener, PATH, "limit=7", wrong)
    # What it found is withdrawn: it finds nothing any more.
    (program,) = listener.get("/discovery/search", q="casablanca", limit=1).json()["data"]
    edge.app.state.shared.cache.changed([ProgramChange(program["id"], 1_000, visible=False)])
    assert popular(listener) == [expected[0], expected[2]]


def test_without_an_engine_there_are_none(
    settings: Settings, pipeline: Pipeline, cache_redis: "Redis"
) -> None:
    frequent(cache_redis, settings.indexer.redis_prefix, {"casablanca": 9})
    indexer = settings.indexer.model_copy(update={"meili_url": "http://127.0.0.1:1"})
    with serve(replace(settings, indexer=indexer)) as (client, edge):
        edge.app.state.shared.asked.shared = ["casablanca"]
        answer = client.get(PATH).json()
    assert answer == {"data": [], "meta": {"limit": 10, "degraded": True, "unavailable": ["queries"]}}


def test_a_set_that_is_full_forgets_the_listeners_too(
    listener: Client, settings: Settings, cache_redis: "Redis", monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(asked, "MOST_OF_A_DAY", 8)
    prefix, now = settings.indexer.redis_prefix, datetime.now(UTC)
    day, every = searches.day_key(prefix, now), searches.asked_key(prefix, now)
    for n in range(8):
        cache_redis.zadd(every, {f"word {n}": n + 2})
        cache_redis.pfadd(searches.listeners_key(day, f"word {n}"), "a")
    listener.get("/discovery/search", q="casablanca")
    # A quarter goes, but what is popular today stays, however rarely it was asked.
    eventually(lambda: cache_redis.zcard(every) == 7, what="the set without its rarest queries")
    assert cache_redis.zscore(every, "casablanca") == 1
    left = {key.decode().rpartition(":")[2] for key in cache_redis.keys(f"{day}:*")}
    assert left == {query.decode() for query in cache_redis.zrange(every, 0, -1)}
