"""What is viewed most lately: the order of fading sums, in each language and category, and nothing unseen."""

import math
import random
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

import pytest
from redis import Redis
from sqlalchemy import Engine as Database
from sqlalchemy import text

from api.answers.edge import Edge
from api.settings import Settings
from catalog.core.changes import ProgramChange
from catalog.core.db import session_factory
from catalog.programs import lifecycle
from catalog.programs.around import trends
from indexer.jobs.views import apply_pending
from tests.support.around import check_manners, scatter, visible
from tests.support.client import Client
from tests.support.databases import scalar
from tests.support.programs import EDITOR, make
from tests.support.shared import SharedApi
from tests.support.waiting import eventually

Views = list[tuple[datetime, dict[int, int]]]


@pytest.fixture(scope="module")
def viewed(shared: SharedApi) -> Iterator[Views]:
    """Programs in every state and ten days of their views, not in the order of time; two are viewed alike."""
    chance = random.Random(11)
    ids = scatter(shared.database, 55, seed=7)
    now: datetime = scalar(shared.database, "SELECT now()")
    views: Views = []
    for _ in range(200):
        age = timedelta(hours=240 * chance.random() ** 3)
        views.append((now - age, {i: chance.randrange(1, 40) for i in chance.sample(ids, 6)}))
    alike = sorted(visible(shared.database))[:2]
    for _, counts in views:
        count = counts.pop(alike[0], 0) + counts.pop(alike[1], 0)
        if count:
            counts.update(dict.fromkeys(alike, count))
    for moment, counts in views:
        with shared.database.begin() as connection:
            trends.add(connection, counts, moment)
    return views


def expected(views: Views, now: datetime, window: trends.Window) -> dict[int, float]:
    """Return id -> faded sum, of the programs with a view in the window."""
    rate = math.log(2) / window.half_life.total_seconds()
    sums: dict[int, float] = {}
    recent = set()
    for moment, counts in views:
        for program_id, count in counts.items():
            fade = math.exp(-rate * (now - moment).total_seconds())
            sums[program_id] = sums.get(program_id, 0.0) + count * fade
            if moment > now - window.length:
                recent.add(program_id)
    return {program_id: total for program_id, total in sums.items() if program_id in recent}


@pytest.mark.parametrize("window", ["24h", "7d"])
@pytest.mark.parametrize("language", ["", "ar", "en", "ar,en", "fr"])
@pytest.mark.parametrize("category", ["", "shelf-1", "1", "none", "999999"])
def test_the_order_is_that_of_the_sums(
    window: str, language: str, category: str, shared: SharedApi, viewed: Views
) -> None:
    now: datetime = scalar(shared.database, "SELECT now()")
    sums = expected(viewed, now, trends.WINDOWS[window])
    seen = visible(shared.database)
    wanted = [
        program_id
        for program_id in sums
        if program_id in seen
        and (not language or seen[program_id]["language"] in language.split(","))
        and (
            not category
            or category in (seen[program_id]["category_slug"], str(seen[program_id]["category_id"]))
        )
    ]
    # Sums that are added in another order differ in their last digits; views that are alike are added alike.
    wanted.sort(key=lambda i: (-round(sums[i], 9), i))
    found = shared.listener.get(
        "/discovery/trending", window=window, language=language, category=category, limit=50
    )
    assert [row["id"] for row in found.json()["data"]] == wanted[:50]
    if not (language or category):
        assert len(wanted) > 10
        first = shared.listener.get("/discovery/trending", window=window, limit=5).json()
        assert [row["id"] for row in first["data"]] == wanted[:5]
        hours = 4 if window == "24h" else 28
        assert first["meta"] == {"window": window, "halfLifeHours": hours, "limit": 5}


def test_it_is_an_answer_like_its_neighbours(shared: SharedApi, viewed: Views) -> None:
    wrong = [
        ("window=1h", "window", "invalid_parameter"),
        ("window=24h&window=7d", "window", "invalid_parameter"),
        ("limit=51", "limit", "invalid_parameter"),
        ("language=a;b", "language", "invalid_parameter"),
        ("category=" + "x" * 201, "category", "invalid_parameter"),
        ("kind=film", "kind", "unknown_parameter"),
    ]
    check_manners(shared.listener, "/discovery/trending", "window=7d&language=ar", wrong)


@pytest.mark.slow
def test_views_reach_it_by_the_flush_and_what_is_withdrawn_is_gone_at_once(
    listener: Client, edge: Edge, settings: Settings, database: Database, cache_redis: "Redis"
) -> None:
    with session_factory(database).begin() as session:
        ids = [make(session, "published", title=f"Program {n}").id for n in range(3)]
    shared = edge.app.state.shared
    asked: list[Any] = []
    real = shared.trending._replica.rows

    async def counted(statement: Any, **parameters: Any) -> Any:
        asked.append(statement)
        return await real(statement, **parameters)

    shared.trending._replica.rows = counted
    assert listener.get("/discovery/trending").json()["data"] == []
    # A miss is one statement; a hit is none.
    assert listener.get("/discovery/trending").json()["data"] == []
    assert len(asked) == 1
    shared.trending._replica.rows = real
    for program_id in ids[1:]:
        assert listener.post(f"/discovery/programs/{program_id}/views").status_code == 202

    def listed(limit: int) -> list[int]:
        return [row["id"] for row in listener.get("/discovery/trending", limit=limit).json()["data"]]

    def flushed() -> bool:
        apply_pending(cache_redis, settings.indexer.redis_prefix, database)
        return bool(scalar(database, "SELECT count(*) = 2 FROM program_trends"))

    eventually(flushed)
    shared.cache.clear()
    assert set(listed(5)) == set(ids[1:])
    with session_factory(database).begin() as session:
        program = lifecycle.transition(session, ids[1], "unpublish", EDITOR)
        change = ProgramChange(program.id, program.rev, visible=False)
    shared.cache.changed([change])
    assert listed(5) == listed(6) == [ids[2]]


def test_a_long_silence_and_many_views_do_not_overflow(database: Database) -> None:
    with session_factory(database).begin() as session:
        program_id = make(session, "published").id
    with database.begin() as connection:
        now = connection.scalar(text("SELECT now()"))
        assert isinstance(now, datetime)
        for moment in (now, now - timedelta(days=4000), now + timedelta(days=4000)):
            trends.add(connection, {program_id: 10**9, 999_999: 3}, moment)
        rows = connection.execute(text("SELECT program_id, day, week FROM program_trends")).all()
    rates = [trends.rate(trends.WINDOWS[name]) for name in ("24h", "7d")]
    last = (now + timedelta(days=4000)).timestamp()
    assert [row[0] for row in rows] == [program_id]
    # What was before is nothing beside the last views.
    assert list(rows[0][1:]) == pytest.approx([math.log(10**9) + rate * last for rate in rates])
