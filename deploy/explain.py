"""Explains errors that the person at the prompt can do something about: what happened, and what to do.

`deploy.cli` prints the explanation instead of a traceback. An error that is not explained here is a defect of
the product, and its traceback is wanted.
"""

import sys
from typing import TYPE_CHECKING

from deploy.local.errors import LocalStackError

if TYPE_CHECKING:
    from pydantic import ValidationError

_NO_DATABASE = "Start everything with `thmanyah up` (make run), or name a server: DATABASE_URL=…"
_NO_REDIS = (
    "Start everything with `thmanyah up` (make run), or name a server: REDIS_CACHE_URL=…, REDIS_QUEUE_URL=…"
)
_OLD_SCHEMA = "The database schema is older than this build: run `thmanyah migrate`."
# SQLSTATEs of statements that name a table or column which the database does not have.
_UNDEFINED = {"42P01", "42703"}


def explain(error: Exception) -> str | None:
    """Return one or two lines for the person at the prompt; None for an error that is a defect."""
    # Imported when something failed: `thmanyah --help` needs none of them.
    from pydantic import ValidationError
    from redis import exceptions as redis_errors
    from sqlalchemy import exc as database_errors

    from indexer.engines.errors import EngineRejectedError, EngineUnavailableError
    from indexer.process.listening import CannotListenError
    from indexer.stores.queues import QueueOnClusterError

    match error:
        case LocalStackError() | CannotListenError() | QueueOnClusterError():
            return str(error)
        case _ if _is_unknown_revision(error):
            return str(error)
        case ValidationError():
            return _wrong_variables(error)
        case database_errors.ProgrammingError() if _sqlstate(error.orig) in _UNDEFINED:
            return _OLD_SCHEMA
        # A connection that could not be made has no SQLSTATE.
        case database_errors.OperationalError() if not _sqlstate(error.orig):
            return f"PostgreSQL cannot be reached: {_first_line(error.orig)}\n{_NO_DATABASE}"
        case redis_errors.ConnectionError() | redis_errors.TimeoutError():
            return f"Redis cannot be reached: {_first_line(error)}\n{_NO_REDIS}"
        case EngineUnavailableError() | EngineRejectedError():
            return f"The search engine: {error}"
    return None


def _wrong_variables(error: "ValidationError") -> str:
    """A sentence for each variable of the environment that a settings class refuses."""
    sentences = []
    for detail in error.errors(include_url=False, include_input=False):
        message = detail["msg"].removeprefix("Value error, ")
        variable = ".".join(str(part) for part in detail["loc"])
        # Without a variable, the message of a rule about several of them names them itself.
        sentence = message.replace("Input should", "should", 1)
        sentences.append(f"{variable} {sentence}" if variable else sentence)
    return ". ".join(sentences) + "."


def _is_unknown_revision(error: Exception) -> bool:
    # Not imported here: importing Alembic would log its plugins. Who raised the error has imported the module.
    migrate = sys.modules.get("catalog.schema.migrate")
    return migrate is not None and isinstance(error, migrate.UnknownRevisionError)


def _sqlstate(error: BaseException | None) -> str | None:
    state: str | None = getattr(error, "sqlstate", None)
    return state


def _first_line(error: BaseException | None) -> str:
    return str(error).partition("\n")[0]
