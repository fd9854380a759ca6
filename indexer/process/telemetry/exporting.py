"""The way of spans out of the process: a bounded queue, a thread that exports, and a counter of what became of them.

A collector that is away costs spans and nothing else: requests and jobs only put spans into the queue.
"""

import logging
import os
import threading
from collections.abc import Callable, Sequence

from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter, SpanExportResult
from prometheus_client import Counter

from indexer.process.telemetry.cleaning import cleaned

log = logging.getLogger(__name__)
SPANS = Counter(
    "trace_spans_total",
    "Spans by what became of them: exported, failed, dropped (the queue was full)",
    ["outcome"],
)


class Queue(BatchSpanProcessor):
    """OpenTelemetry's queue of spans, which counts what it has no room for, and never waits longer than it is told."""

    def __init__(self, exporter: "Exporter", most: int) -> None:
        """Begin empty.

        Args:
            exporter: Gets the spans, in a thread of this queue.
            most: How many spans may wait.
        """
        super().__init__(exporter, max_queue_size=most)
        self._exporter, self._most = exporter, most

    def on_end(self, span: ReadableSpan) -> None:
        """Let a span wait; the queue of OpenTelemetry would write a line for each one that it drops."""
        if span.context is None or not span.context.trace_flags.sampled:
            return
        if self._exporter.waiting.add() > self._most:
            self._exporter.waiting.remove(1)
            SPANS.labels("dropped").inc()
            return
        super().on_end(span)

    def flush(self, seconds: float) -> None:
        """Export what is waiting; a collector that does not answer in time gets nothing more."""
        self._within(seconds, self.force_flush)

    def close(self, seconds: float) -> None:
        """Do the same, and take no span any more."""
        self._within(seconds, self.shutdown)

    @staticmethod
    def _within(seconds: float, work: Callable[[], object]) -> None:
        # OpenTelemetry takes a limit of time, and does not keep it.
        thread = threading.Thread(target=work, name="last-spans", daemon=True)
        thread.start()
        thread.join(seconds)


class _Waiting:
    """How many spans wait."""

    def __init__(self) -> None:
        self._lock, self._count = threading.Lock(), 0

    def add(self) -> int:
        with self._lock:
            self._count += 1
            return self._count

    def remove(self, count: int) -> None:
        with self._lock:
            self._count = max(0, self._count - count)


class Exporter(SpanExporter):
    """Cleans spans, hands them to OpenTelemetry's exporter and counts them. Used in the thread of its queue alone."""

    def __init__(self, exported: Callable[[], None]) -> None:
        """Connect at the first export.

        Args:
            exported: Called after each export that succeeded.
        """
        self.waiting = _Waiting()
        self._exported = exported
        self._inner, self._pid = OTLPSpanExporter(), os.getpid()
        self._is_away = False
        os.register_at_fork(after_in_child=self._after_fork)

    def _after_fork(self) -> None:
        # The queue of a fork begins empty, too.
        self.waiting = _Waiting()

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        """Export a batch; what fails is lost."""
        self.waiting.remove(len(spans))
        if self._pid != os.getpid():
            # A fork must not use the connection of its parent.
            self._inner, self._pid = OTLPSpanExporter(), os.getpid()
        result = SpanExportResult.FAILURE
        try:
            result = self._inner.export([cleaned(span) for span in spans])
        finally:
            self._count(len(spans), succeeded=result is SpanExportResult.SUCCESS)
        return result

    def _count(self, spans: int, *, succeeded: bool) -> None:
        SPANS.labels("exported" if succeeded else "failed").inc(spans)
        if succeeded:
            self._exported()
        if succeeded == self._is_away:
            self._is_away = not succeeded
            if succeeded:
                log.info("traces are exported again")
            else:
                log.warning(
                    "traces cannot be exported: the collector does not take them; they are lost until it does"
                )

    def shutdown(self) -> None:
        """End an export that tries again."""
        self._inner.shutdown()  # type: ignore[no-untyped-call]  # OpenTelemetry leaves it untyped
