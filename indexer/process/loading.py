"""How a process imports what it runs. Used by the `thmanyah` command, and by each worker of the API."""

import gc
import sys
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def quickly(*, rich: bool = True) -> Iterator[None]:
    """Import modules in a quarter less time than otherwise.

    What is imported stays until the process ends. So garbage is not looked for meanwhile, nor among it later: jobs
    that are forked share this memory with their parent.

    Modules are imported as if OpenTelemetry was not installed: redis would import its SDK for metrics of its own, which
    nothing asks for. `telemetry.start` imports it later, when traces are on.

    Args:
        rich: False imports as if rich was not installed either: structlog would import it for tracebacks that `logs`
            does not write.
    """
    hidden = {"opentelemetry"} | (set() if rich else {"rich"})
    hidden -= sys.modules.keys()
    for name in hidden:
        sys.modules[name] = None  # type: ignore[assignment] # an import takes it for not installed
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()
        gc.enable()
        for name in hidden:
            del sys.modules[name]
