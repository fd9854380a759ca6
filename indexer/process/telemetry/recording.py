"""Records spans by OpenTelemetry's SDK. Imported only in a process whose variables ask for traces."""

import logging
from collections.abc import Mapping, Sequence
from contextvars import Token
from typing import Self

from opentelemetry import context, trace
from opentelemetry.context import Context
from opentelemetry.instrumentation.redis import RedisInstrumentor
from opentelemetry.sdk.resources import SERVICE_NAME, Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.sampling import Decision, Sampler, SamplingResult
from opentelemetry.trace import Link, SpanKind, Status, StatusCode, TraceState
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator
from opentelemetry.util import types

from catalog import __version__
from catalog.core import tracing
from catalog.core.tracing.spans import Attributes, Carrier, Kind, Span, Tracer
from indexer.process.telemetry import database, exemplars
from indexer.process.telemetry.exporting import Exporter, Queue
from indexer.process.telemetry.settings import TracingSettings

# How long the end of a process or of a job waits for its last spans.
LAST_SECONDS = 2.0
_KINDS: dict[Kind, SpanKind] = {
    "internal": SpanKind.INTERNAL,
    "server": SpanKind.SERVER,
    "client": SpanKind.CLIENT,
    "producer": SpanKind.PRODUCER,
    "consumer": SpanKind.CONSUMER,
}
# Baggage is left out: strangers send it, and it would go on to other servers.
_propagator = TraceContextTextMapPropagator()


def begin(process: str, settings: TracingSettings) -> None:
    """Record and export the spans of this process from now on.

    Args:
        process: The command.
        settings: The variables.
    """
    # `Exporter` says once that the collector is away; the library would say so at every try.
    logging.getLogger("opentelemetry").setLevel(logging.CRITICAL)
    kept = exemplars.keep_in_files()
    queue = Queue(Exporter(kept.save if kept is not None else lambda: None), settings.queue)
    provider = TracerProvider(resource=_resource(process), shutdown_on_exit=False)
    provider.sampler = _Rooted(provider.sampler)
    provider.add_span_processor(queue)
    RedisInstrumentor().instrument(tracer_provider=provider)
    database.listen(provider.get_tracer("thmanyah.database", __version__))
    tracing.bind(_OpenTelemetry(provider.get_tracer("thmanyah", __version__), queue))


def _resource(process: str) -> Resource:
    ours = {"service.namespace": "thmanyah", "service.version": __version__, "thmanyah.process": process}
    named = Resource.create()
    if str(named.attributes.get(SERVICE_NAME, "")).startswith("unknown_service"):
        ours[SERVICE_NAME] = f"thmanyah-{process}"
    # What the operator's variables say wins, but for the name that OpenTelemetry made up.
    return named.merge(Resource(ours)) if SERVICE_NAME in ours else Resource(ours).merge(named)


class _Rooted(Sampler):
    """Asks another sampler, but for requests to other servers that nothing asked for.

    Senders, workers and the scheduler look for work all the time: each look would be a trace of its own.
    """

    def __init__(self, sampler: Sampler) -> None:
        self._sampler = sampler

    def should_sample(
        self,
        parent_context: Context | None,
        trace_id: int,
        name: str,
        kind: SpanKind | None = None,
        attributes: types.Attributes = None,
        links: Sequence[Link] | None = None,
        trace_state: TraceState | None = None,
    ) -> SamplingResult:
        """Decide; the arguments are OpenTelemetry's."""
        parent = trace.get_current_span(parent_context).get_span_context()
        if kind is SpanKind.CLIENT and not parent.is_valid:
            return SamplingResult(Decision.DROP)
        return self._sampler.should_sample(parent_context, trace_id, name, kind, attributes, links)

    def get_description(self) -> str:
        """Return the name of the sampler."""
        return f"Rooted{{{self._sampler.get_description()}}}"


class _OpenTelemetrySpan(Span):
    """A span of OpenTelemetry."""

    def __init__(self, span: trace.Span) -> None:
        self._span = span
        self._token: Token[Context] | None = None

    def __enter__(self) -> Self:
        self._token = context.attach(trace.set_span_in_context(self._span))
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        """End it; what was raised is its failure."""
        self._detach()
        if kind is not None:
            self.failed(kind.__name__)
        self._span.end()

    def _detach(self) -> None:
        if self._token is not None:
            context.detach(self._token)
            self._token = None

    def within(self) -> Span:
        """Return what makes this the current span for a `with` block, after which it goes on."""
        return _Within(self._span)

    def note(self, attributes: Attributes) -> None:
        """Add attributes."""
        self._span.set_attributes(dict(attributes))

    def rename(self, name: str) -> None:
        """Give it another name."""
        self._span.update_name(name)

    def failed(self, reason: str) -> None:
        """Mark it as failed."""
        self._span.set_attribute("error.type", reason)
        self._span.set_status(Status(StatusCode.ERROR))

    def end(self) -> None:
        """End it."""
        self._span.end()

    def exemplar(self) -> dict[str, str] | None:
        """Return the labels of an exemplar of this span's trace; None when the trace is not recorded."""
        found = self._span.get_span_context()
        return {"trace_id": trace.format_trace_id(found.trace_id)} if found.trace_flags.sampled else None


class _Within(_OpenTelemetrySpan):
    """The same span, for a block that does not end it."""

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        """Go on."""
        self._detach()


class _OpenTelemetry(Tracer):
    """Begins spans of OpenTelemetry."""

    def __init__(self, tracer: trace.Tracer, queue: Queue) -> None:
        self._tracer, self._queue = tracer, queue

    def span(
        self,
        name: str,
        attributes: Attributes | None = None,
        *,
        kind: Kind = "internal",
        parent: Mapping[str, str] | None = None,
        began: int | None = None,
    ) -> Span:
        """Begin a span.

        Args:
            name: Of the span.
            attributes: Of the span.
            kind: Of the span.
            parent: The carrier of its parent.
            began: When it began.
        """
        of = None
        if parent is not None:
            of = _propagator.extract(parent, Context()) if parent else Context()
        noted = dict(attributes) if attributes else None
        return _OpenTelemetrySpan(self._tracer.start_span(name, of, _KINDS[kind], noted, start_time=began))

    def current(self) -> Span:
        """Return the span of the `with` block that the caller is in."""
        return _OpenTelemetrySpan(trace.get_current_span())

    def carrier(self) -> Carrier:
        """Return what another process continues the current trace by."""
        found: Carrier = {}
        _propagator.inject(found)
        return found

    def exemplar_of(self, carrier: Mapping[str, str]) -> dict[str, str] | None:
        """Return the labels of an exemplar of the trace that a carrier leads to; None when it is not recorded."""
        return _OpenTelemetrySpan(trace.get_current_span(_propagator.extract(carrier, Context()))).exemplar()

    def ids(self) -> Carrier:
        """Return what a line in the log says of the current span."""
        found = trace.get_current_span().get_span_context()
        if not found.is_valid:
            return {}
        return {
            "trace_id": trace.format_trace_id(found.trace_id),
            "span_id": trace.format_span_id(found.span_id),
        }

    def flush(self) -> None:
        """Export what is waiting, for two seconds at most."""
        self._queue.flush(LAST_SECONDS)

    def close(self) -> None:
        """Export what is waiting, for two seconds at most, and record nothing more."""
        self._queue.close(LAST_SECONDS)
