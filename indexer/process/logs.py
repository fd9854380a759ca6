"""What all processes write about their work: one line for each event, JSON or text. Called at the start of each process.

Modules log with the standard library. A request or a job binds its id (`structlog.contextvars`), which every line about
it then has, those of libraries included; while traces are on, also the ids of the current span.
"""

import logging
import sys
from typing import Literal

import structlog
from structlog.typing import EventDict, Processor, WrappedLogger

from catalog.core import tracing

# Libraries whose messages below this level say nothing that an operator could use.
_QUIET = {"urllib3": logging.ERROR, "rq.worker": logging.WARNING, "alembic": logging.WARNING}


def configure(form: Literal["text", "json"], level: int = logging.INFO) -> None:
    """Write the log of this process to stderr.

    Args:
        form: `LOG_FORMAT`.
        level: The lowest level that is written.
    """
    common: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        _add_span,
        structlog.stdlib.add_logger_name,
        structlog.stdlib.add_log_level,
        structlog.stdlib.ExtraAdder(),
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    if form == "json":
        last: list[Processor] = [
            structlog.processors.format_exc_info,
            structlog.processors.JSONRenderer(ensure_ascii=False),
        ]
    else:
        # Plain tracebacks: rich ones would show the values of variables.
        plain = structlog.dev.plain_traceback
        last = [structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty(), exception_formatter=plain)]
    formatter = structlog.stdlib.ProcessorFormatter(
        foreign_pre_chain=common,
        processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, *last],
    )
    handler = logging.StreamHandler()
    handler.setFormatter(formatter)
    logging.basicConfig(handlers=[handler], level=level, force=True)
    for name, quiet in _QUIET.items():
        logging.getLogger(name).setLevel(quiet)


def _add_span(_: WrappedLogger, __: str, line: EventDict) -> EventDict:
    line.update(tracing.ids())
    return line
