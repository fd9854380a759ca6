"""Turns traces on where OpenTelemetry's own variables ask for them. Called at the start of every process.

`catalog.core.tracing` is what the product's rooms call. The packages of OpenTelemetry are an extra
(`thmanyah-discovery[otel]`): nothing outside this folder imports them, and this module does only when traces are on.
"""

import logging
from importlib.util import find_spec

from indexer.process.telemetry.settings import TracingSettings

log = logging.getLogger(__name__)
_NONE = "%s asks for traces, but there are none: %s"
# The extra installs all of its packages or none.
_PACKAGE = "opentelemetry.exporter.otlp.proto.http"


def start(process: str, *, quiet: bool = False) -> bool:
    """Record and export the spans of this process, if its variables ask for it.

    Args:
        process: The command, such as `api`: the service is `thmanyah-api` unless OTEL_SERVICE_NAME names it.
        quiet: Write no line about it, because the process that started this one has.

    Returns:
        Whether it does.
    """
    settings = TracingSettings()
    if not is_on(settings, quiet=quiet):
        return False
    from indexer.process.telemetry import recording

    try:
        recording.begin(process, settings)
    except ValueError as error:
        # Values of OpenTelemetry's other variables that do not fit together.
        log.warning(_NONE, settings.asked_by, error)
        return False
    return True


def is_on(settings: TracingSettings | None = None, *, quiet: bool = False) -> bool:
    """Return whether traces are asked for and can be had; write one line about it when they are asked for.

    Args:
        settings: Read from the environment when None.
        quiet: Write no line.
    """
    settings = settings or TracingSettings()
    if not settings.asked_by:
        return False
    reason = settings.unusable or _missing()
    if reason and not quiet:
        log.warning(_NONE, settings.asked_by, reason)
    elif not quiet:
        log.info("%s asks for traces: they are exported", settings.asked_by)
    return not reason


def _missing() -> str:
    try:
        found = find_spec(_PACKAGE)
    except ModuleNotFoundError:
        found = None
    return "" if found else "install thmanyah-discovery[otel] or requirements/otel.txt"
