"""Traces: which piece of work caused which, across processes. Every room calls these functions; off, they do nothing.

A process binds a tracer at its start (`indexer.process.telemetry.start`); without one, nothing of OpenTelemetry is
imported. Spans say nothing of listeners and nothing secret: no query, address, e-mail address, token or parameter of SQL.
"""

from collections.abc import Mapping

from catalog.core.tracing.spans import NOTHING, Attributes, Carrier, Kind, Span, Tracer

__all__ = [
    "NOTHING",
    "Carrier",
    "Span",
    "Tracer",
    "bind",
    "carrier",
    "close",
    "current",
    "exemplar_of",
    "flush",
    "ids",
    "span",
]


class _Process:
    """The tracer of this process."""

    tracer = Tracer()


def bind(tracer: Tracer) -> None:
    """Record spans by this tracer from now on."""
    _Process.tracer = tracer


def span(
    name: str,
    attributes: Attributes | None = None,
    *,
    kind: Kind = "internal",
    parent: Mapping[str, str] | None = None,
    began: int | None = None,
) -> Span:
    """Begin a span, a child of the current one. It ends with its `with` block, or by `end`.

    Args:
        name: What is done, without an id or any other value: there are few different names.
        attributes: What else is known of it.
        kind: Server and consumer continue another process's trace; client and producer ask another server. A client
            span without a parent is not recorded: processes look for work all the time.
        parent: The carrier of the trace to continue; an unreadable one begins a new trace.
        began: When the work began, in nanoseconds since 1970; now by default.
    """
    return _Process.tracer.span(name, attributes, kind=kind, parent=parent, began=began)


def current() -> Span:
    """Return the span of the `with` block that the caller is in."""
    return _Process.tracer.current()


def carrier() -> Carrier:
    """Return what another process continues the current trace by; nothing when there is none."""
    return _Process.tracer.carrier()


def exemplar_of(carrier: Mapping[str, str]) -> dict[str, str] | None:
    """Return the labels of an exemplar of the trace that a carrier leads to; None when it is not recorded."""
    return _Process.tracer.exemplar_of(carrier)


def ids() -> Carrier:
    """Return what a line in the log says of the current span: nothing, or its `trace_id` and `span_id`."""
    return _Process.tracer.ids()


def flush() -> None:
    """Export what is waiting, for two seconds at most: before a fork ends."""
    _Process.tracer.flush()


def close() -> None:
    """Export what is waiting, for two seconds at most, and record nothing more: at the end of a process."""
    _Process.tracer.close()
    _Process.tracer = Tracer()
