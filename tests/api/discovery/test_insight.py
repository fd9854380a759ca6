"""Searches are counted whenever they are answered, and operators see what to do about them."""

import json
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from redis import Redis
from sqlalchemy import Engine as Database
from sqlalchemy import text

from api.answers.edge import Edge
from api.discovery.counted import asked
from api.settings import Settings
from catalog.core.db import session_factory
from indexer.jobs import insight, searches
from tests.support import demo
from tests.support.accounts import add_account, signed_in
from tests.support.client import Client
from tests.support.discovery import total
from tests.support.pages import Page, text_of
from tests.support.pipeline import Pipeline
from tests.support.product import serve
from tests.support.programs import make
from tests.support.scraping import metric
from tests.support.shared import SharedApi
from tests.support.staff import signed_in_at_pages
from tests.support.stores import lone
from tests.support.waiting import eventually

EVENT = {"type": "click", "query": "casablanca", "position": 2}


@pytest.fixture
def running(
    settings: Settings, pipeline: Pipeline, monkeypatch: pytest.MonkeyPatch
) -> Iterator[tuple[Client, Edge]]:
    """A few programs, behind a proxy that names listeners."""
    monkeypatch.setattr(asked, "FLUSH_SECONDS", 0.05)
    with session_factory(pipeline.database).begin() as session:
        for title in ("Casablanca", "Casablanca again", "باب الحديد"):
            make(session, "published", title=title)
    demo.count_words(pipeline)
    pipeline.sender().drain()
    api = settings.api.model_copy(update={"trusted_proxies": "127.0.0.1"})
    with serve(replace(settings, api=api)) as (client, edge):
        demo.wait_for_words(client)
        eventually(lambda: total(client) == 3, what="searchable")
        yield client, edge


def as_listener(client: Client, number: int, path: str, **headers: str) -> str:
    """Ask as one of many listeners; return where the answer came from."""
    named = {"X-Forwarded-For": f"198.51.100.{number}", **headers}
    answer = client.ask("GET", path, headers=named)
    assert answer.status_code in (200, 304), answer.text
    return answer.headers["x-cache"]


def counted(database: Database, redis: "Redis", prefix: str) -> dict[str, tuple[int, ...]]:
    """Roll up; return query or `=language` -> first pages, further pages, those without a result, clicks and plays."""
    insight.roll_up(redis, prefix, database)
    sums = ", ".join(f"sum({name})::int" for name in ("searches", "pages", "empty", "clicks", "plays"))
    with database.connect() as connection:
        found = connection.execute(text(f"SELECT language, query, {sums} FROM query_daily GROUP BY 1, 2"))
        return {row[1] or f"={row[0]}": tuple(row[2:]) for row in found}


@pytest.mark.slow
def test_every_answer_counts_wherever_it_came_from(
    running: tuple[Client, Edge], settings: Settings, database: Database, cache_redis: "Redis"
) -> None:
    client, edge = running
    prefix = settings.indexer.redis_prefix
    path = "/discovery/search?q=Casablanca"
    metrics = (
        "search_zero_results_total ",
        'search_rewrites_total{rung="layout"} ',
        'search_counts_total{outcome="bot"} ',
        'search_events_total{outcome="repeated"} ',
    )
    before = [metric(client, name) for name in metrics]
    # The edge knows an address after its first answer; other spellings of the query share an answer.
    levels = [as_listener(client, 1, path) for _ in range(3)]
    assert levels == ["miss", "l1", "l1"]
    for n in range(2, 7):
        assert as_listener(client, n, f"{path}&limit={n}") == "miss"
    edge.app.state.shared.cache.clear()
    edge._hot.clear()
    assert as_listener(client, 7, path) == "l2"
    unchanged = client.get("/discovery/search", q="Casablanca").headers["etag"]
    assert as_listener(client, 7, path, **{"If-None-Match": unchanged}) == "l1"
    client.ask("HEAD", path)
    for _ in range(2):
        as_listener(client, 1, f"{path}&page=2&limit=1")
        as_listener(client, 1, "/ar/search?q=casablanca")
        as_listener(client, 1, "/discovery/search?q=hgp]d]&fields=title")
        as_listener(client, 8, f"{path}", **{"User-Agent": "Googlebot/2.1"})
        # Lists, suggestions and feeds are no searches.
        for other in ("/discovery/search", "/discovery/browse", "/discovery/suggest?q=casablanca"):
            as_listener(client, 1, other)
        as_listener(client, 1, "/ar/search/feed.xml?q=casablanca")
    for n in range(7):
        as_listener(client, n, f"/discovery/search?q=zzzz&limit={n + 1}&kind=film")
    expected = {"=en": (23, 2, 7, 0, 0), "casablanca": (14, 2, 0, 0, 0), "zzzz": (7, 0, 7, 0, 0)}
    eventually(lambda: counted(database, cache_redis, prefix) == expected, what="the counts")
    # A click belongs to a search that was counted; sent again it changes nothing.
    origin = {"Origin": "https://app.example"}
    for _ in range(2):
        answer = client.post("/discovery/events", {"events": [EVENT, {**EVENT, "position": 3}]}, **origin)
        assert (answer.status_code, answer.json()) == (202, {"data": {"received": 2}})
        assert answer.headers["access-control-allow-origin"] == "*"
    client.post(
        "/discovery/events", {"events": [{**EVENT, "position": 4}]}, **{"User-Agent": "Googlebot/2.1"}
    )
    expected |= {"=en": (23, 2, 7, 2, 0), "casablanca": (14, 2, 0, 2, 0)}
    eventually(lambda: counted(database, cache_redis, prefix) == expected, what="the clicks")
    eventually(
        lambda: (
            [metric(client, name) - old for name, old in zip(metrics, before, strict=True)] == [7, 2, 2, 2]
        ),
        what="the metrics",
    )
    ops = signed_in(client, add_account(settings, database, "ops", ["ops"]))
    shown = ops.get("/ops/searches").json()
    (best, worst) = shown["data"]["top"]
    assert (best["query"], best["clickThrough"], best["meanPosition"]) == ("casablanca", 0.1429, 2.5)
    assert best["rungs"] == {"plain": 14}
    assert (worst["query"], worst["filters"], worst["meanHits"]) == ("zzzz", {"kind": 7}, 0.0)


def test_stopping_a_process_loses_no_search(
    settings: Settings, database: Database, cache_redis: "Redis"
) -> None:
    # An answer that PostgreSQL gives too late on a busy machine would be a 503, which is not counted.
    with serve(lone(settings)) as (client, _):
        for _ in range(3):
            assert client.get("/discovery/search", q="casablanca", limit=7).status_code == 200
    assert counted(database, cache_redis, settings.indexer.redis_prefix) == {"=en": (3, 0, 0, 0, 0)}


def _changed(**values: Any) -> dict[str, Any]:
    return {"events": [EVENT, {**EVENT, **values}]}


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "events"),
        ({"events": []}, "events"),
        ({"events": [EVENT] * 101}, "events"),
        (_changed(type="view"), "events[1].type"),
        (_changed(position=0), "events[1].position"),
        (_changed(position=10_001), "events[1].position"),
        (_changed(position="2"), "events[1].position"),
        (_changed(position=2.5), "events[1].position"),
        (_changed(query=""), "events[1].query"),
        (_changed(query="x" * 513), "events[1].query"),
        (_changed(query="a\u0000b"), "events[1].query"),
        (_changed(account=3), "account"),
        ({"events": [{key: value for key, value in EVENT.items() if key != "position"}]}, "position"),
    ],
)
def test_a_bad_event_is_refused_with_its_field(shared: SharedApi, body: dict[str, Any], field: str) -> None:
    answer = shared.listener.post("/discovery/events", body)
    assert (answer.status_code, answer.json()["code"]) == (422, "validation_failed"), answer.text
    assert [error["field"] for error in answer.json()["errors"]] == [field]


@pytest.mark.parametrize(
    ("params", "field"), [({"days": 31}, "days"), ({"days": 0}, "days"), ({"language": "fr"}, "language")]
)
def test_a_wrong_question_is_refused(shared: SharedApi, params: dict[str, Any], field: str) -> None:
    answer = shared.staff["ops"].get("/ops/searches", **params)
    assert (answer.status_code, answer.json()["code"]) == (400, "invalid_parameter")
    assert [error["field"] for error in answer.json()["errors"]] == [field]


# (days ago, language, query, searches, empty, clicks, positions)
STORED = [
    (0, "ar", "", 90, 12, 9, 30),
    (0, "en", "", 100, 0, 40, 80),
    (0, "ar", "قهوه", 30, 0, 3, 12),
    (8, "ar", "قهوه", 30, 0, 15, 15),
    (1, "ar", "اسبرسو", 12, 12, 0, 0),
    (0, "en", "casablnca", 40, 30, 0, 0),
    (3, "en", "coffee", 25, 0, 10, 20),
    (9, "en", "coffee", 25, 0, 12, 24),
    (6, "en", "few", 19, 0, 0, 0),
    (7, "en", "few", 19, 0, 19, 19),
    (7, "en", "old", 900, 900, 0, 0),
]


@pytest.fixture(scope="module")
def stored(shared: SharedApi) -> SharedApi:
    """Some days of searches."""
    with shared.database.begin() as connection:
        connection.execute(
            text(
                "INSERT INTO query_daily (day, language, query, searches, empty, clicks, positions, hits, rungs) SELECT "
                "CAST(now() AT TIME ZONE 'UTC' AS date) - CAST(row->>0 AS int), row->>1, row->>2, CAST(row->>3 AS int), "
                "CAST(row->>4 AS int), CAST(row->>5 AS int), CAST(row->>6 AS int), 100, '{\"plain\": 2}' "
                "FROM jsonb_array_elements(CAST(:rows AS jsonb)) AS row"
            ),
            {"rows": json.dumps(STORED)},
        )
        make_words = "INSERT INTO vocabulary (word, programs, sounds) VALUES ('casablanca', 3, '{}'), ('اسبريسو', 2, '{}')"
        connection.execute(text(make_words))
        connection.execute(text("UPDATE vocabulary_state SET version = version + 1"))
    demo.wait_for_words(shared.listener, 2)
    return shared


def names(rows: list[dict[str, Any]]) -> list[str]:
    return [row["query"] for row in rows]


def test_operators_see_what_is_searched_what_finds_nothing_and_what_falls(stored: SharedApi) -> None:
    found = stored.staff["ops"].get("/ops/searches").json()
    assert found["meta"] == {"days": 7, "language": None, "limit": 20, "listeners": searches.TOLD}
    data = found["data"]
    totals = {"searches": 190, "emptySearches": 12, "clicks": 49, "clickThrough": 0.2579, "meanPosition": 2.2}
    assert totals.items() <= data["totals"].items()
    assert names(data["top"]) == ["casablnca", "قهوه", "coffee", "few", "اسبرسو"]
    assert data["top"][1]["rungs"] == {"plain": 2}
    assert names(data["empty"]) == ["casablnca", "اسبرسو"]
    near = [row["proposals"] for row in data["empty"]]
    assert near == [
        [{"term": "casablnca", "finds": ["casablanca"]}],
        [{"term": "اسبرسو", "finds": ["اسبريسو"]}],
    ]
    # Those that are asked seldom fall by chance, and a little is not worth a look.
    assert [(row["query"], row["before"], row["clickThrough"]) for row in data["falling"]] == [
        ("قهوه", 0.5, 0.1)
    ]


def test_operators_narrow_what_they_see(stored: SharedApi) -> None:
    ops = stored.staff["ops"]
    arabic = ops.get("/ops/searches", language="ar", limit=1).json()["data"]
    assert (arabic["totals"]["searches"], names(arabic["top"]), names(arabic["empty"])) == (
        90,
        ["قهوه"],
        ["اسبرسو"],
    )
    assert "old" in names(ops.get("/ops/searches", days=8).json()["data"]["empty"])
    nothing = ops.get("/ops/searches", language="other").json()["data"]
    assert (nothing["top"], nothing["totals"]["searches"], nothing["totals"]["clickThrough"]) == ([], 0, None)


@pytest.mark.parametrize("language", ["ar", "en"])
def test_the_board_shows_what_is_searched_and_what_finds_nothing(stored: SharedApi, language: str) -> None:
    browser = signed_in_at_pages(stored.listener, "ops")
    page = Page(browser.ask("GET", "/ops/board", headers={"Accept-Language": language}))
    shown = page.one("section", id="searches")
    named = [text_of(cell) for cell in page.within(shown, "th", scope="row")]
    assert named.count("casablnca") == 2
    assert any("casablnca → casablanca" in text_of(cell) for cell in page.within(shown, "td"))
