"""What may leave the process in a span: everything else is removed before the export, whoever wrote it.

Libraries put texts of errors, addresses and whole commands into spans. An error of PostgreSQL quotes values ("Key
(email)=(…) already exists"), so no message of an error is exported.
"""

from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.trace import Status
from opentelemetry.util.types import Attributes, AttributeValue

# The names that are exported, and `thmanyah.…`.
_NAMES = frozenset(
    {
        "db.operation.name",
        "db.query.text",
        "db.redis.pipeline_length",
        "db.system",
        "db.system.name",
        "error.type",
        "http.request.method",
        "http.response.status_code",
        "http.route",
        "messaging.destination.name",
        "messaging.system",
        "server.address",
        "server.port",
    }
)
_OURS = "thmanyah."
_MAX_NAME, _MAX_VALUE = 100, 1000  # characters


def cleaned(span: ReadableSpan) -> ReadableSpan:
    """Return a copy of the span with what may leave the process."""
    return ReadableSpan(
        name=_cut(span.name, _MAX_NAME),
        context=span.context,
        parent=span.parent,
        resource=span.resource,
        attributes=_allowed(span.attributes),
        kind=span.kind,
        status=Status(span.status.status_code),
        start_time=span.start_time,
        end_time=span.end_time,
        instrumentation_scope=span.instrumentation_scope,
    )


def _allowed(attributes: Attributes) -> dict[str, AttributeValue]:
    return {
        name: _cut(value, _MAX_VALUE) if isinstance(value, str) else value
        for name, value in (attributes or {}).items()
        if name in _NAMES or name.startswith(_OURS)
    }


def _cut(text: str, most: int) -> str:
    return text if len(text) <= most else f"{text[: most - 1]}…"
