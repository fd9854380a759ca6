"""What is counted of searches is bounded, and one client cannot take the room of all others."""

import asyncio
from datetime import timedelta
from types import SimpleNamespace

import pytest
from redis import Redis
from sqlalchemy import Engine as Database

from api.discovery.counted import asked as counting
from api.discovery.counted import script
from api.http.observed import tally as tallying
from indexer.jobs import searches
from indexer.jobs.insight import roll_up
from tests.support.searched import NOW, Process, rows, watched


async def test_a_day_that_has_too_many_queries_loses_the_rarest_but_no_total(
    process: Process, database: Database, cache_redis: "Redis", monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(counting, "MOST_OF_A_DAY", 8)
    process.search("often", 9)
    for n in range(20):
        process.search(f"word {n}")
        await process.asked.flush()
    begin = searches.room(process.prefix)
    assert len(cache_redis.keys(f"{begin}count:*")) <= 10
    assert len(cache_redis.keys(f"{begin}day:*:*")) <= 8
    roll_up(cache_redis, process.prefix, database)
    assert {name: row["searches"] for name, row in rows(database).items()} == {"=en": 29, "often": 9}


async def test_what_waits_is_bounded(
    process: Process, cache_redis: "Redis", monkeypatch: pytest.MonkeyPatch
) -> None:
    for n in range(tallying.MAX_LISTENERS + 9):
        process.tally.add("note", b"", f"198.51.100.{n}")
    assert len(process.tally.take().listeners["note"]) == tallying.MAX_LISTENERS
    monkeypatch.setattr("api.discovery.counted.events.MAX_BUFFERED", 2)
    process.search("coffee", 5)
    for n in range(9):
        process.event(f"198.51.100.{n}", "play", "coffee")
    assert len(process.events._waiting) == 2
    monkeypatch.setattr(counting, "COUNT", counting.COUNT.replace(f"= {script.MOST_EVENTS}", "= 1"))
    await process.asked.flush()
    (hour,) = cache_redis.keys(f"{searches.room(process.prefix)}events:*")
    assert cache_redis.scard(hour) == 1


async def test_a_client_and_a_query_have_a_bound_of_clicks(
    process: Process, database: Database, cache_redis: "Redis", monkeypatch: pytest.MonkeyPatch
) -> None:
    count = watched(monkeypatch)
    process.search("coffee", 30)
    process.search("tea", 5)
    for n in range(script.MOST_OF_A_CLIENT + 9):
        process.event("one", "click", "coffee", n + 1)
    process.event("two", "click", "coffee", 1)
    await process.asked.flush()
    # In another process, too.
    other = Process(process.redis, process.prefix)
    other.event("one", "click", "coffee", 999)
    for n in range(60):
        other.event(f"198.51.100.{n}", "play", "tea", n + 1)
    await other.asked.flush()
    roll_up(cache_redis, process.prefix, database)
    assert rows(database)["coffee"]["clicks"] == script.MOST_OF_A_CLIENT + 1
    assert rows(database)["tea"]["plays"] == 5 * script.CLICKS
    assert count("search_events", outcome="refused") == 9 + 1 + 10


async def test_many_rare_queries_do_not_take_the_room_of_others(
    process: Process, database: Database, cache_redis: "Redis", monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(counting, "MOST_OF_A_DAY", 8)
    begin, today = searches.room(process.prefix), searches.days(NOW)[0]
    process.search("known", searches.TOLD)
    process.search("popular", 2)
    cache_redis.zadd(f"{begin}day:{today}", {"popular": 1})
    process.search("listed", 1)
    cache_redis.sadd(f"{begin}fresh", f"{today}:listed")
    process.search("real", 1)
    await process.asked.flush()
    process.search("real", 1)
    await process.asked.flush()
    for n in range(9):
        # Asked forty times at once, under ever other filters.
        for limit in range(40):
            process.search(f"junk {n}", 1, hits=limit)
    await process.asked.flush()
    names = {raw.decode() for raw in cache_redis.zrange(f"{begin}asked:{today}", 0, -1)}
    assert {"known", "popular", "real"} <= names
    assert cache_redis.exists(f"{begin}count:{today}:listed")
    roll_up(cache_redis, process.prefix, database)
    assert rows(database)["known"]["searches"] == searches.TOLD


@pytest.mark.parametrize("listeners", [searches.TOLD, 60])
async def test_a_query_stays_known_while_enough_listeners_ask_it(
    process: Process,
    database: Database,
    cache_redis: "Redis",
    monkeypatch: pytest.MonkeyPatch,
    listeners: int,
) -> None:
    monkeypatch.setattr(tallying, "MAX_LISTENERS", 60)
    for day in range(searches.DAYS + 3):
        now = NOW + timedelta(days=day)
        monkeypatch.setattr(counting, "datetime", SimpleNamespace(now=lambda _, now=now: now))
        process.search("coffee", listeners)
        await process.asked.flush()
    roll_up(cache_redis, process.prefix, database)
    # One who asks again makes nothing known that has run out.
    process.search("coffee", 1)
    await process.asked.flush()
    roll_up(cache_redis, process.prefix, database)
    assert rows(database)["coffee"]["searches"] == listeners * (searches.DAYS + 3) + 1


async def test_a_full_day_makes_a_query_known(
    process: Process, database: Database, cache_redis: "Redis"
) -> None:
    """As when it was forgotten because too many others were known."""
    begin, today = searches.room(process.prefix), searches.days(NOW)[0]
    cache_redis.pfadd(f"{begin}day:{today}:coffee", *range(99))
    process.search("coffee", 1)
    await process.asked.flush()
    roll_up(cache_redis, process.prefix, database)
    assert rows(database)["coffee"]["searches"] == 1


async def test_a_note_of_another_version_is_lost_alone(
    process: Process, database: Database, cache_redis: "Redis", monkeypatch: pytest.MonkeyPatch
) -> None:
    count = watched(monkeypatch)
    for note in ('["short"]', "{}", "no note", '["x","en",true,"many","plain",[],true]'):
        process.tally.add(note, b"")
    process.search("coffee", 5)
    await process.asked.flush()
    roll_up(cache_redis, process.prefix, database)
    assert rows(database)["coffee"]["searches"] == 5
    assert count("search_counts", outcome="lost") == 4


async def test_an_entry_that_fails_is_counted_and_the_others_are_kept(
    process: Process, database: Database, cache_redis: "Redis", monkeypatch: pytest.MonkeyPatch
) -> None:
    count = watched(monkeypatch)
    broken = searches.counts_key(process.prefix, NOW, "broken")
    cache_redis.set(broken, "no hash")
    for q in ("broken", "coffee"):
        process.search(q, 5)
    await process.asked.flush()
    cache_redis.delete(broken)
    roll_up(cache_redis, process.prefix, database)
    assert rows(database)["coffee"]["searches"] == 5
    assert count("search_count_failures") == 1


async def test_counting_goes_on_after_an_unexpected_error(
    process: Process, monkeypatch: pytest.MonkeyPatch
) -> None:
    count, met, done = watched(monkeypatch), asyncio.Event(), asyncio.Event()

    async def unexpected(*_: object) -> list[int]:
        if not met.is_set():
            met.set()
            raise ValueError("unexpected")
        done.set()
        return [0] * 6

    monkeypatch.setattr(counting, "FLUSH_SECONDS", 0.0)
    monkeypatch.setattr(process.redis, "eval", unexpected)
    process.search("coffee", 5)
    running = asyncio.create_task(process.asked.run())
    await met.wait()
    process.search("tea", 5)
    await done.wait()
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
    assert count("search_count_failures") == 1
