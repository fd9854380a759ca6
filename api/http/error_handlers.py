"""Handlers that turn an exception of a route into an answer (RFC 9457, problem+json).

`api.app` gives HANDLERS to the framework.
"""

import logging
import re
from typing import Any

from litestar import Response
from litestar.exceptions import HTTPException, ValidationException
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

from api.http.errors import MEDIA_TYPE, Problem
from api.http.request import ApiRequest
from catalog.core.errors import (
    CatalogError,
    FieldError,
    PendingConflict,
    RevisionRequired,
    StaleRevision,
    ValidationFailed,
)
from indexer.engines.errors import EngineRejectedError, EngineUnavailableError

log = logging.getLogger(__name__)
# How msgspec reports an unknown field and a missing field.
_NAMED_FIELD = re.compile(r"(?P<what>unknown|required) field `(?P<field>[^`]{1,100})`")


def respond(request: ApiRequest, problem: Problem) -> Response[bytes]:
    """Return the answer for a problem."""
    request_id = request.scope.get("state", {}).get("request_id", "")
    body = problem.encode(request.url.path, request_id)
    return Response(body, status_code=problem.status, media_type=MEDIA_TYPE, headers=problem.headers)


def problem_of(error: CatalogError) -> Problem:
    """Return what the API says when a rule of the catalogue refuses a request."""
    errors = [FieldError(error.field, error.code, error.detail)] if error.field else []
    headers = {}
    if isinstance(error, ValidationFailed | PendingConflict):
        errors = error.errors
    if isinstance(error, StaleRevision | RevisionRequired):
        headers = {"ETag": f'"{error.current}"'}
    return Problem(error.code, error.detail, errors=errors, headers=headers)


def on_catalog_error(request: ApiRequest, error: CatalogError) -> Response[bytes]:
    """Answer when a rule of the catalogue refuses the request."""
    return respond(request, problem_of(error))


def on_problem(request: ApiRequest, error: Problem) -> Response[bytes]:
    """Answer when the HTTP layer refuses the request."""
    return respond(request, error)


def on_validation(request: ApiRequest, error: ValidationException) -> Response[bytes]:
    """Answer when a parameter or the body does not have the declared type."""
    fields = []
    in_body = False
    for entry in error.extra if isinstance(error.extra, list) else []:
        in_body = in_body or entry.get("source") not in ("query", "path", "header")
        key, message = str(entry.get("key", "")), str(entry.get("message", ""))
        if message == "'data'":
            # The framework's message for a missing body.
            return respond(request, Problem("malformed_body", "The body is empty."))
        named = _NAMED_FIELD.search(message)
        if named is not None:
            fields.append(FieldError(named["field"], named["what"], message))
        else:
            fields.append(FieldError(key, "invalid", message))
    code = "validation_failed" if in_body else "invalid_parameter"
    detail = "; ".join(f"{f.field}: {f.message}" for f in fields) or str(error.detail)
    return respond(request, Problem(code, detail, errors=fields))


def on_engine_unavailable(request: ApiRequest, error: EngineUnavailableError) -> Response[bytes]:
    """Answer when no engine answers, no cached answer can be used, and PostgreSQL fails too."""
    log.warning("search unavailable: %s", error)
    return respond(request, Problem("search_unavailable", headers={"Retry-After": "2"}))


def on_engine_rejected(request: ApiRequest, error: EngineRejectedError) -> Response[bytes]:
    """Answer when the engine refuses a query that our checks let through: a defect of this product."""
    log.error("engine rejected a query: %s", error)
    return respond(request, Problem("internal"))


_STATUS_CODES = {
    400: "bad_request",
    401: "unauthenticated",
    403: "forbidden",
    404: "not_found",
    405: "method_not_allowed",
    413: "body_too_large",
    415: "unsupported_media_type",
    429: "rate_limited",
}


def on_http(request: ApiRequest, error: HTTPException) -> Response[bytes]:
    """Answer when the framework refuses the request: an unknown path, a wrong method, a large body."""
    code = _STATUS_CODES.get(error.status_code)
    if code is None:
        return on_unexpected(request, error)
    theirs = {k.lower(): v for k, v in (error.headers or {}).items()}
    headers = {}
    if "allow" in theirs:
        # The edge answers HEAD wherever there is a GET.
        headers["Allow"] = re.sub(r"\bGET\b", "GET, HEAD", theirs["allow"])
    return respond(request, Problem(code, headers=headers))


def on_unexpected(request: ApiRequest, error: Exception) -> Response[bytes]:
    """Log any other error whole; the client learns only that it happened."""
    if isinstance(error, PoolTimeoutError) or (isinstance(error, DBAPIError) and is_outage(error)):
        log.warning("database unavailable: %s", str(error).splitlines()[0])
        return respond(request, Problem("database_unavailable", headers={"Retry-After": "2"}))
    log.error("unexpected error", exc_info=error)
    return respond(request, Problem("internal"))


def is_outage(error: DBAPIError) -> bool:
    """Whether the same request may succeed in a moment."""
    # Class 08: connection; 53: resources; 57: operator intervention, statement timeout included. And two transactions that
    # could not both be: the same request may succeed.
    state = getattr(error.orig, "sqlstate", None)
    if error.connection_invalidated or state is None:
        return True
    return state[:2] in ("08", "53", "57") or state in ("40001", "40P01")


HANDLERS: dict[Any, Any] = {
    CatalogError: on_catalog_error,
    Problem: on_problem,
    ValidationException: on_validation,
    EngineUnavailableError: on_engine_unavailable,
    EngineRejectedError: on_engine_rejected,
    HTTPException: on_http,
    Exception: on_unexpected,
}
