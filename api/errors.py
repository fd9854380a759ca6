"""Every refusal as RFC 9457 problem+json: one table from code to status."""

import logging
import re
from typing import Any

import msgspec
from litestar import Request, Response
from litestar.exceptions import HTTPException, SerializationException, ValidationException
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

from catalog.errors import CatalogError, FieldError, StaleRevision, ValidationFailed
from indexer.engine import EngineRejectedError, EngineUnavailableError

log = logging.getLogger(__name__)
MEDIA_TYPE = "application/problem+json"

# code -> (status, title). docs/errors.md explains each; a test holds the two together.
CODES: dict[str, tuple[int, str]] = {
    "bad_request": (400, "The request could not be read"),
    "malformed_body": (400, "The body is not valid JSON"),
    "invalid_parameter": (400, "A parameter is wrong"),
    "unknown_parameter": (400, "A parameter is not known here"),
    "invalid_cursor": (400, "The cursor does not belong to this list"),
    "unauthenticated": (401, "Sign in first"),
    "invalid_credentials": (401, "E-mail or password is wrong"),
    "invalid_token": (401, "The token is not valid"),
    "token_expired": (401, "The token has expired"),
    "token_reused": (401, "The refresh token was used before"),
    "forbidden": (403, "Your role does not allow this"),
    "not_found": (404, "There is nothing here"),
    "method_not_allowed": (405, "This method is not allowed here"),
    "conflict": (409, "It conflicts with what is there"),
    "last_engine": (409, "Searches would have no engine left"),
    "illegal_transition": (409, "The program's state does not allow this"),
    "stale_revision": (412, "It has changed since you read it"),
    "body_too_large": (413, "The body is too large"),
    "unsupported_media_type": (415, "Send application/json"),
    "validation_failed": (422, "Some fields are wrong"),
    "idempotency_key_reused": (422, "This idempotency key was used for another request"),
    "rate_limited": (429, "Too many requests"),
    "internal": (500, "Something went wrong on our side"),
    "search_unavailable": (503, "Search is unavailable for the moment"),
    "queue_unavailable": (503, "The queue is unavailable for the moment"),
    "cache_unavailable": (503, "The cache is unavailable for the moment"),
    "database_unavailable": (503, "The catalogue is unavailable for the moment"),
}


# How msgspec names a field that should not be there, or should.
_NAMED_FIELD = re.compile(r"(?P<what>unknown|required) field `(?P<field>[^`]{1,100})`")


class Problem(Exception):
    """A refusal of the HTTP layer itself."""

    def __init__(
        self,
        code: str,
        detail: str = "",
        *,
        errors: list[FieldError] | None = None,
        headers: dict[str, str] | None = None,
    ) -> None:
        super().__init__(detail or code)
        self.code, self.detail = code, detail
        self.errors, self.headers = errors or [], headers or {}


def invalid_parameter(name: str, message: str) -> Problem:
    """A query or path parameter that is wrong, named."""
    return Problem(
        "invalid_parameter", f"{name}: {message}", errors=[FieldError(name, "invalid", message)]
    )


def respond(request: Request[Any, Any, Any], problem: Problem) -> Response[bytes]:
    """The answer for a problem."""
    status, title = CODES[problem.code]
    request_id = request.scope.get("state", {}).get("request_id", "")
    body: dict[str, Any] = {
        "type": f"/docs/errors#{problem.code}",
        "title": title,
        "status": status,
        "code": problem.code,
        "detail": problem.detail or title,
        "instance": request.url.path,
        "requestId": request_id,
        "doc": f"/docs/errors#{problem.code}",
    }
    if problem.errors:
        body["errors"] = [
            {"field": e.field, "code": e.code, "message": e.message} for e in problem.errors
        ]
    headers = {"Cache-Control": "no-store"} | problem.headers
    return Response(
        msgspec.json.encode(body), status_code=status, media_type=MEDIA_TYPE, headers=headers
    )


class ApiRequest(Request[Any, Any, Any]):
    """The framework's request, whose unreadable body is the sender's mistake, never ours."""

    async def json(self) -> Any:
        """The decoded body. Raises Problem."""
        try:
            return await super().json()
        except RecursionError:
            raise Problem("malformed_body", "The body is nested too deeply.") from None
        except UnicodeDecodeError:
            raise Problem("malformed_body", "The body is not UTF-8.") from None
        except SerializationException as error:
            raise Problem("malformed_body", str(error.__cause__ or error)) from None


def _from_catalog(error: CatalogError) -> Problem:
    errors = [FieldError(error.field, error.code, error.detail)] if error.field else []
    headers = {}
    if isinstance(error, ValidationFailed):
        errors = error.errors
    if isinstance(error, StaleRevision):
        headers = {"ETag": f'"{error.current}"'}
    return Problem(error.code, error.detail, errors=errors, headers=headers)


def on_catalog_error(request: Request[Any, Any, Any], error: CatalogError) -> Response[bytes]:
    """A rule of the catalogue said no."""
    return respond(request, _from_catalog(error))


def on_problem(request: Request[Any, Any, Any], error: Problem) -> Response[bytes]:
    """A rule of this layer said no."""
    return respond(request, error)


def on_validation(request: Request[Any, Any, Any], error: ValidationException) -> Response[bytes]:
    """A parameter or body does not have the declared shape."""
    fields = []
    in_body = False
    for entry in error.extra if isinstance(error.extra, list) else []:
        in_body = in_body or entry.get("source") not in ("query", "path", "header")
        key, message = str(entry.get("key", "")), str(entry.get("message", ""))
        if message == "'data'":
            # The framework's word for a body that is not there.
            return respond(request, Problem("malformed_body", "The body is empty."))
        named = _NAMED_FIELD.search(message)
        if named is not None:
            fields.append(FieldError(named["field"], named["what"], message))
        else:
            fields.append(FieldError(key, "invalid", message))
    code = "validation_failed" if in_body else "invalid_parameter"
    detail = "; ".join(f"{f.field}: {f.message}" for f in fields) or str(error.detail)
    return respond(request, Problem(code, detail, errors=fields))


def on_engine_unavailable(
    request: Request[Any, Any, Any], error: EngineUnavailableError
) -> Response[bytes]:
    """No engine answered, no page was held and PostgreSQL did not stand in."""
    log.warning("search unavailable: %s", error)
    return respond(request, Problem("search_unavailable", headers={"Retry-After": "2"}))


def on_engine_rejected(
    request: Request[Any, Any, Any], error: EngineRejectedError
) -> Response[bytes]:
    """The engine refused what this layer let through: our mistake."""
    log.error("engine rejected a query: %s", error)
    return respond(request, Problem("internal"))


_STATUS_CODES = {
    400: "bad_request", 401: "unauthenticated", 403: "forbidden", 404: "not_found",
    405: "method_not_allowed", 413: "body_too_large", 415: "unsupported_media_type",
    429: "rate_limited",
}  # fmt: skip


def on_http(request: Request[Any, Any, Any], error: HTTPException) -> Response[bytes]:
    """What the framework itself refuses."""
    code = _STATUS_CODES.get(error.status_code)
    if code is None:
        return on_unexpected(request, error)
    given = {k.lower(): v for k, v in (error.headers or {}).items()}
    headers = {}
    if "allow" in given:
        # The edge answers HEAD wherever there is a GET.
        headers["Allow"] = re.sub(r"\bGET\b", "GET, HEAD", given["allow"])
    return respond(request, Problem(code, headers=headers))


def on_unexpected(request: Request[Any, Any, Any], error: Exception) -> Response[bytes]:
    """Anything else: logged whole, told nothing."""
    if isinstance(error, PoolTimeoutError) or (isinstance(error, DBAPIError) and _is_outage(error)):
        log.warning("database unavailable: %s", str(error).splitlines()[0])
        return respond(request, Problem("database_unavailable", headers={"Retry-After": "2"}))
    log.error("unexpected error", exc_info=error)
    return respond(request, Problem("internal"))


def _is_outage(error: DBAPIError) -> bool:
    # Class 08: connection; 53: resources; 57: operator intervention, statement timeout included.
    state = getattr(error.orig, "sqlstate", None)
    return error.connection_invalidated or state is None or state[:2] in ("08", "53", "57")


HANDLERS: dict[Any, Any] = {
    CatalogError: on_catalog_error,
    Problem: on_problem,
    ValidationException: on_validation,
    EngineUnavailableError: on_engine_unavailable,
    EngineRejectedError: on_engine_rejected,
    HTTPException: on_http,
    Exception: on_unexpected,
}
