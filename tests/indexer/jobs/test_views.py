"""Counted views: none lost, none counted twice, whatever moment a flush dies at."""

import math
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest
from redis import Redis
from redis.asyncio import Redis as AsyncRedis
from sqlalchemy import Engine as Database
from sqlalchemy import text

from api.discovery.counted import views as buffers
from api.discovery.counted.views import WINDOW, ViewBuffer
from api.http.observed.tally import is_bot
from api.settings import Settings
from catalog.core.db import session_factory
from catalog.programs.around import trends
from indexer.jobs import views
from indexer.jobs.views import CRASH_POINTS, apply_pending, pending_key
from tests.support.pipeline import Pipeline, bulk
from tests.support.product import serve
from tests.support.programs import make
from tests.support.searched import HIDING
from tests.support.waiting import eventually


class Died(Exception):
    """The process ended here."""


def dies_at(point: str) -> Callable[[str], None]:
    def at(reached: str) -> None:
        if reached == point:
            raise Died

    return at


def counted(database: Database) -> dict[int, int]:
    with database.connect() as connection:
        rows = connection.execute(text("SELECT id, view_count FROM programs ORDER BY id"))
        return {row.id: row.view_count for row in rows}


def lately(database: Database) -> dict[int, float]:
    """Return the views of each program that fade in a day, as they were at its last view."""
    rate = trends.rate(trends.WINDOWS["24h"])
    with database.connect() as connection:
        rows = connection.execute(
            text("SELECT program_id, day, extract(epoch FROM viewed_at) FROM program_trends")
        )
        return {row[0]: math.exp(row[1] - rate * float(row[2])) for row in rows}


@pytest.fixture
def same_half_hour(monkeypatch: pytest.MonkeyPatch) -> None:
    """A client has the same name in every run: Redis estimates how many different names there are."""
    monkeypatch.setattr(buffers, "time", SimpleNamespace(time=lambda: 1_800_000_000.0))


def programs(database: Database, count: int) -> list[int]:
    with session_factory(database).begin() as session:
        return [make(session, "published").id for _ in range(count)]


@pytest.mark.parametrize("point", CRASH_POINTS)
def test_a_flush_that_dies_is_repeated_without_counting_twice(
    point: str, settings: Settings, database: Database, cache_redis: "Redis"
) -> None:
    prefix = settings.indexer.redis_prefix
    first, second = programs(database, 2)
    cache_redis.hset(pending_key(prefix, 0), mapping={str(first): 3, str(second): 1})
    with pytest.raises(Died):
        apply_pending(cache_redis, prefix, database, dies_at(point))
    cache_redis.hincrby(pending_key(prefix, 0), str(first), 4)
    apply_pending(cache_redis, prefix, database)
    apply_pending(cache_redis, prefix, database)
    assert counted(database) == {first: 7, second: 1}
    assert 6 < lately(database)[first] < 8
    assert cache_redis.keys(f"{prefix}*") == []


def test_views_of_deleted_programs_do_no_harm(
    settings: Settings, database: Database, cache_redis: "Redis"
) -> None:
    (one,) = programs(database, 1)
    cache_redis.hset(pending_key(settings.indexer.redis_prefix, 0), mapping={str(one): 2, "999999": 5})
    apply_pending(cache_redis, settings.indexer.redis_prefix, database)
    assert counted(database) == {one: 2}
    assert lately(database).keys() == {one}


@pytest.mark.slow
def test_a_thousand_programs_are_one_update(
    settings: Settings, database: Database, pipeline: Pipeline, cache_redis: "Redis"
) -> None:
    ids = bulk(pipeline, 1000)
    cache_redis.hset(pending_key(settings.indexer.redis_prefix, 0), mapping={str(i): i for i in ids})
    statements: list[str] = []
    real = views._apply

    def watched(connection: Database, *arguments: object) -> int:
        from sqlalchemy import event

        def note(_c: object, _u: object, statement: str, *_: object) -> None:
            statements.append(statement)

        event.listen(connection, "before_cursor_execute", note)
        return real(connection, *arguments)

    views._apply = watched
    try:
        apply_pending(cache_redis, settings.indexer.redis_prefix, database)
    finally:
        views._apply = real
    assert len([s for s in statements if s.lstrip().startswith(("UPDATE", "WITH"))]) == 1
    assert counted(database) == {i: i for i in ids}


def _behind_a_proxy(settings: Settings) -> Settings:
    trusting = settings.api.model_copy(update={"trusted_proxies": "127.0.0.1"})
    return Settings(settings.catalog, settings.indexer, trusting)


@pytest.mark.slow
@pytest.mark.parametrize("redis_away", [False, True])
async def test_a_client_counts_once_in_half_an_hour_in_all_processes(
    settings: Settings, redis_away: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = 1.8e9
    monkeypatch.setattr(buffers, "time", SimpleNamespace(time=lambda: now))
    redis = AsyncRedis.from_url(settings.indexer.redis_cache_url)
    away = AsyncRedis.from_url("redis://127.0.0.1:1/0")
    prefix = settings.indexer.redis_prefix
    one, two = (ViewBuffer(redis, prefix, HIDING) for _ in range(2))

    async def pending() -> dict[bytes, bytes]:
        found: dict[bytes, bytes] = {}
        for number in range(views.SHARDS):
            found |= await redis.hgetall(views.pending_key(prefix, number))
        return found

    for n in range(2500):
        one.add(1, f"198.51.100.{n}")
    for n in (0, 0, 1, 2, 9999):
        two.add(1, f"198.51.100.{n}")
        two.add(2, "198.51.100.0")
    if redis_away:
        one.redis = away
        await one.flush()
        one.redis = redis
    await one.flush()
    await two.flush()
    # A HyperLogLog is exact to 0.81 %.
    found = await pending()
    assert 2430 <= int(found[b"1"]) <= 2570
    assert found[b"2"] == b"1"
    assert (one._size, two._size, one._viewed, two._viewed) == (0, 0, {}, {})
    await one.flush()
    one.add(2, "198.51.100.0")
    await one.flush()
    assert await pending() == found
    now += WINDOW
    one.add(2, "198.51.100.0")
    await one.flush()
    assert (await pending())[b"2"] == b"2"
    # What was seen is forgotten after an hour.
    async for name in redis.scan_iter(match=f"{prefix}*:seen:*"):
        assert 0 < await redis.ttl(name) <= 2 * WINDOW
    await redis.aclose()
    await away.aclose()


async def test_no_address_is_sent(settings: Settings) -> None:
    sent: list[str] = []
    redis = AsyncRedis.from_url(settings.indexer.redis_cache_url)
    real = redis.eval

    async def watched(*arguments: Any) -> Any:
        sent.extend(map(str, arguments))
        return await real(*arguments)

    redis.eval = watched  # type: ignore[method-assign]  # looks at what is sent
    buffer = ViewBuffer(redis, settings.indexer.redis_prefix, HIDING)
    buffer.add(7, "198.51.100.1")
    buffer.add(8, "198.51.100.1")
    await buffer.flush()
    await redis.aclose()
    assert "7" in sent
    assert [word for word in sent if "198.51.100" in word] == []
    # Who viewed one program has another name in the next.
    assert len({sent[sent.index(program) + 2] for program in ("7", "8")}) == 2


def test_what_waits_for_redis_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(buffers, "MAX_BUFFERED", 3)
    buffer = ViewBuffer(None, "", HIDING)
    for n in range(10):
        buffer.add(n % 2, f"198.51.100.{n}")
        buffer.add(0, "198.51.100.0")
    assert sum(len(viewed.clients) for viewed in buffer._viewed.values()) == buffer._size == 3


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("Googlebot/2.1", True),
        (
            "Mozilla/5.0 AppleWebKit/537.36 (KHTML, like Gecko; compatible; GPTBot/1.2; +https://openai.com)",
            True,
        ),
        ("Twitterbot/1.0", True),
        ("Mozilla/5.0 (compatible; Yahoo! Slurp)", True),
        ("Mozilla/5.0 (X11) AppleWebKit/537.36 HeadlessChrome/140 Safari/537.36", True),
        ("Mozilla/5.0 (iPhone; CPU iPhone OS 19_0 like Mac OS X) AppleWebKit/605.1.15", False),
        ("Bottega/3.1 (podcast player)", False),
        ("python-requests/2.32", False),
        ("", False),
    ],
)
def test_bots_are_known_by_name(name: str, expected: bool) -> None:
    assert is_bot(name) is expected


@pytest.mark.slow
def test_views_over_http_reach_the_record(
    settings: Settings, database: Database, cache_redis: "Redis", same_half_hour: None
) -> None:
    one, two = programs(database, 2)
    with serve(_behind_a_proxy(settings)) as (client, _):
        for n in range(40):
            # However often one client asks.
            for _ in range(3):
                answer = client.post(
                    f"/discovery/programs/{one}/views", **{"X-Forwarded-For": f"198.51.100.{n}"}
                )
                assert answer.status_code == 202
        for name in ("Googlebot/2.1", "Mozilla/5.0 (compatible; bingbot/2.0)", "facebookexternalhit/1.1"):
            assert client.post(f"/discovery/programs/{one}/views", **{"User-Agent": name}).status_code == 202
        assert client.post(f"/discovery/programs/{two}/views").json() == {"data": {"id": two}}
        assert client.post("/discovery/programs/999999/views").status_code == 404
        assert client.post("/discovery/programs/x/views").status_code == 400

        def flushed() -> bool:
            apply_pending(cache_redis, settings.indexer.redis_prefix, database)
            return counted(database) == {one: 40, two: 1}

        eventually(flushed)


def test_stopping_a_process_loses_no_view(
    settings: Settings, database: Database, cache_redis: "Redis", same_half_hour: None
) -> None:
    (one,) = programs(database, 1)
    with serve(_behind_a_proxy(settings)) as (client, _):
        for n in range(7):
            client.post(f"/discovery/programs/{one}/views", **{"X-Forwarded-For": f"198.51.100.{n}"})
    apply_pending(cache_redis, settings.indexer.redis_prefix, database)
    assert counted(database) == {one: 7}
