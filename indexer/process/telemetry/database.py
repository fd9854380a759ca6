"""Spans of statements: one for each statement that SQLAlchemy sends to PostgreSQL, in every engine of the process.

OpenTelemetry's own package for it wants a SQLAlchemy below 2.1, and would export texts of errors, which quote values.
"""

import re

from opentelemetry.trace import Span, SpanKind, Status, StatusCode, Tracer
from sqlalchemy import Engine, event

# The table of a statement, for its name: `SELECT programs`. Those of queries within it are in brackets.
_TABLE = re.compile(r"[()]|\b(?:FROM|INTO|UPDATE)\s+([a-z_]+)", re.IGNORECASE)
_KEPT = "_thmanyah_span"
# The limit of time that each transaction begins with (`catalog.core.db`).
_OVERHEAD = "SET LOCAL"


def listen(tracer: Tracer) -> None:
    """Begin a span before each statement, and end it after."""

    # The arguments are those of SQLAlchemy's events.
    def before(
        connection: object, cursor: object, statement: str, values: object, context: object, many: bool
    ) -> None:
        if statement.startswith(_OVERHEAD):
            return
        span = tracer.start_span("SQL", kind=SpanKind.CLIENT)
        if span.is_recording():
            _describe(span, statement)
        setattr(context, _KEPT, span)

    def after(
        connection: object, cursor: object, statement: str, values: object, context: object, many: bool
    ) -> None:
        span: Span | None = getattr(context, _KEPT, None)
        if span is not None:
            span.end()

    def failed(failure: object) -> None:
        span: Span | None = getattr(getattr(failure, "execution_context", None), _KEPT, None)
        if span is not None:
            span.set_attribute("error.type", type(getattr(failure, "original_exception", failure)).__name__)
            span.set_status(Status(StatusCode.ERROR))
            span.end()

    event.listen(Engine, "before_cursor_execute", before)
    event.listen(Engine, "after_cursor_execute", after)
    event.listen(Engine, "handle_error", failed)


def _describe(span: Span, statement: str) -> None:
    # Values are no part of it: they are sent beside it.
    words = statement.split(None, 1)
    operation, table = words[0].upper() if words else "SQL", _table(statement)
    span.update_name(f"{operation} {table}" if table else operation)
    span.set_attributes(
        {"db.system.name": "postgresql", "db.operation.name": operation, "db.query.text": statement}
    )


def _table(statement: str) -> str:
    depth = 0
    for found in _TABLE.finditer(statement):
        if found[1] is None:
            depth += 1 if found[0] == "(" else -1
        elif not depth:
            return found[1]
    return ""
