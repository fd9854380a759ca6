"""The last hour and the stream of an open board: what they say, to whom, and that they leave the cookie alone."""

import json

import pytest
from sqlalchemy import Engine as Database
from sqlalchemy import text

from api.operations.reading import hour
from api.operations.reading.hour import Sample, points
from api.settings import Settings
from tests.support.accounts import add_accounts, signed_in
from tests.support.pages import read
from tests.support.product import serve
from tests.support.shared import SharedApi
from tests.support.staff import signed_in_at_pages, visitor
from tests.support.waiting import eventually


def sample(at: int, instance: str = "a", **values: int) -> Sample:
    counted = dict.fromkeys(("waiting", "oldest", "parked", "jobs", "requests", "errors", "asked", "made"), 0)
    return Sample(at=at, instance=instance, **counted | values)


def test_instances_are_added_up_and_one_that_began_anew_counts_from_nothing() -> None:
    found = points(
        [
            sample(20, requests=130, errors=10, asked=20, made=5, waiting=3, parked=2),
            sample(10, requests=100, asked=10),
            sample(20, "b", requests=10, waiting=4),
            # Began anew.
            sample(30, requests=5),
            sample(30, "b", requests=20),
        ]
    )
    assert [point.at for point in found] == [10, 20, 30]
    assert [point.per_second for point in found] == [None, 3, 1]
    assert [point.errors_per_second for point in found] == [None, 1, 0]
    assert [point.hit_rate for point in found] == [None, 0.5, None]
    assert [(point.waiting, point.parked) for point in found] == [(0, 0), (4, 2), (0, 0)]


@pytest.mark.slow
def test_an_instance_adds_samples_for_an_hour(
    settings: Settings, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hour, "STEP", 1)
    monkeypatch.setattr(hour, "KEPT", 2)
    tokens = add_accounts(settings, database)
    with serve(settings) as (client, _):
        ops = signed_in(client, tokens["ops"])

        def moments() -> list[int]:
            found = ops.get("/ops/hour").json()["data"]
            assert all(point["waiting"] == 0 for point in found)
            return [point["at"] for point in found]

        first = eventually(moments, what="a sample")
        # Those that are too old are removed.
        eventually(lambda: (now := moments()) and not set(first) & set(now), what="the next samples")
        assert len(moments()) <= 4


def test_the_hour_is_empty_while_redis_is_away(settings: Settings, database: Database) -> None:
    away = settings.indexer.model_copy(update={"redis_cache_url": "redis://127.0.0.1:1/0"})
    with serve(Settings(settings.catalog, away, settings.api)) as (client, _):
        tokens = add_accounts(settings, database)
        answer = signed_in(client, tokens["ops"]).get("/ops/hour")
        assert (answer.status_code, answer.json()["code"]) == (503, "cache_unavailable")
        browser = signed_in_at_pages(client, "ops")
        assert browser.get("/ops/board/hour").json() == {"data": []}
        # The page says what does not answer, and shows the rest.
        page = read(browser, "/ops/board")
        assert page.status == 200
        assert any("The cache does not answer" in said for said in page.texts("p", class_="said"))


def test_the_stream_says_when_to_look(shared: SharedApi) -> None:
    browser = signed_in_at_pages(shared.listener, "ops")
    with browser.ask("GET", "/ops/board/live", stream=True) as answer:
        assert answer.headers["content-type"].startswith("text/event-stream")
        lines = iter(answer.iter_lines(decode_unicode=True))
        found = [next(lines) for _ in range(3)]
    said = dict(line.split(": ", 1) for line in found)
    assert said["event"] == "look"
    assert isinstance(json.loads(said["data"]), list)


@pytest.mark.parametrize("path", ["/ops/board/live", "/ops/board/hour"])
def test_what_is_no_page_is_for_operators_and_exchanges_no_cookie(path: str, shared: SharedApi) -> None:
    assert visitor(shared.listener).get(path).status_code == 303
    assert signed_in_at_pages(shared.listener, "editor").get(path).status_code == 403
    browser = signed_in_at_pages(shared.listener, "ops")
    with shared.database.begin() as connection:
        connection.execute(text("UPDATE refresh_tokens SET created_at = now() - interval '1 hour'"))
    with browser.ask("GET", path, stream=True) as answer:
        assert answer.status_code == 200
        assert "set-cookie" not in answer.headers
    assert "session=" in browser.get("/sign-in").headers["set-cookie"]
