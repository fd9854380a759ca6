"""Health and metrics: true under several worker processes, with labels that cannot grow."""

import re
import socket
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest
import requests
from prometheus_client.openmetrics.parser import text_string_to_metric_families
from sqlalchemy import Engine as Database
from sqlalchemy import text

from api.settings import Settings
from catalog.core.db import session_factory
from catalog.schema import migrate
from deploy.local import ports
from deploy.local.process import Child
from deploy.local.stack import answers, thmanyah
from indexer.jobs.pruning import prune
from indexer.stores.queues import MAINTENANCE, JsonQueue, connect
from tests.support.client import Client
from tests.support.databases import scalar
from tests.support.importing import Importer, episode, rss
from tests.support.processes import environment
from tests.support.product import sending, serve
from tests.support.programs import make
from tests.support.shared import SharedApi
from tests.support.waiting import eventually

BUCKETS = ["0.001", "0.0025", "0.005", "0.01", "0.02", "0.05", "0.1", "0.25", "0.5", "1.0", "5.0", "+Inf"]


@contextmanager
def _workers(settings: Settings, folder: Path, count: int) -> Iterator[str]:
    """`thmanyah api` with several worker processes."""
    port = ports.ephemeral()
    address = f"http://127.0.0.1:{port}"
    env = environment(settings) | {"API_PORT": str(port), "API_WORKERS": str(count)}
    child = Child("api", thmanyah("api"), lambda: answers(f"{address}/health/live"), "", env)
    child.start(folder)
    try:
        assert child.wait_ready(60, lambda: False), (folder / "api.log").read_text()
        yield address
    finally:
        child.stop(timeout=15)


def _value(metrics: str, line: str) -> float:
    found = re.search(rf"^{re.escape(line)} (\S+)$", metrics, re.MULTILINE)
    return float(found[1]) if found else 0.0


@pytest.mark.slow
def test_metrics_add_up_over_worker_processes(settings: Settings, database: Database, tmp_path: Path) -> None:
    with session_factory(database).begin() as session:
        number = make(session, "published").id
    line = 'http_requests_total{method="GET",route="/discovery/programs/{key}",status="200"}'
    with _workers(settings, tmp_path, 2) as address:
        for n in range(60):
            # A connection each, so that both workers get some.
            answer = requests.get(f"{address}/discovery/programs/{number}", timeout=10)
            assert answer.status_code == 200
            requests.get(f"{address}/no/such/{n}", timeout=10)
            requests.request(f"BREW{n}", f"{address}/discovery/browse", timeout=10)
        scraped: list[str] = []

        def same_from_everybody() -> bool:
            # Whichever worker is asked: the others publish each second.
            scraped[:] = [requests.get(f"{address}/metrics", timeout=10).text for _ in range(4)]
            return all(_value(found, line) == 60 for found in scraped)

        eventually(same_from_everybody, what="all requests are counted")
        last = scraped[-1]
        levels = sum(
            _value(last, f'cache_requests_total{{kind="program",level="{level}"}}')
            for level in ("l1", "l2", "miss", "stale")
        )
        assert levels == 60
        buckets = re.findall(
            r'^http_request_duration_seconds_bucket{le="([^"]+)",method="GET",'
            r'route="/discovery/programs/{key}"',
            last,
            re.MULTILINE,
        )
        assert buckets == BUCKETS
        # Sixty addresses and sixty methods nobody knows are one series each.
        assert "/no/such" not in last
        assert "BREW" not in last
        assert len(re.findall(r"^http_requests_total{", last, re.MULTILINE)) <= 6


@pytest.mark.slow
def test_gauges_tell_what_waits(
    listener: Client, settings: Settings, database: Database, cache_redis: object
) -> None:
    assert "index_oldest_dirty_seconds{" not in _scrape(listener)
    with sending(settings):
        eventually(lambda: scalar(database, "SELECT state = 'live' FROM index_targets"))
    with session_factory(database).begin() as session:
        for _ in range(3):
            make(session, "published")
    queue = JsonQueue(MAINTENANCE, connection=connect(settings.indexer.redis_queue_url))
    queue.enqueue(prune)
    try:
        eventually(lambda: _value(_scrape(listener), 'index_dirty_rows{target="1"}') == 3)
        scraped = _scrape(listener)
        assert _value(scraped, 'index_oldest_dirty_seconds{target="1"}') > 0
        assert _value(scraped, 'index_parked_rows{target="1"}') == 0
        assert _value(scraped, 'index_sender_silent_seconds{target="1"}') >= 0
        assert _value(scraped, 'jobs_failed_last_hour{kind="rebuild"}') == 0
        assert _value(scraped, f'rq_queue_depth{{queue="{MAINTENANCE}"}}') >= 1
        with database.begin() as connection:
            connection.execute(text("UPDATE index_dirty SET parked = true, error = 'x'"))
            connection.execute(
                text(
                    "INSERT INTO drift_reports (target_id, state, finished_at) "
                    "VALUES (1, 'failed', now()), (1, 'failed', now() - interval '2 hours')"
                )
            )
        assert _value(_scrape(listener), 'jobs_failed_last_hour{kind="audit"}') == 1
        assert _value(_scrape(listener), 'index_parked_rows{target="1"}') == 3
        assert _value(_scrape(listener), 'index_dirty_rows{target="1"}') == 0
    finally:
        queue.empty()
        queue.connection.close()


def _scrape(client: Client) -> str:
    answer = client.get("/metrics")
    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith("text/plain")
    return answer.text


def test_metrics_are_openmetrics_when_the_scraper_reads_that(shared: SharedApi) -> None:
    accept = {"Accept": "application/openmetrics-text;version=1.0.0,text/plain;version=0.0.4;q=0.5"}
    answer = shared.listener.ask("GET", "/metrics", headers=accept)
    assert answer.headers["content-type"].startswith("application/openmetrics-text; version=1.0.0")
    found = {family.name for family in text_string_to_metric_families(answer.text)}
    # Of this process, and of the whole system.
    assert found >= {"http_requests", "index_dirty_rows"}


def test_ready_names_every_dependency(listener: Client, settings: Settings) -> None:
    assert listener.get("/health/live").json() == {"status": "ok"}
    with sending(settings):
        # One answer is looked at: on a busy machine the next one may find a dependency slow.
        ready = eventually(
            lambda: a if (a := listener.get("/health/ready")).json()["status"] == "ok" else None
        )
        assert isinstance(ready, requests.Response)
        found = {d["name"]: d for d in ready.json()["dependencies"]}
        assert set(found) == {"database", "replica", "cache", "queue", "engine", "sender"}
        assert all(d["up"] and d["latencyMs"] >= 0 for d in found.values())
        assert ready.headers["cache-control"] == "no-store"


def test_ready_says_what_is_missing(settings: Settings) -> None:
    indexer = settings.indexer.model_copy(update={"meili_url": "http://127.0.0.1:1"})
    with serve(Settings(settings.catalog, indexer, settings.api)) as (client, _):
        answer = client.get("/health/ready")
        assert (answer.status_code, answer.json()["status"]) == (200, "degraded")
        assert {d["name"] for d in answer.json()["dependencies"] if not d["up"]} == {"engine", "sender"}
    catalog = settings.catalog.model_copy(
        update={"database_url": "postgresql+psycopg://postgres@127.0.0.1:1/x"}
    )
    with serve(Settings(catalog, settings.indexer, settings.api)) as (client, _):
        answer = client.get("/health/ready")
        assert (answer.status_code, answer.json()["status"]) == (503, "unavailable")
        assert client.get("/health/live").status_code == 200
        lookup = client.get("/discovery/programs/1")
        assert (lookup.status_code, lookup.json()["code"]) == (503, "database_unavailable")
        assert lookup.headers["retry-after"]


@pytest.mark.slow
def test_startup_waits_for_a_database_with_the_schema_of_this_build(
    settings: Settings, empty_url: str
) -> None:
    catalog = settings.catalog.model_copy(update={"database_url": empty_url})
    with serve(Settings(catalog, settings.indexer, settings.api)) as (client, _):
        answer = client.get("/health/startup")
        assert (answer.status_code, answer.json()) == (
            503,
            {"status": "starting", "waitingFor": "PostgreSQL"},
        )
        migrate.upgrade(empty_url)
        eventually(lambda: client.get("/health/startup").status_code == 200, what="started")
        assert client.get("/health/startup").json() == {"status": "started", "waitingFor": ""}


@pytest.mark.slow
def test_metrics_and_docs_can_be_kept_private(settings: Settings) -> None:
    private = settings.api.model_copy(update={"expose_docs": False, "expose_metrics": False})
    with serve(Settings(settings.catalog, settings.indexer, private)) as (client, _):
        for path in ("/metrics", "/docs", "/openapi.json", "/docs/errors"):
            assert client.get(path).status_code == 404, path
        assert client.get("/health/live").status_code == 200


def test_every_answer_has_a_request_id_and_security_headers(listener: Client) -> None:
    for path in ("/health/live", "/nowhere", "/docs", "/discovery/search?limit=0"):
        answer = listener.get(path)
        assert re.fullmatch(r"[0-9a-f]{32}", answer.headers["x-request-id"])
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert answer.headers["x-frame-options"] == "DENY"
    own = listener.ask("GET", "/nowhere", headers={"X-Request-Id": "mine-1"})
    assert (own.headers["x-request-id"], own.json()["requestId"]) == ("mine-1", "mine-1")
    for wrong in ("a" * 65, "a b", "<script>"):
        answer = listener.ask("GET", "/nowhere", headers={"X-Request-Id": wrong})
        assert answer.headers["x-request-id"] != wrong


def _connections(deaf: socket.socket) -> int:
    """Take the connections that wait to be accepted; return how many they were."""
    deaf.setblocking(False)
    found = 0
    with suppress(BlockingIOError):
        while True:
            deaf.accept()[0].close()
            found += 1
    return found


@pytest.mark.slow
def test_a_hanging_engine_costs_one_timeout_and_then_nothing(settings: Settings) -> None:
    with socket.socket() as deaf:
        deaf.bind(("127.0.0.1", 0))
        deaf.listen(64)
        indexer = settings.indexer.model_copy(
            update={
                "meili_url": f"http://127.0.0.1:{deaf.getsockname()[1]}",
                "read_timeout": 0.3,
                "breaker_failures": 2,
                "breaker_seconds": 3600,
            }
        )
        # PostgreSQL may take its time: this is about the engine's.
        api = settings.api.model_copy(update={"fallback_timeout_ms": 60_000})
        with serve(Settings(settings.catalog, indexer, api)) as (client, _):
            for n in range(2):
                assert client.get("/discovery/search", q=f"a{n}").json()["meta"]["degraded"]
            _connections(deaf)
            for n in range(20):
                answer = client.get("/discovery/search", q=f"b{n}")
                assert (answer.status_code, answer.json()["meta"]["degraded"]) == (200, True)
            # Twenty answers without asking the engine.
            assert _connections(deaf) == 0
            assert "engine_breaker_open" in _scrape(client)


@pytest.mark.slow
def test_what_imports_did_is_counted_by_kind_of_source(listener: Client, database: Database) -> None:
    importer = Importer(database)
    importer.go("feed", rss(episode(1), episode(2)))
    importer.go("feed", rss(episode(1, "new"), episode(2)))
    importer.go("feed", rss(episode(1), episode(3)), dry_run=True)
    importer.go("feed", b"<html></html>")
    # An address on loopback is refused before anything is asked.
    untyped = "<item><guid>u</guid><title>u</title><enclosure url='http://127.0.0.1:1/u'/></item>"
    importer.go("feed", rss(untyped), detect_media=True)
    importer.go("csv", b"title,externalId,language,mediaType\nA,1,en,audio\n,2,en,audio\n")
    # Refused likewise.
    chapters = "<podcast:chapters url='http://127.0.0.1:1/c'/>"
    importer.settings = importer.settings.model_copy(update={"max_chapters": 1})
    importer.go("feed", rss(episode(4, more=chapters)), namespace="n")
    scraped = _scrape(listener)
    wanted = {
        'import_chapter_files_total{result="failed",source="feed"}': 1,
        'import_items_total{outcome="created",source="feed"}': 4,
        'import_items_total{outcome="updated",source="feed"}': 1,
        'import_items_total{outcome="unchanged",source="feed"}': 1,
        'import_items_total{outcome="failed",source="csv"}': 1,
        'import_runs_total{source="feed",status="succeeded"}': 4,
        'import_media_probes_total{result="failed",source="feed"}': 1,
        'import_runs_total{source="feed",status="failed"}': 1,
    }
    assert {name: _value(scraped, name) for name in wanted} == wanted
    assert _value(scraped, 'import_run_seconds_total{source="feed"}') > 0
