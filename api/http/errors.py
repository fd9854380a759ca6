"""The error codes of the API with their statuses and titles, and the exceptions that carry a code.

Every group of routes raises them; `api.http.error_handlers` turns them into answers (RFC 9457, problem+json).
"""

from collections.abc import Collection

import msgspec

from catalog.core.errors import FieldError

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
    "person_required": (403, "A person has to do this"),
    "not_found": (404, "There is nothing here"),
    "method_not_allowed": (405, "This method is not allowed here"),
    "request_timeout": (408, "The body did not arrive in time"),
    "conflict": (409, "The request conflicts with existing data"),
    "too_many_keys": (409, "The account has as many API keys as it may have"),
    "last_admin": (409, "Nobody could manage accounts any more"),
    "last_engine": (409, "Searches would have no engine left"),
    "illegal_transition": (409, "The program's state does not allow this"),
    "pending_conflict": (409, "The live version has changed under the pending one"),
    "cursor_expired": (410, "The cursor is older than what is kept"),
    "stale_revision": (412, "The resource has changed since you read it"),
    "body_too_large": (413, "The body is too large"),
    "target_too_long": (414, "The address is too long"),
    "unsupported_media_type": (415, "Send application/json"),
    "validation_failed": (422, "Some fields are wrong"),
    "idempotency_key_reused": (422, "This idempotency key was used for another request"),
    "revision_required": (428, "Name the revision that you have read"),
    "rate_limited": (429, "Too many requests"),
    "client_closed_request": (499, "The client hung up"),
    "internal": (500, "Something went wrong on our side"),
    "search_unavailable": (503, "Search is unavailable for the moment"),
    "queue_unavailable": (503, "The queue is unavailable for the moment"),
    "cache_unavailable": (503, "The cache is unavailable for the moment"),
    "storage_unavailable": (503, "Pictures cannot be kept or read for the moment"),
    "database_unavailable": (503, "The catalogue is unavailable for the moment"),
}


class Problem(Exception):
    """The HTTP layer refuses a request. `code` is a key of CODES."""

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
        self.errors, self.headers = errors or [], {"Cache-Control": "no-store"} | (headers or {})
        self.status, self.title = CODES[code]

    def encode(self, instance: str, request_id: str) -> bytes:
        """Return the problem as JSON.

        Args:
            instance: The path of the request.
            request_id: The id of the request in log lines.
        """
        body: dict[str, object] = {
            "type": f"/docs/errors#{self.code}",
            "title": self.title,
            "status": self.status,
            "code": self.code,
            "detail": self.detail or self.title,
            "instance": instance,
            "requestId": request_id,
            "doc": f"/docs/errors#{self.code}",
        }
        if self.errors:
            body["errors"] = [{"field": e.field, "code": e.code, "message": e.message} for e in self.errors]
        return msgspec.json.encode(body)


class UnknownParameter(Problem):
    """A query string has parameters that the route does not know. `names`: all of them, as they were sent."""

    def __init__(self, names: frozenset[str], named: str, allowed: Collection[str]) -> None:
        """Say the first of them, and what the route knows.

        Args:
            names: The parameters.
            named: The first of them.
            allowed: The parameters that the route knows.
        """
        known = ", ".join(sorted(allowed)) or "none"
        errors = [FieldError(named[:100], "unknown", f"Known: {known}.")]
        super().__init__(
            "unknown_parameter", f"{named[:100]!r} is not known here; known are: {known}.", errors=errors
        )
        self.names = names


class InvalidParameter(Problem):
    """A query or path parameter has a wrong value."""

    def __init__(self, name: str, message: str) -> None:
        """Name the parameter in the detail and in the list of errors."""
        errors = [FieldError(name, "invalid", message)]
        super().__init__("invalid_parameter", f"{name}: {message}", errors=errors)
