"""What listeners get while the lines of the API are hurt: an answer, never a draft, never an error."""

import itertools
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

import pytest
import redis
import requests
from sqlalchemy import text

from catalog.core.db import session_factory
from tests.support.client import Client
from tests.support.editors import editors, settled
from tests.support.pipeline import Pipeline, bulk, change
from tests.support.product import sending, serve
from tests.support.programs import make
from tests.support.proxy import FAULTS, Proxy
from tests.support.threads import alongside
from tests.support.waiting import eventually

pytestmark = pytest.mark.slow

# A draft's title: one word of it is searched for, the others may not come back.
SECRET, UNSAID = "zxqvsecret", "before its day"


@contextmanager
def listeners(client: Client, ids: list[int]) -> Iterator[list[str]]:
    """Search, browse, suggest and look up until the block ends; what was wrong with an answer."""
    wrong: list[str] = []

    def listen(stop: threading.Event) -> None:
        own = Client(client.base)
        for n in itertools.count():
            # Not all the time: the faults are waited for, and the other parts need the processor.
            if stop.wait(0.05):
                return
            for path in (
                f"/discovery/search?q=edit {n}",
                f"/discovery/search?q={SECRET}&limit={n % 50 + 1}",
                f"/discovery/browse?limit={n % 50 + 1}",
                f"/discovery/suggest?q={SECRET[:4]}",
                f"/discovery/programs/{ids[n % len(ids)]}",
            ):
                found = own.get(path)
                # A program that an editor took back, or a browser that was served too late to be told.
                if found.status_code not in (200, 404) or (
                    found.status_code == 404 and "programs" not in path
                ):
                    wrong.append(f"{path}: {found.status_code} {found.text[:200]}")
                if UNSAID in found.text:
                    wrong.append(f"{path} shows a draft: {found.text[:200]}")

    with alongside(listen):
        yield wrong


def says_what_is_true(client: Client, pipeline: Pipeline, ids: list[int]) -> None:
    """Lookups and searches agree with the record, and the engine answers again."""
    change(pipeline, "UPDATE programs SET title = 'Whole again ' || id")
    with pipeline.database.connect() as connection:
        rows = connection.execute(
            text("SELECT id, title, status FROM programs WHERE id = ANY(:ids)"), {"ids": ids}
        ).all()
    settled(pipeline)
    for row in rows:
        asked = f"/discovery/programs/{row.id}"
        if row.status == "published":
            eventually(lambda a=asked, t=row.title: _title(client.get(a)) == t, what=row.title)
        else:
            eventually(lambda a=asked: client.get(a).status_code == 404, what=asked)
    published = {row.id for row in rows if row.status == "published"}

    def found() -> bool:
        body = client.get("/discovery/search", q="whole again", limit=50).json()
        return body["meta"]["degraded"] is False and {r["id"] for r in body["data"]} == published

    eventually(found, what="a search by the engine that agrees")


def _title(answer: requests.Response) -> str:
    return str(answer.json()["data"]["title"]) if answer.status_code == 200 else ""


def stocked(pipeline: Pipeline) -> list[int]:
    ids = bulk(pipeline, 40)
    with session_factory(pipeline.database).begin() as session:
        for _ in range(3):
            make(session, title=f"{SECRET} {UNSAID}")
    return ids


def test_the_line_from_the_api_to_the_engine(pipeline: Pipeline, cache_redis: "redis.Redis") -> None:
    ids = stocked(pipeline)
    settings = pipeline.settings
    brief = {"read_timeout": 0.3, "connect_timeout": 0.3, "breaker_seconds": 0.2}
    with sending(settings, cache_redis), Proxy(settings.indexer.meili_url) as engine:
        indexer = settings.indexer.model_copy(update={"meili_url": engine.url} | brief)
        # Pages made anew in the background ask PostgreSQL too: room for all, so that no listener is refused.
        roomy = {"fallback_timeout_ms": 60_000, "fallback_concurrency": 60}
        api = settings.api.model_copy(update=roomy)
        with serve(replace(settings, indexer=indexer, api=api)) as (client, _):
            for fault in FAULTS:
                with (
                    editors(pipeline, ids),
                    listeners(client, ids) as wrong,
                    engine.hurting(fault, seconds=0.5),
                ):
                    times = 1 if fault == "refuse" else 5
                    eventually(lambda f=fault, t=times: engine.touched[f] >= t, within=60, what=fault)
                    eventually(lambda: client.get("/discovery/search", q="edit").status_code == 200)
                assert wrong == [], fault
            says_what_is_true(client, pipeline, ids)


def test_the_line_from_the_api_to_redis(pipeline: Pipeline, cache_redis: "redis.Redis") -> None:
    ids = stocked(pipeline)
    settings = pipeline.settings
    with sending(settings, cache_redis), Proxy(settings.indexer.redis_cache_url) as line:
        urls = {
            name: line.through(getattr(settings.indexer, name))
            for name in ("redis_cache_url", "redis_queue_url")
        }
        indexer = settings.indexer.model_copy(update=urls | {"redis_timeout": 0.2, "read_timeout": 30})
        with serve(replace(settings, indexer=indexer)) as (client, _):
            for fault in FAULTS:
                with editors(pipeline, ids), listeners(client, ids) as wrong, line.hurting(fault):
                    times = 1 if fault == "refuse" else 3
                    eventually(lambda f=fault, t=times: line.touched[f] >= t, within=60, what=fault)
                assert wrong == [], fault
            says_what_is_true(client, pipeline, ids)


@pytest.mark.parametrize("fault", [fault for fault in FAULTS if fault != "delay"])
def test_the_line_from_the_sender_to_redis(
    fault: str, pipeline: Pipeline, cache_redis: "redis.Redis"
) -> None:
    """The sender tells caches what it settled; that they do not hear of it holds nothing up."""
    ids = stocked(pipeline)
    settings = pipeline.settings
    with Proxy(settings.indexer.redis_cache_url) as line:
        told = redis.Redis.from_url(
            line.through(settings.indexer.redis_cache_url), socket_timeout=0.2, socket_connect_timeout=0.2
        )
        with sending(settings, told), serve(settings) as (client, _):
            eventually(lambda: pipeline.waiting() == 0)
            with editors(pipeline, ids), line.hurting(fault):
                eventually(lambda: line.touched[fault] >= 1, within=60, what=fault)
            says_what_is_true(client, pipeline, ids)
        told.close()
