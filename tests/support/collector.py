"""An OpenTelemetry collector on loopback: it reads OTLP over HTTP and remembers every span."""

import gzip
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, KeyValue

from tests.support.waiting import eventually


@dataclass(frozen=True)
class Received:
    """A span as it arrived; ids are hexadecimal, `parent` is "" for the first of a trace."""

    service: str
    name: str
    kind: int
    trace: str
    id: str
    parent: str
    failed: bool
    attributes: dict[str, object]
    # All of it as text, with the resource: what must not be in it is looked for here.
    text: str = field(repr=False)


@dataclass
class Collector:
    """What was received, and how the next requests are answered."""

    port: int = 0
    spans: list[Received] = field(default_factory=list)
    status: int = 200
    # Requests wait for it while it is cleared.
    answering: threading.Event = field(default_factory=threading.Event)

    @property
    def url(self) -> str:
        """Its address, as OTEL_EXPORTER_OTLP_ENDPOINT names it."""
        return f"http://127.0.0.1:{self.port}"

    def named(self, name: str, **attributes: object) -> list[Received]:
        """Return the spans of this name that have these attributes, in which `_` stands for a dot."""
        return [
            span
            for span in list(self.spans)
            if span.name == name
            and all(
                any(
                    key.replace(".", "_") == wanted and found == value
                    for key, found in span.attributes.items()
                )
                for wanted, value in attributes.items()
            )
        ]

    def first(self, name: str, **attributes: object) -> Received:
        """Wait for a span of this name with these attributes, and return it."""
        eventually(lambda: self.named(name, **attributes), what=f"{name} among {self.names()}")
        return self.named(name, **attributes)[0]

    def children(self, span: Received) -> dict[str, Received]:
        """Return name -> span of what the span caused directly."""
        return {child.name: child for child in list(self.spans) if child.parent == span.id}

    def below(self, span: Received) -> list[Received]:
        """Return everything that the span caused, directly or not."""
        found = [child for child in list(self.spans) if child.parent == span.id]
        return [*found, *(further for child in found for further in self.below(child))]

    def names(self) -> set[str]:
        """Return the names of all spans."""
        return {span.name for span in list(self.spans)}


@contextmanager
def collector() -> Iterator[Collector]:
    """Serve a collector until the block ends."""
    found = Collector()
    found.answering.set()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            if self.headers.get("Content-Encoding") == "gzip":
                body = gzip.decompress(body)
            found.answering.wait()
            if found.status == 200 and self.path == "/v1/traces":
                found.spans += read(body)
            self.send_response(found.status)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    found.port = server.server_address[1]
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield found
    finally:
        found.answering.set()
        server.shutdown()
        server.server_close()
        thread.join()


def read(body: bytes) -> list[Received]:
    """Return the spans of a request to export."""
    found = []
    for resource in ExportTraceServiceRequest.FromString(body).resource_spans:
        whose = _attributes(resource.resource.attributes)
        for scope in resource.scope_spans:
            found += [
                Received(
                    str(whose.get("service.name", "")),
                    span.name,
                    span.kind,
                    span.trace_id.hex(),
                    span.span_id.hex(),
                    span.parent_span_id.hex(),
                    span.status.code == span.status.STATUS_CODE_ERROR,
                    _attributes(span.attributes),
                    f"{resource.resource} {span}",
                )
                for span in scope.spans
            ]
    return found


def _attributes(pairs: "list[KeyValue]") -> dict[str, object]:
    return {pair.key: _value(pair.value) for pair in pairs}


def _value(value: AnyValue) -> object:
    kind = value.WhichOneof("value")
    return getattr(value, kind) if kind else None
