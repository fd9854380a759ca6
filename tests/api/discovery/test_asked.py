"""What listeners ask often is counted without anything of them, and offered only as long as it finds something."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from redis import Redis

from api.answers.edge import Edge
from api.discovery.counted import asked
from api.settings import Settings
from catalog.core.db import session_factory
from catalog.taxonomy import categories
from indexer.jobs import searches
from tests.support import demo
from tests.support.client import Client
from tests.support.pipeline import Pipeline, change
from tests.support.product import serve
from tests.support.programs import EDITOR, make
from tests.support.waiting import eventually

NOW = datetime.now(UTC)


@pytest.fixture
def running(
    settings: Settings, pipeline: Pipeline, monkeypatch: pytest.MonkeyPatch
) -> Iterator[tuple[Client, Edge]]:
    """A few programs; what is asked often is read at once."""
    monkeypatch.setattr(asked, "READ_SECONDS", 0.0)
    monkeypatch.setattr(asked, "FLUSH_SECONDS", 0.05)
    with session_factory(pipeline.database).begin() as session:
        shelf = categories.create(session, {"name_ar": "سينما", "name_en": "Cinema"}, EDITOR)
        categories.create(session, {"name_ar": "سيرة", "name_en": "Secret"}, EDITOR)
        people = [("guest", "يوسف شاهين")]
        make(session, "published", title="باب الحديد", people=people, language="ar", category_id=shelf.id)
        make(session, "published", title="Casablanca", description="Rick runs a bar")
    demo.count_words(pipeline)
    pipeline.sender().drain()
    # A page of suggestions does not follow what is written past the product before it is made anew.
    brief = replace(settings, api=settings.api.model_copy(update={"page_ttl": 0.5}))
    with serve(brief) as (client, edge):
        demo.wait_for_words(client)
        eventually(lambda: not client.get("/discovery/browse").json()["meta"]["degraded"])
        yield client, edge


@pytest.fixture
def listener(running: tuple[Client, Edge]) -> Client:
    """A listener to these programs."""
    return running[0]


def offered(listener: Client, q: str) -> list[dict[str, Any]]:
    answer = listener.get("/discovery/suggest", q=q, limit=20)
    assert answer.status_code == 200, answer.text
    return list(answer.json()["data"])


@pytest.mark.slow
def test_queries_are_counted_once_in_their_time_and_nothing_else(
    listener: Client, settings: Settings, cache_redis: "Redis"
) -> None:
    prefix = settings.indexer.redis_prefix
    for q in (
        "باب الحديد",
        "الباب",
        "casablanca",
        "casablnca",
        "bar",
        "casab",
        "zzzz",
        "hgvshgm",
        '"casablanca"',
    ):
        for limit in (1, 2):
            listener.get("/discovery/search", q=q, limit=limit)
    # What a description alone has, a beginning, and what was read otherwise may be a secret of who typed it.
    expected = {"باب الحديد".encode(): 1.0, b"casablanca": 1.0, "الباب".encode(): 1.0}
    day = searches.day_key(prefix, datetime.now(UTC))
    eventually(lambda: dict(cache_redis.zrange(day, 0, -1, withscores=True)) == expected)
    mine = {key for key in cache_redis.keys(f"{prefix}{{searches}}:*") if cache_redis.type(key) != b"none"}
    assert all(0 < cache_redis.ttl(key) <= 8 * 86_400 for key in mine)


@pytest.mark.slow
def test_frequent_queries_are_offered_while_they_find_something(
    running: tuple[Client, Edge], settings: Settings, cache_redis: "Redis", pipeline: Pipeline
) -> None:
    listener, edge = running
    name = searches.popular_key(settings.indexer.redis_prefix)
    cache_redis.zadd(name, {"شاهين الحديد": 9, "شاهين": 8, "شاهين secret": 7, "casablanca": 5})
    eventually(lambda: edge.app.state.shared.asked.beginning("cas", 1))
    query = {"type": "query", "text": "شاهين الحديد", "id": None, "slug": None}
    assert query in offered(listener, "شاه")
    of_type = [row["text"] for row in offered(listener, "شاهي") if row["type"] == "query"]
    # Two at most are looked for.
    assert of_type == ["شاهين الحديد", "شاهين"]
    # No name has all words of the third, and what is typed already is no offer.
    assert [row["text"] for row in offered(listener, "secr") if row["type"] == "query"] == []
    assert [row["text"] for row in offered(listener, "شاهين") if row["type"] == "query"] == ["شاهين الحديد"]
    assert [row["type"] for row in offered(listener, "casa")] == ["program"]
    change(pipeline, "UPDATE programs SET status = 'archived' WHERE title = 'باب الحديد'")
    pipeline.sender().drain()
    eventually(lambda: offered(listener, "شاهي") == [], what="nothing of what was withdrawn")


@pytest.mark.slow
def test_a_correction_says_so_and_categories_are_offered(listener: Client) -> None:
    for q, kind, text in (("hgp]d]", "layout", "الحديد"), ("youssef chahine", "script", "يوسف شاهين")):
        first, *others = offered(listener, q)
        assert (first["type"], first["kind"], first["text"]) == ("correction", kind, text), q
        assert others
    assert {"type": "category", "text": "Cinema"}.items() <= offered(listener, "cin")[-1].items()
    assert {"type": "category", "text": "سينما"}.items() <= offered(listener, "سين")[-1].items()
    # No program is in it.
    assert [row for row in offered(listener, "secr") if row["type"] == "category"] == []
    assert "correction" not in [row["type"] for row in offered(listener, "casa")]


def test_a_query_is_popular_that_was_asked_at_enough_different_times(
    settings: Settings, cache_redis: "Redis", monkeypatch: pytest.MonkeyPatch
) -> None:
    prefix = settings.indexer.redis_prefix
    days = [searches.day_key(prefix, NOW - timedelta(days=n)) for n in range(searches.DAYS + 1)]
    cache_redis.zadd(days[0], {"once": 1, "today": searches.LEAST, "often": 3})
    cache_redis.zadd(days[1], {"often": 40})
    cache_redis.zadd(days[-1], {"long ago": 99})
    assert searches.gather_popular(cache_redis, prefix) == 2
    name = searches.popular_key(prefix)
    assert cache_redis.zrevrange(name, 0, -1, withscores=True) == [(b"often", 43.0), (b"today", 5.0)]
    monkeypatch.setattr(searches, "MOST", 1)
    assert searches.gather_popular(cache_redis, prefix) == 1
    assert cache_redis.zrevrange(name, 0, -1) == [b"often"]


@pytest.mark.slow
def test_the_sets_are_bounded(
    listener: Client, settings: Settings, cache_redis: "Redis", monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(asked, "MOST_OF_A_DAY", 8)
    day = searches.day_key(settings.indexer.redis_prefix, datetime.now(UTC))
    cache_redis.zadd(day, {f"word {n}": n + 2 for n in range(8)})
    listener.get("/discovery/search", q="casablanca")
    eventually(lambda: cache_redis.zcard(day) == 6, what="the set without its rarest queries")
    assert b"word 7" in cache_redis.zrange(day, 0, -1)
