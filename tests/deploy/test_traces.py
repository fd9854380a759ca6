"""Traces of the whole product: what a collector receives from its processes, and what it must not."""

import json
import os
import re
import signal
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import count
from pathlib import Path

import pytest
import requests
from prometheus_client.openmetrics.parser import text_string_to_metric_families
from sqlalchemy import Engine as Database
from sqlalchemy import text

from api.settings import Settings
from catalog.core.db import make_engine, session_factory
from deploy.local import ports
from deploy.local.stack import answers, thmanyah
from indexer.stores import queues
from tests.support.accounts import add_accounts, signed_in
from tests.support.client import Client
from tests.support.collector import Collector, Received, collector
from tests.support.databases import new_database
from tests.support.processes import environment, running
from tests.support.programs import make
from tests.support.sites import Site, site
from tests.support.stores import new_settings
from tests.support.waiting import eventually

pytestmark = pytest.mark.slow

SERVER, CLIENT, PRODUCER, CONSUMER = 2, 3, 4, 5
FEED = """<rss version="2.0"><channel><title>A feed</title><item><title>One</title><guid>one</guid>
<enclosure url="https://media.example/1.mp3" type="audio/mpeg" length="1"/></item></channel></rss>"""
OPENMETRICS = {"Accept": "application/openmetrics-text;version=1.0.0"}


@dataclass
class Product:
    """One API with two workers, a sender, a worker and a scheduler, whose spans go to the collector."""

    settings: Settings
    database: Database
    base: str
    staff: dict[str, Client]
    collector: Collector
    site: Site
    folder: Path
    metrics: dict[str, int]

    def get(self, path: str, **headers: str) -> requests.Response:
        """Ask on a connection of its own, so that either worker answers."""
        return requests.get(f"{self.base}{path}", headers=headers, timeout=60)

    def exemplars(self, process: str, metric: str) -> set[str]:
        """Return the traces that a histogram of the sender or the worker leads to."""
        url = f"http://127.0.0.1:{self.metrics[process]}/metrics"
        scraped = requests.get(url, headers=OPENMETRICS, timeout=60).text
        return set(re.findall(rf'^{metric}_bucket{{.*# {{trace_id="(\w+)"}}', scraped, re.MULTILINE))

    def log(self, process: str) -> list[dict[str, object]]:
        """Return the lines of a process."""
        lines = (self.folder / f"{process}.log").read_text().splitlines()
        return [json.loads(line) for line in lines if line.startswith("{")]


@pytest.fixture(scope="module")
def product(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Product]:
    folder = tmp_path_factory.mktemp("traced")
    with new_database(os.environ["TEST_POSTGRES"]) as url, collector() as there, site() as feeds:
        settings = new_settings(url, os.environ)
        database = make_engine(settings.catalog)
        tokens = add_accounts(settings, database)
        # The queues are this process's: what tests before this one enqueued is not a job of these.
        queue = queues.connect(settings.indexer.redis_queue_url)
        queue.flushdb()
        queue.close()
        port, metrics = ports.ephemeral(), {name: ports.ephemeral() for name in ("sync", "worker")}
        env = environment(settings) | {
            "API_PORT": str(port),
            "API_WORKERS": "2",
            "SYNC_METRICS_PORT": str(metrics["sync"]),
            "WORKER_METRICS_PORT": str(metrics["worker"]),
            "THMANYAH_SECRET_KEY": settings.api.secret_key.get_secret_value(),
            "LOG_FORMAT": "json",
            "IMPORT_PORTS": str(feeds.port),
            "IMPORT_TRUSTED": feeds.trusted,
            "OTEL_EXPORTER_OTLP_ENDPOINT": there.url,
            "OTEL_EXPORTER_OTLP_HEADERS": "authorization=Bearer%20of-the-collector",
            "OTEL_RESOURCE_ATTRIBUTES": "deployment.environment.name=tests",
            "OTEL_BSP_SCHEDULE_DELAY": "100",
        }
        children = {}
        for name in ("sync", "worker", "scheduler", "api"):
            if name == "api":
                env["PROMETHEUS_MULTIPROC_DIR"] = str(folder / "metrics")
            children[name] = running(thmanyah(name), env, folder / f"{name}.log")
        try:
            base = f"http://127.0.0.1:{port}"
            eventually(lambda: answers(f"{base}/health/live"), what="the API answers")
            eventually(
                lambda: '"degraded":false' in requests.get(f"{base}/discovery/browse", timeout=60).text
            )
            staff = {role: signed_in(Client(base), token) for role, token in tokens.items()}
            yield Product(settings, database, base, staff, there, feeds, folder, metrics)
        finally:
            for child in children.values():
                child.send_signal(signal.SIGTERM)
            ended = {name: child.wait(60) for name, child in children.items()}
            database.dispose()
        assert set(ended.values()) == {0}


def _request(product: Product, trace: str, path: str) -> Received:
    """Ask within this trace of the client's own; return the span of the request."""
    answer = product.get(path, traceparent=f"00-{trace}-00f067aa0ba902b7-01")
    assert answer.status_code < 500, answer.text
    found = eventually(lambda: [s for s in product.collector.spans if s.trace == trace and s.kind == SERVER])
    assert isinstance(found, list)
    (span,) = found
    assert span.parent == "00f067aa0ba902b7"
    return span


def test_a_request_leads_to_the_engine_to_redis_and_to_postgresql(product: Product) -> None:
    with session_factory(product.database).begin() as session:
        number = make(session, "published").id
    search = _request(product, "a" * 31 + "1", "/discovery/search?q=words-of-a-listener")
    assert (search.service, search.name) == ("thmanyah-api", "GET /discovery/search")
    assert search.attributes["http.response.status_code"] == 200
    assert search.attributes["thmanyah.answer_level"] == "miss"
    below = {span.name: span for span in product.collector.below(search)}
    engine = below["engine search"]
    assert (engine.kind, engine.trace) == (CLIENT, search.trace)
    assert any(span.attributes.get("db.system") == "redis" for span in below.values())

    lookup = _request(product, "a" * 31 + "2", f"/discovery/programs/{number}")
    statements = [
        s for s in product.collector.below(lookup) if s.attributes.get("db.system.name") == "postgresql"
    ]
    assert [span.name for span in statements] == ["SELECT programs"]

    numbers = count(16)

    def level() -> object:
        again = _request(product, f"{next(numbers):032x}", f"/discovery/programs/{number}")
        return again.attributes["thmanyah.answer_level"]

    # The sender's confirmation drops the answer once more.
    eventually(lambda: level() == "l1")


def test_lines_and_exemplars_lead_to_the_trace(product: Product) -> None:
    refused = _request(product, "b" * 32, "/discovery/search?limit=500")
    assert refused.attributes["http.response.status_code"] == 400
    (line,) = [line for line in product.log("api") if line.get("trace_id") == "b" * 32]
    assert (line["event"], line["span_id"]) == ("request", refused.id)

    bucket = r'^http_request_duration_seconds_bucket\{le="[^"]+",method="GET",route="/discovery/search",status="400"\}'

    def exemplar() -> "re.Match[str] | None":
        # Whichever worker is asked.
        scraped = product.get("/metrics", **OPENMETRICS)
        assert scraped.headers["content-type"].startswith("application/openmetrics-text")
        assert list(text_string_to_metric_families(scraped.text))
        return re.search(bucket + r' \S+ # \{trace_id="(\w+)"\}', scraped.text, re.MULTILINE)

    found = eventually(exemplar)
    assert isinstance(found, re.Match)
    assert found[1] == "b" * 32
    plain = product.get("/metrics")
    assert plain.headers["content-type"].startswith("text/plain")
    assert "trace_id" not in plain.text


def test_a_batch_of_the_sender_is_a_trace(product: Product) -> None:
    with session_factory(product.database).begin() as session:
        make(session, "published")

    def settled() -> bool:
        return any("settle" in product.collector.children(span) for span in product.collector.named("batch"))

    eventually(settled)
    batch = next(s for s in product.collector.named("batch") if "settle" in product.collector.children(s))
    assert (batch.service, batch.parent, batch.failed) == ("thmanyah-sync", "", False)
    assert product.collector.children(batch).keys() >= {"claim", "build", "engine send", "settle"}
    settle = product.collector.children(batch)["settle"]
    assert "DELETE index_dirty" in product.collector.children(settle)
    eventually(
        lambda: (
            product.exemplars("sync", "index_lag_seconds")
            & {span.trace for span in product.collector.named("batch")}
        )
    )
    # Looks for work are no traces of their own.
    assert not [span for span in product.collector.spans if span.kind == CLIENT and not span.parent]


def test_a_job_goes_on_with_the_trace_of_the_request_that_asked_for_it(product: Product) -> None:
    path = "/private-feed-of-a-listener.xml"
    product.site.pages[path] = (200, {"Content-Type": "application/rss+xml"}, FEED.encode())
    headers = {"traceparent": f"00-{'c' * 32}-00f067aa0ba902b7-01"}
    body = {"sourceType": "feed", "url": product.site.url(f"{path}?token=of-the-feed")}
    asked = product.staff["editor"].ask("POST", "/catalog/imports", json=body, headers=headers)
    assert asked.status_code == 202, asked.text
    job = product.collector.first("job indexer.importing.running.job.run_import")
    assert (job.service, job.kind, job.trace, job.failed) == ("thmanyah-worker", CONSUMER, "c" * 32, False)
    enqueued = product.collector.first("enqueue imports")
    assert (enqueued.id, enqueued.trace) == (job.parent, job.trace)
    assert (enqueued.service, enqueued.kind) == ("thmanyah-api", PRODUCER)
    below = product.collector.children(job)
    assert below["fetch"].attributes["server.address"] == "127.0.0.1"
    assert below["fetch"].attributes["http.response.status_code"] == 200
    assert "write" in below
    eventually(lambda: "c" * 32 in product.exemplars("worker", "job_duration_seconds"))
    # The line of the worker has the ids, too.
    assert "c" * 32 in {line.get("trace_id") for line in product.log("worker")}


def test_the_scheduler_publishes_within_a_trace(product: Product) -> None:
    with session_factory(product.database).begin() as session:
        number = make(session, "scheduled").id
        due = "UPDATE programs SET scheduled_publish_at = now() - interval '1 s' WHERE id = :id"
        session.execute(text(due), {"id": number})
    span = product.collector.first("publish and expire", thmanyah_published=1)
    assert (span.service, span.parent) == ("thmanyah-scheduler", "")


def test_spans_hold_no_words_of_listeners_and_no_secrets(product: Product) -> None:
    listener = Client(product.base)
    listener.get("/discovery/suggest", q="typed-by-a-listener")
    listener.post("/accounts/login", {"email": "editor@example.com", "password": "a wrong password"})
    email = {
        "email": "editor@example.com",
        "name": "Somebody",
        "roles": ["editor"],
        "password": "correct horse b",
    }
    # The database refuses it, and quotes the address in its error.
    product.staff["admin"].post("/accounts/users", email)
    product.collector.first("POST /accounts/users")
    received = "".join(span.text for span in product.collector.spans)
    assert "deployment.environment.name" in received
    secret = product.settings.api.secret_key.get_secret_value()
    words = ("words-of-a-listener", "typed-by-a-listener", "editor@example.com", "a wrong password", secret)
    for private in (*words, "of-the-feed", "private-feed", "of-the-collector", "127.0.0.1/", "Bearer"):
        assert private not in received, private


def test_a_collector_that_refuses_costs_spans_and_nothing_else(product: Product) -> None:
    def counted(outcome: str) -> float:
        found = re.search(
            rf'^trace_spans_total{{outcome="{outcome}"}} (\S+)$', product.get("/metrics").text, re.M
        )
        return float(found[1]) if found else 0.0

    product.collector.status = 400
    before = counted("failed")
    try:
        for _ in range(20):
            assert product.get("/discovery/browse").status_code == 200
        eventually(lambda: counted("failed") > before)
    finally:
        product.collector.status = 200
    exported = counted("exported")

    def arrives_again() -> bool:
        product.get("/discovery/browse")
        return counted("exported") > exported

    eventually(arrives_again)
    said = [str(line["event"]) for line in product.log("api")]
    assert any(line.startswith("traces cannot be exported") for line in said)
    eventually(lambda: any(line["event"] == "traces are exported again" for line in product.log("api")))
