"""The log of a running API and worker: one line for each event, ids that connect lines, and nothing that is secret."""

import json
import os
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from redis import Redis
from sqlalchemy import Engine as Database
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from api.settings import Settings
from catalog.core.actor import on_behalf_of
from catalog.core.db import make_engine, session_factory
from deploy.local import ports
from deploy.local.stack import answers, thmanyah
from indexer.engines.admin import Engine
from indexer.engines.errors import EngineUnavailableError
from indexer.engines.messages import Query, StoredVersion
from indexer.importing.running.waiting import WaitingRuns
from indexer.jobs.pruning import prune
from indexer.rebuild.waiting import WaitingRebuilds
from indexer.stores import queues
from tests.support.accounts import PASSWORD, add_accounts
from tests.support.client import Client
from tests.support.import_requests import CSV
from tests.support.pipeline import Pipeline
from tests.support.processes import environment, running
from tests.support.product import serve
from tests.support.programs import make
from tests.support.threads import alongside
from tests.support.waiting import eventually


def _lines(log: Path) -> list[dict[str, object]]:
    found = [json.loads(line) for line in log.read_text().splitlines() if line.startswith("{")]
    assert found, log.read_text()
    return found


@contextmanager
def _logging_api(settings: Settings, folder: Path, **variables: str) -> Iterator[tuple[Client, Path]]:
    """Run the API as a process; give a client of it and its log, which is complete after the block."""
    port, log = ports.ephemeral(), folder / "api.log"
    env = environment(settings) | {
        "API_PORT": str(port),
        "THMANYAH_SECRET_KEY": settings.api.secret_key.get_secret_value(),
        "LOG_FORMAT": "json",
        "PROMETHEUS_MULTIPROC_DIR": str(folder / "metrics"),
    }
    child = running(thmanyah("api"), env | variables, log)
    try:
        client = Client(f"http://127.0.0.1:{port}", Cookie="session=cookie-of-somebody")
        eventually(lambda: answers(f"{client.base}/health/live"), within=180)
        yield client, log
    finally:
        child.send_signal(signal.SIGTERM)
        child.wait(30)


@pytest.mark.slow
def test_refusals_have_one_line_each_with_id_actor_and_route(
    settings: Settings, database: Database, tmp_path: Path
) -> None:
    tokens, secret = add_accounts(settings, database), settings.api.secret_key.get_secret_value()
    with _logging_api(settings, tmp_path) as (client, log):
        editor = Client(client.base, Authorization=f"Bearer {tokens['editor']}")
        ids = {"X-Request-Id": "of-this-test"}
        query = {"q": "what-somebody-looks-for", "unknown": "1"}
        client.ask("GET", "/discovery/search", params=query, headers=ids)
        editor.ask("GET", "/ops/queues", headers=ids)
        client.post("/accounts/login", {"email": "editor@example.com", "password": "a wrong password"}, **ids)
        client.post("/accounts/login", {"email": "editor@example.com", "password": PASSWORD})
    lines = [line for line in _lines(log) if line["event"] == "request"]
    of_this_test = [line for line in lines if line.get("request_id") == "of-this-test"]
    shown = [(line["method"], line["route"], line["status"], line["actor"]) for line in of_this_test]
    assert shown[0] == ("GET", "/discovery/search", 400, "nobody")
    assert shown[1][:3] == ("GET", "/ops/queues", 403)
    assert shown[2] == ("POST", "/accounts/login", 401, "nobody")
    assert all(float(str(line["duration_ms"])) > 0 for line in of_this_test)
    written = log.read_text()
    for private in ("what-somebody-looks-for", "editor@example.com", "a wrong password", PASSWORD, secret):
        assert private not in written
    assert "cookie-of-somebody" not in written
    assert tokens["editor"] not in written


@pytest.mark.slow
def test_answers_before_any_routing_have_lines_too(
    settings: Settings, database: Database, tmp_path: Path
) -> None:
    with session_factory(database).begin() as session:
        number = make(session, "published").id
    path, per_minute = f"/discovery/programs/{number}", 300
    with _logging_api(settings, tmp_path, RATE_LIMIT_PER_MINUTE=str(per_minute)) as (client, log):
        for _ in range(250):
            assert client.get(path).status_code == 200
        client.ask("GET", f"/discovery/search?q={'secret' * 2000}", headers={"X-Request-Id": "too-long"})
        # Past the budget of this minute, or of the next one when the minute ends meanwhile.
        refused = [client.get(path).status_code for _ in range(2 * per_minute)].count(429)
    lines = [line for line in _lines(log) if line["event"] == "request"]
    hot = [line for line in lines if line["status"] == 200 and line["method"] == "GET"]
    # Every hundredth, wherever in the hundreds the first one was.
    assert 2 <= len([line for line in hot if str(line["route"]).startswith("/discovery/programs/")]) <= 15
    (long,) = [line for line in lines if line.get("request_id") == "too-long"]
    assert (long["route"], long["status"], long["actor"]) == ("too_long", 414, "nobody")
    limited = [line for line in lines if line["status"] == 429]
    assert refused > 100
    assert 1 <= len(limited) <= 2 + refused // 100 + 2
    assert {line["route"] for line in limited} == {"limited"}
    assert all(line["request_id"] for line in limited)
    assert "secret" not in log.read_text()


@contextmanager
def _failing_engine(heard: list[str | None]) -> Iterator[str]:
    """Serve 503 to every search, and note the ids of requests; give the address."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            heard.append(self.headers["X-Request-Id"])
            self.send_error(503)

        def log_message(self, *_: object) -> None:
            """Nothing."""

    with (
        ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server,
        alongside(lambda _: server.serve_forever()),
    ):
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()


def test_an_engine_is_told_the_id_of_the_request(settings: Settings, pipeline: Pipeline) -> None:
    # An engine whose index is not filled is not asked, from when the API knows it.
    pipeline.sender().drain()
    heard: list[str | None] = []
    with _failing_engine(heard) as url:
        indexer = settings.indexer.model_copy(update={"meili_url": url, "meili_urls": ""})
        with serve(Settings(settings.catalog, indexer, settings.api)) as (client, _):
            client.ask("GET", "/discovery/search?q=coffee", headers={"X-Request-Id": "asked"})
        assert set(heard) == {"asked"}
        for id_ in ("by-a-job", ""):
            with on_behalf_of(id_), pytest.raises(EngineUnavailableError):
                Engine(indexer).multi_search([Query(q="", index_uid="a")], StoredVersion)
    assert (heard[-2], heard[-1]) == ("by-a-job", None)


def test_statements_that_fail_show_no_values(settings: Settings) -> None:
    engine = make_engine(settings.catalog)
    with session_factory(engine)() as session, pytest.raises(DBAPIError) as failure:
        session.execute(
            text("SELECT CAST(:number AS int), :text"), {"number": "x", "text": "somebody@example.com"}
        )
    assert "somebody@example.com" not in str(failure.value)
    engine.dispose()


@pytest.mark.slow
def test_the_workers_log_has_a_line_for_each_job(
    settings: Settings, database: Database, tmp_path: Path
) -> None:
    queue: Redis = queues.connect(settings.indexer.redis_queue_url)
    queue.flushdb()
    with on_behalf_of("asked-for-it"):
        good = queues.JsonQueue(queues.MAINTENANCE, connection=queue).enqueue(prune)
    bad = queues.JsonQueue(queues.MAINTENANCE, connection=queue).enqueue("os.getcwd")
    log = tmp_path / "worker.log"
    with log.open("w") as output:
        env = os.environ | environment(settings) | {"LOG_FORMAT": "json"}
        subprocess.run([*thmanyah("worker"), "--burst"], env=env, stderr=output, check=True)
    found = {line["job_id"]: line for line in _lines(log) if str(line["event"]).startswith("job ")}
    assert found[good.id]["event"] == "job succeeded"
    assert found[good.id]["function"] == "indexer.jobs.pruning.prune"
    assert (found[bad.id]["event"], found[bad.id]["level"]) == ("job failed", "error")
    assert (found[good.id]["request_id"], found[bad.id].get("request_id")) == ("asked-for-it", None)
    queue.flushdb()
    queue.close()


def test_a_job_knows_the_request_that_asked_for_it_also_when_the_sweep_enqueues_it(
    staff: dict[str, Client], settings: Settings, database: Database
) -> None:
    queue: Redis = queues.connect(settings.indexer.redis_queue_url)
    queue.flushdb()
    upload = "/catalog/imports/upload?sourceType=csv"
    answer = staff["editor"].ask(
        "POST", upload, data=CSV.encode(), headers={"X-Request-Id": "asks-to-import"}
    )
    assert answer.status_code == 202
    (job,) = queues.JsonQueue(queues.IMPORTS, connection=queue).jobs
    assert job.meta["request_id"] == "asks-to-import"
    queue.flushdb()
    assert WaitingRuns(database, queue).enqueue_waiting()
    (job,) = queues.JsonQueue(queues.IMPORTS, connection=queue).jobs
    assert job.meta["request_id"] == "asks-to-import"
    asked = staff["ops"].ask("POST", "/ops/reindex", json={}, headers={"X-Request-Id": "asks-to-reindex"})
    assert asked.status_code == 202
    assert WaitingRebuilds(database, queue).enqueue_waiting()
    (job,) = queues.JsonQueue(queues.REINDEX, connection=queue).jobs
    assert job.meta["request_id"] == "asks-to-reindex"
    queue.flushdb()
    queue.close()
