"""The edge: which answers it gives itself, and that they are the same as the framework's."""

from collections.abc import Iterator
from typing import Any

import pytest
from redis import Redis
from sqlalchemy import Engine as Database

from api.answers.edge import Edge
from api.answers.front import known
from api.settings import Settings
from catalog.core.db import session_factory
from indexer.stores.invalidation import Invalidator
from tests.support.client import Client
from tests.support.interfaces import BOTH
from tests.support.product import serve
from tests.support.programs import make
from tests.support.waiting import eventually

OWN = {"x-cache", "x-request-id", "date"}


@pytest.fixture(params=BOTH)
def counted(settings: Settings, request: pytest.FixtureRequest) -> Iterator[tuple[Client, Edge, list[str]]]:
    """The API over each interface, and the paths of the requests that went on to the framework."""
    passed: list[str] = []
    with serve(settings, request.param) as (client, edge):
        framework = edge.app

        async def app(scope: Any, receive: Any, send: Any) -> None:
            passed.append(scope["path"])
            await framework(scope, receive, send)

        edge.app = app
        yield client, edge, passed


def published(database: Database, count: int) -> list[str]:
    with session_factory(database).begin() as session:
        return [f"/discovery/programs/{make(session, 'published').id}" for _ in range(count)]


def shown(answer: Any) -> dict[str, str]:
    return {name.lower(): value for name, value in answer.headers.items() if name.lower() not in OWN}


def test_the_framework_and_the_edge_send_the_same(
    counted: tuple[Client, Edge, list[str]], database: Database
) -> None:
    client, _, passed = counted
    (path,) = published(database, 1)
    first, second = client.get(path), client.get(path)
    assert passed == [path]
    assert (first.headers["x-cache"], second.headers["x-cache"]) == ("miss", "l1")
    assert (first.status_code, first.content) == (second.status_code, second.content)
    assert shown(first) == shown(second)
    assert set(shown(first)) >= {"etag", "cache-control", "content-type", "content-length"}


def test_unchanged_from_either_is_the_same(
    counted: tuple[Client, Edge, list[str]], database: Database
) -> None:
    client, edge, passed = counted
    (path,) = published(database, 1)
    etag = client.get(path).headers["etag"]
    edge._hot.clear()
    passed.clear()
    answers = [client.ask("GET", path, headers={"If-None-Match": etag}) for _ in range(2)]
    assert passed == [path]
    assert [answer.status_code for answer in answers] == [304, 304]
    assert shown(answers[0]) == shown(answers[1])
    assert "content-length" not in shown(answers[0])
    # HEAD, from either, has the headers of GET.
    heads = [client.ask("HEAD", path)]
    edge._hot.clear()
    heads.append(client.ask("HEAD", path))
    assert passed == [path, path]
    assert shown(heads[0]) == shown(heads[1]) == shown(client.get(path))


def test_that_it_is_alive_is_said_by_the_edge_as_the_framework_says_it(
    counted: tuple[Client, Edge, list[str]],
) -> None:
    client, _, passed = counted
    passed.clear()
    answers = [
        client.ask(method, path) for method in ("GET", "HEAD") for path in ("/health/live", "/health/live/")
    ]
    # The framework takes a slash at the end for the same address.
    assert passed == ["/health/live/"] * 2
    for one, other in (answers[:2], answers[2:]):
        assert (one.status_code, one.content, shown(one)) == (200, other.content, shown(other))
    assert client.ask("POST", "/health/live").status_code == 405


@pytest.mark.slow
def test_hot_addresses_are_bounded_and_those_in_use_stay(
    counted: tuple[Client, Edge, list[str]], database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    client, edge, passed = counted
    paths = published(database, 5)
    sizes = [known.size((path, b""), known.Hot("program:1", "program", None, "")) for path in paths]
    monkeypatch.setattr(known, "MAX_HOT_BYTES", 3 * max(sizes))
    for path in paths:
        client.get(path)
        client.get(paths[0])
    # The first is in use, of the others the latest stay.
    assert [path for path, _ in edge._hot] == [paths[3], paths[4], paths[0]]
    passed.clear()
    for path in paths:
        assert client.get(path).headers["x-cache"] == "l1"
    assert passed == [paths[1], paths[2], paths[3], paths[4]]
    assert edge._hot.bytes == sum(known.size(*entry) for entry in edge._hot.items())


def test_tracking_parameters_are_ignored_and_make_no_other_address(
    counted: tuple[Client, Edge, list[str]], database: Database
) -> None:
    client, edge, passed = counted
    (path,) = published(database, 1)
    listing = "/discovery/series/1"
    assert client.get(path).headers["x-cache"] == "miss"
    passed.clear()
    for query in (
        "utm_source=a",
        "fbclid=1&utm_medium=b&gclid=",
        "_=17",
        "_",
        "utm_source=a&utm_source=b&_=%00",
    ):
        assert client.get(f"{path}?{query}").headers["x-cache"] == "l1", query
    assert passed == []
    assert list(edge._hot) == [(path, b"")]
    # The others are checked as ever, wherever they stand.
    assert client.get(f"{listing}?_=1&limit=0&utm_x=1").json()["errors"][0]["field"] == "limit"
    for wrong in ("__=1", "utm=1", "xutm_source=1", "fbclid2=1"):
        assert client.get(f"{path}?{wrong}").json()["code"] == "unknown_parameter", wrong


def test_addresses_that_are_too_long_are_refused_before_any_routing(
    counted: tuple[Client, Edge, list[str]],
) -> None:
    client, _, passed = counted
    passed.clear()
    both = "bytes of path and query string."
    for address, limit in (
        (f"/discovery/programs/{'x' * 8200}", "8192 bytes of path."),
        (f"/discovery/search?q={'x' * 8200}", f"8192 {both}"),
        (f"/discovery/programs/{'x' * 4200}?fields={'x' * 4200}", f"8192 {both}"),
        (f"/{'x' * 60_000}", "8192 bytes of path."),
        # Of what somebody signs in for, the path alone: the server itself takes no address of more than 65,534 bytes.
        (f"/studio/programs/{'x' * 8200}?q={'x' * 8200}", "8192 bytes of path."),
    ):
        answer = client.get(address)
        assert (answer.status_code, answer.json()["code"]) == (414, "target_too_long")
        assert answer.json()["detail"] == f"At most {limit}"
        assert answer.headers["x-request-id"] == answer.json()["requestId"]
        assert len(answer.content) < 1000
    assert passed == []
    assert client.get(f"/studio/programs?q={'x' * 60_000}").status_code == 303
    # Uploads have their options there.
    assert client.ask("POST", f"/catalog/imports/upload?options={'x' * 20_000}").status_code == 401


def test_what_is_missing_moved_or_wrong_is_not_remembered(
    counted: tuple[Client, Edge, list[str]], database: Database
) -> None:
    client, edge, _ = counted
    (path,) = published(database, 1)
    assert client.get(f"{path}0").status_code == 404
    assert client.get("/discovery/programs/no-such-slug").status_code == 404
    assert client.get("/discovery/search", limit=500).status_code == 400
    assert client.get("/discovery/programs/0").status_code == 400
    assert len(edge._hot) == 0


@pytest.mark.slow
def test_an_old_slug_leads_to_the_new_one(
    listener: Client, staff: dict[str, Client], settings: Settings, cache_redis: "Redis"
) -> None:
    body = {"title": "Coffee", "language": "en", "mediaType": "audio", "kind": "episode", "slug": "old"}
    made = staff["admin"].post("/catalog/programs", body).json()["data"]
    assert staff["admin"].post(f"/catalog/programs/{made['id']}/publish").status_code == 200
    assert listener.get("/discovery/programs/old").status_code == 200
    assert listener.get("/discovery/programs/old").headers["x-cache"] == "l1"
    assert staff["admin"].patch(f"/catalog/programs/{made['id']}", {"slug": "new"}).status_code == 200
    # As if the sender had settled the change: its pages are superseded, also where they lead elsewhere.
    assert listener.get(f"/discovery/programs/{made['id']}").json()["data"]["slug"] == "new"
    assert Invalidator(cache_redis, settings.indexer.redis_prefix).index_changed()
    eventually(lambda: listener.get("/discovery/programs/old").status_code == 301)
    moved = listener.get("/discovery/programs/old")
    assert (moved.status_code, moved.content) == (301, b"")
    assert moved.headers["location"] == "/discovery/programs/new"
    assert moved.headers["cache-control"] == "public, max-age=60"
    assert moved.headers["content-length"] == "0"
