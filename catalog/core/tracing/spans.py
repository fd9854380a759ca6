"""Spans that belong to no trace, and the tracer that makes them: what every process has while traces are off.

`indexer.process.telemetry` has the others, which OpenTelemetry records.
"""

from collections.abc import Mapping
from typing import Literal, Self

# What a span may say. Names are those of OpenTelemetry's conventions, or begin with `thmanyah.`; the exporter drops
# every name that `indexer.process.telemetry.cleaning` does not list.
Attributes = Mapping[str, str | int | float | bool]
Kind = Literal["internal", "server", "client", "producer", "consumer"]
# What carries a trace from one process to another, as headers of HTTP name it (https://www.w3.org/TR/trace-context/).
Carrier = dict[str, str]


class Span:
    """A piece of work, begun. In a `with` block it is the current span, and it ends with the block.

    This one records nothing.
    """

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        """End; what was raised is its failure."""

    def within(self) -> "Span":
        """Return what makes this the current span for a `with` block, after which it goes on."""
        return self

    def note(self, attributes: Attributes) -> None:
        """Add attributes."""

    def rename(self, name: str) -> None:
        """Give it another name."""

    def failed(self, reason: str) -> None:
        """Mark it as failed; the reason is a code or the name of a type, never a message."""

    def end(self) -> None:
        """End it, outside of a `with` block."""

    def exemplar(self) -> dict[str, str] | None:
        """Return the labels of an exemplar of this span's trace; None when the trace is not recorded."""
        return None


NOTHING = Span()
_NO_IDS: Carrier = {}


class Tracer:
    """Begins spans and knows the current one. This one records nothing."""

    def span(
        self,
        name: str,
        attributes: Attributes | None = None,
        *,
        kind: Kind = "internal",
        parent: Mapping[str, str] | None = None,
        began: int | None = None,
    ) -> Span:
        """Begin a span; `catalog.core.tracing.span` says what the arguments mean.

        Args:
            name: Of the span.
            attributes: Of the span.
            kind: Of the span.
            parent: The carrier of its parent.
            began: When it began.
        """
        return NOTHING

    def current(self) -> Span:
        """Return the span of the `with` block that the caller is in."""
        return NOTHING

    def carrier(self) -> Carrier:
        """Return what another process continues the current trace by."""
        return {}

    def exemplar_of(self, carrier: Mapping[str, str]) -> dict[str, str] | None:
        """Return the labels of an exemplar of the trace that a carrier leads to; None when it is not recorded."""
        return None

    def ids(self) -> Carrier:
        """Return what a line in the log says of the current span."""
        return _NO_IDS

    def flush(self) -> None:
        """Export what is waiting, for two seconds at most."""

    def close(self) -> None:
        """Export what is waiting, for two seconds at most, and record nothing more."""
