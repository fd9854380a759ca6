"""Traces: when they are on, what a process imports without them, what may be exported, and a queue that never waits."""

import json
import logging
import os
import subprocess
import sys
import threading
from collections.abc import Sequence
from pathlib import Path

import pytest
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SpanExportResult
from opentelemetry.trace import Status, StatusCode
from prometheus_client import REGISTRY
from prometheus_client.core import HistogramMetricFamily
from prometheus_client.samples import Exemplar

from catalog.core import tracing
from indexer.process import telemetry
from indexer.process.telemetry import exemplars
from indexer.process.telemetry.cleaning import cleaned
from indexer.process.telemetry.exporting import Exporter, Queue
from indexer.process.telemetry.settings import TracingSettings
from tests.support.collector import collector

ENDPOINT = "OTEL_EXPORTER_OTLP_ENDPOINT"
# Imports the API as Granian's worker does, and prints what of OpenTelemetry has come with it.
IMPORTED = """
import json, sys
import redis.asyncio, litestar
# Both look by themselves for what is installed of it.
litestar.Litestar()
before = set(sys.modules)
from api.app import asgi
edge = asgi()
new = sorted(name for name in set(sys.modules) - before if name.startswith(("opentelemetry", "google.protobuf")))
print(json.dumps([type(edge).__name__, new, "opentelemetry.sdk.trace" in sys.modules]))
"""


@pytest.mark.parametrize(
    ("variables", "asked_by", "is_on"),
    [
        ({}, "", False),
        ({ENDPOINT: "http://c:4318"}, ENDPOINT, True),
        (
            {"OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": "http://c/v1/traces"},
            "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT",
            True,
        ),
        ({"OTEL_TRACES_EXPORTER": "otlp"}, "OTEL_TRACES_EXPORTER", True),
        ({"OTEL_TRACES_EXPORTER": "none", ENDPOINT: "http://c:4318"}, "", False),
        ({"OTEL_SDK_DISABLED": "TRUE", ENDPOINT: "http://c:4318"}, "", False),
        ({"OTEL_TRACES_EXPORTER": "zipkin"}, "OTEL_TRACES_EXPORTER", False),
        ({"OTEL_EXPORTER_OTLP_PROTOCOL": "grpc", ENDPOINT: "http://c:4317"}, ENDPOINT, False),
        ({"OTEL_SERVICE_NAME": "x", "OTEL_TRACES_SAMPLER": "always_on"}, "", False),
    ],
)
def test_traces_are_on_when_the_variables_ask_for_them(
    variables: dict[str, str], asked_by: str, is_on: bool, caplog: pytest.LogCaptureFixture
) -> None:
    settings = TracingSettings.model_validate(variables)
    with caplog.at_level(logging.INFO):
        assert (settings.asked_by, telemetry.is_on(settings)) == (asked_by, is_on)
    # One line when they are asked for, whether they can be had or not.
    assert len(caplog.records) == bool(asked_by)
    assert [record.levelname for record in caplog.records] == (
        ["INFO" if is_on else "WARNING"] if asked_by else []
    )


def test_missing_packages_are_a_line_and_no_failure(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    for name in [name for name in sys.modules if name.startswith("opentelemetry.exporter")]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "opentelemetry.exporter", None)
    monkeypatch.setenv(ENDPOINT, "http://127.0.0.1:4318")
    assert not telemetry.start("sync")
    (record,) = caplog.records
    assert record.getMessage() == (
        f"{ENDPOINT} asks for traces, but there are none: install thmanyah-discovery[otel] or requirements/otel.txt"
    )


@pytest.mark.slow
@pytest.mark.parametrize(("variables", "edge"), [({}, "Edge"), ({ENDPOINT: "http://127.0.0.1:9"}, "Traced")])
def test_without_the_variables_nothing_of_opentelemetry_is_imported(
    variables: dict[str, str], edge: str
) -> None:
    env = {k: v for k, v in os.environ.items() if not k.startswith("OTEL_")} | variables
    done = subprocess.run(
        [sys.executable, "-c", IMPORTED], env=env, capture_output=True, text=True, check=True
    )
    kind, imported, has_sdk = json.loads(done.stdout)
    assert (kind, bool(imported), has_sdk) == (edge, edge == "Traced", edge == "Traced")


def test_spans_are_not_there_while_traces_are_off() -> None:
    with tracing.span("work", {"thmanyah.x": 1}, kind="client", parent={"traceparent": "nonsense"}) as span:
        span.note({"thmanyah.y": 2})
        span.failed("reason")
        assert span is tracing.NOTHING
        assert (span.exemplar(), tracing.carrier(), tracing.ids()) == (None, {}, {})
    with span.within():
        assert tracing.current() is tracing.NOTHING


def _span(name: str = "work", **attributes: str) -> ReadableSpan:
    provider = TracerProvider(resource=Resource({}), shutdown_on_exit=False)
    span = provider.get_tracer("test").start_span(
        name, attributes={k.replace("_", "."): v for k, v in attributes.items()}
    )
    span.record_exception(ValueError("Key (email)=(somebody@example.com) already exists"))
    span.set_status(Status(StatusCode.ERROR, "somebody@example.com"))
    span.end()
    assert isinstance(span, ReadableSpan)
    return span


def test_only_what_is_listed_leaves_the_process() -> None:
    span = cleaned(
        _span(
            "n" * 500,
            db_statement="SET x secret",
            url_full="http://x?token=1",
            http_route="/a",
            thmanyah_a="b" * 2000,
        )
    )
    assert dict(span.attributes or {}) == {"http.route": "/a", "thmanyah.a": "b" * 999 + "…"}
    assert len(span.name) == 100
    assert (span.events, span.status.status_code, span.status.description) == ((), StatusCode.ERROR, None)
    assert "somebody" not in span.to_json()


class _Stuck(Exporter):
    """An exporter whose collector does not answer before it is let go."""

    def __init__(self) -> None:
        super().__init__(lambda: None)
        self.asked, self.go = threading.Event(), threading.Event()

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        self.waiting.remove(len(spans))
        self.asked.set()
        self.go.wait()
        return SpanExportResult.SUCCESS


def _dropped() -> float:
    return REGISTRY.get_sample_value("trace_spans_total", {"outcome": "dropped"}) or 0.0


def test_spans_without_room_are_dropped_and_counted_and_an_end_does_not_wait_for_the_collector(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    # Only a full batch is exported.
    monkeypatch.setenv("OTEL_BSP_SCHEDULE_DELAY", "600000")
    exporter = _Stuck()
    queue = Queue(exporter, 512)
    before, span = _dropped(), _span()
    for _ in range(512):
        queue.on_end(span)
    # A full batch: it is under way, and the queue has room again.
    assert exporter.asked.wait(60)
    for _ in range(600):
        queue.on_end(span)
    assert _dropped() - before == 88
    queue.flush(0.01)
    queue.close(0.01)
    exporter.go.set()


def test_a_collector_that_is_away_is_said_once_and_what_is_lost_is_counted(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    with collector() as there:
        monkeypatch.setenv(ENDPOINT, there.url)
        saved: list[str] = []
        exporter = Exporter(lambda: saved.append("saved"))
        there.status = 400
        with caplog.at_level(logging.INFO, "indexer"):
            results = [exporter.export([_span()]), exporter.export([_span()])]
            assert saved == []
            there.status = 200
            results += [exporter.export([_span("arrives")]), exporter.export([_span()])]
        exporter.shutdown()
    assert results == [SpanExportResult.FAILURE] * 2 + [SpanExportResult.SUCCESS] * 2
    assert saved == ["saved", "saved"]
    said = [record.getMessage() for record in caplog.records if record.name.startswith("indexer")]
    assert [line.partition(":")[0] for line in said] == [
        "traces cannot be exported",
        "traces are exported again",
    ]
    assert there.names() == {"arrives", "work"}


def test_exemplars_of_all_workers_are_added_to_their_buckets(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PROMETHEUS_MULTIPROC_DIR", str(tmp_path))
    for pid, trace in ((1, "old"), (2, "new")):
        monkeypatch.setattr(os, "getpid", lambda pid=pid: pid)
        kept = exemplars.Exemplars(str(tmp_path))
        kept.keep("x_seconds_bucket", {"route": "/a", "le": "0.1"}, Exemplar({"trace_id": trace}, 0.05, None))
        kept.save()
    (tmp_path / "exemplars_3.json").write_text("half of a fi")
    metric = HistogramMetricFamily("x_seconds", "X", labels=["route"])
    metric.add_metric(["/a"], [("0.1", 1), ("+Inf", 2)], 1.0)
    (found,) = exemplars.added([metric])
    assert {s.labels.get("le"): s.exemplar and s.exemplar.labels for s in found.samples if s.exemplar} == {
        "0.1": {"trace_id": "new"}
    }
