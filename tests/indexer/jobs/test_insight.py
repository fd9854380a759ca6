"""Counted searches: each once, whatever moment a process dies at, and no query in the record that few listeners asked."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from hashlib import blake2b
from types import SimpleNamespace
from typing import Any

import pytest
from redis import Redis
from redis.asyncio import Redis as AsyncRedis
from sqlalchemy import Engine as Database
from sqlalchemy import text

from api.discovery.counted import asked as counting
from api.discovery.counted.events import Events
from api.discovery.narrowing.filters import Filters
from api.http.observed import tally as tallying
from api.settings import Settings
from catalog.insight.rollup import language_of
from catalog.words.spelling import split
from indexer.jobs import insight, searches
from indexer.jobs.insight import CRASH_POINTS, roll_up
from indexer.stores import REDIS_AWAY
from tests.support.searched import HIDING, NOW, Process, rows, watched


class Died(Exception):
    """The process ended here."""


def dies_at(point: str) -> Callable[[str], None]:
    def at(reached: str) -> None:
        if reached == point:
            raise Died

    return at


@pytest.mark.parametrize("point", [None, *CRASH_POINTS])
async def test_a_roll_up_that_dies_is_repeated_without_counting_twice(
    point: str | None, process: Process, database: Database, cache_redis: "Redis"
) -> None:
    process.search("قهوة المساء", 5, hits=7)
    process.search("الشاي", 6, hits=0)
    await process.asked.flush()
    if point is not None:
        with pytest.raises(Died):
            roll_up(cache_redis, process.prefix, database, dies_at(point))
    process.search("قهوه المساء", 2, hits=8, rung="correction", filters=Filters(kind=("film",)))
    process.search("قهوة المساء", page=2)
    await process.asked.flush()
    for _ in range(2):
        roll_up(cache_redis, process.prefix, database)
    assert rows(database) == {
        "=ar": {"language": "ar", "searches": 13, "pages": 1, "empty": 6, "hits": 51, "days": 1},
        "الشاي": {"language": "ar", "searches": 6, "empty": 6, "days": 1},
        "قهوه المسا": {"language": "ar", "searches": 7, "pages": 1, "hits": 51, "days": 1},
    }
    with database.connect() as connection:
        found = connection.execute(text("SELECT rungs, filters FROM query_daily WHERE query = 'قهوه المسا'"))
        assert found.all() == [({"plain": 5, "correction": 2}, {"kind": 2})]
    assert cache_redis.keys(f"{searches.room(process.prefix)}batch*") == []


async def test_a_call_whose_answer_was_lost_counts_once(
    process: Process, database: Database, cache_redis: "Redis"
) -> None:
    real = process.redis

    class Loses:
        async def eval(self, *arguments: Any) -> None:
            await real.eval(*arguments)
            raise ConnectionError

    process.search("coffee", 5)
    process.asked._redis = Loses()  # type: ignore[assignment]  # a client whose answers are lost
    for _ in range(2):
        with pytest.raises(REDIS_AWAY):
            await process.asked.flush()
    process.asked._redis = real
    # What came meanwhile waits for its turn.
    process.search("coffee", 1)
    await process.asked.flush()
    await process.asked.flush()
    roll_up(cache_redis, process.prefix, database)
    assert rows(database)["coffee"]["searches"] == 6


async def test_a_process_that_dies_loses_only_what_it_had_not_sent(
    process: Process, database: Database, cache_redis: "Redis"
) -> None:
    process.search("coffee", 5)
    await process.asked.flush()
    process.search("coffee", 3)
    del process.asked
    other = Process(process.redis, process.prefix)
    other.search("coffee", 1)
    await other.asked.flush()
    roll_up(cache_redis, process.prefix, database)
    assert rows(database)["coffee"]["searches"] == 6


async def test_without_redis_searches_wait_and_further_ones_are_lost_and_counted(
    process: Process, database: Database, cache_redis: "Redis", monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tallying, "MAX_NOTES", 3)
    count = watched(monkeypatch)
    away = AsyncRedis.from_url("redis://127.0.0.1:1/0")
    process.asked._redis = away
    process.search("first", 5)
    with pytest.raises(REDIS_AWAY):
        await process.asked.flush()
    for n in range(10):
        process.search(f"word {n}", 2, hits=0)
        with pytest.raises(REDIS_AWAY):
            await process.asked.flush()
    # The metrics do not wait for Redis.
    assert [count("search_counts", outcome="lost"), count("search_zero_results")] == [14, 20]
    process.asked._redis = process.redis
    await process.asked.flush()
    roll_up(cache_redis, process.prefix, database)
    assert rows(database)["first"]["searches"] == 5
    await away.aclose()


async def test_a_query_is_known_when_enough_listeners_asked_it_with_all_that_was_counted(
    process: Process, database: Database, cache_redis: "Redis", monkeypatch: pytest.MonkeyPatch
) -> None:
    now = NOW
    monkeypatch.setattr(counting, "datetime", SimpleNamespace(now=lambda _: now))
    # One listener, however often, and answers whose listener nobody looks at.
    process.search("secret", 1, hits=0)
    for _ in range(40):
        process.search("secret", 1, hits=0)
        process.tally.add(next(iter(process.tally._given)), b"")
    process.search("rare", searches.TOLD - 1)
    await process.asked.flush()
    roll_up(cache_redis, process.prefix, database)
    assert rows(database) == {"=en": {"language": "en", "searches": 85, "empty": 81, "hits": 12, "days": 1}}
    now += timedelta(days=3)
    process.search("rare", searches.TOLD)
    await process.asked.flush()
    roll_up(cache_redis, process.prefix, database)
    assert rows(database)["rare"] == {"language": "en", "searches": 9, "hits": 27, "days": 2}
    assert "secret" not in rows(database)
    # It stays known for a while, and no sketch of a day before counts for ever.
    process.search("rare", 1)
    await process.asked.flush()
    roll_up(cache_redis, process.prefix, database)
    assert rows(database)["rare"]["searches"] == 10
    now += timedelta(days=searches.DAYS + 1)
    process.search("rare", 1)
    await process.asked.flush()
    roll_up(cache_redis, process.prefix, database)
    assert (rows(database)["rare"]["searches"], rows(database)["=en"]["searches"]) == (10, 92)


@pytest.mark.parametrize(
    "q",
    [
        "somebody@example.com",
        "somebody @ example.com",
        "@somebody",
        "somebody\ufe6bexample",
        "①②③④⑤⑥⑦",
        "Call +966 50 123 4567",
        "٠٥٠١٢٣٤٥٦٧",
        "1087654321",
        "4111-1111-1111-1111",
        "x" * 81,
    ],
)
async def test_queries_that_may_name_somebody_leave_no_words(
    q: str, process: Process, database: Database, cache_redis: "Redis"
) -> None:
    process.search(q, 9)
    await process.asked.flush()
    begin = searches.room(process.prefix)
    named = {key.decode().removeprefix(begin) for key in cache_redis.keys(f"{begin}*")}
    today, language = searches.days(NOW)[0], language_of(split(q))
    assert {name for name in named if not name.startswith("call:")} == {f"count:{today}:={language}", "fresh"}
    roll_up(cache_redis, process.prefix, database)
    (total,) = rows(database).values()
    assert total["searches"] == 9


async def test_no_address_is_sent_nor_what_can_be_tried(process: Process, cache_redis: "Redis") -> None:
    sent: list[str] = []
    real = process.redis.eval

    async def watched(*arguments: Any) -> Any:
        sent.extend(map(str, arguments))
        return await real(*arguments)

    process.redis.eval = watched  # type: ignore[method-assign]  # looks at what is sent
    process.search("coffee", 9)
    process.event("198.51.100.7", "click", "coffee")
    await process.asked.flush()
    assert "coffee" in sent
    assert [word for word in sent if "198.51.100" in word] == []
    # Whoever reads Redis can try all addresses, but has not the key.
    unkeyed = {blake2b(f"coffee\n198.51.100.{n}".encode(), digest_size=10).hexdigest() for n in range(9)}
    assert unkeyed.isdisjoint(sent)
    for key in cache_redis.keys(f"{process.prefix}*"):
        assert 0 < cache_redis.ttl(key) <= (searches.DAYS + 1) * 86_400


async def test_events_count_once_and_only_for_searches_that_were_asked(
    process: Process, database: Database, cache_redis: "Redis"
) -> None:
    process.search("قهوة", 6)
    for _ in range(2):
        process.event("one", "click", "قَهْوَة", 3)
        process.event("two", "click", "قهوه", 6)
        process.event("two", "play", "قهوة", 6)
        process.event("two", "click", "never asked")
        process.event("two", "click", "me@example.com")
        await process.asked.flush()
    other = Process(process.redis, process.prefix)
    other.event("one", "click", "قهوة", 3)
    await other.asked.flush()
    roll_up(cache_redis, process.prefix, database)
    expected = {
        "language": "ar",
        "searches": 6,
        "hits": 18,
        "clicks": 2,
        "positions": 9,
        "plays": 1,
        "days": 1,
    }
    assert rows(database) == {"=ar": expected, "قهوه": expected}


async def test_a_sample_of_events_stands_for_all(
    process: Process, database: Database, cache_redis: "Redis"
) -> None:
    process.events = Events(HIDING, 4)
    process.asked._waiting._events = process.events
    process.search("coffee", 60)
    for _ in range(2):
        for n in range(400):
            process.event(f"198.51.100.{n}", "click", "coffee", 2)
        await process.asked.flush()
    roll_up(cache_redis, process.prefix, database)
    row = rows(database)["coffee"]
    # Of the names, which are the same in every run, 1 of 4 is counted.
    assert row["clicks"] % 4 == 0
    assert 300 <= row["clicks"] <= 500
    assert row["positions"] == 2 * row["clicks"]


def test_a_large_roll_up_takes_batches(
    settings: Settings, database: Database, cache_redis: "Redis", monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(insight, "MOST_OF_A_BATCH", 3)
    prefix, now = settings.indexer.redis_prefix, datetime.now(UTC)
    for n in range(20):
        name = f"word {n}"
        cache_redis.hset(searches.counts_key(prefix, now, name), "searches", n + 1)
        cache_redis.sadd(f"{searches.room(prefix)}fresh", f"{searches.days(now)[0]}:{name}")
    assert roll_up(cache_redis, prefix, database) == insight.MOST_BATCHES
    assert roll_up(cache_redis, prefix, database) == 2
    assert sum(row["searches"] for row in rows(database).values()) == 210


@pytest.mark.parametrize(
    ("q", "expected"),
    [
        ("قهوه", "ar"),
        ("coffee", "en"),
        ("coffee قهوه", "ar"),
        ("1984 film", "en"),
        ("1984", "other"),
        ("кофе", "other"),
    ],
)
def test_the_script_says_the_language(q: str, expected: str) -> None:
    assert language_of(q.split()) == expected
