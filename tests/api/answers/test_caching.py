"""Caches as listeners notice them: where an answer came from, and that it is never a wrong one."""

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
import redis
from redis import Redis
from sqlalchemy import Engine as Database
from sqlalchemy import text

from api.answers.cache import NEGATIVE_SECONDS
from api.answers.edge import Edge
from api.settings import Settings
from catalog.core.db import session_factory
from deploy.local import ports
from deploy.local.process import Child
from deploy.local.servers import valkey
from indexer.engines.admin import Engine
from tests.support.accounts import add_account, signed_in
from tests.support.client import Client
from tests.support.pipeline import Pipeline
from tests.support.product import sending, serve
from tests.support.programs import make
from tests.support.waiting import eventually

OWN = {"x-cache", "x-request-id", "date"}


def published(database: Database, **values: Any) -> int:
    with session_factory(database).begin() as session:
        return make(session, "published", **values).id


def shown(answer: Any) -> dict[str, str]:
    return {name.lower(): value for name, value in answer.headers.items() if name.lower() not in OWN}


@pytest.fixture
def pair(settings: Settings) -> Iterator[tuple[Client, Client]]:
    """Two API processes' worth of application over the same stores."""
    with serve(settings) as (first, _), serve(settings) as (second, _):
        yield first, second


@pytest.mark.slow
def test_where_an_answer_came_from(pair: tuple[Client, Client], database: Database) -> None:
    first, second = pair
    path = f"/discovery/programs/{published(database)}"
    answers = [first.get(path), first.get(path), first.get(path), second.get(path), second.get(path)]
    assert [a.headers["x-cache"] for a in answers] == ["miss", "l1", "l1", "l2", "l1"]
    assert len({a.content for a in answers}) == 1
    # From memory before routing, or through the framework: nobody can tell.
    assert len({tuple(sorted(shown(a).items())) for a in answers}) == 1
    assert answers[0].headers["etag"]
    assert "max-age=" in answers[0].headers["cache-control"]
    assert "s-maxage=" in answers[0].headers["cache-control"]
    assert "stale-while-revalidate=" in answers[0].headers["cache-control"]


def test_not_modified_and_head(listener: Client, database: Database) -> None:
    path = f"/discovery/programs/{published(database)}"
    first = listener.get(path)
    etag = first.headers["etag"]
    for header in (etag, f'"other", {etag}', f"W/{etag}", "*"):
        same = listener.ask("GET", path, headers={"If-None-Match": header})
        assert (same.status_code, same.content) == (304, b"")
        assert same.headers["etag"] == etag
        assert same.headers["cache-control"] == first.headers["cache-control"]
    other = listener.ask("GET", path, headers={"If-None-Match": '"other"'})
    assert other.status_code == 200
    # Held in memory or not, and where no cache is: HEAD is GET without the body.
    for address in (path, "/discovery/categories", "/health/live", "/docs"):
        head, whole = listener.ask("HEAD", address), listener.get(address)
        assert (head.status_code, head.content) == (200, b"")
        assert head.headers["content-length"] == str(len(whole.content))
    assert "HEAD" in listener.ask("DELETE", path).headers["allow"]


@pytest.mark.slow
def test_a_change_reaches_every_process(
    pair: tuple[Client, Client], settings: Settings, database: Database
) -> None:
    first, second = pair
    number = published(database)
    path = f"/discovery/programs/{number}"
    assert [c.get(path).json()["data"]["rev"] for c in pair] == [2, 2]
    editor = _signed_in(first, settings, database)
    changed = editor.patch(f"/catalog/programs/{number}", {"title": "Another title"})
    assert changed.status_code == 200, changed.text
    # The process that wrote it knows at once, the other as soon as it hears.
    assert first.get(path).json()["data"]["title"] == "Another title"
    eventually(lambda: second.get(path).json()["data"]["title"] == "Another title")
    editor.post(f"/catalog/programs/{number}/unpublish")
    assert first.get(path).status_code == 404
    eventually(lambda: second.get(path).status_code == 404)
    # Nobody serves it from Redis either.
    with serve(settings) as (third, _):
        assert third.get(path).status_code == 404


def _signed_in(client: Client, settings: Settings, database: Database) -> Client:
    return signed_in(client, add_account(settings, database, "all", ["editor", "reviewer"]))


@pytest.mark.slow
def test_what_was_withdrawn_is_not_shown_though_the_index_still_has_it(
    pair: tuple[Client, Client], settings: Settings, database: Database, cache_redis: "Redis"
) -> None:
    first = pair[0]
    kept, gone = published(database, title="Coffee one"), published(database, title="Coffee two")
    with sending(settings, cache_redis):
        eventually(lambda: _ids(first, "/discovery/search", q="coffee") == {kept, gone})
    # No sender now: the engine keeps finding it for as long as it likes.
    editor = _signed_in(first, settings, database)
    assert editor.post(f"/catalog/programs/{gone}/unpublish").status_code == 200
    assert Engine(settings.indexer).count(settings.indexer.meili_index) == 2
    for client in pair:
        eventually(lambda c=client: c.get(f"/discovery/programs/{gone}").status_code == 404)
        for path, given in (
            ("/discovery/search", {"q": "coffee"}),
            ("/discovery/search", {"q": "coffee two"}),
            ("/discovery/browse", {}),
            ("/discovery/browse", {"sort": "oldest"}),
            ("/discovery/suggest", {"q": "cof"}),
        ):
            assert _ids(client, path, **given) == {kept}, (path, given)
    # A process that starts now learns what was withdrawn before it answers.
    with serve(settings) as (late, _):
        eventually(lambda: _ids(late, "/discovery/search", q="coffee two") == {kept})


def _ids(client: Client, path: str, **given: Any) -> set[int]:
    """What the engine finds; nothing while it does not answer."""
    page = client.get(path, **given).json()
    if page.get("meta", {"degraded": True})["degraded"]:
        return set()
    return {row["id"] for row in page["data"]}


@pytest.mark.slow
def test_a_missing_program_is_remembered_for_a_moment_only(
    listener: Client, database: Database, edge: Edge
) -> None:
    number = published(database) + 1
    path = f"/discovery/programs/{number}"
    first, second = listener.get(path), listener.get(path)
    assert (first.status_code, second.status_code) == (404, 404)
    assert "max-age=1" in second.headers["cache-control"]
    assert edge.app.state.shared.cache.peek(f"program:{number}").status == 404
    assert published(database) == number
    # Made by plain SQL, past every invalidation: forgotten by time alone.
    eventually(lambda: listener.get(path).status_code == 200)


@pytest.mark.slow
def test_a_page_is_superseded_when_the_index_changes(
    listener: Client, settings: Settings, database: Database, cache_redis: "Redis"
) -> None:
    one = published(database, title="Coffee one")
    with sending(settings, cache_redis):
        eventually(lambda: _ids(listener, "/discovery/browse") == {one})
        eventually(lambda: listener.get("/discovery/browse").headers["x-cache"] == "l1")
        two = published(database, title="Coffee two")
        levels = set()

        def both() -> bool:
            answer = listener.get("/discovery/browse")
            levels.add(answer.headers["x-cache"])
            return {row["id"] for row in answer.json()["data"]} == {one, two}

        eventually(both, what="the new program appears")
    assert levels <= {"l1", "stale", "miss", "l2", "coalesced"}


@pytest.mark.slow
def test_many_at_once_ask_the_source_once(
    pair: tuple[Client, Client], database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    number = published(database)
    asked = []
    from api.discovery.lookups.programs import Programs

    real = Programs.program

    async def counted(self: Programs, program_id: int) -> Any:
        asked.append(program_id)
        return await real(self, program_id)

    monkeypatch.setattr(Programs, "program", counted)
    start = threading.Barrier(24)

    def get(n: int) -> int:
        client = Client(pair[n % 2].base)
        client.get("/health/live")
        start.wait()
        return client.get(f"/discovery/programs/{number}").status_code

    with ThreadPoolExecutor(24) as pool:
        assert set(pool.map(get, range(24))) == {200}
    # One flight a process, and one lease between the two.
    assert len(asked) == 1


@pytest.fixture
def own_redis(settings: Settings, tmp_path: Path) -> Iterator[tuple[Settings, Child, Path]]:
    """A Valkey of the test's own, to wipe and to kill."""
    port = ports.ephemeral()
    child = Child(
        "valkey",
        valkey.server_command(tmp_path / "valkey", port, durable=False),
        lambda: not ports.is_free(port),
        "",
    )
    child.start(tmp_path)
    assert child.wait_ready(30, lambda: False)
    urls = {
        "redis_cache_url": f"redis://127.0.0.1:{port}/0",
        "redis_queue_url": f"redis://127.0.0.1:{port}/1",
    }
    indexer = settings.indexer.model_copy(update=urls | {"redis_timeout": 0.5})
    yield Settings(settings.catalog, indexer, settings.api), child, tmp_path
    child.stop(timeout=5)


@pytest.mark.slow
def test_without_redis_everything_still_answers(
    own_redis: tuple[Settings, Child, Path], database: Database
) -> None:
    settings, child, logs = own_redis
    number = published(database, title="Coffee")
    paths = (
        f"/discovery/programs/{number}",
        "/discovery/search?q=coffee",
        "/discovery/browse",
        "/discovery/suggest?q=cof",
        "/discovery/categories",
        "/health/live",
        "/metrics",
    )
    cache = redis.Redis.from_url(settings.indexer.redis_cache_url, socket_timeout=1)
    with serve(settings) as (client, _), sending(settings, cache):
        eventually(lambda: _ids(client, "/discovery/browse") == {number})
        editor = _signed_in(client, settings, database)
        assert child.process is not None
        child.process.kill()
        child.process.wait()
        for _ in range(3):
            for path in paths:
                assert client.get(path).status_code == 200, path
        ready = client.get("/health/ready").json()
        assert ready["status"] == "degraded"
        down = {d["name"] for d in ready["dependencies"] if not d["up"]}
        assert down == {"cache", "queue"}
        # Editing goes on, and what was withdrawn is gone from this process at once.
        assert editor.post(f"/catalog/programs/{number}/unpublish").status_code == 200
        assert client.get(f"/discovery/programs/{number}").status_code == 404
        eventually(lambda: _ids(client, "/discovery/browse") == set())
        read = {"If-Match": editor.get(f"/catalog/programs/{number}").headers["etag"]}
        assert editor.post(f"/catalog/programs/{number}/publish", **read).status_code == 200
        eventually(lambda: client.get(f"/discovery/programs/{number}").status_code == 200)
        eventually(lambda: _ids(client, "/discovery/browse") == {number})
        # Back again: the second level is used again.
        child.start(logs)
        assert child.wait_ready(30, lambda: False)
        with serve(settings) as (other, _):
            eventually(lambda: other.get(paths[0]).headers["x-cache"] == "l1")
        eventually(lambda: bool(cache.keys("*program:*")))
    cache.close()


@pytest.mark.slow
def test_a_wiped_redis_repeats_no_old_answer(
    own_redis: tuple[Settings, Child, Path], database: Database
) -> None:
    settings, _, _ = own_redis
    one = published(database, title="Coffee one")
    cache = redis.Redis.from_url(settings.indexer.redis_cache_url, socket_timeout=1)
    with serve(settings) as (client, _), sending(settings, cache):
        eventually(lambda: _ids(client, "/discovery/browse") == {one})
        stop = threading.Event()
        failures: list[Any] = []

        def read() -> None:
            own = Client(client.base)
            while not stop.is_set():
                for path in ("/discovery/browse", f"/discovery/programs/{one}", "/discovery/search?q=coffee"):
                    answer = own.get(path)
                    if answer.status_code != 200:
                        failures.append((path, answer.status_code, answer.text))

        reader = threading.Thread(target=read)
        reader.start()
        for n in range(5):
            cache.flushall()
            with database.begin() as connection:
                connection.execute(text("UPDATE programs SET title = :title"), {"title": f"Coffee {n}"})
            path = f"/discovery/programs/{one}"
            eventually(lambda p=path, t=f"Coffee {n}": client.get(p).json()["data"]["title"] == t)
            eventually(
                lambda t=f"Coffee {n}": client.get("/discovery/browse").json()["data"][0]["title"] == t
            )
        stop.set()
        reader.join()
        assert failures == []
    cache.close()


def test_a_search_that_found_nothing_is_kept_briefly(
    pipeline: Pipeline, served: tuple[Client, Edge], cache_redis: "redis.Redis"
) -> None:
    pipeline.sender().drain()
    listener, prefix = served[0], pipeline.settings.indexer.redis_prefix
    eventually(lambda: not listener.get("/discovery/browse").json()["meta"]["degraded"])
    page = listener.get("/discovery/search", q="nothing has these words")
    assert (page.json()["data"], page.json()["meta"]["degraded"]) == ([], False)
    assert page.headers["cache-control"] == "public, max-age=1, s-maxage=1"
    (kept,) = cache_redis.keys(f"{prefix}page:{{*:search*")
    assert 0 < cache_redis.ttl(kept) <= NEGATIVE_SECONDS
